//! What becomes of a transaction, in the words of the person who sent it.

use crate::error::{Error, Result};
use dpki_client::{AccountId, Call, SubmitError, account, submit::CANNOT_PAY};
use dpki_primitives::organisation::Role;

/// Why a transaction failed, with the command that mends it where there is one; a role that is missing is named, which the
/// chain does not do. `payer` signs it and pays its fee.
pub fn explain(
	error: SubmitError,
	actor: &AccountId,
	payer: &AccountId,
	call: &impl Call,
) -> Error {
	let is_missing =
		matches!(&error, SubmitError::Failed { error: name, .. } if name == "RoleMissing");
	match role_for(call.call_name()) {
		Some(role) if is_missing => {
			Error::RoleMissing { role: role.name(), account: account::address(actor) }
		},
		_ => match mend(&error, actor, payer) {
			Some(next) => Error::NotAllowed { why: Error::from(error).to_string(), next },
			None => error.into(),
		},
	}
}

/// The command that puts right what a transaction was refused for.
fn mend(error: &SubmitError, actor: &AccountId, payer: &AccountId) -> Option<String> {
	let fund = |who| {
		let who = account::address(who);
		format!(
			"have an account with a balance send it tokens with `dpki account send --to {who} --amount N`; \
			 `dpki account show {who}` shows what it has"
		)
	};
	match error {
		SubmitError::Invalid { reason } if reason.starts_with(CANNOT_PAY) => Some(fund(payer)),
		SubmitError::Failed { error, .. } => match error.as_str() {
			// Of deposits, prices and operations.
			"Token(FundsUnavailable)" => Some(fund(actor)),
			"DeviceSuspended" => Some(
				"have it released with `dpki release device ORG/NAME`, or revoke it with `dpki revoke device ORG/NAME`"
					.to_owned(),
			),
			"KeySuspended" => Some(
				"have it released with `dpki release key ID`, or revoke it with `dpki revoke key ID`"
					.to_owned(),
			),
			_ => None,
		},
		_ => None,
	}
}

/// Whether the chain has refused a call with the error of this name.
pub fn is_refusal(error: &Error, name: &str) -> bool {
	matches!(error, Error::Submit(SubmitError::Failed { error, .. }) if error == name)
}

/// The role that a call asks for, where it asks for one.
fn role_for(call: &str) -> Option<Role> {
	match call {
		"set_member" | "remove_member" | "set_policy" | "dissolve" => Some(Role::Administrator),
		"register_anchor" | "retire_anchor" | "revoke_anchor" | "revoke_ssh"
		| "register_authority" | "plan_rollover" | "cancel_rollover" | "suspend_anchor"
		| "release_anchor" => Some(Role::AnchorManager),
		"issue_voucher" | "cancel_voucher" | "register_key" | "revoke_key" | "revoke_device"
		| "replace_key" | "announce_next_key" | "approve_request" | "reject_request"
		| "register_batch" | "revoke_keys" | "revoke_devices" | "append" | "rotate"
		| "revoke_members" | "revoke_fleet" | "retire_fleet" | "publish_tile" | "open_roll"
		| "append_keys" | "suspend_device" | "release_device" | "suspend_key" | "release_key" => {
			Some(Role::Registrar)
		},
		"publish" | "publish_shared" => Some(Role::Publisher),
		_ => None,
	}
}

/// The error for a person who stops the program while the transaction of `call` is on its way.
pub fn interrupted(doing: &str, call: &impl Call) -> Error {
	Error::Interrupted {
		doing: format!("{doing}: the transaction may be final all the same"),
		next: format!("look with `{}` before you send it again", look(call)),
	}
}

