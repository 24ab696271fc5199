//! Client of the device PKI chain: read, submit, enrol, deliver.
//!
//! Everything goes through a [`Client`], which stands on any JSON-RPC transport: a node over WebSocket
//! ([`Client::connect`]) or an embedded light client ([`Client::from_rpc`] with the transport of `dpki-light`).
//! A node over WebSocket is *believed*; a light client proves what it answers, and so does a node to a [`Prover`].
//!
//! | module | what is there |
//! |---|---|
//! | [`client`] | the connection, and the finalised heads |
//! | [`prover`] | the same without believing the node: the head and every record are proven |
//! | [`view`] | typed reads of the state at one finalised block, and the verdicts |
//! | [`access`] | temporary access to devices: where a grant is on record |
//! | [`age`] | keys of devices as recipients of `age` |
//! | [`account`] | accounts that sign, and their key files |
//! | [`calls`] | the calls of the chain with the types of [`primitives`] |
//! | [`device_request`] | what a device asks a CA for |
//! | [`economy`] | what things cost, and what can be done for nothing |
//! | [`fleet`] | fleets of devices: tiles, commitments, proofs of membership |
//! | [`motion`] | what a transaction did to a motion |
//! | [`submit`] | submits calls and waits until they are final; names what went wrong |
//! | [`voucher`] | one-time enrolment rights as people and QR codes carry them |
//! | [`certificate`] | what is signed to apply for a certificate, and what observers look for and hide |
//! | [`subject`] | what certificates are about, in words |
//! | [`possession`] | keys of devices and anchors, and the proofs that they are held |
//! | [`envelope`] | HPKE envelopes, bound to the record that announces them |
//! | [`bundle`] | what is inside an envelope: the full desired state of a device |
//! | [`carrier`] | proof bundles from nodes, gateways, brokers and files, whom nobody has to trust |
//! | [`krl`] | OpenSSH key revocation lists |
//! | [`names`] | which logins, principals and host patterns a bundle may name |
//! | [`blob`] | where envelopes and tiles are fetched from, and where they can be put |
//! | [`ssh`] | SSH certificates and CA keys |
//! | [`upgrade`] | which runtime the chain has, whether this crate knows it, and how another one is brought |
//!
//! Nobody can forge what a light client proves, but everybody on the way can withhold what is newer. How old an answer may
//! be is decided use by use with a [`Policy`], which [`View::judge`] holds against the chain time of the block.
//!
//! Errors are one enum per module. Each message is a sentence that says what to do next.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use dpki_client::{Client, primitives::ids::{DeviceId, OrganisationId}};
//!
//! let client = Client::connect("ws://127.0.0.1:9944").await?;
//! let view = client.at_finalized().await?;
//! let device = DeviceId::from_name(OrganisationId::from_name(b"acme"), b"drone-7");
//! println!("{} at block {}", view.device_status(device).await?.name(), view.head().number);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]

pub mod access;
pub mod account;
pub mod age;
mod api;
pub mod blob;
pub mod bundle;
pub mod calls;
pub mod carrier;
pub mod certificate;
pub mod client;
pub mod device_request;
pub mod economy;
pub mod envelope;
pub mod fleet;
mod http;
pub mod krl;
pub mod motion;
pub mod names;
pub mod possession;
pub mod prover;
pub mod ssh;
pub mod subject;
pub mod submit;
pub mod upgrade;
pub mod view;
pub mod voucher;

pub use account::Account;
pub use blob::{BlobKeeper, BlobStore, ChainBlobs, StoreAddress, Stores};
pub use bundle::{Bundle, Content, Item};
pub use calls::Call;
pub use client::{Client, Head, Heads};
pub use dpki_primitives as primitives;
pub use dpki_verifier::{Floor, Judgement, Policy, Use, WhenStale};
pub use prover::Prover;
pub use submit::{Event, Finalized, Included, SubmitError};
pub use subxt_rpcs::RpcClient;
pub use upgrade::{Fit, RuntimeVersion};
pub use view::View;
pub use voucher::Voucher;

/// The public half of an account.
pub type AccountId = [u8; 32];
