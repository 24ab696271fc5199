//! The sentences of others, told as ours: those of the client crate, of the chain and of devices.

use dpki_client::SubmitError;
use dpki_primitives::delivery::RefusalReason;
use std::fmt::Display;

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

/// What happened.
pub(super) fn problem(error: &impl Display) -> String {
	split(&error.to_string()).0.to_owned()
}

/// What to do about it.
pub(super) fn step(error: &impl Display) -> Option<String> {
	let sentence = error.to_string();
	split(&sentence).1.map(|step| step.trim_end_matches('.').to_owned())
}

/// What became of a transaction. A refusal is told by the sentence of the chain, whose name for it stands behind, for
/// whoever looks it up.
pub(super) fn submission(error: &SubmitError) -> String {
	let SubmitError::Failed { error: name, sentence, .. } = error else { return problem(error) };
	let problem = problem(sentence);
	let mut letters = problem.chars();
	let first = letters.next().map(|first| first.to_ascii_lowercase());
	format!("{}{} ({name})", String::from_iter(first), letters.as_str())
}

/// What a device means by its reason.
pub fn refusal_sentence(reason: &RefusalReason) -> &'static str {
	match reason {
		RefusalReason::BlobUnavailable => "it could not fetch the blob that the record names",
		RefusalReason::EnvelopeInvalid => "the envelope does not open under its key and the record",
		RefusalReason::BundleInvalid => {
			"the bundle is malformed, or names something that is not valid, that the device has not, or that its agent.toml has \
			 no place for"
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
}
