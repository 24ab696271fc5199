//! Devices and keys on hold: what the chain says of them, what OpenSSH is told, what the device gets, and that all of it comes
//! back with the release.

use dpki_e2e::{Fleet, public, run};
use std::{fs, path::Path};

/// Whether OpenSSH takes a key for revoked.
fn is_revoked(list: &Path, key: &Path) -> bool {
	let args = ["-Q", "-f", &list.display().to_string(), &key.display().to_string()];
	let asked = run(Path::new("ssh-keygen"), args);
	let said = String::from_utf8_lossy(&asked.stdout).into_owned();
	assert!(said.trim_end().ends_with(": ok") || said.trim_end().ends_with(": REVOKED"), "{said}");
	asked.status.code() == Some(1)
}

#[tokio::test]
async fn what_is_on_hold_is_valid_again_when_it_is_released_and_never_if_it_is_revoked() {
	let fleet = Fleet::start("holds");
	let admin = &fleet.admin;
	admin.ok(["org", "member", "set", "acme", "//Bob", "--roles", "registrar"]);
	let bob = admin.acting_for("//Bob");
	bob.ok(["org", "join", "acme"]);
	let user_ca = public(&fleet.add_ssh_ca("ssh-user-ca")).display().to_string();
	let mut device = fleet.enrol("drone-7").await;
	device.start();
	let drone = "acme/drone-7";
	let deliver = |login: &str| {
		let principals = format!("{login}=alice");
		let args = ["deliver", "--org", "acme", "--device", "drone-7", "--wait", "--user-ca"];
		[&args[..], &[&user_ca[..], "--principals", &principals]]
			.concat()
			.into_iter()
			.map(str::to_owned)
			.collect::<Vec<_>>()
	};
	admin.ok(deliver("pilot"));

	let shown = admin.ok(["device", "show", drone]);
	let keys = shown["keys"].as_array().expect("its keys").clone();
	let host = keys.iter().find(|key| key["purpose"] == "ssh").expect("it has a host key");
	let id = host["key_id"].as_str().expect("an id").to_owned();
	let host_key = fleet.workspace.join("host_key.pub");
	let known = fleet.workspace.join("known_hosts");
	let export_hosts = format!("{drone}=drone");
	let known_hosts = known.display().to_string();
	let export_hosts = ["export", "known-hosts", "--host", &export_hosts, "--out", &known_hosts];
	admin.ok(export_hosts);
	let line = fs::read_to_string(&known).expect("it was written");
	let (_, key) = line.trim().split_once(' ').expect("a host and its key");
	fs::write(&host_key, key).expect("writes the key");
	let list = fleet.workspace.join("revoked_hosts");
	let written = list.display().to_string();
	let krl = ["export", "krl", "--device", drone, "--out", &written];
	admin.ok(krl);
	assert!(!is_revoked(&list, &host_key));

	// A registrar puts the device on hold, and its administrator makes that its own.
	let sentence = admin.refused(["hold", "device", drone]);
	assert!(sentence.contains("this asks for confirmation"), "{sentence}");
	assert!(sentence.ends_with("It is not valid until it is released."), "{sentence}");
	let hold = ["hold", "device", drone, "--reason", "keyCompromise", "--yes"];
	bob.ok(hold);
	assert_eq!(admin.status(["status", "device", drone])["hold"]["by"], "registrar");
	admin.ok(hold);
	let verdict = admin.status(["status", "device", drone]);
	assert_eq!(
		(&verdict["status"], &verdict["hold"]["by"]),
		(&"suspended".into(), &"governance".into())
	);
	assert_eq!(verdict["hold"]["reason"], "keyCompromise");
	assert_eq!(admin.status(["status", "key", &id])["status"], "suspended");
	admin.ok(krl);
	assert!(is_revoked(&list, &host_key));
	assert!(admin.refused(export_hosts).contains("no valid SSH host key"));
	let refused = admin.refused(deliver("root"));
	assert!(refused.contains("suspended"), "{refused}");
	let release = ["release", "device", drone, "--yes"];
	let refused = bob.refused(release);
	assert!(refused.contains("SuspendedByGovernance"), "{refused}");

	// Released, it goes on where it was: the device takes what it is sent, and says so.
	admin.ok(release);
	assert_eq!(admin.status(["status", "device", drone])["status"], "valid");
	admin.ok(deliver("root"));
	admin.ok(krl);
	assert!(!is_revoked(&list, &host_key));

	// A key alone, which is revoked in the end.
	admin.ok(["hold", "key", &id, "--yes"]);
	assert_eq!(admin.status(["status", "key", &id])["status"], "suspended");
	assert_eq!(admin.status(["status", "device", drone])["status"], "valid");
	admin.ok(krl);
	assert!(is_revoked(&list, &host_key));
	admin.ok(["revoke", "key", &id, "--reason", "keyCompromise", "--yes"]);
	let refused = admin.refused(["release", "key", &id, "--yes"]);
	assert!(refused.contains("KeyWasRevoked"), "{refused}");
	admin.ok(["export", "krl", "--key", &id, "--out", &written]);
	assert!(is_revoked(&list, &host_key));
}
