//! What can go wrong, each as one sentence with the next step.
//!
//! A sentence says what happened in the words of the person who typed the command; [`Error::next_step`] says what to
//! do about it. Neither ever holds a secret.

use crate::output::rfc3339;
use dpki_primitives::{Moment, delivery::RefusalReason, ids::InvalidId};
use std::{io, path::PathBuf, time::Duration};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
	/// The node does not answer.
	#[error("no node answers at {url}")]
	NodeUnreachable {
		/// The address that was tried.
		url: String,
	},
	/// The node is of another chain than the one that was asked for.
	#[error("the node is of the chain {found}, not of {expected}: nothing was read or signed")]
	WrongChain {
		/// The genesis hash that was asked for.
		expected: String,
		/// The genesis hash that the node names.
		found: String,
	},
	/// The node did not answer within the time that a command waits for it.
	#[error("the node did not do its part within {}", span(.waited))]
	NodeSilent {
		/// How long was waited.
		waited: Duration,
	},
	/// What the client crate could not do, in its own words, which name the next step themselves.
	#[error(transparent)]
	Client(Box<dyn std::error::Error + Send + Sync>),
	/// A file could not be read or written.
	#[error("cannot {doing} {path}: {source}", path = .path.display())]
	File {
		/// What was being done.
		doing: &'static str,
		/// To which file.
		path: PathBuf,
		/// What the operating system says.
		source: io::Error,
	},
	/// A file would be overwritten.
	#[error("{} exists already and is not overwritten", .0.display())]
	Exists(PathBuf),
	/// A secret lies open.
	#[error("{path} holds a private key that others can read (mode {mode:03o})", path = .path.display())]
	Exposed {
		/// Which file.
		path: PathBuf,
		/// Its permissions.
		mode: u32,
	},
	/// A file is not what it has to be.
	#[error("{path} is not {expected}", path = .path.display())]
	WrongFile {
		/// Which file.
		path: PathBuf,
		/// What it should have been.
		expected: String,
	},
	/// The text is neither a voucher nor the name of a file. It may be a secret with a typing error in it, so it is not
	/// repeated.
	#[error("this is neither a voucher nor a file with one")]
	NotAVoucher,
	/// An option has a value that makes no sense.
	#[error("{0}")]
	Usage(String),
	/// The text is no id.
	#[error("{text} is neither an id nor a file: {source}")]
	NotAnId {
		/// What was given.
		text: String,
		/// What an id looks like.
		source: InvalidId,
	},
	/// A command needs an account.
	#[error("this command signs a transaction and needs an account")]
	AccountMissing,
	/// A passphrase is needed and cannot be asked for.
	#[error("{0} needs a passphrase, and there is no terminal to ask on")]
	PassphraseMissing(String),
	/// The passphrase does not open the file.
	#[error("the passphrase does not open {}", .0.display())]
	PassphraseWrong(PathBuf),
	/// The passphrase was typed differently the second time, or is empty.
	#[error("the two passphrases differ, or are empty")]
	PassphraseMismatch,
	/// A question could not be put to a person.
	#[error("this cannot be undone, and there is no terminal to ask for confirmation on")]
	ConfirmationMissing,
	/// The person said no.
	#[error("stopped: nothing was changed")]
	Declined,
	/// The chain holds no such record.
	#[error("the chain knows no {what} {name}")]
	Unknown {
		/// What kind of thing.
		what: &'static str,
		/// As it was asked for.
		name: String,
	},
	/// A key file can stand for more than one anchor.
	#[error("{} is registered both as an SSH user CA and as an SSH host CA", .0.display())]
	AnchorAmbiguous(PathBuf),
	/// The chain does not allow what was asked for.
	#[error("{why}")]
	NotAllowed {
		/// What stands in the way.
		why: String,
		/// What to do about it.
		next: String,
	},
	/// Chain and computer do not agree on the time.
	#[error("the chain says it is {}, this computer says {}", time(.chain), time(.local))]
	ClocksDiffer {
		/// Chain time.
		chain: Moment,
		/// Local time.
		local: Moment,
	},
	/// The device did not apply a delivery.
	#[error("the device refused delivery {sequence}: {}", refusal_sentence(.reason))]
	DeviceRefused {
		/// Which delivery.
		sequence: u64,
		/// What the device says.
		reason: RefusalReason,
	},
	/// The device did not acknowledge a delivery in time.
	#[error(
		"delivery {sequence} is published, but the device did not acknowledge it within {}",
		span(.waited)
	)]
	NotAcknowledged {
		/// Which delivery.
		sequence: u64,
		/// How long was waited.
		waited: Duration,
	},
	/// A newer delivery took the place of the one that was waited for.
	#[error(
		"delivery {sequence} was replaced by delivery {newer} before the device acknowledged it"
	)]
	DeliveryReplaced {
		/// Which delivery.
		sequence: u64,
		/// The newer one.
		newer: u64,
	},
	/// A library could not make a key, a certificate or a picture of it.
	#[error("cannot {doing}: {reason}")]
	Crypto {
		/// What was being done.
		doing: &'static str,
		/// What the library says; never holds key material.
		reason: String,
	},
}

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! from_client_errors {
	($($error:path,)*) => {$(
		impl From<$error> for Error {
			fn from(error: $error) -> Self {
				Self::Client(Box::new(error))
			}
		}
	)*};
}

