//! Emergency revocation: whoever can sign with a key can end it.
//!
//! The challenge is fixed for a chain and a key, so the proof can be made ahead and kept apart from the key. A finder of a
//! leaked key needs no account. It works once for each key, which is what bounds it; the proof of one key is worthless
//! for any other.
//!
//! What is not bounded by that are proofs that are wrong: a pool verifies each, and nobody pays. So what is looked up comes
//! first, and the signature of a key whose algorithm takes milliseconds, RSA or P-384, is verified only if an account pays
//! for it. What is left costs no more than the signature of any transaction.
//!
//! Who has many keys registered can prove the compromise of all of them at once. So a block takes
//! [`MAX_UNPAID_REPORTS`] reports that nobody pays for, behind the operational calls of those who pay: nobody keeps another's
//! revocation waiting with them. Whoever does not want to wait either sends the report from an account.
//!
//! A key can be named by itself, too, as certificates and fleets have keys that the registry does not hold. Such a report
//! ends the key as whatever it is registered as at that moment, so that nobody escapes it by registering the key first.
//! If it is registered as nothing, it becomes one of the [`CompromisedKeys`], which certificates, fleets and registrations
//! ask. That it is used at all cannot be looked up, so anybody could add keys of his own for ever: it is never free.

use crate::{
	AnchorMaterials, Anchors, Config, Error, Event, KeyAnchors, Keys, Pallet, RevokedAnchorKeys,
	UnpaidReports, crypto,
};
use alloc::vec::Vec;
use codec::Encode;
use dpki_primitives::{
	context::SigningContext,
	device::Compromised,
	ids::{AnchorId, KeyId},
	key::{KeyType, PublicKey, Signature},
	registry::CompromisedKeys,
	revocation::{Revocation, RevocationReason},
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	pallet_prelude::{
		InvalidTransaction, TransactionPriority, TransactionValidityWithRefund, ValidTransaction,
	},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{DispatchError, traits::Zero};

/// How many blocks a report may wait in a pool.
pub(crate) const LONGEVITY: u64 = 256;

/// Most reports that nobody pays for in one block: less than a quarter of it, even if each is about the key of as many anchors
/// as a key can have.
pub const MAX_UNPAID_REPORTS: u32 = 16;

/// What takes the power of a leaked key away and is not paid for: before other things that nobody pays for, and behind
/// whatever pays, of which somebody with many keys of his own could keep others otherwise. Who cannot wait pays.
pub(crate) const PRIORITY: TransactionPriority = 2;

impl<T: Config> Pallet<T> {
	/// Whether a report may enter a pool and a block without anybody who pays for it. One signature verification.
	pub(crate) fn authorize_compromise(
		what: &Compromised,
		proof: &Signature,
	) -> TransactionValidityWithRefund {
		// HAZARD: an author takes `ExhaustsResources` for a full block and ends it, and throws out of its pool what is
		// refused in most other ways. What is for the future only leaves the view of this block, and waits for the next.
		// Between two blocks, when a pool asks, there is always room.
		ensure!(Self::unpaid_reports() < MAX_UNPAID_REPORTS, InvalidTransaction::Future);
		ensure!(!Self::is_proof_dear(what)?, Error::<T>::CompromiseUnpaid);
		Self::verify_compromise(what, proof)?;
		let validity = ValidTransaction {
			priority: PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(b"dpki/compromise", what).encode()],
			longevity: LONGEVITY,
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Whether somebody has to pay: for a proof by an RSA or a P-384 key, or for the place of a key that may be unknown.
	fn is_proof_dear(what: &Compromised) -> Result<bool, Error<T>> {
		Ok(match what {
			Compromised::Key(key) => {
				let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
				record.public.key_type == KeyType::Rsa
			},
			// The keys of anchors that records have no room for are those of the dear algorithms.
			Compromised::Anchor(anchor) => {
				let record = Anchors::<T>::get(anchor).ok_or(Error::<T>::AnchorUnknown)?;
				record.key.is_none()
			},
			Compromised::Public(_) => true,
		})
	}

	/// That what has leaked can be revoked yet, and that its own key says so.
	pub(crate) fn verify_compromise(what: &Compromised, proof: &Signature) -> Result<(), Error<T>> {
		let is_proven = match *what {
			Compromised::Key(key) => {
				let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
				let reason = RevocationReason::KeyCompromise;
				ensure!(Self::may_end(&record, reason), Error::<T>::KeyAlreadyRevoked);
				crypto::verify(&record.public, &Self::challenge(key), proof)
			},
			Compromised::Anchor(anchor) => {
				let key = Self::unrevoked_anchor_key(anchor)?;
				let stored = Anchors::<T>::get(anchor).zip(AnchorMaterials::<T>::get(anchor));
				let (record, material) = stored.ok_or(Error::<T>::AnchorUnknown)?;
				// Whether its certificate is in force makes no difference to a leaked key.
				let holder = Self::anchor_holder(record.kind, &material)?;
				holder.verify(&Self::challenge(key), proof)
			},
			Compromised::Public(ref public) => {
				ensure!(!public.key_type.is_hash(), Error::<T>::CompromiseUnprovable);
				// Anybody can make signatures for some of the others, and one key would have several ids.
				ensure!(crypto::is_well_formed(public), Error::<T>::KeyMalformed);
				Self::ensure_reportable(public)?;
				crypto::verify(public, &Self::challenge(KeyId::of(public)), proof)
			},
		};
		ensure!(is_proven, Error::<T>::CompromiseInvalid);
		Ok(())
	}

	/// How many reports, and revocations by devices, of this block nobody has paid for.
	pub(crate) fn unpaid_reports() -> u32 {
		let (block, count) = UnpaidReports::<T>::get();
		if block == frame_system::Pallet::<T>::block_number() { count } else { 0 }
	}

	/// That the key is not known as compromised yet, as whatever it is registered.
	fn ensure_reportable(public: &PublicKey) -> Result<(), Error<T>> {
		let key = KeyId::of(public);
		let is_known = match Keys::<T>::get(key) {
			Some(record) => !Self::may_end(&record, RevocationReason::KeyCompromise),
			// The key of an anchor that was revoked for a milder reason may have leaked since, and be certified.
			None => !KeyAnchors::<T>::contains_key(key) && T::CompromisedKeys::is_compromised(key),
		};
		ensure!(!is_known, Error::<T>::KeyAlreadyRevoked);
		Ok(())
	}

	/// What a report is about: a key that is named by itself as what it is registered as, if it is registered. No key is
	/// one of a device and of an anchor.
	fn registered(what: Compromised) -> Compromised {
		let Compromised::Public(public) = &what else { return what };
		let key = KeyId::of(public);
		if Keys::<T>::contains_key(key) {
			return Compromised::Key(key);
		}
		// With one of them all of them end.
		match KeyAnchors::<T>::get(key).first() {
			Some(anchor) => Compromised::Anchor(*anchor),
			None => what,
		}
	}

	/// Carries out a report that nobody pays for, and counts it.
	pub(crate) fn do_report_unpaid(what: Compromised) -> DispatchResult {
		Self::count_unpaid();
		Self::do_report_compromise(what)?;
		Ok(())
	}

	/// Counts a revocation that nobody pays for.
	pub(crate) fn count_unpaid() {
		let count = Self::unpaid_reports().saturating_add(1);
		UnpaidReports::<T>::put((frame_system::Pallet::<T>::block_number(), count));
	}

	/// Revokes what its own key has proven to be compromised, and tells as what it was revoked. The proof is the one that
	/// was verified in this very extrinsic.
	pub(crate) fn do_report_compromise(what: Compromised) -> Result<Compromised, DispatchError> {
		let reason = RevocationReason::KeyCompromise;
		let what = Self::registered(what);
		match what {
			Compromised::Key(key) => {
				let record = Keys::<T>::get(key).ok_or(Error::<T>::KeyUnknown)?;
				Self::end_key(key, record, reason)?;
			},
			Compromised::Anchor(anchor) => {
				let key = Self::unrevoked_anchor_key(anchor)?;
				let revocation = Revocation { reason, at: Self::now() };
				Self::revoke_anchor_key(anchor, key, revocation)?;
			},
			Compromised::Public(ref public) => {
				let key = KeyId::of(public);
				T::CompromisedKeys::note(key, Self::now());
				Self::deposit_event(Event::KeyCompromised { key });
			},
		}
		Ok(what)
	}

	/// The key of an anchor, unless that key was revoked; an anchor that only its issuer has revoked has a key yet.
	fn unrevoked_anchor_key(anchor: AnchorId) -> Result<KeyId, Error<T>> {
		let key = Anchors::<T>::get(anchor).ok_or(Error::<T>::AnchorUnknown)?.key_id;
		ensure!(!RevokedAnchorKeys::<T>::contains_key(key), Error::<T>::AnchorAlreadyRevoked);
		Ok(key)
	}

	/// What a leaked key signs to be revoked.
	fn challenge(key: KeyId) -> Vec<u8> {
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero()).into();
		SigningContext::compromise(genesis, key).payload()
	}
}
