//! What can go wrong, each as one sentence with the next step.
//!
//! A sentence says what happened in the words of the person who typed the command; [`Error::next_step`] says what to
//! do about it. Neither ever holds a secret.

use crate::{
	commands::delivery::{option, place},
	output::{EXIT_ERROR, EXIT_INTERRUPTED, EXIT_PENDING, rfc3339},
	prompt::{MIN_PASSPHRASE_CHARS, PASSPHRASE_VARIABLE},
};
use dpki_client::SubmitError;
use dpki_primitives::{Moment, channel::ChannelId, delivery::RefusalReason, ids::InvalidId};
use std::{
	fmt::Display,
	io::{self, ErrorKind},
	path::{Path, PathBuf},
	time::Duration,
};

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
	#[error("the device refused delivery {sequence}{}: {}", on(.channel), refusal_sentence(.reason))]
	DeviceRefused {
		/// On which channel.
		channel: ChannelId,
		/// Which delivery.
		sequence: u64,
		/// What the device says.
		reason: RefusalReason,
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

	/// What to do about it; `None` where nothing is to be done, or nothing is known that could be.
	pub fn next_step(&self) -> Option<String> {
		let step = match self {
			Self::Client(error) => return step(error),
			Self::Submit(SubmitError::Failed { sentence, .. }) => return step(sentence),
			Self::Submit(error) => return step(error),
			Self::Usage(sentence) => return step(sentence),
			Self::File { doing, source, .. } => return file_step(doing, source.kind()),
			Self::PublicHalf { path, .. } => return Some(private_half(path)),
			Self::AwaitsOthers { group, call, .. } => {
				return Some(format!(
					"have another member agree to this very call with `dpki multisig approve {group} --call {call}`"
				));
			},
			Self::RoleMissing { .. } => {
				"sign with an account that has it, or have an administrator give it with `dpki org member set`; \
				 `dpki org show NAME --member ACCOUNT` shows the roles of an account"
			},
			Self::Interrupted { next, .. } => next,
			Self::NodeUnreachable { .. } => {
				"start a node, or give the address of one with --url or DPKI_URL"
			},
			Self::WrongChain { .. } => {
				"give a node of that chain with --url; change --genesis only if the organisation tells you to"
			},
			Self::NodeNotHere { .. } => {
				"run it on the computer of the node, with --url ws://127.0.0.1:PORT"
			},
			Self::UnsafeRefused { .. } => {
				"give the RPC port that listens on loopback, and start the node without --rpc-methods safe"
			},
			Self::NotASpec { .. } => {
				"give the raw form: `dpki-node export-chain-spec --chain FILE --raw` makes it of a plain one"
			},
			Self::NodeSilent { .. } => {
				"see with `dpki chain info` whether the chain still finalises blocks, then try again"
			},
			Self::Stale { .. } => {
				"ask another node with --url and check the clock, or say with --max-age that an older block will do"
			},
			Self::Exists(_) => "choose another name, or move the file away if it is not needed",
			Self::Exposed { path, .. } => {
				return Some(format!("make it yours alone with `chmod 600 {}`", path.display()));
			},
			Self::AccountMissing => "give one with --account FILE or DPKI_ACCOUNT",
			Self::PassphraseMissing(_) => "set DPKI_PASSPHRASE",
			Self::PassphraseWrong { from_environment: true, .. } => {
				return Some(format!("correct {PASSPHRASE_VARIABLE}, or unset it to be asked"));
			},
			Self::PassphraseWrong { .. } => "run the command again and type it anew",
			Self::PassphraseMismatch => "run the command again and type the same one twice",
			Self::PassphraseEmpty => "put the passphrase into it, or unset it to be asked",
			Self::PassphraseShort => "take a longer one, such as four words",
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
			Self::NotAcknowledged { channel, .. } => {
				return Some(format!(
					"it applies the delivery once it is back; `dpki status delivery ORG/NAME{}` shows when",
					option(*channel)
				));
			},
			Self::DeliveryReplaced { channel, .. } => {
				return Some(format!(
					"`dpki status delivery ORG/NAME{}` shows what became of the newer one",
					option(*channel)
				));
			},
			Self::NotAVoucher => {
				"give the file that `dpki voucher new --out` made, its text, or - for standard input"
			},
			Self::WrongFile { .. } => {
				"give another file; `dpki key show FILE` tells what is in one"
			},
			Self::NotASuite { .. } => {
				"give a JSON file of test cases such as x509-limbo.com publishes it"
			},
			Self::UnknownFile(_) => {
				"give a private or public key file, a certificate, or an account such as //Alice"
			},
			Self::NotAnId { .. } => {
				"give the name of a file that is there, or an id: 0x and 64 hexadecimal digits"
			},
			Self::Declined | Self::Crypto { .. } => return None,
		};
		Some(step.to_owned())
	}
}

/// The two parts of a sentence of the form `problem: next step`, in which the client crate and the chain speak. A colon in
/// parentheses belongs to what somebody else said.
fn split(sentence: &str) -> (&str, Option<&str>) {
	let (mut depth, mut parts) = (0_usize, (sentence, None));
	for (at, character) in sentence.char_indices() {
		match character {
			'(' => depth += 1,
			')' => depth = depth.saturating_sub(1),
			':' if depth == 0 => {
				if let Some((problem, rest)) = sentence.split_at_checked(at)
					&& let Some(step) = rest.strip_prefix(": ")
				{
					parts = (problem, Some(step));
				}
			},
			_ => {},
		}
	}
	parts
}

