//! Submits calls and waits until they are final.
//!
//! "Accepted by the pool" means nothing here: a call has succeeded when a finalised block says so. The pool's own reports
//! are followed while they last. When they end early (the connection was lost, a light client gave up watching), the
//! finalised blocks themselves are searched.

mod body;
mod outcome;
pub(crate) mod signed;
mod unfinalised;

pub(crate) use body::extrinsics_root;
pub use outcome::Included;

use crate::{
	account::Account,
	api::ChainConfig,
	calls::Call,
	client::{Client, ClientError, Head},
};
use dpki_primitives::refusal::Refusal;
use futures::StreamExt;
use std::time::Duration;
use subxt::{
	client::{ClientAtBlock, OfflineClientAtBlockT, OnlineClientAtBlock, OnlineClientAtBlockImpl},
	config::{DefaultExtrinsicParamsBuilder, substrate::H256},
	error::{BackendError, ExtrinsicError, RpcError},
	transactions::{
		SubmittableTransaction, TransactionInvalid, TransactionStatus, ValidationResult,
	},
	utils::{AccountId32, MultiSignature},
};
use subxt_rpcs::client::rpc_params;

/// How many blocks a signed transaction can wait for inclusion. Beyond them it is void, so that "not there" is final.
const LIFETIME_BLOCKS: u64 = 64;

/// How long finality is waited for: [`LIFETIME_BLOCKS`] of 2 s, and some.
const FINALITY_TIMEOUT: Duration = Duration::from_secs(150);

/// How long the reports about a transaction are believed before the blocks are searched for it, and it is sent again: a
/// pool that was busy can lose one that it took, and says nothing.
const REPORTS_TIMEOUT: Duration = Duration::from_secs(30);

/// JSON-RPC code of nodes for a transaction that the pool finds invalid.
const POOL_INVALID: i32 = 1010;

/// JSON-RPC code of nodes for a transaction that the pool has already, byte for byte.
const POOL_HAS_IT: i32 = 1013;

/// What is said of a transaction whose number in the account is not the next one.
const NUMBER_USED: &str = "another transaction of the account came first: submit it again";

/// How the reason of [`SubmitError::Invalid`] begins where the fee is more than the account has.
pub const CANNOT_PAY: &str = "the account cannot pay the fee";

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
	/// The chain refused a transaction of a device.
	#[error("{0}")]
	Refused(Refusal),
	/// The chain refused the transaction.
	#[error("the chain refuses the transaction, because {reason}")]
	Invalid {
		/// Why, and after a colon what to do about it.
		reason: String,
	},
	/// The call was executed and failed.
	#[error("{pallet} refuses the call with {error}: {sentence}")]
	Failed {
		/// Which pallet.
		pallet: String,
		/// Its error.
		error: String,
		/// What its documentation says about the error.
		sentence: String,
	},
	/// A member of a batch was refused, and with it the whole batch.
	#[error(
		"member {position} of the batch, counted from 0, was refused, and nothing of the batch was done: {}",
		member_reason(.refusal)
	)]
	MemberRefused {
		/// Which one, counted from 0.
		position: u16,
		/// Why; `None` where the chain has no number for it.
		refusal: Option<Refusal>,
	},
	/// The transaction was dropped, and can not be included any more.
	#[error(
		"the transaction was not included within {blocks} blocks and cannot be any more: submit it again"
	)]
	Lapsed {
		/// How long it could have been.
		blocks: u64,
	},
	/// It is not known what became of the transaction.
	#[error(
		"the transaction {extrinsic} was not final after {seconds} s and may still be included: \
		 look at the chain before you submit it again"
	)]
	TimedOut {
		/// The hash of the transaction.
		extrinsic: String,
		/// How long finality was waited for.
		seconds: u64,
	},
	/// The call does not fit the chain.
	#[error("the call does not fit this chain ({reason}): update this program, or check the node")]
	Unfit {
		/// What does not fit.
		reason: String,
	},
	/// The node does not prove what it says of the transaction.
	#[error(
		"the node says that the transaction {extrinsic} is final in block {block}, and does not prove it ({reason}): \
		 ask another node what became of it before you submit it again"
	)]
	Unproven {
		/// The hash of the transaction.
		extrinsic: String,
		/// The hash of the block that the node names.
		block: String,
		/// What is wrong with the proof.
		reason: String,
	},
	/// The node says that the transaction is refused, or has lapsed, and nothing proves that: it may have kept it.
	#[error(
		"the node says that the transaction comes into no block ({reason}), which nothing proves; it may still be \
		 included{}: ask another node what became of it before you submit it again",
		last_block(.until)
	)]
	RefusedUnproven {
		/// Why not, as the node says.
		reason: String,
		/// The number of the last block that can include it, if that is known.
		until: Option<u64>,
	},
	/// The result of the call could not be read.
	#[error(
		"the transaction {extrinsic} is final in block {block}, but its result could not be read ({reason}): \
		 look at the chain before you submit it again"
	)]
	ResultUnreadable {
		/// The hash of the transaction.
		extrinsic: String,
		/// The hash of the block.
		block: String,
		/// What went wrong.
		reason: String,
	},
	/// The chain could not be reached or asked.
	#[error(transparent)]
	Client(#[from] ClientError),
}

