// SPDX-License-Identifier: Apache-2.0

//! What each kind of proxy may do, call by call: whoever adds a call decides here who may make it for another.

use codec::DecodeAll;
use dpki_runtime::{RuntimeCall, configs::accounts::ProxyType};
use frame_support::traits::InstanceFilter;
use scale_info::{
	PortableRegistry, Registry, TypeDef, TypeDefPrimitive, form::PortableForm, meta_type,
};
use std::collections::BTreeSet;

/// What a proxy for the rotation of keys may do. No calls about fleets are in here: whoever commits to leaves proves to hold
/// none of the keys in them, and a roll takes devices that are new, as a batch does.
const KEY_ROTATION: [(&str, &[&str]); 3] = [
	("Organisations", &["hand_over", "cancel_hand_over", "accept_hand_over"]),
	(
		"Dpki",
		&[
			"register_key",
			"replace_key",
			"announce_next_key",
			"revoke_key",
			"revoke_keys",
			"suspend_key",
		],
	),
	("Session", &["set_keys"]),
];

/// What a proxy for deliveries may do: publish them, take them back, and tell a device which one answers what it asked for. It does
/// not approve them, which takes somebody else, and refuses no device anything, which is a decision.
const PUBLISHING: [(&str, &[&str]); 2] =
	[("Deliveries", &["publish", "publish_shared", "withdraw"]), ("Requests", &["answer"])];

/// What a proxy of an observer, an endorser or a validator may do.
const ATTESTING: [(&str, &[&str]); 2] = [
	("Certificates", &["commit", "reveal", "endorse", "withdraw_endorsement"]),
	("Fleets", &["vote"]),
];

/// Calls of ours that an account makes itself or through a proxy that may do everything: they decide about people, money, what
/// is trusted and what exists, or are signed by nobody.
const ONLY_ANY: [(&str, &[&str]); 10] = [
	(
		"Organisations",
		&[
			"create",
			"set_member",
			"remove_member",
			"set_policy",
			"begin_recovery",
			"cancel_recovery",
			"complete_recovery",
			"dissolve",
			"admit",
			"join",
		],
	),
	(
		"Dpki",
		&[
			"register_anchor",
			"retire_anchor",
			"revoke_anchor",
			"revoke_ssh",
			"issue_voucher",
			"cancel_voucher",
			"enrol",
			"revoke_device",
			"revoke_own_key",
			"clear_expired_voucher",
			"register_authority",
			"adopt_authority",
			"plan_rollover",
			"cancel_rollover",
			"suspend_anchor",
			"release_anchor",
			"set_crl_pointer",
			"set_key_policy",
			"add_own_key",
			"replace_own_key",
			"reveal_next_key",
			"request_keys",
			"approve_request",
			"reject_request",
			"report_compromise",
			"register_batch",
			"revoke_devices",
			"announce_own_key",
			"suspend_device",
			"release_device",
			"release_key",
		],
	),
	("Deliveries", &["acknowledge", "approve"]),
	("Requests", &["file", "withdraw", "refuse", "clear"]),
	(
		"Certificates",
		&[
			"apply",
			"renew",
			"withdraw_application",
			"close",
			"amend",
			"revoke",
			"suspend",
			"release",
			"accredit",
			"suspend_accreditation",
			"release_accreditation",
			"mark_compromised",
			"set_policy",
			"set_fees",
			"bond",
			"unbond",
			"withdraw_bond",
			"slash",
			"set_minimum_bond",
		],
	),
	("Economy", &["set_fee", "set_deposit", "set_feeless", "set_quotas"]),
	(
		"Fleets",
		&[
			"commit",
			"append",
			"rotate",
			"withdraw",
			"revoke_members",
			"revoke_fleet",
			"retire_fleet",
			"publish_tile",
			"open_roll",
			"append_keys",
		],
	),
	("Motions", &["propose", "vote", "withdraw", "close"]),
	(
		"ValidatorSet",
		&[
			"add_validator",
			"remove_validator",
			"disable_validator",
			"enable_validator",
			"set_bounds",
			"leave",
		],
	),
	("Mandate", &["dispatch_as_root"]),
];

/// The pallets that are not ours. Of their calls none but those that are named above is for a proxy with less than every right.
const NOT_OURS: [&str; 10] = [
	"System",
	"Timestamp",
	"Balances",
	"Offences",
	"Session",
	"Grandpa",
	"CouncilMembership",
	"Sudo",
	"Multisig",
	"Proxy",
];

type Names = BTreeSet<(String, String)>;

fn names(list: &[(&str, &[&str])]) -> Names {
	let of = |(pallet, calls): &(&str, &[&str])| -> Vec<_> {
		calls.iter().map(|call| (pallet.to_string(), call.to_string())).collect()
	};
	list.iter().flat_map(of).collect()
}

