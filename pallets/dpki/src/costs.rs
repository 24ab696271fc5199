//! What keys and proofs of the dearer algorithms add to the cost of a call.
//!
//! The calls for one device are measured with P-256 keys, which every other type but RSA is cheaper than, and enrolments get
//! back what an Ed25519 key does not take of that; batches are measured with Ed25519 keys, because they are many. What is dearer than that is counted on top by its own measurement.

use crate::{Config, WeightInfo};
use codec::Encode;
use dpki_primitives::{
	anchor::AnchorKind,
	device::{Compromised, NewDevice},
	ids::MAX_NAME_LEN,
	key::{KeyType, NewKey, PublicKey},
};
use frame_support::{traits::Get, weights::Weight};

/// Bytes of an enrolment beside its keys: organisation, voucher, signature, expiry, the longest name, and what stands around
/// a call.
const ENROLMENT_LEN: usize = 2 * 32 + 64 + 8 + MAX_NAME_LEN as usize + 16;

/// What one Ed25519 signature takes at most, in picoseconds: 37 us by the host, as `scripts/weights crypto` measures it, and
/// half as much again.
const ED25519: Weight = Weight::from_parts(56_000_000, 0);

/// A unit of a quota is a microsecond.
const PICOSECONDS_PER_UNIT: u64 = 1_000_000;

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

/// What the judgement of an enrolment costs, by the types of its keys.
///
/// It is measured with P-256 keys. Most devices enrol with Ed25519, which is some eight times cheaper: charged as P-256 they
/// would close blocks that are a third full.
pub(crate) fn of_authorization<T: Config>(keys: &[NewKey]) -> Weight {
	let measured =
		T::WeightInfo::authorize_enrol(keys.len() as u32).saturating_add(of_keys::<T>(keys));
	let rebate = T::WeightInfo::verify_p256().saturating_sub(ED25519);
	let is_cheap = |key: &&NewKey| key.public.key_type == KeyType::Ed25519;
	keys.iter()
		.filter(is_cheap)
		.fold(measured, |rest, _| rest.saturating_sub(rebate))
}

/// What the registration of an anchor by itself costs.
pub(crate) fn of_anchor<T: Config>(kind: AnchorKind) -> Weight {
	match kind {
		AnchorKind::SshUserCa | AnchorKind::SshHostCa => T::WeightInfo::register_ssh_anchor(),
		AnchorKind::X509Root | AnchorKind::X509Intermediate => {
			T::WeightInfo::register_rsa_anchor().max(T::WeightInfo::register_p384_anchor())
		},
	}
}

/// What an enrolment with these keys costs whoever pays for it, in the units of quotas: microseconds and bytes.
pub(crate) fn of_enrolment<T: Config>(keys: &[NewKey]) -> u64 {
	let count = keys.len() as u32;
	let weight = of_authorization::<T>(keys).saturating_add(T::WeightInfo::enrol(count));
	let bytes = keys.encoded_size() + ENROLMENT_LEN;
	weight.ref_time().div_ceil(PICOSECONDS_PER_UNIT).saturating_add(bytes as u64)
}

/// What a report that a key has leaked costs without its proof, at most.
pub(crate) fn of_report<T: Config>(what: &Compromised) -> Weight {
	match what {
		Compromised::Key(_) => T::WeightInfo::revoke_key(),
		Compromised::Anchor(_) => T::WeightInfo::revoke_anchor(),
		// It may be either, which is looked up.
		Compromised::Public(_) => T::WeightInfo::note_compromise()
			.saturating_add(T::WeightInfo::revoke_key().max(T::WeightInfo::revoke_anchor())),
	}
}

/// What a paid report has cost without its proof, by what has ended.
pub(crate) fn of_ended<T: Config>(ended: &Compromised) -> Weight {
	let looked_up = T::WeightInfo::note_compromise();
	match ended {
		Compromised::Public(_) => looked_up,
		Compromised::Key(_) => looked_up.saturating_add(T::WeightInfo::revoke_key()),
		Compromised::Anchor(_) => looked_up.saturating_add(T::WeightInfo::revoke_anchor()),
	}
}

/// What a report costs that nobody pays for, without its proof: it is counted.
pub(crate) fn of_unpaid_report<T: Config>(what: &Compromised) -> Weight {
	of_report::<T>(what).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// What a report costs with a proof by whatever key, paid for by an account or not.
pub(crate) fn of_any_report<T: Config>(what: &Compromised) -> Weight {
	of_unpaid_report::<T>(what).saturating_add(of_proof::<T>(what))
}

/// What a proof costs that nobody pays for: those by dear keys are refused unverified.
pub(crate) fn of_cheap_proof<T: Config>(what: &Compromised) -> Weight {
	match what {
		// The record of the key and that of its device, and the count.
		Compromised::Key(_) => {
			T::WeightInfo::verify_p256().saturating_add(T::DbWeight::get().reads(5))
		},
		Compromised::Anchor(_) => {
			T::WeightInfo::register_ssh_anchor().saturating_add(T::DbWeight::get().reads(1))
		},
		// The count: it is never free.
		Compromised::Public(_) => T::DbWeight::get().reads(2),
	}
}

/// What a proof that a key has leaked costs. What type the key has is not known before the state is read, unless it is
/// named by itself.
pub(crate) fn of_proof<T: Config>(what: &Compromised) -> Weight {
	match what {
		Compromised::Key(_) => T::WeightInfo::authorize_compromise(),
		Compromised::Public(PublicKey { key_type: KeyType::Rsa, .. }) => {
			// Measured with the record of the key; here what it is registered as is asked for.
			T::WeightInfo::authorize_compromise().saturating_add(T::DbWeight::get().reads(1))
		},
		// The records of the key, of the anchors of it, and whether it is known as compromised.
		Compromised::Public(_) => {
			T::WeightInfo::verify_p256().saturating_add(T::DbWeight::get().reads(3))
		},
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
