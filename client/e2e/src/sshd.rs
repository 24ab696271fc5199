//! OpenSSH's server and client, as a person would use them.

use crate::{Process, Workspace, run};
use std::{
	ffi::OsString,
	fs,
	net::TcpListener,
	path::{Path, PathBuf},
};

/// How often another port is tried.
const ATTEMPTS: u32 = 5;

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
	/// Makes what sshd insists on, also for a test of its configuration: Debian's wants its privilege separation folder when
	/// it runs as root.
	pub fn prepare() {
		if login_name() == "root" {
			fs::create_dir_all("/run/sshd")
				.expect("creates the privilege separation folder of sshd");
		}
	}

	/// Writes the configuration, with the agent's fragment included, and starts the server.
	pub fn start(workspace: &Workspace, fragment: &Path) -> Self {
		Self::prepare();
		let mut sshd = Self {
			process: None,
			config: workspace.join("sshd_config"),
			log: workspace.join("sshd.log"),
			port: 0,
		};
		// sshd cannot choose its port, and what is free now may be another process's a moment later.
		for _ in 1..ATTEMPTS {
			sshd.configure(workspace, fragment);
			match sshd.try_restart() {
				Ok(()) => return sshd,
				Err(said) if said.contains("Address already in use") => {},
				Err(said) => panic!("{said}"),
			}
		}
		sshd.configure(workspace, fragment);
		sshd.restart();
		sshd
	}

	/// Writes the configuration for a port that is free now.
	fn configure(&mut self, workspace: &Workspace, fragment: &Path) {
		self.port = free_port();
		let lines = [
			format!("Include {}", fragment.display()),
			format!("Port {}", self.port),
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
		fs::write(&self.config, lines.join("\n") + "\n").expect("writes the configuration of sshd");
	}

	/// Starts the server anew, for what it reads only then.
	pub fn restart(&mut self) {
		self.try_restart().unwrap_or_else(|said| panic!("{said}"));
	}

	fn try_restart(&mut self) -> Result<(), String> {
		self.process = None;
		let args: [OsString; 4] =
			["-D".into(), "-e".into(), "-f".into(), self.config.clone().into()];
		let sshd = Path::new("/usr/sbin/sshd");
		let (process, _) = Process::start_until(sshd, args, &self.log, "Server listening on")?;
		self.process = Some(process);
		Ok(())
	}

	/// The configuration file.
	pub fn config(&self) -> &Path {
		&self.config
	}

	/// Logs in with this key, whose certificate lies beside it, knowing only these hosts, and runs a command.
	pub fn login(&self, key: &Path, known_hosts: &Path, command: &str) -> Login {
		let hosts = format!("UserKnownHostsFile={}", known_hosts.display());
		let options = [hosts.as_str(), "GlobalKnownHostsFile=none", "HostKeyAlias=device.test"];
		self.login_by(Path::new("none"), key, &options, command)
	}

	/// The same by this configuration of the client, with these options: they say which hosts are known.
	pub fn login_by(&self, config: &Path, key: &Path, options: &[&str], command: &str) -> Login {
		let usual = ["IdentitiesOnly=yes", "IdentityAgent=none", "BatchMode=yes"];
		let all = usual.iter().chain(&["StrictHostKeyChecking=yes"]).chain(options);
		let mut args: Vec<String> = [
			"-F",
			&config.display().to_string(),
			"-p",
			&self.port.to_string(),
			"-i",
			&key.display().to_string(),
		]
		.map(String::from)
		.to_vec();
		args.extend(all.flat_map(|option| ["-o".to_owned(), (*option).to_owned()]));
		args.extend([format!("{}@127.0.0.1", login_name()), command.to_owned()]);
		let output = run(Path::new("/usr/bin/ssh"), args);
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

/// A TCP port on loopback that nobody listens on.
fn free_port() -> u16 {
	TcpListener::bind(("127.0.0.1", 0))
		.and_then(|listener| listener.local_addr())
		.expect("loopback has a free port")
		.port()
}
