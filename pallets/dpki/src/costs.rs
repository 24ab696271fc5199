//! What keys and proofs of the dearer algorithms add to the cost of a call.
//!
//! The calls for one device are measured with P-256 keys, which every other type but RSA is cheaper than; batches with
//! Ed25519 keys, because they are many. What is dearer than that is counted on top by its own measurement.

use crate::{Config, WeightInfo};
use dpki_primitives::{
	device::{Compromised, NewDevice},
	key::{KeyType, NewKey},
};
use frame_support::weights::Weight;

/// What the proof of this key costs beyond one of P-256.
pub(crate) fn of_key<T: Config>(key: &NewKey) -> Weight {
	match key.public.key_type {
		KeyType::Rsa => T::WeightInfo::verify_rsa(),
		_ => Weight::zero(),
	}
}

/// What the proofs of these keys cost beyond those of P-256.
pub(crate) fn of_keys<T: Config>(keys: &[NewKey]) -> Weight {
	keys.iter()
		.fold(Weight::zero(), |sum, key| sum.saturating_add(of_key::<T>(key)))
}

/// What a proof that a key has leaked costs. What type the key has is not known before the state is read.
pub(crate) fn of_proof<T: Config>(what: &Compromised) -> Weight {
	match what {
		Compromised::Key(_) => T::WeightInfo::authorize_compromise(),
		// The material is read and its key verifies one more signature, as when it was registered.
		Compromised::Anchor(_) => T::WeightInfo::register_ssh_anchor()
			.max(T::WeightInfo::register_rsa_anchor())
			.max(T::WeightInfo::register_p384_anchor()),
	}
}

/// What a request costs. One with a consent is judged as a registration is.
pub(crate) fn of_request<T: Config>(keys: &[NewKey], with_consent: bool) -> Weight {
	let measured =
		T::WeightInfo::request_keys(keys.len() as u32).saturating_add(of_keys::<T>(keys));
	match with_consent {
		true => measured.saturating_add(T::WeightInfo::register_key()),
		false => measured,
	}
}

/// What a batch of devices costs.
pub(crate) fn of_batch<T: Config>(devices: &[NewDevice]) -> Weight {
	let keys = devices.iter().flat_map(|device| &device.keys);
	let surcharge = |key: &NewKey| match key.public.key_type {
		KeyType::Ed25519 => Weight::zero(),
		KeyType::Rsa => T::WeightInfo::verify_rsa(),
		_ => T::WeightInfo::verify_p256(),
	};
	let measured = T::WeightInfo::register_batch(devices.len() as u32, keys.clone().count() as u32);
	keys.fold(measured, |sum, key| sum.saturating_add(surcharge(key)))
}
