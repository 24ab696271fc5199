//! Devices under the names by which they are reached, and what their users and services get.

use super::{DeviceRef, list, name};
use dpki_client::names::NameKind;
use std::{path::PathBuf, str::FromStr};

/// `DEVICE=pattern[,pattern...]`: a device, and the names by which it is reached.
#[derive(Clone, Debug)]
pub struct DeviceHosts {
	/// The device.
	pub device: DeviceRef,
	/// Host name patterns as in `known_hosts`.
	pub hosts: Vec<String>,
}

impl FromStr for DeviceHosts {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let malformed =
			|| "write DEVICE=pattern[,pattern...], such as acme/drone-7=10.0.0.7".to_owned();
		let (device, hosts) = text.split_once('=').ok_or_else(malformed)?;
		Ok(Self { device: device.parse()?, hosts: list(NameKind::HostPattern, hosts)? })
	}
}

/// `LOGIN=FILE`: a user of a device, and a file for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFile {
	/// The user.
	pub login: String,
	/// The file.
	pub path: PathBuf,
}

impl FromStr for LoginFile {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (login, path) =
			text.split_once('=').ok_or("write LOGIN=FILE, such as pilot=id_ed25519")?;
		Ok(Self { login: name(NameKind::Login, login)?, path: path.into() })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_device_has_names_that_known_hosts_can_hold() {
		let it: DeviceHosts = "acme/drone-7=10.0.0.7,*.acme.example".parse().unwrap();
		assert_eq!((it.device.text.as_str(), it.hosts.len()), ("acme/drone-7", 2));
		for wrong in ["acme/drone-7", "acme/drone-7=", "acme=x", "acme/drone-7=a b"] {
			assert!(wrong.parse::<DeviceHosts>().is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_file_is_for_a_login() {
		let it: LoginFile = "pilot=key".parse().unwrap();
		assert_eq!((it.login.as_str(), it.path), ("pilot", PathBuf::from("key")));
		assert!("pilot".parse::<LoginFile>().is_err() && "a b=key".parse::<LoginFile>().is_err());
	}
}
