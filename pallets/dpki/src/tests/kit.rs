//! What the tests of key operations share: honest signatures, which tests then tamper with.

use super::mock::*;
use crate::Call;
use dpki_primitives::{
	Moment,
	context::{Action, Registrant, SigningContext},
	ids::{DeviceId, KeyCommitment, KeyId},
	key::{Consent, KeyPurpose, NewKey},
	key_policy::KeyPolicy,
};
use frame_support::assert_ok;
use sp_runtime::DispatchResult;

/// The registrar of [`acme`].
pub fn bob() -> Registrant {
	Registrant::Account(BOB.into())
}

/// The last moment of signatures that are made now.
pub fn expires() -> Moment {
	pallet_timestamp::Now::<Test>::get() + 1_000
}

/// What is to be signed now.
pub fn payload(action: Action, nonce: u64) -> Vec<u8> {
	SigningContext { genesis: GENESIS, action, nonce, expires_at: expires() }.payload()
}

/// How many keys were ever registered for the device.
pub fn nonce(device: DeviceId) -> u64 {
	Dpki::device(device).map_or(0, |record| record.keys_registered)
}

/// A key that is to be registered for a device.
#[derive(Clone)]
pub struct Wish {
	pub registrant: Registrant,
	pub device: DeviceId,
	/// Which key is replaced, and its grace.
	pub replacing: Option<(KeyId, Moment)>,
	pub purpose: KeyPurpose,
	pub pair: Pair,
	pub not_after: Option<Moment>,
	/// The key by which the device consents.
	pub signer: Pair,
}

impl Wish {
	/// That a device itself brings in this key.
	pub fn own(device: DeviceId, purpose: KeyPurpose, pair: &Pair, signer: &Pair) -> Self {
		Self {
			registrant: Registrant::Device,
			device,
			replacing: None,
			purpose,
			pair: pair.clone(),
			not_after: None,
			signer: signer.clone(),
		}
	}

	/// The same with BOB.
	pub fn by_bob(self) -> Self {
		Self { registrant: bob(), ..self }
	}

	pub fn replacing(self, old: &Pair, grace: Moment) -> Self {
		Self { replacing: Some((old.id(), grace)), ..self }
	}

	pub fn until(self, not_after: Moment) -> Self {
		Self { not_after: Some(not_after), ..self }
	}

	/// The key with its proof, and the consent.
	pub fn sign(&self) -> (NewKey, Consent) {
		let Self { registrant, device, purpose, not_after, .. } = *self;
		let key = KeyId::of_device(device, &self.pair.public());
		let nonce = nonce(device);
		let possess = Action::PossessKey { registrant, device, purpose, key, not_after };
		let admit = match self.replacing {
			None => Action::AdmitKey { registrant, device, purpose, key, not_after },
			Some((old, grace)) => {
				Action::ReplaceKey { registrant, device, old, purpose, key, not_after, grace }
			},
		};
		let possession = match &self.pair {
			Pair::Hash(..) => Default::default(),
			pair => pair.sign(&payload(possess, nonce)),
		};
		let new = NewKey { purpose, public: self.pair.public(), not_after, possession };
		let signature = self.signer.sign(&payload(admit, nonce));
		(new, Consent { key: self.signer.id(), signature })
	}

	/// The transaction of the device.
	pub fn call(&self) -> RuntimeCall {
		let (key, consent) = self.sign();
		let expires_at = expires();
		RuntimeCall::Dpki(match self.replacing {
			None => Call::add_own_key { device: self.device, key, consent, expires_at },
			Some((old, grace)) => Call::replace_own_key { old, key, grace, consent, expires_at },
		})
	}

	/// What becomes of the transaction of BOB.
	pub fn register(&self) -> DispatchResult {
		let (key, consent) = self.sign();
		match self.replacing {
			None => Dpki::register_key(signed(BOB), self.device, key, consent, expires()),
			Some((old, grace)) => {
				Dpki::replace_key(signed(BOB), old, key, grace, consent, expires())
			},
		}
	}
}

/// The word of a device that `next` is to follow `current`.
pub fn announcement(
	registrant: Registrant,
	device: DeviceId,
	current: &Pair,
	next: &Pair,
	signer: &Pair,
) -> (KeyId, KeyCommitment, Consent) {
	let (key, commitment) = (current.id(), KeyCommitment::of(current.id(), &next.public()));
	let action = Action::AnnounceKey { registrant, device, key, commitment };
	let signature = signer.sign(&payload(action, nonce(device)));
	(key, commitment, Consent { key: signer.id(), signature })
}

/// Announces with BOB that `next` is to follow `current`.
pub fn announce(device: DeviceId, current: &Pair, next: &Pair, signer: &Pair) -> DispatchResult {
	let (key, commitment, consent) = announcement(bob(), device, current, next, signer);
	Dpki::announce_next_key(signed(BOB), key, commitment, consent, expires())
}

/// Announces by the device alone that `next` is to follow `current`.
pub fn own_announcement(
	device: DeviceId,
	current: &Pair,
	next: &Pair,
	signer: &Pair,
) -> RuntimeCall {
	let (key, commitment, consent) =
		announcement(Registrant::Device, device, current, next, signer);
	let expires_at = expires();
	RuntimeCall::Dpki(Call::announce_own_key { key, commitment, consent, expires_at })
}

/// The reveal of `pair` as the key that follows `old`.
pub fn reveal(
	device: DeviceId,
	old: &Pair,
	purpose: KeyPurpose,
	pair: &Pair,
	next: Option<KeyCommitment>,
) -> RuntimeCall {
	let (key, old) = (pair.id(), old.id());
	let action = Action::RevealKey { device, old, purpose, key, not_after: None, next };
	let possession = pair.sign(&payload(action, 0));
	let key = NewKey { purpose, public: pair.public(), not_after: None, possession };
	RuntimeCall::Dpki(Call::reveal_next_key { old, key, next, expires_at: expires() })
}

/// What a leaked key signs.
pub fn compromise(key: &Pair) -> dpki_primitives::key::Signature {
	key.sign(&SigningContext::compromise(GENESIS, key.id()).payload())
}

/// Sets the key policy of [`acme`].
pub fn set_policy(policy: KeyPolicy) {
	assert_ok!(Dpki::set_key_policy(signed(ALICE), acme(), policy));
}

/// Lets the devices of [`acme`] change their keys alone.
pub fn allow_self_service() {
	set_policy(KeyPolicy { self_service: true, ..Default::default() });
}
