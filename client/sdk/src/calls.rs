//! The calls of the chain with the types of [`crate::primitives`].
//!
//! Who may make a call, what it changes and what it refuses is told by the pallets. [`enrol`] and [`acknowledge`] carry
//! their own authority and go to [`Client::submit_general`](crate::Client::submit_general); every other call is signed by
//! an account and goes to [`Client::submit`](crate::Client::submit).

mod authorities;
mod bonds;
mod certificates;
mod delegation;
mod economy;
mod encoded;
mod fleets;
mod governance;
mod keys;
mod multisig;
mod requests;
mod validators;

pub use authorities::{
	adopt_authority, cancel_rollover, plan_rollover, register_authority, release_anchor,
	set_crl_pointer, suspend_anchor,
};
pub use bonds::{bond, set_minimum_bond, slash, unbond, withdraw_bond};
pub use certificates::{
	accredit, amend_certificate, apply, close_application, commit, endorse, mark_compromised,
	release_accreditation, release_certificate, renew, reveal, revoke_certificate,
	set_certificate_fees, set_certificate_policy, suspend_accreditation, suspend_certificate,
	withdraw_application, withdraw_endorsement,
};
pub use delegation::{
	ProxyRight, add_proxy, announce, announced, proxied, reject_announcement, remove_announcement,
	remove_proxies, remove_proxy, through_proxy,
};
pub use economy::{admit_organisation, set_deposit, set_fee, set_feeless, set_quotas};
pub use encoded::{EncodedCall, encode};
pub use fleets::{
	append_fleet, append_keys, commit_fleet, open_roll, publish_tile, retire_fleet, revoke_fleet,
	revoke_members, rotate_fleet, vote_availability, withdraw_commitment,
};
pub use governance::{
	accept_hand_over, admit_trustee, apply_authorized_upgrade, as_root, authorize_upgrade,
	begin_recovery, cancel_hand_over, cancel_recovery, close, complete_recovery, dissolve,
	hand_over, join, move_seat, propose, remove_trustee, set_policy, vote, withdraw,
};
pub use keys::{
	add_own_key, announce_next_key, announce_own_key, approve_request, is_proof_dear,
	register_batch, reject_request, replace_key, replace_own_key, report_compromise, request_keys,
	reveal_next_key, revoke_devices, revoke_keys, revoke_own_key, set_key_policy,
};
pub use multisig::{
	Beginning, CallWeight, MAX_SIGNATORIES, Multisig, MultisigProgress, multisig_progress,
};
pub use requests::{answer_request, clear_request, file_request, refuse_request, withdraw_request};
pub use validators::{
	SessionKeys, add_validator, disable_validator, enable_validator, leave_validators,
	note_stalled, remove_validator, set_session_keys, set_validator_bounds,
};

use crate::{
	AccountId,
	api::{BoundedVec, tx},
	names::NAME_RULE,
};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, MAX_ANCHOR_MATERIAL_LEN},
	channel::ChannelId,
	delivery::{MAX_BLOB_LEN, MAX_RECIPIENTS, MIN_BLOB_LEN, Outcome, Recipient, Suite},
	device::MAX_KEYS_PER_ENROLMENT,
	ids::{
		AnchorId, BlobDigest, DeliveryId, DeviceId, KeyId, OrganisationId, VoucherCommitment,
		VoucherId, is_valid_name,
	},
	key::{Consent, NewKey, Signature},
	organisation::{OrganisationKind, RoleSet},
	revocation::{RevocationReason, SshSubject},
};
use subxt::utils::{AccountId32, MultiAddress, Static};

/// A call, ready to be submitted.
pub use subxt::transactions::Payload as Call;

/// Why a call cannot be made of these arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
	/// A name breaks the rule for names.
	#[error("`{name}` is no name: use {NAME_RULE}")]
	Name {
		/// What was given.
		name: String,
	},
	/// Something is too long or too short.
	#[error("{what} has a length of {len}, allowed is {min} to {max}: check what you give")]
	Length {
		/// What.
		what: &'static str,
		/// How long it is.
		len: usize,
		/// How long it must be.
		min: usize,
		/// How long it may be.
		max: usize,
	},
	/// An account is no member of the account of several people that it is to speak for.
	#[error("the account that signs is none of the members: sign with one that is")]
	NotASignatory,
	/// Bytes are no call of the chain that this crate knows.
	#[error("this is no call of this chain ({reason}): check the bytes, or update this program")]
	NotACall {
		/// What is wrong.
		reason: String,
	},
}