/// The command that shows whether a call was carried out.
fn look(call: &impl Call) -> &'static str {
	if call.pallet_name() == "Certificates" {
		return look_at_certificates(call.call_name());
	}
	if call.pallet_name() == "Fleets" {
		return "dpki fleet status ORG/NAME";
	}
	match call.call_name() {
		"create" | "set_member" | "remove_member" | "set_policy" | "hand_over"
		| "cancel_hand_over" | "accept_hand_over" | "join" | "cancel_recovery"
		| "complete_recovery" | "dissolve" => "dpki org show NAME",
		"propose" | "vote" | "withdraw" | "close" => "dpki motion list",
		"register_anchor" | "register_authority" => "dpki anchor list --org NAME",
		"plan_rollover" | "cancel_rollover" => "dpki anchor show ID",
		"retire_anchor" | "revoke_anchor" | "suspend_anchor" | "release_anchor" => {
			"dpki status anchor ID"
		},
		"revoke_ssh" => "dpki anchor show CA",
		"issue_voucher" | "cancel_voucher" => "dpki status voucher FILE",
		"register_key" | "revoke_key" | "revoke_device" | "add_own_key" | "replace_key"
		| "replace_own_key" | "reveal_next_key" | "register_batch" | "revoke_keys"
		| "revoke_devices" | "suspend_device" | "release_device" | "suspend_key"
		| "release_key" => "dpki device show ORG/NAME",
		"request_keys" | "approve_request" | "reject_request" => "dpki key requests ORG",
		"publish" | "publish_shared" => "dpki status delivery ORG/NAME",
		"as_multi" | "approve_as_multi" | "cancel_as_multi" => "dpki multisig list ADDRESS",
		"transfer_keep_alive" => "dpki account show ADDRESS",
		_ => "dpki chain info",
	}
}

fn look_at_certificates(call: &str) -> &'static str {
	match call {
		"apply" => "dpki certificate list --org NAME",
		"renew" | "withdraw_application" | "commit" | "reveal" | "close" => {
			"dpki certificate application ID"
		},
		_ => "dpki certificate show ID",
	}
}

