//! What can go wrong, each as one sentence with the next step.
//!
//! A sentence says what happened in the words of the person who typed the command; [`Error::next_step`] says what to
//! do about it. Neither ever holds a secret.

mod next;
mod words;

pub use words::refusal_sentence;

use crate::{
	commands::delivery::place,
	output::{EXIT_ERROR, EXIT_INTERRUPTED, EXIT_PENDING, rfc3339},
	prompt::{MIN_PASSPHRASE_CHARS, PASSPHRASE_VARIABLE},
};
use dpki_client::SubmitError;
use dpki_primitives::{Moment, channel::ChannelId, delivery::RefusalReason, ids::InvalidId};
use std::{io, path::PathBuf, time::Duration};
use words::{problem, submission};

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
	/// A command about a member's own node was given the address of another computer.
	#[error("{url} is not on this computer, and this is for a node of one's own")]
	NodeNotHere {
		/// The address.
		url: String,
	},
	/// The node does not let this program ask for what only its operator may.
	#[error("the node did not make session keys ({reason})")]
	UnsafeRefused {
		/// What it says.
		reason: String,
	},
	/// A file is no raw chain specification.
	#[error("{path} is no raw chain specification ({reason})", path = .path.display())]
	NotASpec {
		/// Which file.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// The node did not answer within the time that a command waits for it.
	#[error("the node did not do its part within {}", span(.waited))]
	NodeSilent {
		/// How long was waited.
		waited: Duration,
	},
	/// The newest finalised block of the node is too old to be asked.
	#[error(
		"the node's newest finalised block {block} is {} old by the clock of this computer, {} are allowed",
		span(.age),
		span(.allowed)
	)]
	Stale {
		/// Its number.
		block: u32,
		/// Its age.
		age: Duration,
		/// The age up to which it would have done.
		allowed: Duration,
	},
	/// What the client crate could not do, in its own words.
	#[error("{}", problem(.0))]
	Client(Box<dyn std::error::Error + Send + Sync>),
	/// The chain did not carry out a transaction, or it is not known whether it did.
	#[error("{}", submission(.0))]
	Submit(SubmitError),
	/// The account may not make this call.
	#[error(
		"this takes the role {role} in the organisation, which {account} does not have (RoleMissing)"
	)]
	RoleMissing {
		/// Which role.
		role: &'static str,
		/// The address of the account that signed.
		account: String,
	},
	/// The call of an account of several people has not been made yet.
	#[error("{agreed} of {needed} members have agreed: nothing is done before the others do")]
	AwaitsOthers {
		/// How many have agreed.
		agreed: usize,
		/// How many have to.
		needed: usize,
		/// The account, as the person wrote it.
		group: String,
		/// The encoded call, in hexadecimal digits.
		call: String,
	},
	/// The person stopped the program while something was under way that goes on without it.
	#[error("interrupted while {doing}")]
	Interrupted {
		/// What was under way, and what may still come of it.
		doing: String,
		/// How to find out.
		next: String,
	},
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
	/// A file holds no test cases of the format that is asked for.
	#[error("{path} is no file of the x509-limbo format: {reason}", path = .path.display())]
	NotASuite {
		/// Which file.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// A public file was given where a private key is needed.
	#[error("{path} is {what}, and this takes a private key", path = .path.display())]
	PublicHalf {
		/// Which file.
		path: PathBuf,
		/// What it is.
		what: &'static str,
	},
	/// A file holds nothing that could be shown.
	#[error("{} holds neither a key nor a certificate of a form that dpki knows", .0.display())]
	UnknownFile(PathBuf),
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
	/// A question is about an account, and none is named.
	#[error("whose records are meant is not said")]
	NobodyNamed,
	/// A passphrase is needed and cannot be asked for.
	#[error("{0} needs a passphrase, and there is no terminal to ask on")]
	PassphraseMissing(String),
	/// The passphrase does not open the file.
	#[error("the passphrase does not open {path}", path = .path.display())]
	PassphraseWrong {
		/// Which file.
		path: PathBuf,
		/// Whether the passphrase comes from the environment: then nobody has typed it.
		from_environment: bool,
	},
	/// The passphrase was typed differently the second time.
	#[error("the two passphrases differ")]
	PassphraseMismatch,
	/// The environment names a passphrase without a character.
	#[error("{PASSPHRASE_VARIABLE} is set, but empty")]
	PassphraseEmpty,
	/// A new passphrase is one that can be guessed.
	#[error("a passphrase of fewer than {MIN_PASSPHRASE_CHARS} characters protects nothing")]
	PassphraseShort,
	/// A question could not be put to a person.
	#[error("this asks for confirmation, and there is no terminal to ask on: {0}")]
	ConfirmationMissing(String),
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
	#[error("the device refused delivery {sequence}{}: {}", on(.channel), refusal_sentence(.reason))]
	DeviceRefused {
		/// On which channel.
		channel: ChannelId,
		/// Which delivery.
		sequence: u64,
		/// What the device says.
		reason: RefusalReason,
		/// What its configuration has to say so that it takes the delivery, as far as that is known.
		needs: Vec<String>,
	},
	/// The device did not acknowledge a delivery in time.
	#[error(
		"delivery {sequence}{} is published, but the device did not acknowledge it within {}",
		on(.channel),
		span(.waited)
	)]
	NotAcknowledged {
		/// On which channel.
		channel: ChannelId,
		/// Which delivery.
		sequence: u64,
		/// How long was waited.
		waited: Duration,
	},
	/// A newer delivery took the place of the one that was waited for.
	#[error(
		"delivery {sequence}{} was replaced by delivery {newer} before the device acknowledged it",
		on(.channel)
	)]
	DeliveryReplaced {
		/// On which channel.
		channel: ChannelId,
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
	dpki_client::certificate::CertificateError,
	dpki_client::voucher::VoucherError,
	dpki_client::possession::PossessionError,
	dpki_client::possession::ConsentError,
	dpki_client::envelope::EnvelopeError,
	dpki_client::bundle::BundleError,
	dpki_client::carrier::CarrierError,
	dpki_client::carrier::Exhausted,
	dpki_client::prover::ProverError,
	dpki_verifier::Error,
	dpki_client::ssh::SshError,
	dpki_client::fleet::FleetError,
	dpki_client::fleet::NotAMember,
	dpki_client::blob::BlobError,
	dpki_client::blob::AddressError,
	dpki_client::upgrade::UpgradeError,
	dpki_client::device_request::RequestError,
}

impl From<SubmitError> for Error {
	fn from(error: SubmitError) -> Self {
		Self::Submit(error)
	}
}

impl Error {
	/// The exit code of a command that ends with it.
	pub fn exit_code(&self) -> u8 {
		match self {
			Self::Interrupted { .. } => EXIT_INTERRUPTED,
			Self::AwaitsOthers { .. } => EXIT_PENDING,
			_ => EXIT_ERROR,
		}
	}

	/// Whether a transaction may be in a block, or come into one, all the same.
	pub fn may_be_included(&self) -> bool {
		match self {
			Self::Interrupted { .. } | Self::AwaitsOthers { .. } => true,
			Self::Submit(error) => error.may_be_included(),
			_ => false,
		}
	}
}

/// Turns a library's error into ours; these libraries never put key material into theirs.
pub fn crypto<E: std::fmt::Display>(doing: &'static str) -> impl FnOnce(E) -> Error {
	move |error| Error::Crypto { doing, reason: error.to_string() }
}

fn span(span: &Duration) -> humantime::FormattedDuration {
	humantime::format_duration(*span)
}

fn on(channel: &ChannelId) -> String {
	place(*channel)
}

fn time(at: &Moment) -> String {
	rfc3339(*at)
}
