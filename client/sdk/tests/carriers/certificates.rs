//! Certificates, which take more than one question: carriers are asked until there is nothing more to ask.

use super::*;
use dpki_client::carrier::{
	CarrierError, MAX_QUESTIONS, Pursuit,
	file::{Contents, FileCarrier},
};
use dpki_primitives::{assurance::Level, status::Status};
use dpki_verifier::Checkpoint;
use kit::{CERTIFICATE, certified};

fn world(endorsers: u8) -> World {
	World::with(4, certified(30..30 + endorsers), StateVersion::V1)
}

fn first() -> Query {
	Query::new().certificate(CERTIFICATE).bind_genesis()
}

/// The question after `query`, if this is the world that answers.
fn next(world: &World, query: &Query) -> Query {
	query
		.next_in(&world.answer(query).encode())
		.unwrap()
		.expect("there is more to ask")
}

/// Has these answers to these questions, and no other.
struct Prepared(Vec<(Query, Vec<u8>)>);

#[async_trait::async_trait]
impl Carrier for Prepared {
	fn name(&self) -> String {
		"prepared".into()
	}

	async fn bundle(&self, query: &Query, _: &Checkpoint) -> Result<Vec<u8>, CarrierError> {
		let mut answers = self.0.iter();
		let answer = answers.find(|(asked, _)| asked == query).map(|(_, bundle)| bundle.clone());
		answer.ok_or_else(|| CarrierError::Missing { carrier: self.name() })
	}

	async fn changes(&self, _: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError> {
		Ok(None)
	}
}

type Worth = (Status, Option<Level>);

/// What a device says that knows the id and nothing else, the question that was answered in the end, and where it stands.
async fn worth(carrier: impl Carrier + 'static) -> (Result<(Worth, Query), Failure>, u32) {
	let mut device = World::new(4).verifier();
	let carriers = Carriers::new(vec![Box::new(carrier)]);
	let answer = carriers
		.ask(&mut device, &Query::new().certificate(CERTIFICATE), fresh(), |it| {
			let found = it.certificate(CERTIFICATE)?.into_option().expect("it exists");
			Ok::<_, Unproven>((found.assessment.status, found.assessment.level))
		})
		.await;
	let answer = match answer {
		Ok(answer) => Ok((answer.value.expect("everything was asked"), answer.query)),
		Err(mut exhausted) => Err(exhausted.0.remove(0)),
	};
	(answer, device.checkpoint().number)
}

#[tokio::test]
async fn whoever_knows_the_id_only_is_told_what_the_certificate_is_worth() {
	let world = world(2);
	let whole = next(&world, &first());
	let answers = [first(), whole.clone()].map(|query| {
		let bundle = world.answer(&query).encode();
		(query, bundle)
	});
	let (answer, block) = worth(Prepared(answers.into())).await;
	assert_eq!(answer, Ok(((Status::Valid, Some(Level::Ev)), whole)));
	assert_eq!(block, 20);
}

#[tokio::test]
async fn an_answer_to_the_first_question_alone_is_none() {
	let answers = vec![(first(), world(2).answer(&first()).encode())];
	let (answer, block) = worth(Prepared(answers)).await;
	assert!(matches!(answer, Err(Failure::Carrier(CarrierError::Missing { .. }))), "{answer:?}");
	assert_eq!(block, 10, "the device stands where it stood");
}

/// Somebody endorses after each question.
#[tokio::test]
async fn a_carrier_that_never_comes_to_an_end_is_left() {
	let (mut query, mut answers) = (first(), Vec::new());
	for question in 0..MAX_QUESTIONS + 2 {
		let world = world(1 + question as u8);
		answers.push((query.clone(), world.answer_at(20 + question, &query).encode()));
		query = next(&world, &query);
	}
	let (answer, block) = worth(Prepared(answers)).await;
	let failure = answer.expect_err("there is always more to ask");
	assert_eq!(failure.unproven(), Some(&Unproven::NotAsked));
	assert_eq!(block, 10, "the device stands where it stood");
}

#[tokio::test]
async fn a_file_with_everything_answers_who_knows_the_id_only() {
	let folder = tempfile::tempdir().unwrap();
	let path = folder.path().join("certificate.dpki");
	let (two, one) = (world(2), world(1));
	let whole = next(&two, &first());
	let write = |query: &Query, bundle| {
		let contents = Contents::new(kit::GENESIS, query, Vec::new(), bundle);
		std::fs::write(&path, contents.encode()).unwrap();
	};
	write(&whole, two.answer(&whole).encode());
	let (answer, _) = worth(FileCarrier::new(&path)).await;
	assert_eq!(answer, Ok(((Status::Valid, Some(Level::Ev)), whole.clone())));

	// Without the accreditation of the second endorser: no answer, and none that says less.
	let part = next(&one, &first());
	write(&part, two.answer(&part).encode());
	let (answer, _) = worth(FileCarrier::new(&path)).await;
	let other = matches!(answer, Err(Failure::Carrier(CarrierError::OtherQuestion { .. })));
	assert!(other, "{answer:?}");

	// With the keys of everything, and the proof of a part.
	write(&whole, two.answer(&part).encode());
	let (answer, _) = worth(FileCarrier::new(&path)).await;
	let failure = answer.expect_err("something is missing");
	assert_eq!(failure.unproven(), Some(&Unproven::NodeMissing));
}