/// Does `work` unless the person presses Ctrl-C before its end.
///
/// From its first use on, Ctrl-C no longer ends the program by itself: what waits for long afterwards has to be wrapped
/// too.
pub async fn or_interrupted<T>(
	work: impl Future<Output = Result<T>>,
	interrupted: impl FnOnce() -> Error,
) -> Result<T> {
	tokio::select! {
		result = work => result,
		// Where nobody can listen for the signal, it ends the program as ever.
		Ok(()) = tokio::signal::ctrl_c() => Err(interrupted()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::{Account, calls};
	use dpki_primitives::{
		ids::{AnchorId, DeviceId, KeyId, OrganisationId, VoucherCommitment, VoucherId},
		organisation::{OrganisationKind, RoleSet},
		revocation::{RevocationReason, SshSubject},
	};
	use futures::FutureExt;

	const REASON: RevocationReason = RevocationReason::KeyCompromise;

	fn missing(call: &impl Call) -> Error {
		let failed = SubmitError::Failed {
			pallet: "Dpki".into(),
			error: "RoleMissing".into(),
			sentence: "The sender has not the role that the call asks for: ask for it.".into(),
		};
		let bob = Account::from_uri("//Bob").unwrap().id();
		explain(failed, &bob, &bob, call)
	}

	#[test]
	fn a_missing_role_is_named() {
		let organisation = OrganisationId([1; 32]);
		let (anchor, device) = (AnchorId([2; 32]), DeviceId([3; 32]));
		let bob = Account::from_uri("//Bob").unwrap();
		for (error, role) in [
			(missing(&calls::set_member(organisation, &[4; 32], RoleSet::ALL)), "administrator"),
			(missing(&calls::remove_member(organisation, &[4; 32])), "administrator"),
			(missing(&calls::retire_anchor(anchor)), "anchor-manager"),
			(missing(&calls::revoke_anchor(anchor, REASON)), "anchor-manager"),
			(missing(&calls::revoke_ssh(anchor, SshSubject::Serial(1), REASON)), "anchor-manager"),
			(missing(&calls::cancel_voucher(VoucherId([5; 32]))), "registrar"),
			(missing(&calls::revoke_key(KeyId([6; 32]), REASON)), "registrar"),
			(missing(&calls::revoke_device(device, REASON)), "registrar"),
			(missing(&calls::suspend_device(device, REASON)), "registrar"),
			(missing(&calls::release_key(KeyId([6; 32]))), "registrar"),
		] {
			let sentence = error.to_string();
			assert!(sentence.contains(&format!("the role {role} ")), "{sentence}");
			assert!(sentence.contains(&bob.address()), "{sentence}");
			assert!(error.next_step().unwrap().contains("dpki org member set"), "{sentence}");
		}
		let commitment = VoucherCommitment([7; 32]);
		let call = calls::issue_voucher(organisation, commitment, "drone", 9).unwrap();
		assert!(missing(&call).to_string().contains("the role registrar "));
	}

	#[test]
	fn another_refusal_keeps_the_sentence_of_the_chain() {
		let failed = SubmitError::Failed {
			pallet: "Dpki".into(),
			error: "AnchorUnknown".into(),
			sentence: "There is no such anchor: check its id.".into(),
		};
		let bob = Account::from_uri("//Bob").unwrap();
		let call = calls::retire_anchor(AnchorId([2; 32]));
		let error = explain(failed, &bob.id(), &bob.id(), &call);
		assert!(is_refusal(&error, "AnchorUnknown") && !is_refusal(&error, "RoleMissing"));
		assert_eq!(error.to_string(), "there is no such anchor (AnchorUnknown)");
	}

	#[test]
	fn whoever_is_refused_is_told_the_command_that_mends_it() {
		let [bob, eve] = ["//Bob", "//Eve"].map(|uri| Account::from_uri(uri).unwrap());
		let told = |error| {
			let call = calls::retire_anchor(AnchorId([2; 32]));
			let error = explain(error, &bob.id(), &eve.id(), &call);
			(error.to_string(), error.next_step().unwrap())
		};
		let reason = format!("{CANNOT_PAY}: give it tokens first");
		let (sentence, next) = told(SubmitError::Invalid { reason });
		assert!(sentence.ends_with(CANNOT_PAY), "{sentence}");
		// The fee is paid by who signs, the deposit by who acts.
		assert!(next.contains(&format!("`dpki account send --to {}", eve.address())), "{next}");
		let failed = |name: &str, sentence: &str| SubmitError::Failed {
			pallet: "Dpki".into(),
			error: name.into(),
			sentence: sentence.into(),
		};
		let (_, next) = told(failed("Token(FundsUnavailable)", "Funds are unavailable."));
		assert!(next.contains(&format!("--to {}", bob.address())), "{next}");
		let (sentence, next) =
			told(failed("DeviceSuspended", "The device is on hold: release it."));
		assert_eq!(sentence, "the device is on hold (DeviceSuspended)");
		assert!(next.contains("`dpki release device ORG/NAME`"), "{next}");
		let (_, next) = told(failed("KeySuspended", "The key is on hold: release it."));
		assert!(next.contains("`dpki release key ID`"), "{next}");
	}

	#[test]
	fn a_refusal_that_nothing_proves_is_told_as_such() {
		use dpki_primitives::refusal::Refusal;
		let error = Error::from(SubmitError::Refused(Refusal::DeviceExists).by_word_of_node(None));
		assert!(error.to_string().contains("the node says"), "{error}");
		assert!(error.to_string().contains("nothing proves"), "{error}");
		assert!(error.next_step().unwrap().starts_with("ask another node"), "{error}");
		assert!(error.may_be_included());
	}

	#[test]
	fn who_stops_a_transaction_is_told_where_to_look() {
		let call = calls::create_organisation("acme", OrganisationKind::Regulator).unwrap();
		let error = interrupted("creating the organisation", &call);
		assert!(error.to_string().contains("may be final all the same"), "{error}");
		assert!(error.next_step().unwrap().contains("`dpki org show NAME`"));
		let error = interrupted("taking it back", &calls::cancel_voucher(VoucherId([5; 32])));
		assert!(error.next_step().unwrap().contains("`dpki status voucher FILE`"));
		let motion = interrupted("closing the motion", &calls::close(3));
		assert!(motion.next_step().unwrap().contains("`dpki motion list`"));
		let id = dpki_primitives::ids::ApplicationId([6; 32]);
		let application = interrupted("closing it", &calls::close_application(id));
		let next = application.next_step().unwrap();
		assert!(next.contains("`dpki certificate application ID`"), "{next}");
		assert!(error.may_be_included());
		assert_eq!(error.exit_code(), 130);
	}

	#[tokio::test]
	async fn ctrl_c_ends_what_is_being_waited_for() {
		let stopped = || Error::Interrupted { doing: "waiting".into(), next: "look".into() };
		let mut waiting = Box::pin(or_interrupted(std::future::pending::<Result<()>>(), stopped));
		// This first poll listens for the signal, which would end the tests otherwise.
		assert!((&mut waiting).now_or_never().is_none());
		let sent = std::process::Command::new("kill")
			.args(["-INT", &std::process::id().to_string()])
			.status()
			.unwrap();
		assert!(sent.success());
		assert!(matches!(waiting.await, Err(Error::Interrupted { .. })));
		let done = or_interrupted(async { Ok(7) }, stopped).await;
		assert_eq!(done.unwrap(), 7);
	}
}
