//! A real MQTT broker, Debian's mosquitto, on a loopback port and with nothing on the disk.

use std::{
	io::{BufRead, BufReader},
	net::TcpListener,
	path::Path,
	process::{Child, Command, Stdio},
};

/// How often another port is tried, should somebody take the one that was free a moment ago.
const ATTEMPTS: usize = 5;

/// A broker; it is ended when this is dropped, and by the kernel should the test itself be killed.
pub struct Broker {
	child: Child,
	port: u16,
}

impl Broker {
	/// Starts one with its configuration in this folder, and waits until it answers.
	pub fn start(folder: &Path) -> Self {
		for _ in 0..ATTEMPTS {
			if let Some(broker) = Self::try_start(folder) {
				return broker;
			}
		}
		panic!("mosquitto does not start: is the Debian package installed? scripts/setup does it");
	}

	fn try_start(folder: &Path) -> Option<Self> {
		// mosquitto cannot be told to choose a port.
		let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
		let config = folder.join(format!("mosquitto-{port}.conf"));
		let lines = [
			&format!("listener {port} 127.0.0.1"),
			"allow_anonymous true",
			"persistence false",
			"log_dest stderr",
			"log_type all",
			// Started by root, it would become a user who cannot read this file.
			"user root",
		];
		std::fs::write(&config, lines.join("\n")).unwrap();
		let mut child = Command::new("setpriv")
			.args(["--pdeathsig", "KILL", "/usr/sbin/mosquitto", "-c"])
			.arg(&config)
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.spawn()
			.unwrap();
		let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
		let runs = lines.any(|line| line.ends_with(" running"));
		let broker = Self { child, port };
		// What it goes on to say must be read, or it would wait for that one day.
		std::thread::spawn(move || lines.for_each(drop));
		runs.then_some(broker)
	}

	/// Its address.
	pub fn address(&self) -> String {
		format!("mqtt://127.0.0.1:{}", self.port)
	}
}

impl Drop for Broker {
	fn drop(&mut self) {
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}
