//! OpenSSH key revocation lists: those of [`dpki_client::krl`], under the name of what sshd reads.

pub use dpki_client::krl::{Krl, KrlMalformed};
