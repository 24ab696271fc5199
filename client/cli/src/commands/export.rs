//! `dpki export`: what the chain says, in the forms of other tools.
//!
//! Everything that is exported was proven at one finalised block, unless the node is one's own: see [`crate::proven`]. A file is
//! a copy: what is revoked later is in the next one.

mod age;
mod crl;
mod pem;
mod ssh;

use crate::{
	error::Result,
	files,
	output::{Report, rfc3339},
	proven::Trust,
	session::Session,
};
use clap::{Args, Subcommand};
use dpki_client::View;
use std::path::{Path, PathBuf};

/// What the chain says, in the forms of other tools.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki export pem --org acme --out acme-roots.pem
  dpki export crl --ca-cert ca.crt --ca-key ca.key --issued web.crt --out ca.crl
  dpki export krl --ca user-ca.pub --out revoked_keys
  dpki export known-hosts --ca 'host-ca.pub=*.acme.example' --out known_hosts
  dpki export age acme/drone-7 --out drone-7.recipient
A node that is not on this computer carries proofs and is not believed: give --checkpoint once,
see `dpki bundle checkpoint`.")]
pub enum ExportCommand {
	/// X.509 trust anchors of an organisation, as PEM
	#[command(after_help = "\
Examples:
  dpki export pem --org acme --out acme-roots.pem
  dpki export pem --org acme --intermediates --checkpoint chain.checkpoint --out acme.pem
  openssl verify -CAfile acme-roots.pem server.crt")]
	Pem(pem::ExportPem),
	/// The revocation list of an X.509 CA (RFC 5280), signed with its key
	#[command(after_help = "\
Example:
  dpki export crl --ca-cert ca.crt --ca-key ca.key --issued web.crt --issued mqtt.crt \\
      --out ca.crl
  openssl verify -crl_check -CAfile ca.crt -CRLfile ca.crl web.crt
On the list are the authorities below the CA that are revoked or on hold on the chain, and those
of the given certificates whose keys, or whose devices, are.")]
	Crl(crl::ExportCrl),
	/// The key revocation list of SSH CAs, and of devices on hold, for RevokedKeys of sshd and RevokedHostKeys of ssh
	#[command(after_help = "\
Examples:
  dpki export krl --ca user-ca.pub --out revoked_keys
  dpki export krl --device acme/drone-7 --out revoked_hosts
  ssh-keygen -Q -f revoked_keys id_ed25519-cert.pub")]
	Krl(ssh::ExportKrl),
	/// Host CAs and hosts, for UserKnownHostsFile of ssh
	#[command(after_help = "\
Examples:
  dpki export known-hosts --ca 'host-ca.pub=*.acme.example' --out known_hosts
  dpki export known-hosts --host 'acme/drone-7=drone-7.acme.example,10.0.0.7' --out known_hosts")]
	KnownHosts(ssh::ExportKnownHosts),
	/// The keys to which files for devices are encrypted, as recipients of age
	#[command(after_help = "\
Examples:
  dpki export age acme/drone-7 acme/drone-8 --out fleet.recipients
  age --encrypt --recipients-file fleet.recipients --output map.age map.tar")]
	Age(age::ExportAge),
}

/// What all exports have in common.
#[derive(Args)]
pub struct Common {
	/// Where to write it; a file that is there is replaced, - is standard output
	#[arg(long, value_name = "FILE", default_value = "-")]
	out: PathBuf,
	#[command(flatten)]
	trust: Trust,
}

impl ExportCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Pem(command) => command.run(session).await,
			Self::Crl(command) => command.run(session).await,
			Self::Krl(command) => command.run(session).await,
			Self::KnownHosts(command) => command.run(session).await,
			Self::Age(command) => command.run(session).await,
		}
	}
}

impl Common {
	/// What is exported.
	async fn view(&self, session: &Session) -> Result<View> {
		self.trust.view(session).await.map(|(_, view)| view)
	}

	/// Writes what was made of what was proven.
	fn finish(&self, view: &View, report: Report, contents: Vec<u8>) -> Result<Report> {
		let report = report
			.data("block", view.head().number)
			.data("chain_time", rfc3339(view.now()))
			.data("bytes", contents.len());
		if self.out == Path::new("-") {
			let text = String::from_utf8(contents.clone());
			let report = match text {
				Ok(text) => report.data("text", text),
				Err(_) => report.data("hex", hex::encode(&contents)),
			};
			return Ok(report.raw(contents));
		}
		files::replace_public(&self.out, &contents)?;
		Ok(report.row("file", self.out.display()))
	}
}