fn problem(error: &impl Display) -> String {
	split(&error.to_string()).0.to_owned()
}

fn step(error: &impl Display) -> Option<String> {
	let sentence = error.to_string();
	split(&sentence).1.map(|step| step.trim_end_matches('.').to_owned())
}

/// What became of a transaction. A refusal is told by the sentence of the chain, whose name for it stands behind, for
/// whoever looks it up.
fn submission(error: &SubmitError) -> String {
	let SubmitError::Failed { error: name, sentence, .. } = error else { return problem(error) };
	let problem = problem(sentence);
	let mut letters = problem.chars();
	let first = letters.next().map(|first| first.to_ascii_lowercase());
	format!("{}{} ({name})", String::from_iter(first), letters.as_str())
}

fn file_step(doing: &str, kind: ErrorKind) -> Option<String> {
	let step = match (doing, kind) {
		("write", ErrorKind::NotFound) => {
			"make the folder first, or give a path in one that is there"
		},
		(_, ErrorKind::NotFound) => "check the name and the folder",
		(_, ErrorKind::PermissionDenied) => "check the permissions of the file and its folder",
		(_, ErrorKind::IsADirectory) => "give the name of a file",
		(_, ErrorKind::StorageFull) => "make room on the disk, then try again",
		("read" | "write" | "remove", _) => "check the path and the disk",
		_ => return None,
	};
	Some(step.to_owned())
}

/// Where the private half of a public file probably is.
fn private_half(path: &Path) -> String {
	match path.extension().is_some_and(|ending| ending == "pub") {
		true => format!("give the private half, most likely {}", path.with_extension("").display()),
		false => "give the private half".to_owned(),
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
		RefusalReason::ApprovalMissing => {
			"approvals or the signature that the policy of the organisation asks for are missing"
		},
		RefusalReason::ChannelConflict => {
			"a lower channel of the device claims a part of it with another content"
		},
		RefusalReason::ChannelIgnored => "it obeys no deliveries on this channel",
	}
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

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_sentence_is_split_before_its_next_step() {
		for (sentence, parts) in [
			("no such key: check its id", ("no such key", Some("check its id"))),
			("x failed (reason: y): try again", ("x failed (reason: y)", Some("try again"))),
			("a: b: do c", ("a: b", Some("do c"))),
			("it is as it is", ("it is as it is", None)),
			("broken (off: here", ("broken (off: here", None)),
			("names::of::things", ("names::of::things", None)),
			("", ("", None)),
		] {
			assert_eq!(split(sentence), parts, "{sentence}");
		}
	}

	#[test]
	fn a_refusal_of_the_chain_is_a_sentence_with_a_next_step() {
		let error = Error::from(SubmitError::Failed {
			pallet: "Dpki".into(),
			error: "DeviceExists".into(),
			sentence: "A device of this name exists in the organisation: choose another name."
				.into(),
		});
		let sentence = "a device of this name exists in the organisation (DeviceExists)";
		assert_eq!(error.to_string(), sentence);
		assert_eq!(error.next_step().as_deref(), Some("choose another name"));
		assert!(!error.may_be_included());
	}

	#[test]
	fn every_refusal_of_a_device_has_a_next_step() {
		for refusal in dpki_primitives::refusal::Refusal::ALL {
			let error = Error::from(SubmitError::Refused(*refusal));
			let told = format!("{error}: {}", error.next_step().unwrap_or_default());
			assert_eq!(told, refusal.sentence());
		}
	}

	#[test]
	fn what_became_of_a_delivery_is_told_with_its_channel() {
		let errors = |channel| {
			let waited = Duration::from_secs(60);
			[
				Error::NotAcknowledged { channel, sequence: 5, waited },
				Error::DeliveryReplaced { channel, sequence: 5, newer: 6 },
				Error::DeviceRefused { channel, sequence: 5, reason: RefusalReason::ApplyFailed },
			]
		};
		for error in errors(ChannelId::DEFAULT) {
			let told = format!("{error}: {}", error.next_step().unwrap());
			assert!(told.contains("delivery 5") && !told.contains("channel"), "{told}");
		}
		for error in errors(ChannelId::new(2).unwrap()) {
			assert!(error.to_string().contains("delivery 5 on channel 2"), "{error}");
		}
		for error in &errors(ChannelId::new(2).unwrap())[..2] {
			let next = error.next_step().unwrap();
			assert!(next.contains("`dpki status delivery ORG/NAME --channel 2`"), "{next}");
		}
	}

	#[test]
	fn a_file_error_has_a_next_step() {
		for (doing, kind) in [
			("read", ErrorKind::NotFound),
			("write", ErrorKind::NotFound),
			("read", ErrorKind::PermissionDenied),
			("write", ErrorKind::StorageFull),
			("read", ErrorKind::Other),
		] {
			let error = Error::File { doing, path: "x".into(), source: kind.into() };
			assert!(error.next_step().is_some(), "{doing} {kind}");
		}
	}

	#[test]
	fn a_wrong_passphrase_is_corrected_where_it_came_from() {
		let next = |from_environment| {
			Error::PassphraseWrong { path: "ca".into(), from_environment }
				.next_step()
				.unwrap()
		};
		assert!(next(true).contains(PASSPHRASE_VARIABLE));
		assert!(!next(false).contains(PASSPHRASE_VARIABLE));
	}
}
