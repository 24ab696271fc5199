//! Signed transactions, encoded by what this crate knows of the chain.
//!
//! A signature covers bytes: the place of a call in the runtime, its arguments, a few numbers, and what the transaction
//! is bound to. A node that is merely believed could serve metadata in which the same call has another place, and so
//! have a transfer signed as a revocation. Therefore the bytes come from the committed metadata, and the signature binds
//! them to the transaction version that this metadata names: a runtime in which they would mean something else has
//! another one and refuses them. What the node says is compared, so that an honest disagreement is told before anything
//! is signed.

use super::{Event, LIFETIME_BLOCKS, SubmitError, outcome};
use crate::{
	account::Account, api::ChainConfig, calls::Call, client::Head, upgrade::RuntimeVersion,
};
use codec::Decode;
use std::sync::LazyLock;
use subxt::{
	client::{ClientAtBlock, OfflineClient, OfflineClientAtBlockT},
	config::{
		DefaultExtrinsicParamsBuilder,
		substrate::{H256, SpecVersionForRange},
	},
	error::{DispatchError, ExtrinsicError},
	metadata::{ArcMetadata, Metadata},
};

/// What the runtime said of itself when this crate was made.
struct Committed {
	metadata: ArcMetadata,
	version: RuntimeVersion,
}

static COMMITTED: LazyLock<Committed> = LazyLock::new(|| {
	let metadata = Metadata::decode_from(include_bytes!("../../artifacts/metadata.scale"))
		.expect("the committed metadata decodes, or this crate would not compile");
	let version = version(&metadata)
		.expect("the committed metadata names the version of its runtime, as a test shows");
	Committed { metadata: metadata.arc(), version }
});

/// What the runtime said of itself when this crate was made.
pub(crate) fn committed_metadata() -> &'static Metadata {
	&COMMITTED.metadata
}

/// A call in SCALE as the committed metadata has it.
pub(crate) fn encode_call(call: &impl Call) -> Result<Vec<u8>, String> {
	let at = committed(H256::zero(), 0).map_err(|error| error.to_string())?;
	at.tx().call_data(call).map_err(|error| error.to_string())
}

/// What an event tells of a call that was made inside of another one.
pub(crate) fn dispatch_result(fields: &mut &[u8]) -> Option<Result<(), SubmitError>> {
	if u8::decode(fields).ok()? == 0 {
		return Some(Ok(()));
	}
	Some(Err(match DispatchError::decode_from(*fields, COMMITTED.metadata.clone()) {
		Ok(error) => outcome::failed(&error),
		Err(error) => SubmitError::Unfit { reason: error.to_string() },
	}))
}

/// What the transaction at this index made known, by the events of its block in SCALE, as the committed metadata has them.
pub(crate) fn happened(
	events: Vec<u8>,
	position: u32,
) -> Result<Result<Vec<Event>, SubmitError>, String> {
	let at = committed(H256::zero(), 0).map_err(|error| error.to_string())?;
	outcome::happened(&at.events().from_bytes(events), position, COMMITTED.metadata.clone())
}

/// The version of the encoding of calls that this crate knows.
pub(crate) fn transaction_version() -> u32 {
	COMMITTED.version.transactions
}

/// What the runtime called itself.
pub(crate) fn committed_version() -> RuntimeVersion {
	COMMITTED.version.clone()
}

fn version(metadata: &Metadata) -> Option<RuntimeVersion> {
	let constant = metadata.pallet_by_name("System")?.constant_by_name("Version")?;
	RuntimeVersion::from_scale(constant.value()).ok()
}

/// What a transaction is bound to beside its call.
pub(super) struct Terms {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// The version of its runtime. That of the node: if it is wrong, the chain refuses the transaction.
	pub spec_version: u32,
	/// The block after which it can be included, for [`LIFETIME_BLOCKS`].
	pub from: Head,
	/// How many transactions of the account come before it.
	pub nonce: u64,
	/// For the author of the block, in the smallest unit.
	pub tip: u128,
}