from_client_errors! {
	dpki_client::client::ClientError,
	dpki_client::view::ReadError,
	dpki_client::account::AccountError,
	dpki_client::calls::CallError,
	dpki_client::submit::SubmitError,
	dpki_client::voucher::VoucherError,
	dpki_client::possession::PossessionError,
	dpki_client::envelope::EnvelopeError,
	dpki_client::bundle::BundleError,
	dpki_client::ssh::SshError,
}

impl Error {
	/// What to do about it; `None` where the sentence says it already.
	pub fn next_step(&self) -> Option<String> {
		let step = match self {
			Self::NodeUnreachable { .. } => {
				"start a node, or give the address of one with --url or DPKI_URL"
			},
			Self::WrongChain { .. } => {
				"give a node of that chain with --url; change --genesis only if the organisation tells you to"
			},
			Self::NodeSilent { .. } => {
				"see with `dpki chain info` whether the chain still finalises blocks, then try again"
			},
			Self::Exists(_) => "choose another name, or move the file away if it is not needed",
			Self::Exposed { path, .. } => {
				return Some(format!("make it yours alone with `chmod 600 {}`", path.display()));
			},
			Self::AccountMissing => "give one with --account FILE or DPKI_ACCOUNT",
			Self::PassphraseMissing(_) => "set DPKI_PASSPHRASE",
			Self::PassphraseWrong(_) | Self::PassphraseMismatch => "try again",
			Self::ConfirmationMissing => "add --yes if you are sure",
			Self::Unknown { .. } => {
				"check the spelling, and with `dpki chain info` that it is the right chain"
			},
			Self::AnchorAmbiguous(_) => "give the id; `dpki anchor list` shows it",
			Self::ClocksDiffer { .. } => {
				"correct the clock or wait until the chain runs again; --offline signs by the clock of this computer"
			},
			Self::NotAllowed { next, .. } => next,
			Self::DeviceRefused { .. } => {
				"the device keeps its old state; see its log, mend the cause and deliver again"
			},
			Self::NotAcknowledged { .. } => {
				"it applies the delivery once it is back; `dpki status delivery` shows when"
			},
			Self::DeliveryReplaced { .. } => {
				"`dpki status delivery` shows what became of the newer one"
			},
			Self::NotAVoucher => {
				"give the file that `dpki voucher new --out` made, its text, or - for standard input"
			},
			Self::WrongFile { .. } | Self::NotAnId { .. } => "--help shows what may be given",
			Self::Client(_)
			| Self::File { .. }
			| Self::Usage(_)
			| Self::Declined
			| Self::Crypto { .. } => return None,
		};
		Some(step.to_owned())
	}
}

/// Turns a library's error into ours; these libraries never put key material into theirs.
pub fn crypto<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> Error {
	move |error| Error::Crypto { doing, reason: error.to_string() }
}

/// What a device means by its reason.
pub fn refusal_sentence(reason: &RefusalReason) -> &'static str {
	match reason {
		RefusalReason::BlobUnavailable => "it could not fetch the blob that the record names",
		RefusalReason::EnvelopeInvalid => "the envelope does not open under its key and the record",
		RefusalReason::BundleInvalid => {
			"the bundle is malformed, or names something that the device has not or that is not valid"
		},
		RefusalReason::ApplyFailed => "the new state did not pass its test",
	}
}

fn span(span: &Duration) -> humantime::FormattedDuration {
	humantime::format_duration(*span)
}

fn time(at: &Moment) -> String {
	rfc3339(*at)
}