impl SubmitError {
	/// Whether the transaction may be in a block, or come into one, all the same: then the chain has to be asked before
	/// anything is submitted again, or thrown away.
	pub fn may_be_included(&self) -> bool {
		matches!(
			self,
			SubmitError::TimedOut { .. }
				| SubmitError::Unproven { .. }
				| SubmitError::RefusedUnproven { .. }
				| SubmitError::ResultUnreadable { .. }
				| SubmitError::Client(_)
		)
	}

	/// The same where the node is not believed, about a transaction that counts from the block `from` on, if that is proven: what
	/// the node alone says of its pool and of the time is [`SubmitError::RefusedUnproven`] then.
	pub fn by_word_of_node(self, from: Option<Head>) -> Self {
		if !self.is_verdict() && !matches!(self, SubmitError::Lapsed { .. }) {
			return self;
		}
		let sentence = self.to_string();
		// What to do about it would be right if it were true.
		let reason = sentence.rsplit_once(": ").map_or(&sentence[..], |(reason, _)| reason);
		let until = from.map(|head| u64::from(head.number) + LIFETIME_BLOCKS);
		SubmitError::RefusedUnproven { reason: reason.into(), until }
	}

	/// Whether the transaction can be given up for this reason. That the number of the account was used already is none:
	/// it may be this transaction that has used it, in a block that is not final yet.
	fn is_final_verdict(&self) -> bool {
		let used = matches!(self, SubmitError::Invalid { reason } if reason == NUMBER_USED);
		self.is_verdict() && !used
	}

	/// Whether this is what the chain thinks of the transaction, and not a failure to ask it.
	fn is_verdict(&self) -> bool {
		matches!(self, SubmitError::Refused(_) | SubmitError::Invalid { .. })
	}
}

/// Why a member of a batch was refused, with the next step.
fn member_reason(refusal: &Option<Refusal>) -> &'static str {
	refusal.map_or("the chain does not say why: check what it names", Refusal::sentence)
}

fn last_block(until: &Option<u64>) -> String {
	until.map(|number| format!(" until block {number}")).unwrap_or_default()
}

/// Where a call became final, and what it did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finalized {
	/// The number of the block.
	pub number: u32,
	/// The hash of the block.
	pub hash: [u8; 32],
	/// The hash of the transaction.
	pub extrinsic: [u8; 32],
	/// What the call made known, in order.
	pub events: Vec<Event>,
	/// Whether this is proven, and not the word of a node.
	pub proven: bool,
	/// Whether the block is final. It is not where somebody has waited for a block alone, see
	/// [`Client::include_unfinalised`].
	pub is_final: bool,
}

/// Something that a call made known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
	/// Which pallet.
	pub pallet: String,
	/// Its event.
	pub name: String,
	/// The fields of the event in SCALE.
	pub fields: Vec<u8>,
	/// The fields in readable form.
	pub text: String,
}

type AtBlock = OnlineClientAtBlock<ChainConfig>;
type Transaction = SubmittableTransaction<ChainConfig, OnlineClientAtBlockImpl<ChainConfig>>;

impl Client {
	/// Signs a call, submits it, and waits until it is final and has succeeded.
	///
	/// One account should not submit two calls at the same time: both might get the same number.
	///
	/// The transaction is encoded by what this crate knows of the chain, whatever the node says of it, and refused as
	/// [`SubmitError::Unfit`] if the two differ.
	pub async fn submit(
		&self,
		account: &Account,
		call: &impl Call,
	) -> Result<Finalized, SubmitError> {
		self.submit_with_tip(account, call, 0).await
	}

