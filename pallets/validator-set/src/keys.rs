//! Session keys: who may set them, and of whom they are at what time.

use crate::{Config, KeysInService, Pallet, Validators};
use core::marker::PhantomData;
use frame_support::{
	storage::with_transaction,
	traits::{Get, KeyOwnerProofSystem},
};
use pallet_session::{NextKeys, historical};
use sp_runtime::{DispatchError, KeyTypeId, TransactionOutcome, traits::Convert};

/// The validator whose keys an account sets: itself, if it is on record, and while a change can be planned. For the
/// `ValidatorIdOf` of `pallet-session`, which takes keys from everybody whom this names.
///
/// Keys are not set while changes are held: `pallet-session` would pass them on all the same, and blocks would be made
/// under them, while finality would not hear of them.
pub struct MemberId<T>(PhantomData<T>);

impl<T: Config> Convert<T::AccountId, Option<T::AccountId>> for MemberId<T> {
	fn convert(account: T::AccountId) -> Option<T::AccountId> {
		let is_member = || Pallet::<T>::position(&Validators::<T>::get(), &account).is_ok();
		(!T::ChangesHeld::get() && is_member()).then_some(account)
	}
}

/// A validator's account identifies it completely: there are no stakes or nominators to record.
pub struct NothingMore;

impl<AccountId> Convert<AccountId, Option<()>> for NothingMore {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

/// Proofs of whose keys serve, as [`historical::Pallet`] makes and checks them.
///
/// That one takes the keys which are set *now* for those of the present session. A validator that votes twice and sets
/// other keys at once could not be proven to be the one. Here the keys are those that do serve.
pub struct ServedKeys<T>(PhantomData<T>);

impl<T: Config> ServedKeys<T> {
	/// What `look` sees if no validator has set other keys than it serves with. Nothing of this remains.
	fn as_in_service<R>(look: impl FnOnce() -> Option<R>) -> Option<R> {
		with_transaction(|| {
			for (validator, keys) in KeysInService::<T>::get() {
				NextKeys::<T>::insert(validator, keys);
			}
			TransactionOutcome::Rollback(Ok::<_, DispatchError>(look()))
		})
		// Only if transactions were nested too deeply: then nothing is proven.
		.ok()
		.flatten()
	}
}

impl<T: Config, Key: AsRef<[u8]>> KeyOwnerProofSystem<(KeyTypeId, Key)> for ServedKeys<T> {
	type Proof = <historical::Pallet<T> as KeyOwnerProofSystem<(KeyTypeId, Key)>>::Proof;
	type IdentificationTuple = historical::IdentificationTuple<T>;

	fn prove(key: (KeyTypeId, Key)) -> Option<Self::Proof> {
		Self::as_in_service(|| historical::Pallet::<T>::prove(key))
	}

	fn check_proof(key: (KeyTypeId, Key), proof: Self::Proof) -> Option<Self::IdentificationTuple> {
		Self::as_in_service(|| historical::Pallet::<T>::check_proof(key, proof))
	}
}
