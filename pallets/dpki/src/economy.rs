//! What the registry asks the economy for: fees for what is registered, and deposits for as long as it is of use.
//!
//! Records are never removed, because revoked must stay distinguishable from unknown. What ends with a revocation is that
//! the record is looked at, listed and counted against limits; that is what a deposit is returned for. A key that is
//! still listed when its device is revoked keeps its deposit until it is revoked itself: a revocation never iterates.

use crate::{Config, Pallet};
use dpki_primitives::{
	anchor::AnchorKind,
	economy::{Economy, FundsMissing, Operation, Resource},
};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

/// What registering an anchor of this kind is charged as.
pub(crate) fn registration_of(kind: AnchorKind) -> Operation {
	match kind {
		AnchorKind::SshUserCa | AnchorKind::SshHostCa => Operation::RegisterSshAnchor,
		_ => Operation::RegisterX509Anchor,
	}
}

impl<T: Config> Pallet<T> {
	/// Charges `payer` for an operation, and holds the deposit for what it brings.
	pub(crate) fn pay_for(
		payer: &T::AccountId,
		operation: Operation,
		resource: Resource,
	) -> DispatchResult {
		Self::pay_for_all(payer, operation, 1, [resource])
	}

	/// Charges `payer` for an operation that is done `count` times, and holds the deposits for what it brings.
	pub(crate) fn pay_for_all(
		payer: &T::AccountId,
		operation: Operation,
		count: u32,
		resources: impl IntoIterator<Item = Resource>,
	) -> DispatchResult {
		let unpaid = |FundsMissing| DispatchError::from(TokenError::FundsUnavailable);
		T::Economy::charge(payer, operation, count).map_err(unpaid)?;
		resources
			.into_iter()
			.try_for_each(|resource| T::Economy::hold(payer, resource).map_err(unpaid))
	}
}
