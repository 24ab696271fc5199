//! What most tests begin with: a chain, an organisation with its CAs, and enrolled devices.

use crate::{Device, Dpki, Node, Workspace, binary, login_name, node::MEASURED, run};
use dpki_primitives::ids::AnchorId;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// An organisation on a chain of its own, administrated by //Alice.
pub struct Fleet {
	/// The chain.
	pub node: Node,
	/// The command line of the administrator.
	pub admin: Dpki,
	/// The name of the organisation.
	pub organisation: String,
	/// Files of the administrator, and everything else.
	pub workspace: Workspace,
}

impl Fleet {
	/// Starts a chain and creates the organisation `acme`.
	pub fn start(test: &str) -> Self {
		let workspace = Workspace::new(test);
		let node = Node::start(&workspace);
		Self::on(workspace, node)
	}

	/// The same, and Prometheus can read the figures of the node.
	pub fn start_measured(test: &str) -> Self {
		let workspace = Workspace::new(test);
		let node = Node::start_with(&workspace, &MEASURED);
		Self::on(workspace, node)
	}

	/// The same on a chain with slots of this length, in milliseconds, for what takes many blocks.
	pub fn start_with_slots(test: &str, millis: u64) -> Self {
		let workspace = Workspace::new(test);
		let node = Node::start_altered(&workspace, |genesis| {
			genesis["timing"]["slotDuration"] = millis.into();
		});
		Self::on(workspace, node)
	}

	fn on(workspace: Workspace, node: Node) -> Self {
		let admin = Dpki::new(&node, "//Alice");
		admin.ok(["org", "create", "acme", "--kind", "ecosystem-operator"]);
		Self { node, admin, organisation: "acme".into(), workspace }
	}

	/// Makes an SSH CA, registers it as an anchor, and gives its private key file.
	pub fn add_ssh_ca(&self, kind: &str) -> PathBuf {
		let key = self.workspace.join(kind);
		self.admin
			.ok(["key".as_ref(), "new".as_ref(), "ssh-ca".as_ref(), key.as_os_str()]);
		self.admin.ok([
			"anchor".as_ref(),
			"add".as_ref(),
			"--org".as_ref(),
			self.organisation.as_ref(),
			"--kind".as_ref(),
			kind.as_ref(),
			"--key".as_ref(),
			key.as_os_str(),
		]);
		key
	}

	/// Issues a voucher for the device of this name and gives the file that holds it.
	pub fn voucher(&self, device: &str, valid: &str, file: &str) -> PathBuf {
		let out = self.workspace.join(file);
		self.admin.ok([
			"voucher",
			"new",
			"--org",
			&self.organisation,
			"--device",
			device,
			"--valid",
			valid,
			"--out",
			&out.display().to_string(),
		]);
		out
	}

	/// Enrols a device of this name.
	pub async fn enrol(&self, name: &str) -> Device {
		let voucher = self.voucher(name, "10m", &format!("{name}.voucher"));
		let device = Device::init(&self.workspace, &self.node, &self.organisation, name).await;
		device.enrol(&voucher);
		device
	}

	/// Delivers SSH access to a device: whoever has a certificate for `ops` by the user CA may log in. Waits until the
	/// device has applied it.
	pub fn deliver_access(&self, device: &Device, user_ca: &Path, host_ca: &Path) -> Value {
		self.admin.ok([
			"deliver",
			"--org",
			&self.organisation,
			"--device",
			&device.name,
			"--user-ca",
			&public(user_ca).display().to_string(),
			"--host-ca-key",
			&host_ca.display().to_string(),
			"--host-name",
			"device.test",
			"--principals",
			&format!("{}=ops", login_name()),
			"--wait",
		])
	}

	/// Makes a key for a person.
	pub fn user_key(&self, name: &str) -> PathBuf {
		let key = self.workspace.join(name);
		let made = run(
			Path::new("/usr/bin/ssh-keygen"),
			["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", &key.display().to_string()],
		);
		assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
		key
	}

	/// Signs a person's key for `ops` for this long; the certificate lies beside the key.
	pub fn grant(&self, user_ca: &Path, key: &Path, span: &str) -> Value {
		self.admin.ok([
			"ssh",
			"sign",
			"--ca",
			&user_ca.display().to_string(),
			"--principal",
			"ops",
			"--for",
			span,
			&public(key).display().to_string(),
		])
	}

	/// A `known_hosts` file that believes what this host CA signed.
	pub fn known_hosts(&self, host_ca: &Path) -> PathBuf {
		let file = self.workspace.join("known_hosts");
		let ca = std::fs::read_to_string(public(host_ca)).expect("the CA has a public key file");
		std::fs::write(&file, format!("@cert-authority device.test {ca}"))
			.expect("writes known_hosts");
		file
	}
}

/// The public key file beside a private one.
pub fn public(key: &Path) -> PathBuf {
	PathBuf::from(format!("{}.pub", key.display()))
}

/// The certificate file beside a private key.
pub fn certificate(key: &Path) -> PathBuf {
	PathBuf::from(format!("{}-cert.pub", key.display()))
}

/// A shell command by which a device tells its own name from what its agent knows.
pub fn tell_name(device: &Device) -> String {
	format!(
		"{} status --json --config {} | jq -r .device",
		binary("dpki-agent").display(),
		device.join("agent.toml").display()
	)
}

/// The finalised block of an answer of the command line.
pub fn block(answer: &Value) -> u64 {
	answer["block"]["number"]
		.as_u64()
		.unwrap_or_else(|| panic!("no block in {answer}"))
}

/// The anchors of the organisation `acme`.
pub fn anchors(admin: &Dpki) -> Vec<AnchorId> {
	let listed = admin.ok(["anchor", "list", "--org", "acme"]);
	let id = |anchor: &Value| {
		anchor["anchor"].as_str().expect("an id").parse().expect("an id is hexadecimal")
	};
	listed.as_array().expect("a list").iter().map(id).collect()
}
