//! The calls of the chain with the types of [`crate::primitives`].
//!
//! Who may make a call, what it changes and what it refuses is told by the pallets. [`enrol`] and [`acknowledge`] carry
//! their own authority and go to [`Client::submit_general`](crate::Client::submit_general); every other call is signed by
//! an account and goes to [`Client::submit`](crate::Client::submit).

use crate::{AccountId, api::call};
use codec::Compact;
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, MAX_ANCHOR_MATERIAL_LEN},
	delivery::{MAX_BLOB_LEN, MIN_BLOB_LEN, Outcome, Suite},
	device::MAX_KEYS_PER_ENROLMENT,
	ids::{AnchorId, BlobDigest, DeviceId, KeyId, Name, OrganisationId, VoucherId, is_valid_name},
	key::{NewKey, Signature},
	organisation::{OrganisationKind, RoleSet},
	revocation::{RevocationReason, SshSubject},
};
use subxt::utils::{AccountId32, MultiAddress};

/// A call, ready to be submitted.
pub use subxt::transactions::Payload as Call;

/// Why a call cannot be made of these arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
	/// A name breaks the rule for names.
	#[error(
		"`{name}` is no name: use 1 to 63 of a-z, 0-9, - and ., with a letter or digit at both ends"
	)]
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
}

fn name(text: &str) -> Result<Name, CallError> {
	let invalid = || CallError::Name { name: text.into() };
	if !is_valid_name(text.as_bytes()) {
		return Err(invalid());
	}
	Name::try_from(text.as_bytes().to_vec()).map_err(|_| invalid())
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
	Ok(call!("Organisations", "create", name(organisation)?, kind))
}

/// Makes an account a member with these roles, or changes the roles of a member.
pub fn set_member(
	organisation: OrganisationId,
	account: &AccountId,
	roles: RoleSet,
) -> impl Call + use<> {
	call!("Organisations", "set_member", organisation, *account, roles)
}

/// Removes a member.
pub fn remove_member(organisation: OrganisationId, account: &AccountId) -> impl Call + use<> {
	call!("Organisations", "remove_member", organisation, *account)
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
	let material = AnchorMaterial::truncate_from(material.to_vec());
	Ok(call!("Dpki", "register_anchor", organisation, kind, material, possession, expires_at))
}

/// Retires an anchor: what it signed stays good, nothing new is to be signed.
pub fn retire_anchor(anchor: AnchorId) -> impl Call + use<> {
	call!("Dpki", "retire_anchor", anchor)
}

/// Revokes an anchor for ever.
pub fn revoke_anchor(anchor: AnchorId, reason: RevocationReason) -> impl Call + use<> {
	call!("Dpki", "revoke_anchor", anchor, reason)
}

/// Revokes something under an SSH CA for ever.
pub fn revoke_ssh(
	anchor: AnchorId,
	subject: SshSubject,
	reason: RevocationReason,
) -> impl Call + use<> {
	call!("Dpki", "revoke_ssh", anchor, subject, reason)
}

/// Issues a voucher for one named device.
pub fn issue_voucher(
	organisation: OrganisationId,
	voucher: VoucherId,
	device: &str,
	expires_at: Moment,
) -> Result<impl Call + use<>, CallError> {
	Ok(call!("Dpki", "issue_voucher", organisation, voucher, name(device)?, expires_at))
}

/// Takes an unused voucher back.
pub fn cancel_voucher(voucher: VoucherId) -> impl Call + use<> {
	call!("Dpki", "cancel_voucher", voucher)
}

/// Enrols the device of a voucher with its first keys; for [`Client::submit_general`](crate::Client::submit_general).
pub fn enrol(
	voucher_public: [u8; 32],
	device: &str,
	keys: &[NewKey],
	expires_at: Moment,
	voucher_signature: [u8; 64],
) -> Result<impl Call + use<>, CallError> {
	check_len("the list of keys", keys.len(), 1..=MAX_KEYS_PER_ENROLMENT)?;
	Ok(call!(
		"Dpki",
		"enrol",
		voucher_public,
		name(device)?,
		keys.to_vec(),
		expires_at,
		voucher_signature
	))
}

/// Registers a further key of a device, on the authority of the signer.
pub fn register_key(device: DeviceId, key: NewKey, expires_at: Moment) -> impl Call + use<> {
	call!("Dpki", "register_key", device, key, expires_at)
}

/// Revokes a key for ever.
pub fn revoke_key(key: KeyId, reason: RevocationReason) -> impl Call + use<> {
	call!("Dpki", "revoke_key", key, reason)
}

/// Revokes a device with all its keys for ever.
pub fn revoke_device(device: DeviceId, reason: RevocationReason) -> impl Call + use<> {
	call!("Dpki", "revoke_device", device, reason)
}

/// Publishes an [envelope](crate::envelope) for a device.
pub fn publish(
	device: DeviceId,
	sequence: u64,
	suite: Suite,
	recipient: KeyId,
	envelope: &[u8],
) -> Result<impl Call + use<>, CallError> {
	check_len("the envelope", envelope.len(), MIN_BLOB_LEN..=MAX_BLOB_LEN)?;
	Ok(call!("Deliveries", "publish", device, sequence, suite, recipient, envelope.to_vec()))
}

/// Tells what became of a delivery; for [`Client::submit_general`](crate::Client::submit_general).
pub fn acknowledge(
	device: DeviceId,
	sequence: u64,
	digest: BlobDigest,
	outcome: Outcome,
	key: KeyId,
	expires_at: Moment,
	signature: Signature,
) -> impl Call + use<> {
	call!(
		"Deliveries",
		"acknowledge",
		device,
		sequence,
		digest,
		outcome,
		key,
		expires_at,
		signature
	)
}

/// Sends tokens to an account.
pub fn transfer(to: &AccountId, amount: u128) -> impl Call + use<> {
	let to = MultiAddress::<AccountId32, ()>::Id(AccountId32(*to));
	call!("Balances", "transfer_keep_alive", to, Compact(amount))
}
