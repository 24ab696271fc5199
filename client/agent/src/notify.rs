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