fn name(text: &str) -> Result<BoundedVec<u8>, CallError> {
	if is_valid_name(text.as_bytes()) {
		Ok(BoundedVec(text.as_bytes().to_vec()))
	} else {
		Err(CallError::Name { name: text.into() })
	}
}

fn check_len(
	what: &'static str,
	len: usize,
	range: std::ops::RangeInclusive<u32>,
) -> Result<(), CallError> {
	let (min, max) = (*range.start() as usize, *range.end() as usize);
	if (min..=max).contains(&len) { Ok(()) } else { Err(CallError::Length { what, len, min, max }) }
}

/// Creates an organisation, whose first administrator is the signer.
pub fn create_organisation(
	organisation: &str,
	kind: OrganisationKind,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx().organisations().create(name(organisation)?, Static(kind)))
}

/// Invites an account to become a member with these roles, or changes the roles of a member. Whoever is invited
/// [accepts](join).
pub fn set_member(
	organisation: OrganisationId,
	account: &AccountId,
	roles: RoleSet,
) -> impl Call + use<> {
	tx().organisations()
		.set_member(Static(organisation), AccountId32(*account), Static(roles))
}

/// Removes a member, or withdraws an invitation.
pub fn remove_member(organisation: OrganisationId, account: &AccountId) -> impl Call + use<> {
	tx().organisations().remove_member(Static(organisation), AccountId32(*account))
}

/// Registers a trust anchor with the [proof](crate::possession::possess_anchor) that its key is held.
pub fn register_anchor(
	organisation: OrganisationId,
	kind: AnchorKind,
	material: &[u8],
	possession: Signature,
	expires_at: Moment,
) -> Result<impl Call + use<>, CallError> {
	check_len("the material of the anchor", material.len(), 1..=MAX_ANCHOR_MATERIAL_LEN)?;
	Ok(tx().dpki().register_anchor(
		Static(organisation),
		Static(kind),
		BoundedVec(material.to_vec()),
		BoundedVec(possession.into()),
		expires_at,
	))
}

/// Retires an anchor: what it signed stays good, nothing new is to be signed.
pub fn retire_anchor(anchor: AnchorId) -> impl Call + use<> {
	tx().dpki().retire_anchor(Static(anchor))
}

/// Revokes an anchor for ever.
pub fn revoke_anchor(anchor: AnchorId, reason: RevocationReason) -> impl Call + use<> {
	tx().dpki().revoke_anchor(Static(anchor), Static(reason))
}

/// Revokes something under an SSH CA for ever.
pub fn revoke_ssh(
	anchor: AnchorId,
	subject: SshSubject,
	reason: RevocationReason,
) -> impl Call + use<> {
	tx().dpki().revoke_ssh(Static(anchor), Static(subject), Static(reason))
}

/// Issues the voucher of this [commitment](crate::Voucher::commitment) for one named device.
pub fn issue_voucher(
	organisation: OrganisationId,
	commitment: VoucherCommitment,
	device: &str,
	expires_at: Moment,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx().dpki().issue_voucher(
		Static(organisation),
		Static(commitment),
		name(device)?,
		expires_at,
	))
}

/// Takes an unused voucher back.
pub fn cancel_voucher(voucher: VoucherId) -> impl Call + use<> {
	tx().dpki().cancel_voucher(Static(voucher))
}

/// Removes a voucher that expired unused. Needs nobody's authority: it goes to
/// [`Client::submit_general`](crate::Client::submit_general).
pub fn clear_expired_voucher(voucher: VoucherId) -> impl Call + use<> {
	tx().dpki().clear_expired_voucher(Static(voucher))
}

/// Enrols the device of a voucher of this organisation with its first keys, at least one of them for signing; for
/// [`Client::submit_general`](crate::Client::submit_general).
pub fn enrol(
	organisation: OrganisationId,
	voucher_public: [u8; 32],
	device: &str,
	keys: &[NewKey],
	expires_at: Moment,
	voucher_signature: [u8; 64],
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of keys", keys.len(), 1..=MAX_KEYS_PER_ENROLMENT)?;
	Ok(tx().dpki().enrol(
		Static(organisation),
		voucher_public,
		name(device)?,
		BoundedVec(keys.iter().cloned().map(Static).collect()),
		expires_at,
		voucher_signature,
	))
}