/// The encoding of the least value of a type: zeros, nothing, and the first of what it can be.
fn least(types: &PortableRegistry, id: u32) -> Vec<u8> {
	let all = |ids: &mut dyn Iterator<Item = u32>| ids.flat_map(|id| least(types, id)).collect();
	match &types.resolve(id).expect("it is registered").type_def {
		TypeDef::Composite(composite) => all(&mut composite.fields.iter().map(|it| it.ty.id)),
		TypeDef::Tuple(tuple) => all(&mut tuple.fields.iter().map(|it| it.id)),
		TypeDef::Array(array) => all(&mut (0..array.len).map(|_| array.type_param.id)),
		TypeDef::Variant(enumeration) => {
			let first = enumeration.variants.first().expect("it can be something");
			let fields: Vec<u8> = all(&mut first.fields.iter().map(|it| it.ty.id));
			[vec![first.index], fields].concat()
		},
		TypeDef::Primitive(primitive) => vec![0; length(primitive)],
		// The length of nothing, and zero.
		TypeDef::Sequence(_) | TypeDef::Compact(_) | TypeDef::BitSequence(_) => vec![0],
	}
}

fn length(primitive: &TypeDefPrimitive) -> usize {
	use TypeDefPrimitive::{
		Bool, Char, I8, I16, I32, I64, I128, I256, Str, U8, U16, U32, U64, U128, U256,
	};
	match primitive {
		Bool | U8 | I8 | Str => 1,
		U16 | I16 => 2,
		Char | U32 | I32 => 4,
		U64 | I64 => 8,
		U128 | I128 => 16,
		U256 | I256 => 32,
	}
}

fn variants(types: &PortableRegistry, id: u32) -> Vec<scale_info::Variant<PortableForm>> {
	match &types.resolve(id).expect("it is registered").type_def {
		TypeDef::Variant(variants) => variants.variants.clone(),
		other => panic!("a call is one of several, and not {other:?}"),
	}
}

/// Every call of the runtime: pallet, name, and one with the least arguments. The filters look at none.
fn all_calls() -> Vec<(String, String, RuntimeCall)> {
	let mut registry = Registry::new();
	let root = registry.register_type(&meta_type::<RuntimeCall>()).id;
	let types = PortableRegistry::from(registry);
	let mut all = Vec::new();
	for pallet in variants(&types, root) {
		for call in variants(&types, pallet.fields[0].ty.id) {
			let mut bytes = vec![pallet.index, call.index];
			bytes.extend(call.fields.iter().flat_map(|field| least(&types, field.ty.id)));
			let made = RuntimeCall::decode_all(&mut &bytes[..])
				.unwrap_or_else(|error| panic!("{}.{}: {error}", pallet.name, call.name));
			all.push((pallet.name.clone(), call.name, made));
		}
	}
	all
}

#[test]
fn each_kind_of_proxy_may_do_what_is_listed_and_nothing_else() {
	let calls = all_calls();
	for (right, listed) in [
		(ProxyType::KeyRotation, names(&KEY_ROTATION)),
		(ProxyType::Publishing, names(&PUBLISHING)),
		(ProxyType::Attesting, names(&ATTESTING)),
	] {
		let allowed: Names = calls
			.iter()
			.filter(|(.., call)| right.filter(call))
			.map(|(pallet, name, _)| (pallet.clone(), name.clone()))
			.collect();
		assert_eq!(allowed, listed, "{right:?}");
	}
	assert!(calls.iter().all(|(.., call)| ProxyType::Any.filter(call)));
}

#[test]
fn each_call_of_ours_is_listed_once() {
	let lists = [&KEY_ROTATION[..], &PUBLISHING, &ATTESTING, &ONLY_ANY].map(names);
	let listed: Names = lists.iter().flatten().cloned().collect();
	assert_eq!(listed.len(), lists.iter().map(Names::len).sum::<usize>(), "one is there twice");
	let is_ours = |pallet: &String| !NOT_OURS.contains(&pallet.as_str());
	let ours = all_calls().into_iter().map(|(pallet, name, _)| (pallet, name));
	let ours: Names = ours.filter(|(pallet, _)| is_ours(pallet)).collect();
	let listed = listed.into_iter().filter(|(pallet, _)| is_ours(pallet)).collect();
	let missing: Vec<_> = ours.difference(&listed).collect();
	assert!(missing.is_empty(), "decide who may make these for another: {missing:?}");
	let gone: Vec<_> = listed.difference(&ours).collect();
	assert!(gone.is_empty(), "these are no calls any more: {gone:?}");
}
