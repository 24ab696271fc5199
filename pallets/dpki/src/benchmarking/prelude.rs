//! What the benchmarks are written in.

pub(super) use crate::migrations::v2::AnchorRecordV1;
pub(super) use alloc::vec::Vec;
pub(super) use dpki_primitives::{
	Moment,
	anchor::{
		AnchorKind, AnchorMaterial, AnchorRecord, Basis, Certification, CrlPointer,
		MAX_ANCHOR_DEPTH, MAX_ANCHORS_PER_KEY, MAX_ANCHORS_PER_ORGANISATION, MAX_CRL_URL_LEN,
		Profile,
	},
	context::{Action, Registrant, SigningContext},
	device::{
		Compromised, KeyList, MAX_DEVICES_PER_BATCH, MAX_GRACE, MAX_KEYS_PER_DEVICE,
		MAX_KEYS_PER_ENROLMENT, MAX_REVOCATIONS_PER_BATCH, NewDevice,
	},
	economy::{Economy, Resource},
	ids::{
		AnchorId, DeviceId, KeyCommitment, KeyId, Name, OrganisationId, RequestId,
		VoucherCommitment, VoucherId,
	},
	key::{Consent, KeyPurpose, KeyTerms, KeyType, NewKey, PublicKey, Signature},
	key_policy::KeyPolicy,
	organisation::Organisations,
	registry::CompromisedKeys,
	request::{KeyRequest, MAX_REQUESTS_PER_ORGANISATION, QueuedRequest, Rejection},
	revocation::{Revocation, RevocationReason, SSH_REVOCATIONS_PER_PAGE, SshSubject, Withdrawal},
	status::Validity,
	storage_keys,
	voucher::VoucherState,
};
pub(super) use frame_benchmarking::v2::*;
pub(super) use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{EnsureOrigin, UnfilteredDispatchable},
};
pub(super) use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
pub(super) use p256::ecdsa::signature::Signer;
pub(super) use sp_core::crypto::KeyTypeId;
pub(super) use sp_runtime::traits::Zero;