/// Registers a further key of a device on the authority of the signer, with the
/// [consent](crate::possession::Registration::consent) of the device.
pub fn register_key(
	device: DeviceId,
	key: NewKey,
	consent: Consent,
	expires_at: Moment,
) -> impl Call + use<> {
	tx().dpki()
		.register_key(Static(device), Static(key), Static(consent), expires_at)
}

/// Revokes a key for ever.
pub fn revoke_key(key: KeyId, reason: RevocationReason) -> impl Call + use<> {
	tx().dpki().revoke_key(Static(key), Static(reason))
}

/// Revokes a device with all its keys for ever.
pub fn revoke_device(device: DeviceId, reason: RevocationReason) -> impl Call + use<> {
	tx().dpki().revoke_device(Static(device), Static(reason))
}

/// Puts a device with all its keys on hold, until it is released or revoked.
pub fn suspend_device(device: DeviceId, reason: RevocationReason) -> impl Call + use<> {
	tx().dpki().suspend_device(Static(device), Static(reason))
}

/// Ends what [`suspend_device`] began.
pub fn release_device(device: DeviceId) -> impl Call + use<> {
	tx().dpki().release_device(Static(device))
}

/// Puts a key of a device on hold, until it is released or revoked.
pub fn suspend_key(key: KeyId, reason: RevocationReason) -> impl Call + use<> {
	tx().dpki().suspend_key(Static(key), Static(reason))
}

/// Ends what [`suspend_key`] began.
pub fn release_key(key: KeyId) -> impl Call + use<> {
	tx().dpki().release_key(Static(key))
}

/// Publishes an [envelope](crate::envelope) for a device on a channel.
pub fn publish(
	device: DeviceId,
	channel: ChannelId,
	sequence: u64,
	suite: Suite,
	recipient: KeyId,
	envelope: &[u8],
) -> Result<impl Call + use<>, CallError> {
	check_len("the envelope", envelope.len(), MIN_BLOB_LEN..=MAX_BLOB_LEN)?;
	Ok(tx().deliveries().publish(
		Static(device),
		Static(channel),
		sequence,
		Static(suite),
		Static(recipient),
		BoundedVec(envelope.to_vec()),
	))
}

/// Publishes a [shared envelope](crate::envelope::seal_shared) for many devices, on the same channel of each.
pub fn publish_shared(
	channel: ChannelId,
	suite: Suite,
	recipients: &[Recipient],
	envelope: &[u8],
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of devices", recipients.len(), 1..=MAX_RECIPIENTS)?;
	check_len("the envelope", envelope.len(), MIN_BLOB_LEN..=MAX_BLOB_LEN)?;
	Ok(tx().deliveries().publish_shared(
		Static(channel),
		Static(suite),
		BoundedVec(recipients.iter().copied().map(Static).collect()),
		BoundedVec(envelope.to_vec()),
	))
}

/// Approves a delivery that waits: exactly the one that has this id, see
/// [`DeliveryRecord::id`](dpki_primitives::delivery::DeliveryRecord::id).
pub fn approve_delivery(
	device: DeviceId,
	channel: ChannelId,
	delivery: DeliveryId,
) -> impl Call + use<> {
	tx().deliveries().approve(Static(device), Static(channel), Static(delivery))
}

/// Takes back a delivery that waits for approvals.
pub fn withdraw_delivery(
	device: DeviceId,
	channel: ChannelId,
	delivery: DeliveryId,
) -> impl Call + use<> {
	tx().deliveries().withdraw(Static(device), Static(channel), Static(delivery))
}

/// Tells what became of a delivery; for [`Client::submit_general`](crate::Client::submit_general).
#[expect(clippy::too_many_arguments, reason = "the call has as many")]
pub fn acknowledge(
	device: DeviceId,
	channel: ChannelId,
	sequence: u64,
	digest: BlobDigest,
	outcome: Outcome,
	key: KeyId,
	expires_at: Moment,
	signature: Signature,
) -> impl Call + use<> {
	tx().deliveries().acknowledge(
		Static(device),
		Static(channel),
		sequence,
		Static(digest),
		Static(outcome),
		Static(key),
		expires_at,
		BoundedVec(signature.into()),
	)
}

