//! What the end-to-end tests stand on: processes that end with their test, and a folder for each test.
//!
//! Nothing here is a mock. A [`Node`] is the shipped `dpki-node` with its development chain, a [`Device`] is the shipped
//! `dpki-agent` with its embedded light client, [`Dpki`] is the shipped command line, [`Network`] is what `scripts/network`
//! makes, [`Sshd`] is OpenSSH's.

mod camera;
pub mod chaos;
mod device;
mod dpki;
mod fleet;
pub mod history;
mod metrics;
mod network;
mod node;
pub mod npm;
mod process;
pub mod proofs;
mod runbook;
mod sshd;
mod workspace;

pub use camera::scan;
pub use device::{Device, hex};
pub use dpki::Dpki;
pub use fleet::{Fleet, anchors, block, certificate, public, tell_name};
pub use metrics::{figure, promtool_finds};
pub use network::{Member, Network, free_port, said};
pub use node::Node;
pub use process::{PATIENCE, Process, run};
pub use runbook::{Elsewhere, Runbook};
pub use sshd::{Login, Sshd, login_name};
pub use workspace::{Workspace, binary, target, untested};
