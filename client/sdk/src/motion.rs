//! What a transaction did to a motion.

use crate::{
	AccountId,
	submit::{Finalized, SubmitError, signed},
};
use codec::Decode;
use dpki_primitives::motion::{MotionId, Tally};

/// Where a proposal or a vote has led.
#[derive(Debug)]
pub enum Progress {
	/// The motion is still open.
	Open,
	/// It was carried, and its call was made; whether it succeeded.
	Carried(Result<(), SubmitError>),
	/// It was voted down.
	Rejected,
}

/// What a proposal or a vote did.
#[derive(Debug)]
pub struct Outcome {
	/// Which motion.
	pub motion: MotionId,
	/// The count with this vote.
	pub tally: Tally,
	/// Where it has led.
	pub progress: Progress,
}

/// `Motions.Voted`: motion, voter, in favour or not, reason, count.
type Voted = (MotionId, AccountId, bool, Vec<u8>, Tally);

/// What a transaction with a proposal or a vote did; `None` if it held neither.
pub fn outcome(transaction: &Finalized) -> Option<Outcome> {
	let fields = |name: &str| {
		let of_motions = transaction.events.iter().filter(|event| event.pallet == "Motions");
		of_motions
			.filter(|event| event.name == name)
			.map(|event| &event.fields[..])
			.next()
	};
	let (motion, _, _, _, tally) = Voted::decode(&mut fields("Voted")?).ok()?;
	let progress = match (fields("Executed"), fields("Rejected")) {
		(Some(mut executed), _) => {
			MotionId::decode(&mut executed).ok()?;
			Progress::Carried(signed::dispatch_result(&mut executed)?)
		},
		(None, Some(_)) => Progress::Rejected,
		(None, None) => Progress::Open,
	};
	Some(Outcome { motion, tally, progress })
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::Event;
	use codec::Encode;
	use dpki_primitives::motion::Quorum;

	fn event(name: &str, fields: Vec<u8>) -> Event {
		Event { pallet: "Motions".into(), name: name.into(), fields, text: String::new() }
	}

	fn transaction(events: Vec<Event>) -> Finalized {
		Finalized {
			number: 1,
			hash: [1; 32],
			extrinsic: [2; 32],
			events,
			proven: false,
			is_final: true,
		}
	}

	fn voted() -> Event {
		let tally = Tally { ayes: 2, nays: 1, quorum: Quorum::two_thirds(4) };
		event("Voted", (7u32, [3u8; 32], true, b"why".to_vec(), tally).encode())
	}

	#[test]
	fn a_vote_that_decides_nothing_leaves_the_motion_open() {
		let outcome = outcome(&transaction(vec![voted()])).unwrap();
		assert_eq!((outcome.motion, outcome.tally.ayes), (7, 2));
		assert!(matches!(outcome.progress, Progress::Open));
	}

	#[test]
	fn the_deciding_vote_tells_what_became_of_the_call() {
		let executed = |result: &[u8]| {
			let fields = [&7u32.encode()[..], result].concat();
			let events = vec![voted(), event("Carried", 7u32.encode()), event("Executed", fields)];
			outcome(&transaction(events)).unwrap().progress
		};
		assert!(matches!(executed(&[0]), Progress::Carried(Ok(()))));
		// `DispatchError::BadOrigin`.
		let Progress::Carried(Err(error)) = executed(&[1, 2]) else { panic!("it failed") };
		assert!(error.to_string().contains("may not make this call"), "{error}");
		let rejected = transaction(vec![voted(), event("Rejected", 7u32.encode())]);
		assert!(matches!(outcome(&rejected).unwrap().progress, Progress::Rejected));
	}

	#[test]
	fn what_is_no_vote_has_no_outcome() {
		assert!(outcome(&transaction(vec![])).is_none());
		let other = Event { pallet: "Other".into(), ..voted() };
		assert!(outcome(&transaction(vec![other])).is_none());
	}
}