/// Refuses a runtime in which the call has not the place and the form that this crate knows.
pub(super) fn check<C: OfflineClientAtBlockT<ChainConfig>>(
	at: &ClientAtBlock<ChainConfig, C>,
	call: &impl Call,
) -> Result<(), SubmitError> {
	let (ours, theirs) = (transaction_version(), at.transaction_version());
	if ours != theirs {
		let reason =
			format!("its transactions are of version {theirs}, those of this program of {ours}");
		return Err(SubmitError::Unfit { reason });
	}
	let transactions = at.tx();
	transactions.validate(call).map_err(unfit)?;
	let bytes = committed(H256::zero(), 0)?.tx().call_data(call).map_err(unfit)?;
	if transactions.call_data(call).map_err(unfit)? != bytes {
		let name = format!("{}.{}", call.pallet_name(), call.call_name());
		return Err(SubmitError::Unfit {
			reason: format!("the node gives {name} another meaning"),
		});
	}
	Ok(())
}

/// The signed transaction in SCALE.
pub(super) fn encode(
	account: &Account,
	call: &impl Call,
	terms: &Terms,
) -> Result<Vec<u8>, SubmitError> {
	let (number, hash) = (u64::from(terms.from.number), H256(terms.from.hash));
	let params = DefaultExtrinsicParamsBuilder::<ChainConfig>::new()
		.nonce(terms.nonce)
		.tip(terms.tip)
		.mortal_from_unchecked(LIFETIME_BLOCKS, number, hash)
		.build();
	committed(H256(terms.genesis), terms.spec_version)?
		.tx()
		.create_signable_offline(call, params)
		.and_then(|mut signable| signable.sign(account))
		.map(|transaction| transaction.encoded().to_vec())
		.map_err(unfit)
}

/// A client without a connection, at a block of the chain that the committed metadata describes.
fn committed(
	genesis: H256,
	spec_version: u32,
) -> Result<subxt::client::OfflineClientAtBlock<ChainConfig>, SubmitError> {
	let transaction_version = transaction_version();
	let versions = SpecVersionForRange { block_range: 0..1, spec_version, transaction_version };
	let config = ChainConfig::builder()
		.set_genesis_hash(genesis)
		.set_metadata_for_spec_versions([(spec_version, COMMITTED.metadata.clone())])
		.set_spec_version_for_block_ranges([versions])
		.build();
	OfflineClient::new_with_config(config)
		.at_block(0u64)
		.map_err(|error| SubmitError::Unfit { reason: error.to_string() })
}

