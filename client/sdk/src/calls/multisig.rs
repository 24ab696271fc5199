//! Accounts of several people.
//!
//! Such an account is nothing but the hash of its members and of how many of them have to agree: nobody registers it, and
//! it has no key. The chain keeps of a pending call its hash and who has agreed; the call itself its members have to pass
//! on, and whoever agrees last brings it.

use super::{Call, CallError, EncodedCall, check_len};
use crate::{
	AccountId,
	api::{Timepoint, Weight, tx},
	submit::{Finalized, SubmitError, signed},
};
use codec::{Decode, Encode};
use sp_crypto_hashing::blake2_256;
use subxt::utils::{AccountId32, Static};

/// Most members of such an account.
pub const MAX_SIGNATORIES: u32 = 32;

/// The account of several people, so many of whom have to agree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Multisig {
	threshold: u16,
	/// In the order of their bytes, each once.
	signatories: Vec<AccountId>,
}

/// The transaction that began a pending call, by its place in the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Beginning {
	/// The number of the block.
	pub block: u32,
	/// The index of the transaction in it.
	pub index: u32,
}

/// The most that a call may cost to be carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallWeight {
	/// Picoseconds of a validator's time.
	pub ref_time: u64,
	/// Bytes of the state's proof.
	pub proof_size: u64,
}

impl Multisig {
	/// The account of these people, `threshold` of whom have to agree, two at least.
	pub fn new(threshold: u16, signatories: &[AccountId]) -> Result<Self, CallError> {
		let mut sorted = signatories.to_vec();
		sorted.sort_unstable();
		sorted.dedup();
		check_len("the list of different members", sorted.len(), 2..=MAX_SIGNATORIES)?;
		let members = u32::try_from(sorted.len()).unwrap_or(MAX_SIGNATORIES);
		check_len("the number of members who agree", usize::from(threshold), 2..=members)?;
		Ok(Self { threshold, signatories: sorted })
	}

	/// How many have to agree.
	pub fn threshold(&self) -> u16 {
		self.threshold
	}

	/// Its members.
	pub fn signatories(&self) -> &[AccountId] {
		&self.signatories
	}

	/// Its id, as pallet-multisig derives it.
	pub fn id(&self) -> AccountId {
		(b"modlpy/utilisuba", &self.signatories, self.threshold).using_encoded(blake2_256)
	}

	/// All members but the one who signs, who has to be one.
	fn others(&self, signer: &AccountId) -> Result<Vec<AccountId32>, CallError> {
		let others: Vec<_> = self
			.signatories
			.iter()
			.filter(|id| *id != signer)
			.map(|id| AccountId32(*id))
			.collect();
		match others.len() < self.signatories.len() {
			true => Ok(others),
			false => Err(CallError::NotASignatory),
		}
	}

	/// Agrees to a call and brings it: the first who agrees begins it (and has a deposit held until it ends), the last has it
	/// carried out. The transaction succeeds whatever becomes of the call, which [`multisig_progress`] tells.
	pub fn agree(
		&self,
		signer: &AccountId,
		begun: Option<Beginning>,
		call: EncodedCall,
		weight: CallWeight,
	) -> Result<impl Call + use<>, CallError> {
		let others = self.others(signer)?;
		let CallWeight { ref_time, proof_size } = weight;
		Ok(tx().multisig().as_multi(
			self.threshold,
			others,
			begun.map(Timepoint::from),
			Static(call),
			Weight { ref_time, proof_size },
		))
	}

	/// Agrees to a call by its hash alone, which begins it or counts, and never carries it out.
	pub fn agree_by_hash(
		&self,
		signer: &AccountId,
		begun: Option<Beginning>,
		call_hash: [u8; 32],
	) -> Result<impl Call + use<>, CallError> {
		let others = self.others(signer)?;
		// It is not carried out, so it costs nothing to.
		let weight = Weight { ref_time: 0, proof_size: 0 };
		let begun = begun.map(Timepoint::from);
		Ok(tx()
			.multisig()
			.approve_as_multi(self.threshold, others, begun, call_hash, weight))
	}

	/// Calls a pending call off; for the one who began it.
	pub fn cancel(
		&self,
		signer: &AccountId,
		begun: Beginning,
		call_hash: [u8; 32],
	) -> Result<impl Call + use<>, CallError> {
		let others = self.others(signer)?;
		Ok(tx().multisig().cancel_as_multi(self.threshold, others, begun.into(), call_hash))
	}
}

impl From<Beginning> for Timepoint<u32> {
	fn from(Beginning { block, index }: Beginning) -> Self {
		Self { height: block, index }
	}
}

/// What a transaction did to a call of such an account.
#[derive(Debug)]
pub enum MultisigProgress {
	/// It waits for others to agree.
	Pending,
	/// It was made; whether it succeeded.
	Executed(Result<(), SubmitError>),
}

