//! The agent on a chain in memory, with the real sshd.
//!
//! | module | what |
//! |---|---|
//! | [`world`] | the chain, the device and the publisher |
//! | [`appliers`] | what is put in force besides SSH certificates |
//! | [`host_keys`] | a host key that was delivered |
//! | [`user_keys`] | private keys of users that were delivered |
//! | [`user_certificates`] | certificates for keys of users that the device has made |
//! | [`plain_keys`] | plain keys that open logins |
//! | [`killed`] | the process that is killed at a step |
//! | [`stops`] | the agent is killed at each step of each applier |
//! | [`stops_beside`] | the same while others are told, access is taken away, and keys are replaced |
//! | [`untold`] | who could not be told of what is in force |
//! | [`approvals`] | who has to stand for a delivery |
//! | [`deliveries`] | what is taken, and what is refused |
//! | [`channels`] | several channels, and what they claim |
//! | [`renewals`] | replacing the key that opens deliveries |
//! | [`revocations`] | what is taken away without a delivery |
//! | [`early`] | what is taken away before anything else |
//! | [`lapses`] | what happens when the chain is not heard |
//! | [`crashes`] | crashes and failures between any two steps |
//! | [`forgeries`] | what is in an envelope that should not be |
//! | [`insiders`] | what a recipient of a shared envelope does to the others |
//! | [`generations`] | the directory that sshd reads |
//! | [`commands`] | the command line |
//! | [`credentials`] | state that is sealed by a credential of systemd |
//! | [`tpm`] | state that is sealed by a key in a TPM |
//! | [`notified`] | what systemd is told |
//! | [`linked`] | the libraries that the agent needs |
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
mod credentials;
mod deliveries;
mod early;
mod forgeries;
mod generations;
mod host_keys;
mod insiders;
mod killed;
mod lapses;
mod linked;
mod notified;
mod one_at_a_time;
mod plain_keys;
mod renewals;
mod requests;
mod revocations;
mod secrets;
mod statuses;
mod stops;
mod stops_beside;
mod table;
mod temporary;
mod temporary_keys;
mod tpm;
mod untold;
mod user_certificates;
mod user_keys;
mod world;
