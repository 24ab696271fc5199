//! OpenSSH's server and client, as a person would use them.

use crate::{Process, Workspace, free_port, run};
use std::{
	ffi::OsString,
	fs,
	path::{Path, PathBuf},
};

/// An `sshd` on a loopback port whose trust is what an agent gives it.
pub struct Sshd {
	process: Option<Process>,
	config: PathBuf,
	log: PathBuf,
	port: u16,
}

/// What became of a login.
#[derive(Debug)]
pub struct Login {
	/// Whether the remote command ran and succeeded.
	pub granted: bool,
	/// What the remote command printed.
	pub printed: String,
	/// What `ssh` said.
	pub said: String,
}

/// The login name of whoever runs the tests: an unprivileged sshd can only log in its own user.
pub fn login_name() -> String {
	let output = run(Path::new("/usr/bin/id"), ["-un"]);
	String::from_utf8_lossy(&output.stdout).trim().to_string()
}

impl Sshd {
	/// Writes the configuration, with the agent's fragment included, and starts the server.
	pub fn start(workspace: &Workspace, fragment: &Path) -> Self {
		// Debian's sshd insists on its privilege separation folder when it runs as root.
		if login_name() == "root" {
			fs::create_dir_all("/run/sshd")
				.expect("creates the privilege separation folder of sshd");
		}
		let port = free_port();
		let config = workspace.join("sshd_config");
		let lines = [
			format!("Include {}", fragment.display()),
			format!("Port {port}"),
			"ListenAddress 127.0.0.1".into(),
			format!("PidFile {}", workspace.join("sshd.pid").display()),
			"UsePAM no".into(),
			"PasswordAuthentication no".into(),
			"KbdInteractiveAuthentication no".into(),
			"PubkeyAuthentication yes".into(),
			"PermitRootLogin prohibit-password".into(),
			"AuthorizedKeysFile none".into(),
			// The checkout may lie below a folder that others can write to, such as /tmp.
			"StrictModes no".into(),
			"LogLevel VERBOSE".into(),
		];
		fs::write(&config, lines.join("\n") + "\n").expect("writes the configuration of sshd");
		let mut sshd = Self { process: None, config, log: workspace.join("sshd.log"), port };
		sshd.restart();
		sshd
	}

	/// Starts the server anew, for what it reads only then.
	pub fn restart(&mut self) {
		self.process = None;
		let args: [OsString; 4] =
			["-D".into(), "-e".into(), "-f".into(), self.config.clone().into()];
		self.process = Some(Process::start(
			Path::new("/usr/sbin/sshd"),
			args,
			&self.log,
			Some("Server listening on"),
		));
	}

	/// The configuration file.
	pub fn config(&self) -> &Path {
		&self.config
	}

	/// Logs in with this key, whose certificate lies beside it, knowing only these hosts, and runs a command.
	pub fn login(&self, key: &Path, known_hosts: &Path, command: &str) -> Login {
		let output = run(
			Path::new("/usr/bin/ssh"),
			[
				"-F",
				"none",
				"-p",
				&self.port.to_string(),
				"-i",
				&key.display().to_string(),
				"-o",
				"IdentitiesOnly=yes",
				"-o",
				"IdentityAgent=none",
				"-o",
				"BatchMode=yes",
				"-o",
				"StrictHostKeyChecking=yes",
				"-o",
				&format!("UserKnownHostsFile={}", known_hosts.display()),
				"-o",
				"GlobalKnownHostsFile=none",
				"-o",
				"HostKeyAlias=device.test",
				&format!("{}@127.0.0.1", login_name()),
				command,
			],
		);
		Login {
			granted: output.status.success(),
			printed: String::from_utf8_lossy(&output.stdout).trim().to_string(),
			said: String::from_utf8_lossy(&output.stderr).trim().to_string(),
		}
	}

	/// What the server wrote.
	pub fn log(&self) -> String {
		fs::read_to_string(&self.log).unwrap_or_default()
	}
}
