//! What the agent does with SSH.
//!
//! | module | rule |
//! |---|---|
//! | [`state`] | the access that is wanted, and the files that say so |
//! | [`krl`] | OpenSSH key revocation lists |
//! | [`layout`] | what lies where |
//! | [`delivered`] | a host key that somebody else has made |
//! | [`check`] | how a generation is tested before it counts |
//! | [`applier`] | how a generation is made, tested and switched to |

pub mod applier;
pub mod check;
pub mod delivered;
pub mod krl;
pub mod layout;
pub mod state;
