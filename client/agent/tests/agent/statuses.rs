//! The vectors of the one status function, as an agent acts on them: what it says of its device, and which CAs it lets
//! a delivery bring in.

use crate::world::*;
use dpki_agent::run::converge;
use dpki_client::primitives::{
	Moment,
	anchor::AnchorKind,
	vectors::{Case, Told, cases},
};

/// The next block, at this time.
async fn step_to(world: &mut World, now: Moment) {
	world.chain.head.number += 1;
	world.chain.head.time = now;
	let agent = world.agent.as_mut().unwrap();
	converge(agent, &world.chain, &world.blobs).await.unwrap();
}

fn told<T>(choose: impl Fn(Told) -> Option<T>) -> Vec<(Case, T)> {
	let tell = |case: Case| {
		let found = case.told().into_iter().find_map(&choose)?;
		Some((case, found))
	};
	let mut told: Vec<_> = cases().into_iter().filter_map(tell).collect();
	// The time of a chain never goes back, and the agent would not go with it.
	told.sort_by_key(|(case, _)| case.now);
	told
}

#[tokio::test]
async fn the_vectors_hold_for_the_device() {
	let mut world = World::new();
	let cases = told(|told| if let Told::Device(own) = told { Some(own) } else { None });
	assert!(cases.len() >= 15);
	for (case, own) in cases {
		world.chain.device = own;
		step_to(&mut world, case.now).await;
		assert_eq!(world.agent().status().device_status, case.word(), "{}", case.name);
	}
}

#[tokio::test]
async fn the_vectors_hold_for_a_delivered_ca() {
	let mut world = World::new();
	let ca = world.register(AnchorKind::SshUserCa);
	let material = world.chain.anchors.remove(&ca.anchor).unwrap().1;
	let cases = told(|told| if let Told::Anchor(own) = told { Some(own) } else { None });
	assert!(cases.len() >= 20);
	for (sequence, (case, own)) in (1..).zip(cases) {
		world.chain.anchors.remove(&ca.anchor);
		if let Some(record) = own {
			world.chain.anchors.insert(ca.anchor, (record, material.clone()));
		}
		world.publish(sequence, vec![user_ca(&ca)]);
		step_to(&mut world, case.now).await;
		// What a retired CA signed stays good, so it is believed as well.
		let is_believed = ["valid", "superseded"].contains(&case.word());
		assert_eq!(world.trusts(&ca), is_believed, "{}", case.name);
		let refusal = world.agent().status().last_refusal.clone();
		let refusal = refusal.filter(|refusal| refusal.sequence == sequence);
		assert_eq!(refusal.is_none(), is_believed, "{}", case.name);
		if let Some(refusal) = refusal {
			let verdict = format!("the anchor {} is {}", ca.anchor, case.word());
			assert!(refusal.sentence.contains(&verdict), "{}: {}", case.name, refusal.sentence);
		}
	}
}
