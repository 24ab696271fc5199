//! The chain as JavaScript programs see it: the public packages, from the lock file of `client/js`, against a real node.

use dpki_e2e::{
	Fleet, block, hex, npm,
	proofs::{new_device, reach, schedule_change},
};
use dpki_primitives::ids::OrganisationId;
use dpki_verifier::Query;
use std::process::Command;

#[tokio::test]
async fn the_public_packages_read_submit_and_follow() {
	let fleet = Fleet::start("javascript");
	for kind in ["ssh-user-ca", "ssh-host-ca"] {
		fleet.add_ssh_ca(kind);
	}
	let listed = fleet.admin.ok(["anchor", "list", "--org", "acme"]);
	let anchors: Vec<_> = listed
		.as_array()
		.expect("a list")
		.iter()
		.map(|anchor| anchor["anchor"].as_str().expect("an id"))
		.collect();

	// A set of authorities after the first one, at a block of our choice, and a delivery to one of two devices.
	let client = fleet.node.client().await;
	let change = client.finalized_head().await.expect("the node answers").number + 10;
	let change_it = schedule_change(&new_device(&client).await, change);
	fleet.admin.ok(["motion", "propose", "root", &hex(&change_it)]);
	let (device, other) = (fleet.enrol("drone-1").await, fleet.enrol("drone-2").await);
	let delivered = fleet.admin.ok(["deliver", "--org", "acme", "--device", "drone-1", "--empty"]);
	let published = block(&delivered);
	reach(&client, &Query::new(), None, published.max(change.into()) + 1).await;

	let package = npm::install("js", "", &[]);
	let output = Command::new("npm")
		.args(["test", "--silent"])
		.current_dir(&package)
		.env("DPKI_URL", fleet.node.url())
		.env("DPKI_GENESIS", hex(&client.genesis_hash()))
		.env("DPKI_ORGANISATION", OrganisationId::from_name(b"acme").to_string())
		.env("DPKI_ANCHORS", anchors.join(","))
		.env("DPKI_CHANGE", change.to_string())
		.env("DPKI_DEVICES", format!("{},{}", device.id(), other.id()))
		.env("DPKI_DIGEST", delivered["digest"].as_str().expect("a digest"))
		.env("DPKI_PUBLISHED", published.to_string())
		.output()
		.expect("npm starts");
	let said = String::from_utf8_lossy(&output.stdout);
	assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
	// A runner that finds no tests succeeds, too.
	let passed = said.lines().find_map(|line| line.strip_prefix("# pass "));
	assert!(passed.is_some_and(|count| count != "0"), "{said}");
}
