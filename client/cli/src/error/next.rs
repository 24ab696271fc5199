//! The next step after each error.

use super::{Error, words::step};
use crate::{
	commands::{deliver::needs, delivery::option},
	prompt::PASSPHRASE_VARIABLE,
};
use dpki_client::SubmitError;
use dpki_primitives::delivery::RefusalReason;
use std::{io::ErrorKind, path::Path};

impl Error {
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
			Self::NobodyNamed => {
				"name the account: SS58 address, 0x and 64 digits, or such as //Bob; or give one with --account FILE or DPKI_ACCOUNT"
			},
			Self::PassphraseMissing(_) => "set DPKI_PASSPHRASE",
			Self::PassphraseWrong { from_environment: true, .. } => {
				return Some(format!("correct {PASSPHRASE_VARIABLE}, or unset it to be asked"));
			},
			Self::PassphraseWrong { .. } => "run the command again and type it anew",
			Self::PassphraseMismatch => "run the command again and type the same one twice",
			Self::PassphraseEmpty => "put the passphrase into it, or unset it to be asked",
			Self::PassphraseShort => "take a longer one, such as four words",
			Self::ConfirmationMissing(_) => "add --yes if you are sure",
			Self::Unknown { .. } => {
				"check the spelling, and with `dpki chain info` that it is the right chain"
			},
			Self::AnchorAmbiguous(_) => "give the id; `dpki anchor list` shows it",
			Self::ClocksDiffer { .. } => {
				"correct the clock or wait until the chain runs again; --offline signs by the clock of this computer"
			},
			Self::NotAllowed { next, .. } => next,
			Self::DeviceRefused { reason: RefusalReason::BundleInvalid, needs, .. }
				if !needs.is_empty() =>
			{
				return Some(format!(
					"the device keeps its old state: it needs {}, and its log says what it lacks; mend that and deliver again",
					needs::sentence(needs)
				));
			},
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

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::channel::ChannelId;
	use std::time::Duration;

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
				Error::DeviceRefused {
					channel,
					sequence: 5,
					reason: RefusalReason::ApplyFailed,
					needs: vec![],
				},
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
