//! Tells systemd how the agent is: the protocol of `sd_notify(3)`, one datagram per message.

use std::{
	ffi::OsStr,
	io,
	os::{
		linux::net::SocketAddrExt,
		unix::{
			ffi::OsStrExt,
			net::{SocketAddr, UnixDatagram},
		},
	},
};

/// The socket that systemd listens at, if it started us and wants to know.
pub struct Notifier(Option<SocketAddr>);

impl Notifier {
	/// The one that the environment names.
	pub fn from_env() -> Self {
		let address = std::env::var_os("NOTIFY_SOCKET").and_then(|name| address_of(&name).ok());
		Self(address)
	}

	/// The one with this name, as systemd writes it.
	pub fn at(name: &OsStr) -> io::Result<Self> {
		address_of(name).map(|address| Self(Some(address)))
	}

	/// Sends a message such as `READY=1`.
	pub fn tell(&self, message: &str) {
		let Some(address) = &self.0 else { return };
		let sent = UnixDatagram::unbound()
			.and_then(|socket| socket.send_to_addr(message.as_bytes(), address));
		if let Err(error) = sent {
			tracing::debug!(%error, "systemd does not listen");
		}
	}
}

/// What systemd is told of one life of the agent: `READY=1` once at most, and `STOPPING=1` once, whichever way it ends.
///
/// The agent is ready when a block that is fresh by the device's clock has been acted on: what the chain does not say
/// any more is out of force, and what a crash interrupted is finished. A delivery that is new at that moment may still
/// have to be fetched. It is not waited for, or a store that nobody reaches would keep everything from starting that
/// comes after the agent.
pub struct Readiness {
	notifier: Notifier,
	is_ready: bool,
	is_stopping: bool,
}

impl Readiness {
	/// Of an agent that starts.
	pub fn new(notifier: Notifier) -> Self {
		Self { notifier, is_ready: false, is_stopping: false }
	}

	/// Whether systemd has been told that the agent is ready.
	pub fn is_ready(&self) -> bool {
		self.is_ready
	}

	/// A block was acted on, or could not be; `is_fresh` is whether it is young enough to bring something new.
	pub fn acted_on(&mut self, block: u32, is_done: bool, is_fresh: bool) {
		if is_done && is_fresh && !self.is_ready {
			self.is_ready = true;
			self.notifier.tell("READY=1");
			tracing::info!(block, "caught up with the chain");
		}
	}

	/// The agent is about to end.
	pub fn stopping(&mut self) {
		if !self.is_stopping {
			self.is_stopping = true;
			self.notifier.tell("STOPPING=1");
		}
	}
}

impl Drop for Readiness {
	fn drop(&mut self) {
		self.stopping();
	}
}

/// A name that begins with `@` is in the abstract name space.
fn address_of(name: &OsStr) -> io::Result<SocketAddr> {
	match name.as_bytes() {
		[b'@', name @ ..] => SocketAddr::from_abstract_name(name),
		_ => SocketAddr::from_pathname(name),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_message_arrives_by_either_kind_of_name() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("notify").into_os_string();
		let mut hidden = std::ffi::OsString::from("@");
		hidden.push(&path);
		for name in [path, hidden] {
			let address = address_of(&name).unwrap();
			let socket = UnixDatagram::bind_addr(&address).unwrap();
			Notifier(Some(address)).tell("READY=1");
			let mut buffer = [0; 16];
			let length = socket.recv(&mut buffer).unwrap();
			assert_eq!(&buffer[..length], b"READY=1");
		}
		Notifier(None).tell("nobody listens");
	}
}
