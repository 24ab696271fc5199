#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, rustdoc::broken_intra_doc_links)]
// No input makes this panic: nothing here can.
#![cfg_attr(
	not(test),
	deny(
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::panic,
		clippy::unreachable,
		clippy::unwrap_used
	)
)]

extern crate alloc;
#[cfg(feature = "limbo")]
extern crate std;

/// Returns the error unless the condition holds.
macro_rules! ensure {
	($condition:expr, $error:expr $(,)?) => {
		if !$condition {
			return Err($error);
		}
	};
}

pub mod algorithm;
pub mod certificate;
pub mod constraints;
pub mod crl;
pub mod dn;
pub mod error;
pub mod extension;
pub mod general_name;
#[cfg(feature = "limbo")]
pub mod limbo;
pub mod name;
pub mod path;
pub mod policy;
pub mod profile;
pub mod request;
pub mod time;
mod tlv;

pub use algorithm::{Hash, PublicKey, SignatureAlgorithm, Verifier};
pub use certificate::Certificate;
pub use dpki_crypto::Pure;
pub use error::{Error, PathError};
pub use path::{Pool, Rules, Target, build, read_branch, validate, verify_root};
pub use profile::{Profile, ProfileRules, Role};
pub use x509_cert::der::oid::ObjectIdentifier;

/// Longest certificate in bytes. A device certificate has about 600, one with an RSA-4096 key and as many policies
/// and names as public CAs put into one has up to 4,000.
pub const MAX_CERTIFICATE_LEN: usize = 8 * 1024;

/// Longest PKCS#10 request in bytes.
pub const MAX_REQUEST_LEN: usize = 4 * 1024;

/// Longest revocation list in bytes.
pub const MAX_CRL_LEN: usize = 256 * 1024;
const _: () = assert!(MAX_CRL_LEN <= dpki_crypto::MAX_MESSAGE_LEN);

/// Most extensions of a certificate, a request or a revocation list. RFC 5280 defines 17.
pub const MAX_EXTENSIONS: usize = 32;

/// Most names in a subject alternative name. Certificates of public servers have been seen with 140.
pub const MAX_NAMES: usize = 256;

/// Most subtrees in each list of a name constraint. The work of checking constraints grows with the number of names
/// times this, for each authority of a path.
pub const MAX_SUBTREES: usize = 64;

/// Most policies, mappings and purposes of one certificate.
pub const MAX_POLICIES: usize = 32;

/// Most certificates of a path, the anchor not counted.
pub const MAX_PATH_LEN: usize = 10;

/// Most signatures that are verified while a path is built.
pub const MAX_SIGNATURE_CHECKS: usize = 32;