fn unfit(error: ExtrinsicError) -> SubmitError {
	SubmitError::Unfit { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{calls, submit::general};
	use codec::{Compact, Encode};
	use dpki_primitives::{ids::KeyId, refusal::Refusal, revocation::RevocationReason};
	use subxt::ext::frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed};

	const GENESIS: [u8; 32] = [1; 32];

	fn call() -> impl Call {
		calls::revoke_key(KeyId([7; 32]), RevocationReason::KeyCompromise)
	}

	#[test]
	fn a_refused_member_of_a_batch_is_told_with_its_reason() {
		let dpki = COMMITTED.metadata.pallet_by_name("Dpki").unwrap();
		let mut variants = dpki.error_variants().unwrap().iter();
		let number = variants.find(|variant| variant.name == "BatchFailed").unwrap().index;
		let failed = |code: u8| {
			// `Err`, `DispatchError::Module`, the pallet, the error, and in it 270 and the code.
			let bytes = [1, 3, dpki.error_index(), number, 14, 1, code];
			dispatch_result(&mut &bytes[..]).unwrap().unwrap_err()
		};
		let exists = Refusal::DeviceExists;
		let error = failed(exists.code());
		let SubmitError::MemberRefused { position: 270, refusal } = error else {
			panic!("{error}")
		};
		assert_eq!(refusal, Some(exists));
		assert!(error.to_string().ends_with(exists.sentence()), "{error}");
		assert!(error.to_string().contains("member 270 of the batch"), "{error}");
		let error = failed(0).to_string();
		assert!(error.contains("does not say why: check"), "{error}");
	}

	fn call_bytes() -> Vec<u8> {
		committed(H256::zero(), 0).unwrap().tx().call_data(&call()).unwrap()
	}

	fn terms() -> Terms {
		let from = Head { number: 100, hash: [2; 32], time: 0 };
		Terms { genesis: GENESIS, spec_version: 9, from, nonce: 3, tip: 1_000_000 }
	}

	/// A node that says this of itself.
	fn node(
		metadata: Metadata,
		transaction_version: u32,
	) -> subxt::client::OfflineClientAtBlock<ChainConfig> {
		let versions =
			SpecVersionForRange { block_range: 0..1, spec_version: 9, transaction_version };
		let config = ChainConfig::builder()
			.set_genesis_hash(H256(GENESIS))
			.set_metadata_for_spec_versions([(9, metadata.arc())])
			.set_spec_version_for_block_ranges([versions])
			.build();
		OfflineClient::new_with_config(config).at_block(0u64).unwrap()
	}

	/// The committed metadata with the places of two pallets exchanged.
	fn exchanged(one: &str, other: &str) -> Metadata {
		let mut bytes = &include_bytes!("../../artifacts/metadata.scale")[..];
		let RuntimeMetadata::V16(mut metadata) =
			RuntimeMetadataPrefixed::decode(&mut bytes).unwrap().1
		else {
			panic!("the committed metadata is of another version");
		};
		let place = |name: &str| metadata.pallets.iter().position(|p| p.name == name).unwrap();
		let (one, other) = (place(one), place(other));
		let index = metadata.pallets[one].index;
		metadata.pallets[one].index = metadata.pallets[other].index;
		metadata.pallets[other].index = index;
		Metadata::from_v16(metadata).unwrap()
	}

	#[test]
	fn a_node_that_agrees_is_served() {
		let at = node(exchanged("Dpki", "Dpki"), transaction_version());
		check(&at, &call()).unwrap();
	}

	#[test]
	fn a_node_that_gives_a_call_another_meaning_is_refused() {
		let at = node(exchanged("Dpki", "Balances"), transaction_version());
		// The form of the call alone does not tell: the node has moved it, not changed it.
		at.tx().validate(&call()).unwrap();
		assert_ne!(at.tx().call_data(&call()).unwrap(), call_bytes());
		let error = check(&at, &call()).unwrap_err().to_string();
		assert!(error.contains("the node gives Dpki.revoke_key another meaning"), "{error}");
	}

	#[test]
	fn a_runtime_with_other_transactions_is_refused() {
		let at = node(exchanged("Dpki", "Dpki"), transaction_version() + 1);
		let error = check(&at, &call()).unwrap_err().to_string();
		assert!(error.contains("update this program"), "{error}");
	}

	#[test]
	fn what_devices_send_is_refused_where_it_would_mean_something_else() {
		let sent = |at| general(&at, &call()).map(|_| ()).map_err(|error| error.to_string());
		assert_eq!(sent(node(exchanged("Dpki", "Dpki"), transaction_version())), Ok(()));
		let error = sent(node(exchanged("Dpki", "Dpki"), transaction_version() + 1)).unwrap_err();
		assert!(error.contains("update this program"), "{error}");
		let error = sent(node(exchanged("Dpki", "Balances"), transaction_version())).unwrap_err();
		assert!(error.contains("the node gives Dpki.revoke_key another meaning"), "{error}");
	}

	/// Format 4, signed; an account id; then kind and bytes of the signature.
	const SIGNATURE_AT: usize = 1 + 1 + 32 + 1;

	#[test]
	fn a_signature_covers_the_call_its_terms_and_the_version_of_transactions() {
		let (account, terms) = (Account::generate(), terms());
		let encoded = encode(&account, &call(), &terms).unwrap();
		let transaction = Vec::<u8>::decode(&mut &encoded[..]).unwrap();
		assert_eq!(transaction[..2], [0x84, 0]);
		assert_eq!(transaction[2..34], account.id());
		let (signature, rest) = transaction[SIGNATURE_AT..].split_at(64);
		let call = call_bytes();
		let extra = rest.strip_suffix(&call[..]).unwrap();
		// Two bytes for the lifetime; nonce; tip; no hash of the metadata.
		assert_eq!(extra[2..], (Compact(terms.nonce), Compact(terms.tip), 0u8).encode());
		let bound = (terms.spec_version, transaction_version(), GENESIS, [2u8; 32], 0u8);
		let payload = [&call[..], extra, &bound.encode()].concat();
		let key = ed25519_dalek::VerifyingKey::from_bytes(&account.id()).unwrap();
		let signature = ed25519_dalek::Signature::from_slice(signature).unwrap();
		key.verify_strict(&payload, &signature).unwrap();
	}

	#[test]
	fn the_committed_metadata_names_the_version_of_its_runtime() {
		assert!(version(&COMMITTED.metadata).is_some());
	}
}
