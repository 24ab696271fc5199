//! A delivery to more devices than one envelope has room for.

use dpki_client::{BlobStore, ChainBlobs, envelope, possession::AgreementKey};
use dpki_e2e::Fleet;
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryBinding, MAX_RECIPIENTS},
	ids::{DeviceId, OrganisationId},
};
use serde_json::json;
use std::{
	fmt::Write,
	fs::{self, Permissions},
	os::unix::fs::PermissionsExt,
	path::PathBuf,
};

/// Two more than an envelope has room for, with the keys that take the least of it.
const DEVICES: usize = MAX_RECIPIENTS as usize + 2;

fn name(index: usize) -> String {
	format!("drone-{index}")
}

fn key(index: usize) -> AgreementKey {
	let mut secret = [0x5e; 32];
	// Of the first byte and the last not every bit counts.
	secret[8..16].copy_from_slice(&(index as u64).to_le_bytes());
	AgreementKey::from_secret_bytes(&secret)
}

/// A table of the devices, as they leave a factory: each with a key to speak with, and one to which deliveries are encrypted.
fn table(fleet: &Fleet) -> PathBuf {
	let mut table = "name,purpose,key\n".to_owned();
	for index in 0..DEVICES {
		let agreement = hex::encode(key(index).to_secret_bytes().as_slice());
		let signing = format!("{index:064x}");
		for (purpose, digits) in [("sign", signing), ("key-agreement", agreement)] {
			let file = format!("{index}.{purpose}");
			let path = fleet.workspace.join(&file);
			fs::write(&path, digits).expect("writes the key");
			fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("sets its mode");
			writeln!(table, "{},{purpose},{file}", name(index)).expect("it is text");
		}
	}
	let path = fleet.workspace.join("devices.csv");
	fs::write(&path, table).expect("writes the table");
	path
}

/// A table that was registered is registered again without harm, and what is refused is told with its line.
fn batches_go_on(fleet: &Fleet, table: &str, batch: &[&str]) {
	let told = fleet.admin.ok(batch);
	assert_eq!((&told["devices"], &told["registered_before"]), (&json!(0), &json!(DEVICES)));
	let good = fs::read_to_string(table).expect("reads the table");
	let line = good.lines().count() + 1;
	let place = |name: &str| format!("line {line} of {table}, the device {name}, is refused");
	let registered = format!("{DEVICES} of the {} devices are registered", DEVICES + 1);
	// By the chain, and by what is read of it before anything is sent.
	fs::write(table, format!("{good}late,sign,0.sign\n")).expect("writes the table");
	let refused = fleet.admin.refused(batch);
	assert!(refused.contains(&place("late")), "{refused}");
	assert!(refused.contains("registered already") && refused.contains(&registered), "{refused}");
	let other = good.replacen("drone-0,sign,0.sign", "drone-0,sign,1.sign", 1);
	fs::write(table, other).expect("writes the table");
	let refused = fleet.admin.refused(batch);
	assert!(refused.contains("line 2 of") && refused.contains("with other keys"), "{refused}");
	fs::write(table, format!("{good}late,sign,late.sign\n")).expect("writes the table");
	let key = fleet.workspace.join("late.sign");
	fs::write(&key, format!("{:064x}", DEVICES + 1)).expect("writes the key");
	fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("sets its mode");
	let told = fleet.admin.ok(batch);
	assert_eq!((&told["devices"], &told["registered_before"]), (&json!(1), &json!(DEVICES)));
}

#[tokio::test]
async fn more_devices_than_an_envelope_has_room_for_are_served_by_one_command() {
	let fleet = Fleet::start("many");
	let table = table(&fleet).display().to_string();
	let batch = ["device", "batch", &table, "--org", "acme"];
	let told = fleet.admin.ok(batch);
	assert_eq!((&told["devices"], &told["registered_before"]), (&json!(DEVICES), &json!(0)));
	batches_go_on(&fleet, &table, &batch);
	let mut words: Vec<String> = ["deliver", "--org", "acme", "--empty"].map(Into::into).into();
	words.extend((0..DEVICES).flat_map(|index| ["--device".to_owned(), name(index)]));
	let told = fleet.admin.ok(words);
	let devices = |envelope: usize| told["envelopes"][envelope]["devices"].as_array().map(Vec::len);
	assert_eq!([devices(0), devices(1), devices(2)], [Some(DEVICES - 2), Some(2), None], "{told}");

	// Each device finds on the chain which envelope it is in, and opens that one.
	let client = fleet.node.client().await;
	let view = client.at_finalized().await.expect("the node answers");
	let organisation = OrganisationId::from_name(b"acme");
	let blobs = ChainBlobs::new(&client);
	for (index, of) in [(0, 0), (DEVICES - 3, 0), (DEVICES - 2, 1), (DEVICES - 1, 1)] {
		let device = DeviceId::from_name(organisation, name(index).as_bytes());
		let record = view.delivery(device, ChannelId::DEFAULT).await.expect("it is read");
		let record = record.expect("it is there");
		assert_eq!(told["envelopes"][of]["digest"], record.digest.to_string(), "{index}");
		let bytes = blobs.get(record.digest, record.length).await.expect("it is kept");
		let binding = DeliveryBinding {
			genesis: client.genesis_hash(),
			organisation,
			publisher: record.publisher,
			device,
			channel: ChannelId::DEFAULT,
			recipient: record.recipient,
			suite: record.suite,
			sequence: record.sequence,
		};
		envelope::open(&key(index), &binding, &bytes).expect("the device can open it");
	}
}