/// What a transaction by [`Multisig::agree`] did.
pub fn multisig_progress(transaction: &Finalized) -> MultisigProgress {
	/// `Multisig.MultisigExecuted` before its result: who agreed, when it began, the account, the hash of the call.
	type Before = (AccountId, Beginning, AccountId, [u8; 32]);
	let mut events = transaction.events.iter().rev();
	let executed =
		events.find(|event| event.pallet == "Multisig" && event.name == "MultisigExecuted");
	let Some(executed) = executed else { return MultisigProgress::Pending };
	let mut fields = &executed.fields[..];
	let result = match Before::decode(&mut fields) {
		Ok(_) => signed::dispatch_result(&mut fields),
		Err(_) => None,
	};
	MultisigProgress::Executed(result.unwrap_or_else(|| {
		Err(SubmitError::ResultUnreadable {
			extrinsic: hex::encode(transaction.extrinsic),
			block: hex::encode(transaction.hash),
			reason: "it does not say what became of the call".into(),
		})
	}))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		Account, Event,
		calls::{encode, revoke_key, tests::assert_encodes},
	};
	use codec::Compact;
	use dpki_primitives::{ids::KeyId, revocation::RevocationReason};

	const MEMBERS: [AccountId; 3] = [[9; 32], [3; 32], [5; 32]];
	const BEGUN: Beginning = Beginning { block: 7, index: 2 };

	fn multisig() -> Multisig {
		Multisig::new(2, &MEMBERS).unwrap()
	}

	#[test]
	fn calls_of_multisignatures_encode() {
		let multisig = multisig();
		let others = vec![[3u8; 32], [9u8; 32]];
		let call = encode(&revoke_key(KeyId([7; 32]), RevocationReason::KeyCompromise)).unwrap();
		let weight = CallWeight { ref_time: 6, proof_size: 7 };
		for (begun, encoded) in [(None, None), (Some(BEGUN), Some((7u32, 2u32)))] {
			let agree = multisig.agree(&[5; 32], begun, call.clone(), weight).unwrap();
			let weight = (Compact(6u64), Compact(7u64));
			let arguments = (2u16, others.clone(), encoded, call.clone(), weight);
			assert_encodes(&agree, (18, 1), arguments);
			let by_hash = multisig.agree_by_hash(&[5; 32], begun, [8; 32]).unwrap();
			let nothing = (Compact(0u64), Compact(0u64));
			assert_encodes(&by_hash, (18, 2), (2u16, others.clone(), encoded, [8u8; 32], nothing));
		}
		let cancel = multisig.cancel(&[5; 32], BEGUN, [8; 32]).unwrap();
		assert_encodes(&cancel, (18, 3), (2u16, others, (7u32, 2u32), [8u8; 32]));
	}

	#[test]
	fn the_order_of_members_does_not_matter_and_their_number_does() {
		let mut reversed = MEMBERS;
		reversed.reverse();
		assert_eq!(Multisig::new(2, &reversed), Ok(multisig()));
		assert_eq!(multisig().signatories(), [[3; 32], [5; 32], [9; 32]]);
		assert_ne!(Multisig::new(3, &MEMBERS).unwrap().id(), multisig().id());
		assert_ne!(Multisig::new(2, &MEMBERS[..2]).unwrap().id(), multisig().id());
	}

	#[test]
	fn the_account_is_the_one_that_wallets_show() {
		// Alice, Bob and Charlie, two of three, as polkadot.js has it in SS58 with the prefix 42.
		let members =
			["//Alice", "//Bob", "//Charlie"].map(|uri| Account::from_uri(uri).unwrap().id());
		let id = Multisig::new(2, &members).unwrap().id();
		assert_eq!(
			crate::account::address(&id),
			"5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7"
		);
	}

	#[test]
	fn what_is_no_account_of_several_people_is_refused() {
		let length = |error| matches!(error, Err(CallError::Length { .. }));
		assert!(length(Multisig::new(2, &[[1; 32], [1; 32]])));
		assert!(length(Multisig::new(1, &MEMBERS)));
		assert!(length(Multisig::new(4, &MEMBERS)));
		let many: Vec<_> = (0..33).map(|n| [n; 32]).collect();
		assert!(length(Multisig::new(2, &many)));
		let stranger = multisig().agree_by_hash(&[1; 32], None, [8; 32]);
		assert!(matches!(stranger, Err(CallError::NotASignatory)));
	}

	#[test]
	fn the_limit_is_that_of_the_chain() {
		let metadata = signed::committed_metadata();
		let pallet = metadata.pallet_by_name("Multisig").unwrap();
		let limit = pallet.constant_by_name("MaxSignatories").unwrap();
		assert_eq!(limit.value(), MAX_SIGNATORIES.encode());
	}

	#[test]
	fn the_last_agreement_tells_what_became_of_the_call() {
		let progress = |name: &str, result: &[u8]| {
			let before = ([1u8; 32], BEGUN, [2u8; 32], [3u8; 32]).encode();
			let event = Event {
				pallet: "Multisig".into(),
				name: name.into(),
				fields: [&before[..], result].concat(),
				text: String::new(),
			};
			let (hash, extrinsic) = ([1; 32], [2; 32]);
			multisig_progress(&Finalized {
				number: 1,
				hash,
				extrinsic,
				events: vec![event],
				proven: false,
				is_final: true,
			})
		};
		assert!(matches!(progress("MultisigApproval", &[]), MultisigProgress::Pending));
		let executed = |result| match progress("MultisigExecuted", result) {
			MultisigProgress::Executed(result) => result,
			MultisigProgress::Pending => panic!("it was executed"),
		};
		assert!(executed(&[0]).is_ok());
		// `DispatchError::BadOrigin`.
		let refused = executed(&[1, 2]).unwrap_err().to_string();
		assert!(refused.contains("may not make this call"), "{refused}");
		let silent = executed(&[]).unwrap_err();
		assert!(matches!(silent, SubmitError::ResultUnreadable { .. }), "{silent}");
	}
}