	/// Like [`Client::submit`], with a tip for the author of the block, in the smallest unit: of the transactions that
	/// wait, those with higher tips are included first.
	pub async fn submit_with_tip(
		&self,
		account: &Account,
		call: &impl Call,
		tip: u128,
	) -> Result<Finalized, SubmitError> {
		let included = self.include(account, call, tip, None).await?;
		self.outcome(&included).await
	}

	/// Signs a call, submits it, and waits until the node says that a finalised block holds it. What it did there is told by
	/// [`Client::outcome`], or proven by [`View::outcome`](crate::View::outcome).
	///
	/// The transaction counts only in a chain that has the block `from`, which is the newest that the node calls final where none is
	/// given. Whoever has seen in a proven block what the call is about signs it from there on, and is bound to no other chain.
	pub async fn include(
		&self,
		account: &Account,
		call: &impl Call,
		tip: u128,
		from: Option<Head>,
	) -> Result<Included, SubmitError> {
		let head = match from {
			Some(head) => head,
			None => self.finalized_head().await?,
		};
		let transaction = self.sign(account, call, tip, head, H256(head.hash)).await?;
		let last_block = u64::from(head.number) + LIFETIME_BLOCKS;
		self.submit_and_wait(&transaction, head, Some(last_block)).await
	}

	/// The call, signed by the account for the runtime of the block `at`. It counts for [`LIFETIME_BLOCKS`] after the block
	/// `from`, and only in a chain that has that block.
	async fn sign(
		&self,
		account: &Account,
		call: &impl Call,
		tip: u128,
		from: Head,
		at: H256,
	) -> Result<Transaction, SubmitError> {
		let at = self.at_block(at).await?;
		// Unlike the nonce in the state, this one counts what waits in the pool of the node.
		let nonce: u64 =
			self.request("system_accountNextIndex", rpc_params![account.address()]).await?;
		signed::check(&at, call)?;
		let (genesis, spec_version) = (self.genesis_hash(), at.spec_version());
		let terms = signed::Terms { genesis, spec_version, from, nonce, tip };
		Ok(at.tx().from_bytes(signed::encode(account, call, &terms)?))
	}

	/// Submits a call that carries its own authority, as a general transaction, and waits until it is final and has
	/// succeeded.
	///
	/// A runtime in which the call has not the place and the form that this crate knows is not sent it. Then the call is
	/// judged by the runtime at the best block, so that a refusal is told with its reason even over a light client, which
	/// hears nothing from the pools of its peers.
	pub async fn submit_general(&self, call: &impl Call) -> Result<Finalized, SubmitError> {
		let included = self.include_general(call).await?;
		self.outcome(&included).await
	}

	/// The same until the node says that a finalised block holds it, as [`Client::include`].
	pub async fn include_general(&self, call: &impl Call) -> Result<Included, SubmitError> {
		let head = self.finalized_head().await?;
		let best: H256 = self.request("chain_getBlockHash", rpc_params![]).await?;
		let at = self.at_block(best).await?;
		let transaction = general(&at, call)?;
		self.judge(transaction.encoded(), best).await?;
		self.submit_and_wait(&transaction, head, None).await
	}

	async fn at_block(&self, hash: H256) -> Result<AtBlock, SubmitError> {
		self.chain().at_block(hash).await.map_err(|error| {
			let reason = error.to_string();
			ClientError::Request { method: "Core_version".into(), reason }.into()
		})
	}

	/// Asks the runtime at a block what it thinks of a transaction.
	async fn judge(&self, transaction: &[u8], block: H256) -> Result<(), SubmitError> {
		let at = self.at_block(block).await?;
		match at.tx().from_bytes(transaction.to_vec()).validate().await {
			Ok(ValidationResult::Valid(_)) => Ok(()),
			Ok(ValidationResult::Invalid(invalid)) => Err(refused(&invalid)),
			Ok(ValidationResult::Unknown(unknown)) => Err(SubmitError::Invalid {
				reason: format!("it cannot be judged ({unknown:?}): check the kind of the call"),
			}),
			Err(error) => Err(ClientError::Request {
				method: "TaggedTransactionQueue_validate_transaction".into(),
				reason: error.to_string(),
			}
			.into()),
		}
	}

