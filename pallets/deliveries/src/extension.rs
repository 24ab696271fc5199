//! Which extrinsics carry a blob: those whose outermost call is [`Call::publish`] or [`Call::publish_shared`], or a wrapper
//! that the runtime vouches for and that carries it. What is said here of `publish` holds for both.
//!
//! A node takes a blob from the end of the encoded extrinsic. That is the envelope if `publish` is the whole call. In
//! a batch, a multisignature or any other wrapper the end may belong to something else, and whoever chooses it chooses
//! what is stored under the digest of an envelope; since the first bytes under a digest stay, the envelope could never
//! be stored again. A call cannot see its depth, but an extension sees the whole call. So [`DirectBlob`] notes the
//! extrinsic before it is dispatched, and `publish` insists on the note.
//!
//! The note names one extrinsic of one block, is taken by the first `publish`, and is removed after the dispatch
//! whatever became of it. Each of these alone keeps it from serving another call. It is not an origin, because a
//! call such as `utility.dispatch_as` lets root assume any origin, and because the extensions behind this one could
//! no longer see who signed, and would charge nobody.

use crate::{Call, Config, DirectPublish, Pallet, WeightInfo};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::marker::PhantomData;
use frame_support::{
	CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
	pallet_prelude::{TransactionSource, TransactionValidityError, Weight},
	traits::IsSubType,
};
use scale_info::TypeInfo;
use sp_runtime::{
	DispatchResult,
	traits::{
		DispatchInfoOf, DispatchOriginOf, Implication, PostDispatchInfoOf, TransactionExtension,
		ValidateResult,
	},
	transaction_validity::ValidTransaction,
};

/// Through which wrapper a [`Call::publish`] is seen as if it were the outermost call.
///
/// HAZARD: only a wrapper whose encoding ends with that of the call that it carries, and that dispatches this very call
/// and no other, at most once. With any other, nodes would store wrong bytes under the digest of an envelope.
pub trait SeeThrough<RuntimeCall> {
	/// What `call` carries if it is such a wrapper, else `call` itself. It looks through one wrapper, never through two.
	fn carried(call: &RuntimeCall) -> &RuntimeCall;
}

/// Sees through nothing.
impl<RuntimeCall> SeeThrough<RuntimeCall> for () {
	fn carried(call: &RuntimeCall) -> &RuntimeCall {
		call
	}
}

/// Allows [`Call::publish`] to be dispatched, if it is the outermost call, or carried by a wrapper through which
/// [`Config::Wrapper`] sees. It checks nothing and encodes to nothing;
/// its place among the extensions does not matter. A runtime without it refuses every `publish`.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	CloneNoBound,
	DebugNoBound,
	DefaultNoBound,
	EqNoBound,
	PartialEqNoBound,
)]
#[scale_info(skip_type_params(T))]
pub struct DirectBlob<T>(PhantomData<T>);

impl<T> DirectBlob<T> {
	/// The extension.
	pub fn new() -> Self {
		Self(PhantomData)
	}
}

/// Whether [`DirectBlob`] has to clean up after the dispatch.
pub enum Noted {
	/// The extrinsic was noted.
	Yes,
	/// It was not: its call is another one.
	No,
}

impl<T> TransactionExtension<T::RuntimeCall> for DirectBlob<T>
where
	T: Config + Send + Sync,
	T::RuntimeCall: IsSubType<Call<T>>,
{
	const IDENTIFIER: &'static str = "DirectBlob";
	type Implicit = ();
	type Val = ();
	type Pre = Noted;

	fn weight(&self, call: &T::RuntimeCall) -> Weight {
		if is_publish::<T>(call) { T::WeightInfo::direct_blob() } else { Weight::zero() }
	}

	fn validate(
		&self,
		origin: DispatchOriginOf<T::RuntimeCall>,
		_call: &T::RuntimeCall,
		_info: &DispatchInfoOf<T::RuntimeCall>,
		_len: usize,
		_self_implicit: Self::Implicit,
		_inherited_implication: &impl Implication,
		_source: TransactionSource,
	) -> ValidateResult<Self::Val, T::RuntimeCall> {
		Ok((ValidTransaction::default(), (), origin))
	}

	fn prepare(
		self,
		_val: Self::Val,
		_origin: &DispatchOriginOf<T::RuntimeCall>,
		call: &T::RuntimeCall,
		_info: &DispatchInfoOf<T::RuntimeCall>,
		_len: usize,
	) -> Result<Self::Pre, TransactionValidityError> {
		if !is_publish::<T>(call) {
			return Ok(Noted::No);
		}
		Pallet::<T>::note_direct_publish();
		Ok(Noted::Yes)
	}

	fn post_dispatch_details(
		pre: Self::Pre,
		_info: &DispatchInfoOf<T::RuntimeCall>,
		_post_info: &PostDispatchInfoOf<T::RuntimeCall>,
		_len: usize,
		_result: &DispatchResult,
	) -> Result<Weight, TransactionValidityError> {
		// A dispatch that failed has put the note back, because its changes were undone.
		if matches!(pre, Noted::Yes) {
			DirectPublish::<T>::kill();
		}
		Ok(Weight::zero())
	}
}

fn is_publish<T: Config>(call: &T::RuntimeCall) -> bool
where
	T::RuntimeCall: IsSubType<Call<T>>,
{
	matches!(
		T::Wrapper::carried(call).is_sub_type(),
		Some(Call::publish { .. } | Call::publish_shared { .. })
	)
}

impl<T: Config> Pallet<T> {
	/// Notes that the extrinsic being executed ends with a `publish`. No extrinsic, no note.
	pub(crate) fn note_direct_publish() {
		DirectPublish::<T>::set(current_extrinsic::<T>());
	}

	/// The index of the extrinsic being executed, if it was noted and the note was not taken yet.
	pub(crate) fn take_direct_publish() -> Option<u32> {
		let noted = DirectPublish::<T>::take()?;
		(Some(noted) == current_extrinsic::<T>()).then_some(noted.1)
	}
}

fn current_extrinsic<T: Config>() -> Option<(frame_system::pallet_prelude::BlockNumberFor<T>, u32)>
{
	let index = frame_system::Pallet::<T>::extrinsic_index()?;
	Some((frame_system::Pallet::<T>::block_number(), index))
}
