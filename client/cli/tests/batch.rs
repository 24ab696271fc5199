//! Many devices at once, as far as it needs no chain.

use assert_cmd::Command;
use std::fs;

fn fails(code: i32, arguments: &[&str]) -> String {
	let mut command = Command::cargo_bin("dpki").unwrap();
	for variable in ["DPKI_ACCOUNT", "DPKI_GENESIS", "DPKI_PASSPHRASE"] {
		command.env_remove(variable);
	}
	command.env("DPKI_URL", "ws://127.0.0.1:1");
	let assert = command.args(arguments).assert().failure().code(code).stdout("");
	String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn a_table_of_devices_is_read_before_any_node_is_asked() {
	let folder = tempfile::tempdir().unwrap();
	let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
	Command::cargo_bin("dpki")
		.unwrap()
		.args(["key", "new", "ssh-ca", &path("one.key")])
		.assert()
		.success();
	let batch = |table: &str| {
		fs::write(path("drones.csv"), table).unwrap();
		fails(1, &["device", "batch", &path("drones.csv"), "--org", "acme", "--account", "//Alice"])
	};
	let good = "name,purpose,key\ndrone-1,sign,one.key\n drone-2 , sign , one.key\n";
	assert!(batch(good).contains("no node answers"));
	for (wrong, sentence) in [
		("drone-1,sign,one.key\n", "is not name,purpose,key"),
		("name,purpose,key\ndrone-1,sign\n", "line 2"),
		("name,purpose,key\ndrone-1,sign,one.key\nDrone,sign,one.key\n", "line 3: a name has"),
		("name,purpose,key\ndrone-1,other,one.key\n", "the purpose is none of"),
		("name,purpose,key\ndrone-1,sign,none.key\n", "cannot read"),
	] {
		let error = batch(wrong);
		assert!(error.contains(sentence), "{sentence}: {error}");
	}
}
