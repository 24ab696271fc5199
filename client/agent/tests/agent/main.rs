//! The agent on a chain in memory, with the real sshd.
//!
//! | module | what |
//! |---|---|
//! | [`world`] | the chain, the device and the publisher |
//! | [`deliveries`] | what is taken, and what is refused |
//! | [`revocations`] | what is taken away without a delivery |
//! | [`lapses`] | what happens when the chain is not heard |
//! | [`crashes`] | crashes and failures between any two steps |
//! | [`generations`] | the directory that sshd reads |
//! | [`commands`] | the command line |
//! | [`consents`] | consents to further keys |
//! | [`one_at_a_time`] | the lock, and what `status` tells |
//! | [`statuses`] | the vectors of the one status function |

mod commands;
mod consents;
mod crashes;
mod deliveries;
mod generations;
mod lapses;
mod one_at_a_time;
mod revocations;
mod statuses;
mod world;
