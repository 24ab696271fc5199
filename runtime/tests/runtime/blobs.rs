// SPDX-License-Identifier: Apache-2.0

//! What nodes store as blobs is the end of a transaction. These tests hold the whole runtime to the two things that this
//! rests on, whatever pallet comes next: a blob is the last field of its call, and every call that could carry another was
//! tried with one.

use dpki_runtime::RuntimeCall;
use scale_info::{PortableRegistry, Registry, TypeDef, form::PortableForm, meta_type};
use std::collections::{BTreeMap, BTreeSet};

/// The calls that have nodes store a blob, and the field that is one. `sp_io::transaction_index::index` is called for no
/// other.
const BLOBS: [(&str, &str, &str); 3] = [
	("Deliveries", "publish", "envelope"),
	("Deliveries", "publish_shared", "envelope"),
	("Fleets", "publish_tile", "tile"),
];

/// The calls that carry another one. Before one is added, see that blobs in it are refused, or stored as they are: those
/// here are tried in `delegation.rs`, `fleets.rs`, `transactions.rs`, and in the pallet of deliveries.
const WRAPPERS: [(&str, &str); 9] = [
	("Mandate", "dispatch_as_root"),
	("Motions", "propose"),
	("Multisig", "as_multi"),
	("Multisig", "as_multi_threshold_1"),
	("Proxy", "proxy"),
	("Proxy", "proxy_announced"),
	("Sudo", "sudo"),
	("Sudo", "sudo_as"),
	("Sudo", "sudo_unchecked_weight"),
];

/// The types of the runtime's calls, and which of them is the call itself.
fn types() -> (PortableRegistry, u32) {
	let mut registry = Registry::new();
	let outer = registry.register_type(&meta_type::<RuntimeCall>()).id;
	(registry.into(), outer)
}

/// The fields of each call, by pallet and name: what they are called, and of which type they are.
fn calls(types: &PortableRegistry, outer: u32) -> BTreeMap<(String, String), Vec<(String, u32)>> {
	let variants = |id: u32| match &types.resolve(id).expect("it is registered").type_def {
		TypeDef::Variant(choice) => choice.variants.clone(),
		other => panic!("a call is one of several, not {other:?}"),
	};
	let fields = |variant: &scale_info::Variant<PortableForm>| {
		let field =
			|it: &scale_info::Field<PortableForm>| (it.name.clone().unwrap_or_default(), it.ty.id);
		variant.fields.iter().map(field).collect::<Vec<_>>()
	};
	let mut calls = BTreeMap::new();
	for pallet in variants(outer) {
		let (_, inner) = fields(&pallet)[0];
		for call in variants(inner) {
			calls.insert((pallet.name.clone(), call.name.clone()), fields(&call));
		}
	}
	calls
}

/// Whether a value of this type can hold a call.
fn can_hold(types: &PortableRegistry, id: u32, outer: u32, seen: &mut BTreeSet<u32>) -> bool {
	if id == outer {
		return true;
	}
	if !seen.insert(id) {
		return false;
	}
	let parts: Vec<u32> = match &types.resolve(id).expect("it is registered").type_def {
		TypeDef::Composite(it) => it.fields.iter().map(|field| field.ty.id).collect(),
		TypeDef::Variant(it) => {
			it.variants.iter().flat_map(|it| &it.fields).map(|field| field.ty.id).collect()
		},
		TypeDef::Sequence(it) => vec![it.type_param.id],
		TypeDef::Array(it) => vec![it.type_param.id],
		TypeDef::Tuple(it) => it.fields.iter().map(|field| field.id).collect(),
		TypeDef::Compact(it) => vec![it.type_param.id],
		TypeDef::Primitive(_) | TypeDef::BitSequence(_) => Vec::new(),
	};
	parts.into_iter().any(|part| can_hold(types, part, outer, seen))
}

#[test]
fn a_blob_is_the_last_field_of_its_call() {
	let (types, outer) = types();
	let calls = calls(&types, outer);
	for (pallet, call, blob) in BLOBS {
		let fields = &calls[&(pallet.to_owned(), call.to_owned())];
		let (last, _) = fields.last().expect("it has fields");
		assert_eq!(last, blob, "{pallet}.{call} is stored wrongly by every node");
	}
}

#[test]
fn every_call_that_carries_another_was_tried_with_a_blob() {
	let (types, outer) = types();
	let found: Vec<_> = calls(&types, outer)
		.into_iter()
		.filter(|(_, fields)| {
			fields.iter().any(|(_, id)| can_hold(&types, *id, outer, &mut BTreeSet::new()))
		})
		.map(|(name, _)| name)
		.collect();
	let tried = WRAPPERS.map(|(pallet, call)| (pallet.to_owned(), call.to_owned()));
	assert_eq!(found, tried);
}
