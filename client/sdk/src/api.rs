//! What is known of the chain at compile time: the one module that knows the metadata.
//!
//! The metadata is a copy of what the runtime says of itself; a test of the runtime fails when it is stale. The types of
//! the vocabulary are not generated but taken from `dpki-primitives`. Each call carries a hash of its form, by which a
//! chain with another form of it is refused before anything is sent.

/// The shape of accounts, hashes and headers: Substrate's defaults.
pub(crate) type ChainConfig = subxt::config::SubstrateConfig;

#[subxt::subxt(
	runtime_metadata_path = "artifacts/metadata.scale",
	substitute_type(
		path = "dpki_primitives::anchor::AnchorKind",
		with = "::subxt::utils::Static<::dpki_primitives::anchor::AnchorKind>"
	),
	substitute_type(
		path = "dpki_primitives::anchor::Basis",
		with = "::subxt::utils::Static<::dpki_primitives::anchor::Basis>"
	),
	substitute_type(
		path = "dpki_primitives::anchor::CrlPointer",
		with = "::subxt::utils::Static<::dpki_primitives::anchor::CrlPointer>"
	),
	substitute_type(
		path = "dpki_primitives::channel::ChannelId",
		with = "::subxt::utils::Static<::dpki_primitives::channel::ChannelId>"
	),
	substitute_type(
		path = "dpki_primitives::delivery::Outcome",
		with = "::subxt::utils::Static<::dpki_primitives::delivery::Outcome>"
	),
	substitute_type(
		path = "dpki_primitives::delivery::Recipient",
		with = "::subxt::utils::Static<::dpki_primitives::delivery::Recipient>"
	),
	substitute_type(
		path = "dpki_primitives::delivery::Suite",
		with = "::subxt::utils::Static<::dpki_primitives::delivery::Suite>"
	),
	substitute_type(
		path = "dpki_primitives::economy::tariff::Operation",
		with = "::subxt::utils::Static<::dpki_primitives::economy::Operation>"
	),
	substitute_type(
		path = "dpki_primitives::economy::tariff::QuotaPolicies",
		with = "::subxt::utils::Static<::dpki_primitives::economy::QuotaPolicies>"
	),
	substitute_type(
		path = "dpki_primitives::economy::tariff::ResourceKind",
		with = "::subxt::utils::Static<::dpki_primitives::economy::ResourceKind>"
	),
	substitute_type(
		path = "dpki_primitives::ids::AnchorId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::AnchorId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::BlobDigest",
		with = "::subxt::utils::Static<::dpki_primitives::ids::BlobDigest>"
	),
	substitute_type(
		path = "dpki_primitives::ids::DeliveryId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::DeliveryId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::DeviceId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::DeviceId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::KeyId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::KeyId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::OrganisationId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::OrganisationId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::VoucherCommitment",
		with = "::subxt::utils::Static<::dpki_primitives::ids::VoucherCommitment>"
	),
	substitute_type(
		path = "dpki_primitives::ids::VoucherId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::VoucherId>"
	),
	substitute_type(
		path = "dpki_primitives::key::Consent",
		with = "::subxt::utils::Static<::dpki_primitives::key::Consent>"
	),
	substitute_type(
		path = "dpki_primitives::key::NewKey",
		with = "::subxt::utils::Static<::dpki_primitives::key::NewKey>"
	),
	substitute_type(
		path = "dpki_primitives::motion::Body",
		with = "::subxt::utils::Static<::dpki_primitives::motion::Body>"
	),
	substitute_type(
		path = "dpki_primitives::motion::Electorate",
		with = "::subxt::utils::Static<::dpki_primitives::motion::Electorate>"
	),
	substitute_type(
		path = "dpki_primitives::organisation::DeliveryPolicy",
		with = "::subxt::utils::Static<::dpki_primitives::organisation::DeliveryPolicy>"
	),
	substitute_type(
		path = "dpki_primitives::organisation::OrganisationKind",
		with = "::subxt::utils::Static<::dpki_primitives::organisation::OrganisationKind>"
	),
	substitute_type(
		path = "dpki_primitives::organisation::RoleSet",
		with = "::subxt::utils::Static<::dpki_primitives::organisation::RoleSet>"
	),
	substitute_type(
		path = "dpki_primitives::revocation::RevocationReason",
		with = "::subxt::utils::Static<::dpki_primitives::revocation::RevocationReason>"
	),
	substitute_type(
		path = "dpki_primitives::revocation::SshSubject",
		with = "::subxt::utils::Static<::dpki_primitives::revocation::SshSubject>"
	),
	substitute_type(
		path = "dpki_runtime::SessionKeys",
		with = "::subxt::utils::Static<crate::calls::SessionKeys>"
	),
	substitute_type(
		path = "dpki_primitives::application::CertificateRequest",
		with = "::subxt::utils::Static<::dpki_primitives::application::CertificateRequest>"
	),
	substitute_type(
		path = "dpki_primitives::application::Observation",
		with = "::subxt::utils::Static<::dpki_primitives::application::Observation>"
	),
	substitute_type(
		path = "dpki_primitives::application::Possession",
		with = "::subxt::utils::Static<::dpki_primitives::application::Possession>"
	),
	substitute_type(
		path = "dpki_primitives::application::Renewal",
		with = "::subxt::utils::Static<::dpki_primitives::application::Renewal>"
	),
	substitute_type(
		path = "dpki_primitives::assurance::Level",
		with = "::subxt::utils::Static<::dpki_primitives::assurance::Level>"
	),
	substitute_type(
		path = "dpki_primitives::assurance::WithdrawalReason",
		with = "::subxt::utils::Static<::dpki_primitives::assurance::WithdrawalReason>"
	),
	substitute_type(
		path = "dpki_primitives::bond::SlashReason",
		with = "::subxt::utils::Static<::dpki_primitives::bond::SlashReason>"
	),
	substitute_type(
		path = "dpki_primitives::certificate::CertificatePolicy",
		with = "::subxt::utils::Static<::dpki_primitives::certificate::CertificatePolicy>"
	),
	substitute_type(
		path = "dpki_primitives::certificate::Office",
		with = "::subxt::utils::Static<::dpki_primitives::certificate::Office>"
	),
	substitute_type(
		path = "dpki_primitives::ids::ApplicationId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::ApplicationId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::CertificateDigest",
		with = "::subxt::utils::Static<::dpki_primitives::ids::CertificateDigest>"
	),
	substitute_type(
		path = "dpki_primitives::ids::CertificateId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::CertificateId>"
	),
	substitute_type(
		path = "pallet_certificates::escrow::FeeSchedule<Balance>",
		with = "::subxt::utils::Static<crate::certificate::FeeSchedule>"
	),
	substitute_type(
		path = "dpki_primitives::device::Compromised",
		with = "::subxt::utils::Static<::dpki_primitives::device::Compromised>"
	),
	substitute_type(
		path = "dpki_primitives::device::NewDevice",
		with = "::subxt::utils::Static<::dpki_primitives::device::NewDevice>"
	),
	substitute_type(
		path = "dpki_primitives::ids::KeyCommitment",
		with = "::subxt::utils::Static<::dpki_primitives::ids::KeyCommitment>"
	),
	substitute_type(
		path = "dpki_primitives::ids::RequestId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::RequestId>"
	),
	substitute_type(
		path = "dpki_primitives::key_policy::KeyPolicy",
		with = "::subxt::utils::Static<::dpki_primitives::key_policy::KeyPolicy>"
	),
	substitute_type(
		path = "dpki_primitives::request::Rejection",
		with = "::subxt::utils::Static<::dpki_primitives::request::Rejection>"
	),
	substitute_type(
		path = "dpki_primitives::filing::FilingKind",
		with = "::subxt::utils::Static<::dpki_primitives::filing::FilingKind>"
	),
	substitute_type(
		path = "dpki_primitives::filing::Objection",
		with = "::subxt::utils::Static<::dpki_primitives::filing::Objection>"
	),
	substitute_type(
		path = "dpki_primitives::fleet::revocation::ChunkMask",
		with = "::subxt::utils::Static<::dpki_primitives::fleet::ChunkMask>"
	),
	substitute_type(
		path = "dpki_primitives::fleet::roll::RollEntry",
		with = "::subxt::utils::Static<::dpki_primitives::fleet::RollEntry>"
	),
	substitute_type(
		path = "dpki_primitives::fleet::roll::RollTerms",
		with = "::subxt::utils::Static<::dpki_primitives::fleet::RollTerms>"
	),
	substitute_type(
		path = "dpki_primitives::fleet::tile::Commitment",
		with = "::subxt::utils::Static<::dpki_primitives::fleet::Commitment>"
	),
	substitute_type(
		path = "dpki_primitives::ids::FleetId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::FleetId>"
	),
	substitute_type(
		path = "dpki_primitives::ids::RevisionId",
		with = "::subxt::utils::Static<::dpki_primitives::ids::RevisionId>"
	),
	substitute_type(
		path = "dpki_runtime::RuntimeCall",
		with = "::subxt::utils::Static<crate::calls::EncodedCall>"
	)
)]
mod chain {}

pub(crate) use chain::{
	runtime_types::{
		bounded_collections::bounded_vec::BoundedVec, dpki_runtime::configs::accounts::ProxyType,
		pallet_multisig::Timepoint, sp_weights::weight_v2::Weight,
	},
	tx,
};

/// A client without a connection, at a block of the chain that the metadata describes.
#[cfg(test)]
pub(crate) fn offline() -> subxt::client::OfflineClientAtBlock<ChainConfig> {
	use subxt::{
		client::OfflineClient, config::substrate::SpecVersionForRange, metadata::Metadata,
	};
	let metadata = Metadata::decode_from(include_bytes!("../artifacts/metadata.scale")).unwrap();
	let versions =
		SpecVersionForRange { block_range: 0..1, spec_version: 1, transaction_version: 1 };
	let config = ChainConfig::builder()
		.set_genesis_hash([1; 32].into())
		.set_metadata_for_spec_versions([(1, metadata.arc())])
		.set_spec_version_for_block_ranges([versions])
		.build();
	OfflineClient::new_with_config(config).at_block(0u64).unwrap()
}
