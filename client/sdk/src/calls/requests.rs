//! Certificates that devices ask for.

use super::{Call, CallError, check_len};
use crate::{
	api::{BoundedVec, tx},
	device_request::Filed,
};
use dpki_primitives::Moment;
use dpki_primitives::{
	channel::ChannelId,
	filing::{MAX_FILING_LEN, Objection},
	ids::{DeviceId, KeyId},
	key::Signature,
};
use subxt::utils::Static;

/// Asks for a certificate; for [`Client::submit_general`](crate::Client::submit_general).
pub fn file_request(filed: &Filed) -> Result<impl Call + use<>, CallError> {
	check_len("what is asked for", filed.body.len(), 1..=MAX_FILING_LEN)?;
	Ok(tx().requests().file(
		Static(filed.device),
		filed.slot,
		Static(filed.kind.clone()),
		BoundedVec(filed.body.clone()),
		filed.number,
		Static(filed.key),
		filed.expires_at,
		BoundedVec(filed.signature.to_vec()),
	))
}

/// Takes a request back, with a [signature](crate::device_request::sign_withdrawal) of the device; for
/// [`Client::submit_general`](crate::Client::submit_general).
pub fn withdraw_request(
	(device, slot): (DeviceId, u8),
	content: [u8; 32],
	number: u64,
	key: KeyId,
	expires_at: Moment,
	signature: Signature,
) -> impl Call + use<> {
	tx().requests().withdraw(
		Static(device),
		slot,
		content,
		number,
		Static(key),
		expires_at,
		BoundedVec(signature.into()),
	)
}

/// Tells a device in which delivery, by channel and number, the certificate is for which it has asked.
pub fn answer_request(
	(device, slot): (DeviceId, u8),
	content: [u8; 32],
	(channel, sequence): (ChannelId, u64),
) -> impl Call + use<> {
	tx().requests().answer(Static(device), slot, content, Static(channel), sequence)
}

/// Tells a device why there is no certificate.
pub fn refuse_request(
	(device, slot): (DeviceId, u8),
	content: [u8; 32],
	objection: Objection,
) -> impl Call + use<> {
	tx().requests().refuse(Static(device), slot, content, Static(objection))
}

/// Removes a request that nobody would answer any more.
pub fn clear_request((device, slot): (DeviceId, u8)) -> impl Call + use<> {
	tx().requests().clear(Static(device), slot)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::calls::tests::assert_encodes;
	use dpki_primitives::filing::FilingKind;

	const DEVICE: DeviceId = DeviceId([6; 32]);
	const KEY: KeyId = KeyId([7; 32]);

	fn signature() -> Signature {
		vec![10; 64].try_into().unwrap()
	}

	#[test]
	fn calls_about_requests_encode() {
		let kind = FilingKind::Tls { service: b"web".to_vec().try_into().unwrap() };
		let filed = Filed {
			device: DEVICE,
			slot: 2,
			kind: kind.clone(),
			body: vec![1, 2],
			number: 5,
			key: KEY,
			expires_at: 9,
			signature: signature(),
		};
		let arguments = (DEVICE, 2u8, kind, vec![1u8, 2], 5u64, KEY, 9u64, signature());
		assert_encodes(&file_request(&filed).unwrap(), (27, 0), arguments);
		let place = (DEVICE, 2);
		let withdraw = withdraw_request(place, [3; 32], 5, KEY, 9, signature());
		let arguments = (DEVICE, 2u8, [3u8; 32], 5u64, KEY, 9u64, signature());
		assert_encodes(&withdraw, (27, 1), arguments);
		let channel = ChannelId::new(2).unwrap();
		let arguments = (DEVICE, 2u8, [3u8; 32], channel, 8u64);
		assert_encodes(&answer_request(place, [3; 32], (channel, 8)), (27, 2), arguments);
		let objection = Objection::KeyUnfit;
		let arguments = (DEVICE, 2u8, [3u8; 32], objection);
		assert_encodes(&refuse_request(place, [3; 32], objection), (27, 3), arguments);
		assert_encodes(&clear_request(place), (27, 4), (DEVICE, 2u8));
		let long = Filed { body: vec![1; MAX_FILING_LEN as usize + 1], ..filed };
		assert!(matches!(file_request(&long), Err(CallError::Length { .. })));
	}
}
