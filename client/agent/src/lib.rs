//! The device daemon of the device PKI chain.
//!
//! It follows the chain with an embedded light client ([`connect`]), proves every record that it relies on, fetches and
//! decrypts what is delivered to the device, and puts it in force ([`appliers`]). It never asks an RPC server.
//!
//! | module | rule |
//! |---|---|
//! | [`agent`] | convergence: what is taken, what is refused, what is enforced |
//! | [`merge`] | one desired state from what came on several channels |
//! | [`desired`] | from a bundle and proven anchors to the access that is wanted |
//! | [`approval`] | whether those approved a delivery who had to |
//! | [`refusal`] | why a delivery is not taken |
//! | [`journal`] | what must not be forgotten, and the steps of a delivery across crashes |
//! | [`appliers`] | putting each part of a bundle in force, and back |
//! | [`ssh`] | generations, key revocation lists, tests with sshd |
//! | [`chain`] | the proven reads that all this needs |
//! | [`connect`] | the embedded light client |
//! | [`pin`] | the checkpoint: whose finality is believed |
//! | [`freshness`] | how old the chain may be |
//! | [`boot`] | a clock that nobody sets |
//! | [`early`] | what has ended is taken away before anything else, without any secret |
//! | [`run`] | the daemon |
//! | [`acknowledge`] | telling the chain |
//! | [`enrol`] | spending a voucher |
//! | [`gateway`] | proof bundles over HTTP, for devices that reach no node |
//! | [`consent`] | agreeing to further keys of the device |
//! | [`renewal`] | asking for certificates anew before they end |
//! | [`request`] | asking a CA for certificates |
//! | [`init`] | configuration and keys |
//! | [`seal`] | the secrets in the state directory, sealed at rest |
//! | [`service`] | what others on the machine ask the agent, and the unit of systemd |
//! | [`log`] | how the log is written |
//! | [`lock`] | one agent at a time |
//! | [`config`] | the configuration file |
//! | [`keys`] | the keys of the device |
//! | [`rotation`] | replacing the key that opens deliveries |
//! | [`status`] | what the agent tells about itself |
//! | [`inspection`] | what `dpki-agent status` makes of it |
//! | [`files`] | files that survive a crash |
//! | `input` | what a command is given to read |
//! | [`steps`] | who is told of every step, in tests |
//! | [`filing`] | asking for a certificate over the chain |
//! | [`notify`] | telling systemd |
//!
//! The library exists for the tests across crates; it promises nothing to others.
//!
//! What follows is the manual, with the table of [attacks](#attacks), of which each has its tests.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod acknowledge;
pub mod agent;
pub mod appliers;
pub mod approval;
pub mod boot;
pub mod chain;
pub mod config;
pub mod connect;
pub mod consent;
pub mod desired;
pub mod early;
pub mod enrol;
pub mod files;
pub mod filing;
pub mod freshness;
pub mod gateway;
mod http;
pub mod init;
mod input;
pub mod inspection;
pub mod journal;
pub mod keys;
pub mod lock;
pub mod log;
pub mod merge;
pub mod notify;
pub mod pin;
pub mod refusal;
pub mod renewal;
pub mod renunciation;
pub mod request;
pub mod rotation;
pub mod run;
pub mod seal;
pub mod service;
pub mod ssh;
pub mod status;
pub mod steps;
