// SPDX-License-Identifier: Apache-2.0

//! Which calls were reached: a run in which one of ours was never carried out, or never refused, proves too little.

use codec::DecodeAll;
use dpki_runtime::{Runtime, RuntimeCall, RuntimeEvent, mandate};
use frame_support::traits::{CallMetadata, GetCallMetadata};
use std::collections::BTreeMap;

/// The pallets that are not ours. Every call of every other one has to be reached, also of one that is new.
const FOREIGN: [&str; 9] = [
	"System",
	"Timestamp",
	"Balances",
	"Session",
	"Grandpa",
	"CouncilMembership",
	"Sudo",
	"Multisig",
	"Proxy",
];

/// How often a call was carried out and refused.
#[derive(Clone, Copy, Default)]
struct Reached {
	carried_out: u32,
	refused: u32,
}

/// What was reached of every call, by pallet and name.
#[derive(Default)]
pub struct Coverage(BTreeMap<(&'static str, &'static str), Reached>);

impl Coverage {
	/// Takes notice of a call.
	pub fn note(&mut self, call: &RuntimeCall, is_carried_out: bool) {
		let CallMetadata { pallet_name, function_name } = call.get_call_metadata();
		let reached = self.0.entry((pallet_name, function_name)).or_default();
		match is_carried_out {
			true => reached.carried_out += 1,
			false => reached.refused += 1,
		}
	}

	/// Every call of ours with how often it was carried out and refused.
	fn ours(&self) -> impl Iterator<Item = (String, Reached)> {
		let pallets = RuntimeCall::get_module_names().iter().filter(|it| !FOREIGN.contains(it));
		pallets.flat_map(move |pallet| {
			RuntimeCall::get_call_names(pallet).iter().map(move |call| {
				let reached = self.0.get(&(*pallet, *call)).copied().unwrap_or_default();
				(format!("{pallet}.{call}"), reached)
			})
		})
	}

	/// A line for each call of ours.
	pub fn report(&self) -> String {
		let line = |(call, Reached { carried_out, refused }): (String, Reached)| {
			format!("{carried_out:6} carried out, {refused:6} refused: {call}\n")
		};
		self.ours().map(line).collect()
	}

	/// The calls of ours that were never carried out, or never refused.
	pub fn missing(&self) -> Vec<String> {
		self.ours()
			.filter(|(_, reached)| reached.carried_out == 0 || reached.refused == 0)
			.map(|(call, _)| call)
			.collect()
	}
}

/// A call, and what it carries out if it succeeds, and so on; the innermost last.
pub fn layers(call: &RuntimeCall) -> Vec<RuntimeCall> {
	let mut layers = vec![call.clone()];
	while let Some(inner) = layers.last().and_then(carried) {
		layers.push(inner);
	}
	layers
}

fn carried(call: &RuntimeCall) -> Option<RuntimeCall> {
	match call {
		RuntimeCall::Mandate(mandate::Call::dispatch_as_root { call })
		| RuntimeCall::Motions(pallet_motions::Call::propose { call, .. })
		| RuntimeCall::Multisig(
			pallet_multisig::Call::as_multi { call, .. }
			| pallet_multisig::Call::as_multi_threshold_1 { call, .. },
		)
		| RuntimeCall::Proxy(pallet_proxy::Call::proxy { call, .. }) => Some((**call).clone()),
		RuntimeCall::Motions(pallet_motions::Call::vote { motion, .. }) => {
			let bytes = pallet_motions::Calls::<Runtime>::get(motion)?;
			RuntimeCall::decode_all(&mut &bytes[..]).ok()
		},
		_ => None,
	}
}

/// Whether each of the layers that were reached was carried out, from what became of the first and from the events.
pub fn outcomes(layers: &[RuntimeCall], first: bool, events: &[RuntimeEvent]) -> Vec<bool> {
	let mut outcomes = vec![first];
	let (_, wrappers) = layers.split_last().expect("a call is a layer");
	for wrapper in wrappers {
		let is_told = |event: &RuntimeEvent| match (wrapper, event) {
			(
				RuntimeCall::Motions(_),
				RuntimeEvent::Motions(pallet_motions::Event::Executed { result, .. }),
			)
			| (
				RuntimeCall::Multisig(_),
				RuntimeEvent::Multisig(pallet_multisig::Event::MultisigExecuted { result, .. }),
			)
			| (
				RuntimeCall::Proxy(_),
				RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }),
			) => Some(result.is_ok()),
			(RuntimeCall::Mandate(_), _) => Some(true),
			_ => None,
		};
		// Of a wrapper that failed nobody knows whether it came to what it carries.
		let inner = outcomes.last().is_some_and(|it| *it).then(|| events.iter().find_map(is_told));
		let Some(inner) = inner.flatten() else { break };
		outcomes.push(inner);
	}
	outcomes
}
