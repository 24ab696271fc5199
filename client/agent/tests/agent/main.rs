//! The agent on a chain in memory, with the real sshd.
//!
//! | module | what |
//! |---|---|
//! | [`world`] | the chain, the device and the publisher |
//! | [`appliers`] | what is put in force besides SSH certificates |
//! | [`plain_keys`] | plain keys that open logins |
//! | [`stops`] | the agent ends at each step of each applier |
//! | [`approvals`] | who has to stand for a delivery |
//! | [`deliveries`] | what is taken, and what is refused |
//! | [`channels`] | several channels, and what they claim |
//! | [`renewals`] | replacing the key that opens deliveries |
//! | [`revocations`] | what is taken away without a delivery |
//! | [`lapses`] | what happens when the chain is not heard |
//! | [`crashes`] | crashes and failures between any two steps |
//! | [`forgeries`] | what is in an envelope that should not be |
//! | [`generations`] | the directory that sshd reads |
//! | [`commands`] | the command line |
//! | [`consents`] | consents to further keys |
//! | [`requests`] | asking a CA for certificates |
//! | [`one_at_a_time`] | the lock, and what `status` tells |
//! | [`temporary`] | access that ends by itself |
//! | [`temporary_keys`] | the same by plain keys, without a CA |
//! | [`secrets`] | that no secret shows, and sealed state |
//! | [`statuses`] | the vectors of the one status function |

mod appliers;
mod approvals;
mod channels;
mod commands;
mod consents;
mod crashes;
mod deliveries;
mod forgeries;
mod generations;
mod lapses;
mod one_at_a_time;
mod plain_keys;
mod renewals;
mod requests;
mod revocations;
mod secrets;
mod statuses;
mod stops;
mod table;
mod temporary;
mod temporary_keys;
mod world;