/// Sends tokens to an account.
pub fn transfer(to: &AccountId, amount: u128) -> impl Call + use<> {
	let to = MultiAddress::<AccountId32, ()>::Id(AccountId32(*to));
	tx().balances().transfer_keep_alive(to, amount)
}

/// The version of the encoding of calls that this crate knows. A motion that was proposed under another one cannot be
/// carried, and its call cannot be told in words.
pub fn transaction_version() -> u32 {
	crate::submit::signed::transaction_version()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::api::offline;
	use codec::{Compact, Encode};
	use dpki_primitives::{
		key::{KeyPurpose, KeyType, PublicKey},
		organisation::Role,
	};

	const ACCOUNT: AccountId = [3; 32];
	const ORGANISATION: OrganisationId = OrganisationId([4; 32]);
	const ANCHOR: AnchorId = AnchorId([5; 32]);
	const DEVICE: DeviceId = DeviceId([6; 32]);
	const CHANNEL: ChannelId = ChannelId::DEFAULT;
	const KEY: KeyId = KeyId([7; 32]);
	const VOUCHER: VoucherId = VoucherId([8; 32]);
	const COMMITMENT: VoucherCommitment = VoucherCommitment([11; 32]);
	const REASON: RevocationReason = RevocationReason::KeyCompromise;

	fn new_key() -> NewKey {
		NewKey {
			purpose: KeyPurpose::Ssh,
			public: PublicKey::new(KeyType::Ed25519, &[9; 32]).unwrap(),
			not_after: Some(1),
			possession: signature(),
		}
	}

	fn signature() -> Signature {
		vec![10; 64].try_into().unwrap()
	}

	/// That a call is its place in the runtime and its arguments in SCALE, as the types of the vocabulary encode.
	pub(super) fn assert_encodes(
		call: &impl Call,
		(pallet, index): (u8, u8),
		arguments: impl Encode,
	) {
		let bytes = offline().tx().call_data(call).unwrap();
		let name = format!("{}.{}", call.pallet_name(), call.call_name());
		assert_eq!(bytes, (pallet, index, arguments).encode(), "{name}");
	}

	#[test]
	fn calls_of_organisations_encode() {
		let kind = OrganisationKind::Regulator;
		let create = create_organisation("acme", kind).unwrap();
		assert_encodes(&create, (20, 0), (b"acme".to_vec(), kind));
		let roles = RoleSet::EMPTY.with(Role::Publisher);
		let set = set_member(ORGANISATION, &ACCOUNT, roles);
		assert_encodes(&set, (20, 1), (ORGANISATION, ACCOUNT, roles));
		let remove = remove_member(ORGANISATION, &ACCOUNT);
		assert_encodes(&remove, (20, 2), (ORGANISATION, ACCOUNT));
	}

	#[test]
	fn calls_about_anchors_encode() {
		let kind = AnchorKind::SshUserCa;
		let register = register_anchor(ORGANISATION, kind, &[1, 2], signature(), 3).unwrap();
		let arguments = (ORGANISATION, kind, vec![1u8, 2], signature(), 3u64);
		assert_encodes(&register, (21, 0), arguments);
		assert_encodes(&retire_anchor(ANCHOR), (21, 1), ANCHOR);
		assert_encodes(&revoke_anchor(ANCHOR, REASON), (21, 2), (ANCHOR, REASON));
		let subject = SshSubject::Serial(7);
		assert_encodes(&revoke_ssh(ANCHOR, subject, REASON), (21, 3), (ANCHOR, subject, REASON));
	}

	#[test]
	fn calls_about_devices_encode() {
		let issue = issue_voucher(ORGANISATION, COMMITMENT, "drone", 9).unwrap();
		assert_encodes(&issue, (21, 4), (ORGANISATION, COMMITMENT, b"drone".to_vec(), 9u64));
		assert_encodes(&cancel_voucher(VOUCHER), (21, 5), VOUCHER);
		assert_encodes(&clear_expired_voucher(VOUCHER), (21, 36), VOUCHER);
		let keys = vec![new_key(), new_key()];
		let enrol = enrol(ORGANISATION, [1; 32], "drone", &keys, 9, [2; 64]).unwrap();
		let arguments = (ORGANISATION, [1u8; 32], b"drone".to_vec(), keys, 9u64, [2u8; 64]);
		assert_encodes(&enrol, (21, 6), arguments);
		let consent = Consent { key: KEY, signature: signature() };
		let register = register_key(DEVICE, new_key(), consent.clone(), 9);
		assert_encodes(&register, (21, 7), (DEVICE, new_key(), consent, 9u64));
		assert_encodes(&revoke_key(KEY, REASON), (21, 8), (KEY, REASON));
		assert_encodes(&revoke_device(DEVICE, REASON), (21, 9), (DEVICE, REASON));
		assert_encodes(&suspend_device(DEVICE, REASON), (21, 37), (DEVICE, REASON));
		assert_encodes(&release_device(DEVICE), (21, 38), DEVICE);
		assert_encodes(&suspend_key(KEY, REASON), (21, 39), (KEY, REASON));
		assert_encodes(&release_key(KEY), (21, 40), KEY);
	}

	#[test]
	fn calls_about_deliveries_encode() {
		let suite = Suite::X25519ChaCha20Poly1305;
		let publish = publish(DEVICE, CHANNEL, 5, suite, KEY, &[1; 48]).unwrap();
		assert_encodes(&publish, (22, 0), (DEVICE, 0u8, 5u64, suite, KEY, vec![1u8; 48]));
		let (digest, outcome) = (BlobDigest([1; 32]), Outcome::Applied);
		let acknowledge = acknowledge(DEVICE, CHANNEL, 5, digest, outcome, KEY, 9, signature());
		let arguments = (DEVICE, 0u8, 5u64, digest, outcome, KEY, 9u64, signature());
		assert_encodes(&acknowledge, (22, 1), arguments);
		let (other, id) = (ChannelId::new(7).unwrap(), DeliveryId([3; 32]));
		let approve = approve_delivery(DEVICE, other, id);
		assert_encodes(&approve, (22, 2), (DEVICE, 7u8, id));
		let withdraw = withdraw_delivery(DEVICE, other, id);
		assert_encodes(&withdraw, (22, 3), (DEVICE, 7u8, id));
		let suite = Suite::SharedX25519;
		let recipients = vec![Recipient { device: DEVICE, sequence: 5, key: KEY }];
		let shared = publish_shared(other, suite, &recipients, &[1; 200]).unwrap();
		assert_encodes(&shared, (22, 4), (7u8, suite, recipients, vec![1u8; 200]));
	}

	#[test]
	fn a_transfer_encodes() {
		let bytes = offline().tx().call_data(&transfer(&ACCOUNT, 5)).unwrap();
		assert_eq!(bytes[2..], (0u8, ACCOUNT, Compact(5u128)).encode());
	}

	#[test]
	fn what_cannot_be_a_call_is_refused() {
		let name = CallError::Name { name: "Acme".into() };
		let kind = OrganisationKind::Regulator;
		assert_eq!(create_organisation("Acme", kind).err(), Some(name.clone()));
		assert_eq!(issue_voucher(ORGANISATION, COMMITMENT, "Acme", 0).err(), Some(name.clone()));
		let enrol =
			|device, keys: &[NewKey]| enrol(ORGANISATION, [0; 32], device, keys, 0, [0; 64]).err();
		assert_eq!(enrol("Acme", &[new_key()]), Some(name));
		let refused = |error| matches!(error, Some(CallError::Length { .. }));
		assert!(refused(enrol("a", &[])));
		assert!(refused(enrol("a", &vec![new_key(); 5])));
		let suite = Suite::X25519ChaCha20Poly1305;
		for len in [0, MIN_BLOB_LEN as usize - 1, MAX_BLOB_LEN as usize + 1] {
			assert!(refused(publish(DEVICE, CHANNEL, 0, suite, KEY, &vec![0; len]).err()), "{len}");
		}
		for len in [0, MAX_ANCHOR_MATERIAL_LEN as usize + 1] {
			let kind = AnchorKind::X509Root;
			let call = register_anchor(ORGANISATION, kind, &vec![0; len], signature(), 0);
			assert!(refused(call.err()), "{len}");
		}
	}
}
