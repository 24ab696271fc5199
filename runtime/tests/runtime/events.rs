// SPDX-License-Identifier: Apache-2.0

//! The numbers, names and fields of all events, which those who read the state of a node rely on.
//!
//! Clients find an event by its name; indexers and light decoders by its number and the order of its fields.
//! `events.txt` has them all, so that a change of one is seen for what it is by whoever reads the change: a new line is
//! an addition, a line that changes or goes away breaks somebody. What the node tells its subscribers of events is
//! matched without a wildcard (`node/src/rpc`), so that a new event is not passed over unnoticed.

use dpki_runtime::RuntimeEvent;
use scale_info::{
	Field, PortableRegistry, Registry, TypeDef, TypeDefVariant, form::PortableForm, meta_type,
};
use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

const FILE: &str = "tests/runtime/events.txt";

/// What stands at the head of the file.
const HEAD: &str = "# Events: number of the pallet, number of the event, names, fields in order with their types.\n\
	# Written by `UPDATE_EVENTS=1 cargo test -p dpki-runtime events`.\n";

fn variants(types: &PortableRegistry, id: u32) -> &TypeDefVariant<PortableForm> {
	match &types.resolve(id).expect("it was registered").type_def {
		TypeDef::Variant(variants) => variants,
		other => panic!("no enumeration: {other:?}"),
	}
}

fn field(field: &Field<PortableForm>) -> String {
	let name = field.name.as_deref().unwrap_or("_");
	let of_type = field.type_name.as_deref().unwrap_or("_");
	format!("{name}: {of_type}")
}

/// One line for each event, by number.
fn events() -> BTreeMap<(u8, u8), String> {
	let mut registry = Registry::new();
	let all = registry.register_type(&meta_type::<RuntimeEvent>()).id;
	let types = PortableRegistry::from(registry);
	let mut events = BTreeMap::new();
	for pallet in &variants(&types, all).variants {
		for event in &variants(&types, pallet.fields[0].ty.id).variants {
			let fields: Vec<_> = event.fields.iter().map(field).collect();
			let line = format!("{}.{}({})", pallet.name, event.name, fields.join(", "));
			let before = events.insert((pallet.index, event.index), line);
			assert_eq!(before, None, "two events have one number");
		}
	}
	events
}

#[test]
fn events_keep_their_numbers_names_and_fields() {
	let mut text = HEAD.to_owned();
	for ((pallet, event), line) in events() {
		writeln!(text, "{pallet}.{event} {line}").unwrap();
	}
	let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
	if env::var_os("UPDATE_EVENTS").is_some() {
		fs::write(&file, &text).expect("can be written");
	}
	let kept = fs::read_to_string(&file).expect("there is such a file");
	let changed: Vec<_> = kept.lines().filter(|line| !text.lines().any(|it| it == *line)).collect();
	let new: Vec<_> = text.lines().filter(|line| !kept.lines().any(|it| it == *line)).collect();
	assert_eq!(
		kept, text,
		"changed or gone, so that whoever reads events by number reads something else: {changed:#?}\n\
		 new: {new:#?}\nif it is meant: `UPDATE_EVENTS=1 cargo test -p dpki-runtime events`"
	);
}
