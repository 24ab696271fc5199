//! Key revocation lists and known hosts for OpenSSH.

use super::Common;
use crate::{
	error::{Error, Result, crypto},
	lookup::{self, KnownAnchor},
	output::Report,
	session::Session,
	values::{AnchorRef, DeviceHosts, DeviceRef, HostCaPatterns},
};
use clap::{ArgGroup, Args};
use dpki_client::{krl::Krl, ssh};
use dpki_primitives::{
	anchor::AnchorKind,
	ids::{AnchorId, KeyId},
	key::{KeyPurpose, KeyRecord},
	status::Status,
};
use ssh_key::PublicKey;

/// The mark of a CA that is revoked: a copy of it elsewhere must not be believed either.
const REVOKED: &str = "@revoked";

const SSH_CA: &[AnchorKind] = &[AnchorKind::SshUserCa, AnchorKind::SshHostCa];

/// The key revocation list of SSH CAs, and of devices.
#[derive(Args)]
#[command(group = ArgGroup::new("of").required(true).multiple(true).args(["ca", "device", "key"]))]
pub struct ExportKrl {
	/// The CA: id, or a file with its public key (repeat for several)
	#[arg(long, value_name = "ID|FILE")]
	ca: Vec<AnchorRef>,
	/// A device: those of its SSH keys that are not valid now, such as all of one on hold (repeat for several)
	#[arg(long, value_name = "ORG/NAME|ID")]
	device: Vec<DeviceRef>,
	/// An SSH key of a device, unless it is valid now; one that was revoked alone is named by this only (repeat for several)
	#[arg(long, value_name = "ID")]
	key: Vec<KeyId>,
	#[command(flatten)]
	common: Common,
}

impl ExportKrl {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let view = self.common.view(session).await?;
		let mut list = Krl::default();
		for ca in &self.ca {
			let KnownAnchor { id, status, .. } = lookup::anchor(&view, ca, SSH_CA).await?;
			let material = lookup::material(&view, id).await?;
			list.add(&material, &view.ssh_revocations(id).await?);
			if let Status::Revoked(revocation) = status {
				let key = ssh::key_from_material(&material)?;
				list.fingerprints.insert(ssh::fingerprint(&key));
				list.generated_at = list.generated_at.max(revocation.at / 1000);
				list.version += 1;
			}
		}
		for device in &self.device {
			for (id, record) in view.keys_of(device.id).await? {
				add_device_key(&mut list, &record, view.key_status(id).await?)?;
			}
		}
		for id in &self.key {
			let found = view.key(*id).await?;
			let unknown = || Error::Unknown { what: "key", name: id.to_string() };
			let record = found.ok_or_else(unknown)?;
			add_device_key(&mut list, &record, view.key_status(*id).await?)?;
		}
		let (serials, keys) = (list.serial_count(), list.fingerprints.len());
		let report = Report::new()
			.done(format!("Exported {serials} certificates and {keys} keys that are revoked"))
			.data("serials", serials)
			.data("keys", keys);
		self.common.finish(&view, report, list.encode())
	}
}

/// Puts the SSH key of a device on the list, unless it is valid: on hold, for example, until the next list is written.
fn add_device_key(list: &mut Krl, record: &KeyRecord, verdict: Status) -> Result<()> {
	if record.purpose != KeyPurpose::Ssh || !record.is_proven() || verdict.is_valid() {
		return Ok(());
	}
	let key = ssh::from_public_key(&record.public)?;
	list.fingerprints.insert(ssh::fingerprint(&key));
	let since = [verdict.revocation().map(|it| it.at), record.withdrawal.hold().map(|it| it.at)];
	let since = since.into_iter().flatten().max().unwrap_or_default() / 1000;
	list.generated_at = list.generated_at.max(since);
	list.version += 1;
	Ok(())
}

/// Host CAs and hosts.
#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["ca", "host"]))]
pub struct ExportKnownHosts {
	/// A host CA, for hosts of these patterns (repeat for several)
	#[arg(long, value_name = "ID|FILE=PATTERN[,..]")]
	ca: Vec<HostCaPatterns>,
	/// A device by its own host key, under these names (repeat for several)
	#[arg(long, value_name = "ORG/NAME=PATTERN[,..]")]
	host: Vec<DeviceHosts>,
	#[command(flatten)]
	common: Common,
}

impl ExportKnownHosts {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let view = self.common.view(session).await?;
		let (mut text, mut revoked) = (String::new(), 0);
		for HostCaPatterns { anchor, hosts } in &self.ca {
			let known = lookup::anchor(&view, anchor, &[AnchorKind::SshHostCa]).await?;
			let KnownAnchor { id, status, .. } = known;
			let key = ssh::key_from_material(&lookup::material(&view, id).await?)?;
			let mark = mark(id, status)?;
			revoked += u32::from(mark == REVOKED);
			text += &format!("{mark} {} {}\n", hosts.join(","), bare(&key)?);
		}
		for DeviceHosts { device, hosts } in &self.host {
			let mut found = false;
			for (id, record) in view.keys_of(device.id).await? {
				let is_wanted = record.purpose == KeyPurpose::Ssh && record.is_proven();
				if !(is_wanted && view.key_status(id).await?.is_valid()) {
					continue;
				}
				found = true;
				let key = ssh::from_public_key(&record.public)?;
				text += &format!("{} {}\n", hosts.join(","), bare(&key)?);
			}
			if !found {
				return Err(Error::NotAllowed {
					why: format!("{} has no valid SSH host key on the chain", device.text),
					next: "leave it out, or have the device register its host key".into(),
				});
			}
		}
		let lines = text.lines().count();
		let report = Report::new()
			.done(format!("Exported {lines} lines of known hosts"))
			.data("lines", lines)
			.data("revoked", revoked);
		self.common.finish(&view, report, text.into_bytes())
	}
}

/// How a host CA with this verdict is marked.
fn mark(id: AnchorId, status: Status) -> Result<&'static str> {
	match status {
		Status::Valid | Status::Superseded => Ok("@cert-authority"),
		Status::Revoked(_) => Ok(REVOKED),
		other => Err(Error::NotAllowed {
			why: format!("the host CA {id} is {}", other.name()),
			next: "leave it out".into(),
		}),
	}
}

/// Algorithm and key without a comment.
fn bare(key: &PublicKey) -> Result<String> {
	let key = ssh::key_from_material(&lookup::ssh_material(key)?)?;
	key.to_openssh().map_err(crypto("write the key"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::revocation::{Revocation, RevocationReason};

	#[test]
	fn a_host_ca_is_believed_revoked_or_left_out() {
		let id = AnchorId([1; 32]);
		let revocation = Revocation { at: 1, reason: RevocationReason::KeyCompromise };
		for good in [Status::Valid, Status::Superseded] {
			assert_eq!(mark(id, good).unwrap(), "@cert-authority");
		}
		assert_eq!(mark(id, Status::Revoked(revocation)).unwrap(), "@revoked");
		// Neither believed nor told to everybody as revoked.
		for other in [
			Status::Unknown,
			Status::NotYetValid,
			Status::Expired,
			Status::Suspended,
			Status::IssuerRevoked(revocation),
		] {
			let refused = mark(id, other).unwrap_err();
			let said = format!("the host CA {id} is {}", other.name());
			assert!(refused.to_string().contains(&said), "{refused}");
			assert_eq!(refused.next_step().as_deref(), Some("leave it out"));
		}
	}
}
