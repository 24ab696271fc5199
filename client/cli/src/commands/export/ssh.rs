//! Key revocation lists and known hosts for OpenSSH.

use super::Common;
use crate::{
	error::{Error, Result, crypto},
	lookup,
	output::Report,
	session::Session,
	values::{AnchorRef, DeviceHosts, HostCaPatterns},
};
use clap::{ArgGroup, Args};
use dpki_client::{krl::Krl, ssh};
use dpki_primitives::{anchor::AnchorKind, key::KeyPurpose, status::Status};
use ssh_key::PublicKey;

const SSH_CA: &[AnchorKind] = &[AnchorKind::SshUserCa, AnchorKind::SshHostCa];

/// The key revocation list of SSH CAs.
#[derive(Args)]
pub struct ExportKrl {
	/// The CA: id, or a file with its public key (repeat for several)
	#[arg(long, value_name = "ID|FILE", required = true)]
	ca: Vec<AnchorRef>,
	#[command(flatten)]
	common: Common,
}

impl ExportKrl {
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let mut prover = self.common.prover(session).await?;
		let mut list = Krl::default();
		for ca in &self.ca {
			let (id, _, verdict) = prover.named(ca, SSH_CA).await?;
			let material = prover.material(id).await?;
			list.add(&material, &prover.ssh_revocations(id).await?);
			if let Status::Revoked(revocation) = verdict {
				let key = ssh::key_from_material(&material)?;
				list.fingerprints.insert(ssh::fingerprint(&key));
				list.generated_at = list.generated_at.max(revocation.at / 1000);
				list.version += 1;
			}
		}
		let (serials, keys) = (list.serial_count(), list.fingerprints.len());
		let report = Report::new()
			.done(format!("Exported {serials} certificates and {keys} keys that are revoked"))
			.data("serials", serials)
			.data("keys", keys);
		self.common.finish(&prover, report, list.encode())
	}
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
		let mut prover = self.common.prover(session).await?;
		let (mut text, mut revoked) = (String::new(), 0);
		for HostCaPatterns { anchor, hosts } in &self.ca {
			let (id, _, verdict) = prover.named(anchor, &[AnchorKind::SshHostCa]).await?;
			let key = ssh::key_from_material(&prover.material(id).await?)?;
			let mark = match verdict {
				Status::Valid | Status::Superseded => "@cert-authority",
				// A copy of this CA elsewhere must not be believed either.
				Status::Revoked(_) => {
					revoked += 1;
					"@revoked"
				},
				other => {
					return Err(Error::NotAllowed {
						why: format!("the host CA {id} is {}", other.name()),
						next: "leave it out".into(),
					});
				},
			};
			text += &format!("{mark} {} {}\n", hosts.join(","), bare(&key)?);
		}
		for DeviceHosts { device, hosts } in &self.host {
			let keys = prover.keys_of(device.id).await?;
			let valid = keys.iter().filter(|(_, record, verdict)| {
				record.purpose == KeyPurpose::Ssh && record.is_proven() && verdict.is_valid()
			});
			let mut found = false;
			for (_, record, _) in valid {
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
		self.common.finish(&prover, report, text.into_bytes())
	}
}

/// Algorithm and key without a comment.
fn bare(key: &PublicKey) -> Result<String> {
	let key = ssh::key_from_material(&lookup::ssh_material(key)?)?;
	key.to_openssh().map_err(crypto("write the key"))
}
