//! What a transaction did in the block that holds it, by the events of that block.

use super::{Client, Event, Finalized, SubmitError};
use crate::{api::ChainConfig, client::ClientError};
use dpki_primitives::refusal::Refusal;
use subxt::{
	config::substrate::{H256, SubstrateHeader},
	error::DispatchError,
	events::{Events, Phase},
	ext::scale_value::Composite,
	metadata::ArcMetadata,
};
use subxt_rpcs::client::rpc_params;

/// A finalised block that holds a transaction, as a node says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Included {
	/// The hash of the block.
	pub block: [u8; 32],
	/// The hash of the transaction.
	pub extrinsic: [u8; 32],
}

impl Included {
	/// The error for a result that cannot be read.
	pub(crate) fn unreadable(&self, reason: String) -> SubmitError {
		SubmitError::ResultUnreadable {
			extrinsic: format!("{:?}", H256(self.extrinsic)),
			block: format!("{:?}", H256(self.block)),
			reason,
		}
	}

	/// The error for a node that does not prove what it says.
	pub fn unproven(&self, reason: String) -> SubmitError {
		SubmitError::Unproven {
			extrinsic: format!("{:?}", H256(self.extrinsic)),
			block: format!("{:?}", H256(self.block)),
			reason,
		}
	}

	/// The same with the number of its block and what it made known, by the word of a node.
	pub(crate) fn finalized(&self, number: u32, events: Vec<Event>) -> Finalized {
		let Self { block: hash, extrinsic } = *self;
		Finalized { number, hash, extrinsic, events, proven: false, is_final: true }
	}
}

/// A block as a node tells it.
pub(crate) struct Block {
	/// Its header.
	pub header: SubstrateHeader<H256>,
	/// Its transactions, each with its length before it.
	pub extrinsics: Vec<Vec<u8>>,
}

impl Block {
	/// The index of a transaction in it.
	pub fn position(&self, extrinsic: H256) -> Option<u32> {
		self.extrinsics
			.iter()
			.position(|bytes| sp_crypto_hashing::blake2_256(bytes) == extrinsic.0)
			.and_then(|position| u32::try_from(position).ok())
	}
}

impl Client {
	/// What a transaction did in the block that holds it, as the node tells it.
	/// [`View::outcome`](crate::View::outcome) has it proven.
	pub async fn outcome(&self, included: &Included) -> Result<Finalized, SubmitError> {
		let unreadable = |reason: String| included.unreadable(reason);
		let hash = H256(included.block);
		let block = self.block(hash).await.map_err(|error| unreadable(error.to_string()))?;
		let number = u32::try_from(block.header.number)
			.map_err(|_| unreadable("its number does not fit 32 bits".into()))?;
		let position = block
			.position(H256(included.extrinsic))
			.ok_or_else(|| unreadable("the block does not hold it".into()))?;
		let at = self.at_block(hash).await.map_err(|error| unreadable(error.to_string()))?;
		let all = at.events().fetch().await.map_err(|error| unreadable(error.to_string()))?;
		let events = happened(&all, position, at.metadata()).map_err(unreadable)??;
		Ok(included.finalized(number, events))
	}

	pub(crate) async fn block(&self, hash: H256) -> Result<Block, ClientError> {
		#[derive(serde::Deserialize)]
		struct SignedBlock {
			block: RawBlock,
		}
		#[derive(serde::Deserialize)]
		struct RawBlock {
			header: SubstrateHeader<H256>,
			extrinsics: Vec<String>,
		}
		let answer: Option<SignedBlock> = self.request("chain_getBlock", rpc_params![hash]).await?;
		let malformed = |reason: &str| ClientError::Malformed {
			method: "chain_getBlock".into(),
			reason: reason.into(),
		};
		let RawBlock { header, extrinsics } =
			answer.ok_or_else(|| malformed("a finalised block is missing"))?.block;
		let extrinsics = extrinsics
			.iter()
			.map(|text| hex::decode(text.strip_prefix("0x").unwrap_or(text)))
			.collect::<Result<Vec<_>, _>>()
			.map_err(|error| malformed(&error.to_string()))?;
		Ok(Block { header, extrinsics })
	}
}

/// What the transaction at this index made known, or for which reason it failed; or why the events cannot be read.
///
/// A runtime says of each transaction once whether it succeeded or failed. Where that is missing, or said twice, nothing is known.
pub(super) fn happened(
	all: &Events<ChainConfig>,
	position: u32,
	metadata: ArcMetadata,
) -> Result<Result<Vec<Event>, SubmitError>, String> {
	let (mut events, mut failure) = (Vec::new(), None);
	let (mut read, mut verdicts) = (0_u32, 0_u32);
	for event in all.iter() {
		let event = event.map_err(|error| error.to_string())?;
		read = read.saturating_add(1);
		if event.phase() != Phase::ApplyExtrinsic(position) {
			continue;
		}
		let (pallet, name) = (event.pallet_name(), event.event_name());
		if (pallet, name) == ("System", "ExtrinsicFailed") {
			let error = DispatchError::decode_from(event.field_bytes(), metadata.clone())
				.map_err(|error| error.to_string())?;
			failure = Some(failed(&error));
			verdicts = verdicts.saturating_add(1);
			continue;
		}
		verdicts =
			verdicts.saturating_add(u32::from((pallet, name) == ("System", "ExtrinsicSuccess")));
		let text = event
			.decode_fields_unchecked_as::<Composite<()>>()
			.map(|fields| fields.to_string())
			.map_err(|error| error.to_string())?;
		events.push(Event {
			pallet: pallet.into(),
			name: name.into(),
			fields: event.field_bytes().to_vec(),
			text,
		});
	}
	if read != all.len() {
		return Err(format!("the block tells of {} events and has {read}", all.len()));
	}
	match (verdicts, failure) {
		(1, None) => Ok(Ok(events)),
		(1, Some(failure)) => Ok(Err(failure)),
		_ => Err("the block does not say what became of it".into()),
	}
}

/// Why a call failed, in the words of the chain.
pub(super) fn failed(error: &DispatchError) -> SubmitError {
	if let DispatchError::Module(module) = error
		&& let Ok(details) = module.details()
	{
		// Of many members of a call an error of ours names the first at fault, in two bytes behind the number of the error.
		let [_, _, low, high, code] = module.bytes();
		let position = u16::from_le_bytes([low, high]);
		if details.variant.name == "BatchFailed" {
			return SubmitError::MemberRefused { position, refusal: Refusal::from_code(code) };
		}
		let sentence = details.variant.docs.join(" ").trim().to_owned();
		let position = (!details.variant.fields.is_empty()).then_some(position);
		return SubmitError::Failed {
			pallet: details.pallet.name().into(),
			error: details.variant.name.clone(),
			sentence: match (position, sentence.split_once(": ")) {
				(Some(position), Some((problem, step))) => {
					format!("{problem} (position {position}): {step}")
				},
				(Some(position), None) => format!("{sentence} (position {position})"),
				(None, _) => sentence,
			},
		};
	}
	let sentence = match error {
		DispatchError::BadOrigin | DispatchError::RootNotAllowed => {
			"this account may not make this call: use one that has the right".into()
		},
		error => error.to_string(),
	};
	SubmitError::Failed { pallet: "the runtime".into(), error: format!("{error:?}"), sentence }
}