	async fn submit_and_wait(
		&self,
		transaction: &Transaction,
		head: Head,
		last_block: Option<u64>,
	) -> Result<Included, SubmitError> {
		let extrinsic = transaction.hash();
		let waited = tokio::time::timeout(FINALITY_TIMEOUT, async {
			let watched = tokio::time::timeout(REPORTS_TIMEOUT, watch(transaction)).await;
			let block = match watched.unwrap_or(Ok(Watched::Lost)) {
				Ok(Watched::Final(block)) => block,
				Ok(Watched::Lost) => self.search(transaction, head, last_block).await?,
				Err(error @ SubmitError::Invalid { .. }) => {
					// The runtime tells the reason in a form that can be translated, the pool only in words.
					let judged = self.judge(transaction.encoded(), H256(head.hash)).await;
					return Err(judged.err().filter(SubmitError::is_verdict).unwrap_or(error));
				},
				Err(error) => return Err(error),
			};
			Ok(Included { block: block.0, extrinsic: extrinsic.0 })
		});
		waited.await.unwrap_or_else(|_| Err(timed_out(extrinsic)))
	}

	/// Searches the blocks after `from` for a transaction, until it is found or cannot come any more. As long as it can, it is
	/// sent again at each block: no block takes it twice.
	async fn search(
		&self,
		transaction: &Transaction,
		from: Head,
		last_block: Option<u64>,
	) -> Result<H256, SubmitError> {
		let mut heads = self.finalized_heads();
		let mut searched = from;
		loop {
			// The stream has no end, and goes on after an error.
			let Some(Ok(head)) = heads.next().await else { continue };
			if head.number <= searched.number {
				continue;
			}
			// A failed request says nothing about the transaction: it is asked again at the next block.
			match self.search_back(transaction.hash(), head, searched).await {
				Ok(None) => searched = head,
				Ok(Some(found)) => return Ok(found),
				Err(error) => {
					tracing::debug!(%error, "the search for the transaction goes on");
					continue;
				},
			}
			if last_block.is_some_and(|last| u64::from(head.number) > last) {
				return Err(SubmitError::Lapsed { blocks: LIFETIME_BLOCKS });
			}
			if let Some(verdict) = self.verdict(transaction, head).await {
				return Err(verdict);
			}
			let bytes = format!("0x{}", hex::encode(transaction.encoded()));
			let sent: Result<H256, _> =
				self.request("author_submitExtrinsic", rpc_params![bytes]).await;
			// Most often because it is in the pool.
			if let Err(error) = sent {
				tracing::debug!(%error, "the transaction is not taken again");
			}
		}
	}

	/// The reason for which a transaction was dropped, if there is one that holds. Judged at a final block that is known
	/// not to include it: later blocks may hold it, and refuse it for being there already. And judged at the best block as
	/// well: what was wrong at the final one may have been put right since, and then it comes into a block all the same.
	async fn verdict(&self, transaction: &Transaction, head: Head) -> Option<SubmitError> {
		let judged = self.judge(transaction.encoded(), H256(head.hash)).await;
		let verdict = judged.err().filter(SubmitError::is_final_verdict)?;
		let best: H256 = self.request("chain_getBlockHash", rpc_params![]).await.ok()?;
		let now = self.judge(transaction.encoded(), best).await.err()?;
		(now.is_final_verdict() && now.to_string() == verdict.to_string()).then_some(verdict)
	}

	/// Searches from `newest` back to the block after `oldest`. By parent hashes, because a light client does not know
	/// which block has which number.
	async fn search_back(
		&self,
		extrinsic: H256,
		newest: Head,
		oldest: Head,
	) -> Result<Option<H256>, SubmitError> {
		let mut hash = H256(newest.hash);
		for _ in oldest.number..newest.number {
			let block = self.block(hash).await?;
			if block.position(extrinsic).is_some() {
				return Ok(Some(hash));
			}
			hash = block.header.parent_hash;
		}
		Ok(None)
	}
}

/// The call as a general transaction (preamble `0x45`), which has no signer: its extensions carry no nonce and no tip, and
/// it does not lapse by itself.
fn general<C: OfflineClientAtBlockT<ChainConfig>>(
	at: &ClientAtBlock<ChainConfig, C>,
	call: &impl Call,
) -> Result<SubmittableTransaction<ChainConfig, C>, SubmitError> {
	signed::check(at, call)?;
	let params = DefaultExtrinsicParamsBuilder::<ChainConfig>::new().immortal().nonce(0).build();
	// No extension of this chain takes a signer, so this pair goes nowhere. If one did, the chain would refuse the
	// transaction for its signature.
	let (nobody, nothing) = (AccountId32([0; 32]), MultiSignature::Sr25519([0; 64]));
	at.tx()
		.create_v5_signable_offline(call, params)
		.and_then(|mut signable| signable.sign_with_account_and_signature(&nobody, &nothing))
		.map_err(|error| SubmitError::Unfit { reason: error.to_string() })
}

