//! The signature of a person under the content of a delivery.
//!
//! Where the policy of an organisation asks for a second person, an anchor manager signs what is inside of the envelope,
//! and another account publishes it. The chain cannot see this signature; the device checks it, by the roles that it has
//! proven. It covers the place of the delivery like the envelope itself, so it is worthless in any other.

use crate::{
	AccountId,
	account::{self, Account, Scheme},
};
use codec::{Decode, Encode};
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext, is_expiry_acceptable},
	delivery::DeliveryBinding,
};

/// Why a signature under a content counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentSignatureError {
	/// It had expired when the delivery was published, or was to be good for too long.
	#[error(
		"the signature under the content was not good when it was published: sign and publish it again within a day"
	)]
	Expired,
	/// It does not verify.
	#[error(
		"the signature under the content does not verify: it was altered, or made for another delivery"
	)]
	Invalid,
}

/// Who stands for the content of a delivery.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct ContentSignature {
	/// Whose signature it is.
	pub account: AccountId,
	/// By which algorithm.
	pub scheme: Scheme,
	/// Last moment at which the delivery may be published with it.
	pub expires_at: Moment,
	/// The signature.
	pub signature: [u8; 64],
}

impl ContentSignature {
	/// Signs the content with this digest for the one delivery that `place` describes.
	pub fn sign(
		account: &Account,
		place: &DeliveryBinding,
		content: [u8; 32],
		expires_at: Moment,
	) -> Self {
		let (scheme, signature) = account.sign_payload(&payload(place, content, expires_at));
		Self { account: account.id(), scheme, expires_at, signature }
	}

	/// Whether it verifies for this content and place, and did not come too late for a delivery of this time. Whether the
	/// account has any right to sign is for the caller to say.
	pub fn verify(
		&self,
		place: &DeliveryBinding,
		content: [u8; 32],
		published_at: Moment,
	) -> Result<(), ContentSignatureError> {
		if !is_expiry_acceptable(self.expires_at, published_at) {
			return Err(ContentSignatureError::Expired);
		}
		let payload = payload(place, content, self.expires_at);
		if account::verify(&self.account, self.scheme, &payload, &self.signature) {
			Ok(())
		} else {
			Err(ContentSignatureError::Invalid)
		}
	}
}

fn payload(place: &DeliveryBinding, content: [u8; 32], expires_at: Moment) -> Vec<u8> {
	let &DeliveryBinding { genesis, organisation, publisher, device, channel, sequence, .. } =
		place;
	let action = Action::SignBundle { organisation, device, channel, publisher, content };
	SigningContext { genesis, action, nonce: sequence, expires_at }.payload()
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		channel::ChannelId,
		context::MAX_SIGNATURE_LIFETIME,
		delivery::Suite,
		ids::{DeviceId, KeyId, OrganisationId},
	};

	const NOW: Moment = 1_700_000_000_000;

	fn place() -> DeliveryBinding {
		DeliveryBinding {
			genesis: [1; 32],
			organisation: OrganisationId([2; 32]),
			publisher: [3; 32],
			device: DeviceId([4; 32]),
			channel: ChannelId::DEFAULT,
			recipient: KeyId([5; 32]),
			suite: Suite::X25519ChaCha20Poly1305,
			sequence: 6,
		}
	}

	fn accounts() -> [Account; 2] {
		[Account::from_uri("//Alice").unwrap(), Account::generate()]
	}

	#[test]
	fn what_was_signed_verifies_for_both_kinds_of_accounts() {
		for account in accounts() {
			let signed = ContentSignature::sign(&account, &place(), [7; 32], NOW + 1000);
			assert_eq!(signed.verify(&place(), [7; 32], NOW), Ok(()));
			let again = ContentSignature::decode(&mut &signed.encode()[..]).unwrap();
			assert_eq!(again, signed);
		}
	}

	#[test]
	fn a_signature_is_worthless_in_another_place_and_for_another_content() {
		let places = [
			DeliveryBinding { genesis: [9; 32], ..place() },
			DeliveryBinding { organisation: OrganisationId([9; 32]), ..place() },
			DeliveryBinding { publisher: [9; 32], ..place() },
			DeliveryBinding { device: DeviceId([9; 32]), ..place() },
			DeliveryBinding { channel: ChannelId::new(1).unwrap(), ..place() },
			DeliveryBinding { sequence: 7, ..place() },
		];
		for account in accounts() {
			let signed = ContentSignature::sign(&account, &place(), [7; 32], NOW + 1000);
			for other in &places {
				let verdict = signed.verify(other, [7; 32], NOW);
				assert_eq!(verdict, Err(ContentSignatureError::Invalid), "{other:?}");
			}
			let invalid = Err(ContentSignatureError::Invalid);
			assert_eq!(signed.verify(&place(), [8; 32], NOW), invalid);
			let later = ContentSignature { expires_at: NOW + 2000, ..signed.clone() };
			assert_eq!(later.verify(&place(), [7; 32], NOW), invalid);
			let [_, stranger] = accounts();
			let claimed = ContentSignature { account: stranger.id(), ..signed.clone() };
			assert_eq!(claimed.verify(&place(), [7; 32], NOW), invalid);
			let other_scheme = match signed.scheme {
				Scheme::Ed25519 => Scheme::Sr25519,
				Scheme::Sr25519 => Scheme::Ed25519,
			};
			let relabelled = ContentSignature { scheme: other_scheme, ..signed };
			assert_eq!(relabelled.verify(&place(), [7; 32], NOW), invalid);
		}
	}

	#[test]
	fn the_expiry_is_held_against_the_time_of_publication() {
		let [account, _] = accounts();
		let signed = |expires_at| ContentSignature::sign(&account, &place(), [7; 32], expires_at);
		let verdict = |expires_at| signed(expires_at).verify(&place(), [7; 32], NOW);
		assert_eq!(verdict(NOW), Ok(()));
		assert_eq!(verdict(NOW + MAX_SIGNATURE_LIFETIME), Ok(()));
		assert_eq!(verdict(NOW - 1), Err(ContentSignatureError::Expired));
		let too_long = verdict(NOW + MAX_SIGNATURE_LIFETIME + 1);
		assert_eq!(too_long, Err(ContentSignatureError::Expired));
	}
}
