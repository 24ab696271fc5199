// SPDX-License-Identifier: Apache-2.0

//! How a transaction is checked before it may do anything.

use crate::{Runtime, RuntimeCall, UncheckedExtrinsic};
use frame_system::offchain::{CreateBare, CreateTransactionBase};

/// The checks, in order.
///
/// `AuthorizeCall` comes first, because it gives a general transaction its origin: a device without
/// an account or tokens acts through a call that proves its own right. Nothing before it could know
/// who is asking. Fees, or the quotas in their place, follow the checks that cost nothing to fail, and
/// `WeightReclaim` comes last, because it gives back what the others have not used.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_skip_feeless_payment::SkipCheckIfFeeless<
		Runtime,
		// In which there is the charge for the transaction.
		pallet_economy::Metered<Runtime>,
	>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	pallet_deliveries::DirectBlob<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

impl<LocalCall> CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

/// For equivocation reports, which a validator makes to its own pool.
impl<LocalCall> CreateBare<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_bare(call)
	}
}
