//! What carriers can do to a device: nothing but be silent. Each kind is tried with every lie.
//!
//! The chain is made of the crates that a node is made of; a real one is in `client/e2e`. The broker is mosquitto, and
//! where no broker would do such a thing, bytes on a socket.

mod broker;
mod certificates;
mod files;
mod http;
#[path = "../../../verifier/tests/verifier/kit.rs"]
#[allow(dead_code)]
mod kit;
mod liar;
mod mqtt;
mod node;
mod outcome;
mod prover;
mod sources;

use dpki_client::carrier::{Carrier, Carriers, Failure};
use dpki_verifier::{Error as Unproven, Query, Verifier, Zebra};
use kit::{World, fresh, key_id};
use sp_core::storage::StateVersion;
use std::time::Duration;

/// The end of patience with a carrier that does not answer.
const SHORT: Duration = Duration::from_millis(400);

/// The patience with one that does: a machine that is busy must not make another error of its answer.
const LONG: Duration = Duration::from_secs(60);

/// Whether the verifier refuses a lie as it should.
type Expected = fn(&Unproven) -> bool;

/// What a device asks about: a key, its device, and which chain it is.
fn question() -> Query {
	kit::drone_query().bind_genesis()
}

/// Validators of two chains with the same keys: the other one.
fn twin() -> World {
	let mut entries = kit::registry(50);
	entries.insert(kit::genesis_key(), vec![0x68; 32]);
	World::with(4, entries, StateVersion::V1)
}

/// What a liar brings in place of the honest bundle for [`question`], with a word for it.
fn lies() -> Vec<(&'static str, Vec<u8>, Expected)> {
	let world = World::new(4);
	let honest = world.answer(&question()).encode();
	let mut mutated = honest.clone();
	*mutated.last_mut().unwrap() ^= 1;
	let mut stranger = World::new(4);
	stranger.keys = kit::keys(100, 4);
	let others = Query::new().key(key_id(3)).bind_genesis();
	let lies: [(_, _, Expected); 8] = [
		("mutated", mutated, |error| matches!(error, Unproven::NodeMissing)),
		("older", world.answer_at(9, &question()).encode(), |error| {
			matches!(error, Unproven::OlderThanSeen { number: 9, seen: 10 })
		}),
		("of another chain", stranger.answer(&question()).encode(), |error| {
			matches!(error, Unproven::UnknownAuthority { .. })
		}),
		(
			"of another chain of the same authorities",
			twin().answer(&question()).encode(),
			|error| matches!(error, Unproven::OtherChain),
		),
		("for other keys", world.answer(&others).encode(), |error| {
			matches!(error, Unproven::NodeMissing | Unproven::NodeSurplus)
		}),
		("cut short", honest[..honest.len() - 1].to_vec(), |error| {
			matches!(error, Unproven::Malformed(_))
		}),
		("with a tail", [&honest[..], &[0]].concat(), |error| {
			matches!(error, Unproven::Malformed(_))
		}),
		("empty", Vec::new(), |error| matches!(error, Unproven::Malformed(_))),
	];
	lies.into()
}

fn honest() -> Vec<u8> {
	World::new(4).answer(&question()).encode()
}

/// What a device says that has only this carrier, and where it stands afterwards.
async fn asked(carrier: impl Carrier + 'static) -> (Result<bool, Failure>, Verifier<Zebra>) {
	let mut device = World::new(4).verifier();
	let carriers = Carriers::new(vec![Box::new(carrier)]);
	let answer = carriers
		.ask(&mut device, &kit::drone_query(), fresh(), |it| {
			it.key_status(key_id(1)).map(|it| it.is_valid())
		})
		.await;
	let answer = match answer {
		Ok(answer) => Ok(answer.value.unwrap()),
		Err(mut exhausted) => Err(exhausted.0.remove(0)),
	};
	(answer, device)
}

async fn assert_delivers(carrier: impl Carrier + 'static) {
	let (answer, device) = asked(carrier).await;
	assert_eq!(answer, Ok(true));
	assert_eq!(device.checkpoint().number, 20, "the device has moved on");
}

/// Refused by the verifier, and the device stands where it stood.
async fn assert_unproven(carrier: impl Carrier + 'static, lie: &str, expected: Expected) {
	let (answer, device) = asked(carrier).await;
	let failure = answer.expect_err(lie);
	assert!(failure.unproven().is_some_and(expected), "{lie}: {failure}");
	assert_eq!(device.checkpoint(), World::new(4).verifier().checkpoint(), "{lie}");
}
