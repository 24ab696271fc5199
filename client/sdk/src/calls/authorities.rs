//! Calls about X.509 anchors: what they rest on, and what takes their place.

use super::{Call, CallError, check_len};
use crate::api::{BoundedVec, tx};
use dpki_primitives::{
	Moment,
	anchor::{Basis, CrlPointer, MAX_ANCHOR_MATERIAL_LEN},
	ids::{AnchorId, OrganisationId},
	key::Signature,
};
use subxt::utils::Static;

fn material(der: &[u8]) -> Result<BoundedVec<u8>, CallError> {
	check_len("the certificate", der.len(), 1..=MAX_ANCHOR_MATERIAL_LEN)?;
	Ok(BoundedVec(der.to_vec()))
}

/// Registers an X.509 authority of an organisation, with the [proof](crate::possession::possess_anchor) that its key is
/// held.
pub fn register_authority(
	organisation: OrganisationId,
	basis: Basis,
	certificate: &[u8],
	possession: Signature,
	expires_at: Moment,
) -> Result<impl Call + use<>, CallError> {
	Ok(tx().dpki().register_authority(
		Static(organisation),
		Static(basis),
		material(certificate)?,
		BoundedVec(possession.into()),
		expires_at,
	))
}

/// Registers an X.509 authority for the consortium; for a motion of the council.
pub fn adopt_authority(basis: Basis, certificate: &[u8]) -> Result<impl Call + use<>, CallError> {
	Ok(tx().dpki().adopt_authority(Static(basis), material(certificate)?))
}

/// Has `successor` take the place of an anchor, which is retired at that moment.
pub fn plan_rollover(
	anchor: AnchorId,
	successor: AnchorId,
	retire_at: Moment,
) -> impl Call + use<> {
	tx().dpki().plan_rollover(Static(anchor), Static(successor), retire_at)
}

/// Calls a rollover off.
pub fn cancel_rollover(anchor: AnchorId) -> impl Call + use<> {
	tx().dpki().cancel_rollover(Static(anchor))
}

/// Puts an X.509 anchor on hold: nothing below it is valid until it is released.
pub fn suspend_anchor(anchor: AnchorId) -> impl Call + use<> {
	tx().dpki().suspend_anchor(Static(anchor))
}

/// Ends what [`suspend_anchor`] began.
pub fn release_anchor(anchor: AnchorId) -> impl Call + use<> {
	tx().dpki().release_anchor(Static(anchor))
}

/// Says where an X.509 anchor publishes its revocation list; `None` if it does not.
pub fn set_crl_pointer(anchor: AnchorId, pointer: Option<CrlPointer>) -> impl Call + use<> {
	tx().dpki().set_crl_pointer(Static(anchor), pointer.map(Static))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::tests::assert_encodes;
	use dpki_primitives::anchor::Profile;

	const ORGANISATION: OrganisationId = OrganisationId([4; 32]);
	const ANCHOR: AnchorId = AnchorId([5; 32]);
	const OTHER: AnchorId = AnchorId([6; 32]);

	#[test]
	fn calls_about_authorities_encode() {
		let signature: Signature = vec![10; 64].try_into().unwrap();
		for basis in [Basis::SelfSigned(Profile::Matter), Basis::IssuedBy(ANCHOR)] {
			let register = register_authority(ORGANISATION, basis, &[1, 2], signature.clone(), 3);
			let arguments = (ORGANISATION, basis, vec![1u8, 2], signature.clone(), 3u64);
			assert_encodes(&register.unwrap(), (21, 10), arguments);
		}
		let basis = Basis::Vote(Profile::TlsServer);
		assert_encodes(&adopt_authority(basis, &[1, 2]).unwrap(), (21, 11), (basis, vec![1u8, 2]));
		assert_encodes(&plan_rollover(ANCHOR, OTHER, 7), (21, 12), (ANCHOR, OTHER, 7u64));
		assert_encodes(&cancel_rollover(ANCHOR), (21, 13), ANCHOR);
		assert_encodes(&suspend_anchor(ANCHOR), (21, 14), ANCHOR);
		assert_encodes(&release_anchor(ANCHOR), (21, 15), ANCHOR);
		let pointer = CrlPointer {
			url: b"https://crl.example/ca.crl".to_vec().try_into().unwrap(),
			digest: Some([7; 32]),
		};
		for pointer in [None, Some(pointer)] {
			assert_encodes(&set_crl_pointer(ANCHOR, pointer.clone()), (21, 16), (ANCHOR, pointer));
		}
	}

	#[test]
	fn a_certificate_that_is_too_long_is_refused() {
		for len in [0, MAX_ANCHOR_MATERIAL_LEN as usize + 1] {
			let call = adopt_authority(Basis::Vote(Profile::Rfc5280), &vec![0; len]);
			assert!(matches!(call.err(), Some(CallError::Length { .. })), "{len}");
		}
	}
}