enum Watched {
	Final(H256),
	Lost,
}

/// Submits the transaction and follows what the pool tells about it.
async fn watch(transaction: &Transaction) -> Result<Watched, SubmitError> {
	let mut progress = match transaction.submit_and_watch().await {
		Ok(progress) => progress,
		Err(error) => return submission_failed(error),
	};
	while let Some(status) = progress.next().await {
		match status {
			Ok(TransactionStatus::InFinalizedBlock(block)) => {
				return Ok(Watched::Final(block.block_hash()));
			},
			Ok(
				TransactionStatus::Error { message }
				| TransactionStatus::Invalid { message }
				| TransactionStatus::Dropped { message },
			) => {
				tracing::debug!(message, "the pool does not follow the transaction any more");
				return Ok(Watched::Lost);
			},
			Ok(_) => {},
			Err(error) => {
				tracing::debug!(%error, "the reports about the transaction were interrupted");
				return Ok(Watched::Lost);
			},
		}
	}
	Ok(Watched::Lost)
}

/// Nothing is known of a transaction that was long on its way.
fn timed_out(extrinsic: H256) -> SubmitError {
	SubmitError::TimedOut {
		extrinsic: format!("{extrinsic:?}"),
		seconds: FINALITY_TIMEOUT.as_secs(),
	}
}

/// Of a transaction that was on its way to the node: it may or may not have got it.
fn unreported(reason: String) -> SubmitError {
	ClientError::Request { method: "author_submitAndWatchExtrinsic".into(), reason }.into()
}

fn submission_failed(error: ExtrinsicError) -> Result<Watched, SubmitError> {
	let ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(error))) =
		error
	else {
		return Err(unreported(error.to_string()));
	};
	match error {
		// A connection that was lost sends anew what it had no answer to. Nobody else has these bytes.
		subxt_rpcs::Error::User(error) if error.code == POOL_HAS_IT => Ok(Watched::Lost),
		subxt_rpcs::Error::User(error) => Err(pool_error(&error)),
		error if error.is_disconnected_will_reconnect() => Ok(Watched::Lost),
		error => Err(unreported(error.to_string())),
	}
}

/// What a node says when its pool does not take a transaction.
fn pool_error(error: &subxt_rpcs::UserError) -> SubmitError {
	let data = error
		.data
		.as_ref()
		.and_then(|data| serde_json::from_str::<String>(data.get()).ok());
	if error.code == POOL_INVALID
		&& let Some(code) = data
			.as_deref()
			.and_then(|data| data.strip_prefix("Custom error: "))
			.and_then(|code| code.parse().ok())
	{
		return refused(&TransactionInvalid::Custom(code));
	}
	let said = match data {
		Some(data) => format!("{} ({data})", error.message),
		None => format!("{} (code {})", error.message, error.code),
	};
	let step = "check balance and pending transactions of the account, and submit it again";
	SubmitError::Invalid { reason: format!("the pool of the node says {said}: {step}") }
}

fn refused(invalid: &TransactionInvalid) -> SubmitError {
	let reason = match invalid {
		TransactionInvalid::Payment => {
			return SubmitError::Invalid { reason: format!("{CANNOT_PAY}: give it tokens first") };
		},
		TransactionInvalid::Custom(code) => {
			return match Refusal::from_code(*code) {
				Some(refusal) => SubmitError::Refused(refusal),
				None => SubmitError::Invalid {
					reason: format!("it has the unknown reason {code}: update this program"),
				},
			};
		},
		TransactionInvalid::Stale | TransactionInvalid::Future => NUMBER_USED,
		TransactionInvalid::BadProof | TransactionInvalid::BadSigner => {
			"its signature does not verify for the runtime of now: submit it again if the chain was upgraded meanwhile, or \
			 check that program and node belong to the same chain"
		},
		TransactionInvalid::AncientBirthBlock => "it is too old: submit it again",
		TransactionInvalid::ExhaustsResources => "the block is full: submit it again later",
		TransactionInvalid::Call => {
			"the call cannot be made this way: check that it is signed if it has to be"
		},
		TransactionInvalid::BadMandatory | TransactionInvalid::MandatoryValidation => {
			"only block authors make this call: make another one"
		},
	};
	SubmitError::Invalid { reason: reason.into() }
}

#[cfg(test)]
mod tests;
