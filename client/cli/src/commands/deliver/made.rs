//! What was made elsewhere and comes into a delivery as it is: certificates for keys of the device, and private keys.
//!
//! A device should make its keys itself. Whoever delivers a private key knows it, and so does everybody who ever opens the
//! envelope, which stays on the chain for ever: it is labelled as such, and asked about. Our agent takes it only where the
//! configuration of the device says so.

use crate::{
	commands::ssh as certificates,
	error::{Result, crypto},
	prompt, secrets,
	values::LoginFile,
};
use clap::Args;
use dpki_client::{Item, bundle::Secret};
use ssh_key::Certificate;
use std::path::PathBuf;

/// What was made elsewhere.
#[derive(Args, Default)]
pub struct Made {
	/// Host certificate that `dpki ssh sign-requests` made, for the device's own host key, or one for --host-key
	#[arg(long, value_name = "FILE", conflicts_with = "host_ca_key")]
	host_cert: Option<PathBuf>,
	/// SSH host key that the device gets beside its own, of another type or with a --host-cert for it; the configuration of the
	/// device has to say `host-key = true` under [apply]; asks for --yes
	#[arg(long, value_name = "FILE")]
	host_key: Option<PathBuf>,
	/// SSH key for a user of the device, whose place the configuration of the device names under [apply.user-keys]; asks for
	/// --yes (repeat for several)
	#[arg(long, value_name = "LOGIN=FILE")]
	user_key: Vec<LoginFile>,
	/// SSH certificate for the --user-key of this user; without one for the key that the device has made for it, with
	/// `dpki-agent request ssh-user`
	#[arg(long, value_name = "LOGIN=FILE")]
	user_cert: Vec<LoginFile>,
}

impl Made {
	/// Whether there is nothing.
	pub fn is_empty(&self) -> bool {
		self.host_cert.is_none()
			&& self.host_key.is_none()
			&& self.user_key.is_empty()
			&& self.user_cert.is_empty()
	}

	/// The parts of the delivery.
	pub fn items(&self) -> Result<Vec<Item>> {
		let mut items = Vec::new();
		if let Some(path) = &self.host_cert {
			let certificate = certificates::read_certificate(path)?;
			items.push(Item::SshHostCertificate { certificate: line(&certificate)? });
		}
		if let Some(path) = &self.host_key {
			items.push(Item::SshHostKey { private: ssh_key(path)? });
		}
		let of = |login: &str| self.user_cert.iter().find(|file| file.login == login);
		for LoginFile { login, path } in &self.user_key {
			let certificate = of(login).map(|file| certificates::read_certificate(&file.path));
			let certificate = certificate.transpose()?.as_ref().map(line).transpose()?;
			let (login, private) = (login.clone(), ssh_key(path)?);
			items.push(Item::SshUserKey { login, private, certificate });
		}
		let has_key = |file: &&LoginFile| self.user_key.iter().any(|key| key.login == file.login);
		for LoginFile { login, path } in self.user_cert.iter().filter(|file| !has_key(file)) {
			let certificate = line(&certificates::read_certificate(path)?)?;
			items.push(Item::SshUserCertificate { login: login.clone(), certificate });
		}
		Ok(items)
	}
}

/// Labels private keys that are delivered, and asks whether that is meant.
pub fn confirm_escrow(items: &[Item], device: &str, yes: bool) -> Result<Vec<String>> {
	let escrow: Vec<_> = items.iter().filter(|item| item.is_escrow()).map(Item::name).collect();
	if escrow.is_empty() {
		return Ok(Vec::new());
	}
	let what = escrow.join(", ");
	let question = format!(
		"PRIVATE KEYS go to {device} ({what}): somebody else knows them, and the encrypted envelope stays on the chain for \
		 ever. `dpki-agent request` has the device make its own. Deliver them all the same?"
	);
	prompt::confirm(&question, yes)?;
	Ok(vec![format!("private keys that somebody else knows are delivered: {what}")])
}

fn line(certificate: &Certificate) -> Result<String> {
	Ok(certificates::openssh_line(certificate)?.trim_end().to_owned())
}

/// The private key of an OpenSSH file, as the device reads it: without passphrase.
fn ssh_key(path: &std::path::Path) -> Result<Secret> {
	let key = secrets::ssh_key(path)?;
	let text = key.to_openssh(ssh_key::LineEnding::LF).map_err(crypto("write the key"))?;
	Ok(Secret::from(text.as_bytes()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::error::Error;
	use dpki_primitives::anchor::AnchorKind;
	use ssh_key::{Algorithm, PrivateKey, rand_core::OsRng};

	#[test]
	fn without_a_terminal_no_private_key_is_delivered_unless_it_is_meant() {
		let key = || Item::SshHostKey { private: Secret::from(&b"secret"[..]) };
		assert!(confirm_escrow(&[], "acme/drone-7", false).unwrap().is_empty());
		// Tests have no terminal.
		let refused = confirm_escrow(&[key()], "acme/drone-7", false);
		assert!(matches!(refused, Err(Error::ConfirmationMissing(_))));
		let warnings = confirm_escrow(&[key()], "acme/drone-7", true).unwrap();
		assert!(warnings[0].contains("SSH host key"), "{warnings:?}");
		let private = Secret::from(&b"secret"[..]);
		let user = Item::SshUserKey { login: "ops".into(), private, certificate: None }.optional();
		let refused = confirm_escrow(std::slice::from_ref(&user), "acme/drone-7", false);
		assert!(matches!(refused, Err(Error::ConfirmationMissing(_))));
		let warnings = confirm_escrow(&[user], "acme/drone-7", true).unwrap();
		assert!(warnings[0].contains("SSH user key"), "{warnings:?}");
	}

	#[test]
	fn a_certificate_for_a_user_comes_with_its_key_or_is_for_that_of_the_device() {
		let folder = tempfile::tempdir().unwrap();
		let path = |name: &str| folder.path().join(name);
		let random = || PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
		let (ca, key) = (random(), random());
		let content = certificates::Content {
			names: vec!["crew".into()],
			now: 1_790_000_000_000,
			span: std::time::Duration::from_secs(60),
			serial: None,
			key_id: None,
		};
		let signed = content.sign(&ca, key.public_key(), AnchorKind::SshUserCa).unwrap();
		let text = line(&signed).unwrap();
		std::fs::write(path("ops-cert.pub"), format!("{text}\n")).unwrap();
		key.write_openssh_file(&path("ops"), ssh_key::LineEnding::LF).unwrap();
		let file = |name: &str| LoginFile { login: "ops".into(), path: path(name) };
		let alone = Made { user_cert: vec![file("ops-cert.pub")], ..Made::default() };
		assert!(!alone.is_empty());
		let item = Item::SshUserCertificate { login: "ops".into(), certificate: text.clone() };
		assert_eq!(alone.items().unwrap(), [item]);
		assert!(confirm_escrow(&alone.items().unwrap(), "acme/drone-7", false).is_ok());
		let both = Made { user_key: vec![file("ops")], ..alone };
		let items = both.items().unwrap();
		let [Item::SshUserKey { certificate, .. }] = &items[..] else { panic!("{items:?}") };
		assert_eq!(certificate.as_ref(), Some(&text));
		let wrong = Made { user_cert: vec![file("ops")], ..Made::default() };
		assert!(matches!(wrong.items(), Err(Error::WrongFile { .. })));
	}
}
