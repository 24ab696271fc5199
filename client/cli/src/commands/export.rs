//! `dpki export`: what the chain says, in the forms of other tools.
//!
//! Everything that is exported was proven at a finalised block: the node only carries the proofs, see [`prover`]. A file is a
//! copy: what is revoked later is in the next one.

mod age;
mod crl;
mod pem;
mod prover;
mod ssh;

use crate::{
	error::Result,
	files,
	output::{Report, rfc3339},
	session::Session,
	values,
};
use clap::{Args, Subcommand};
use prover::Prover;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// What the chain says, in the forms of other tools.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki export pem --org acme --out acme-roots.pem
  dpki export crl --ca-cert ca.crt --ca-key ca.key --issued web.crt --out ca.crl
  dpki export krl --ca user-ca.pub --out revoked_keys
  dpki export known-hosts --ca 'host-ca.pub=*.acme.example' --out known_hosts
  dpki export age acme/drone-7 --out drone-7.recipient
The node behind --url carries proofs and is not believed, if a checkpoint is given: see `dpki bundle checkpoint`.")]
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
  dpki export crl --ca-cert ca.crt --ca-key ca.key --issued web.crt --issued mqtt.crt --out ca.crl
  openssl verify -crl_check -CAfile ca.crt -CRLfile ca.crl web.crt
On the list are the authorities below the CA that are revoked on the chain, and those of the given certificates whose keys, or
whose devices, are.")]
	Crl(crl::ExportCrl),
	/// The key revocation list of SSH CAs, for RevokedKeys of sshd
	#[command(after_help = "\
Examples:
  dpki export krl --ca user-ca.pub --out revoked_keys
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
	/// What is trusted; without it the node is believed in who finalises blocks
	#[arg(long, value_name = "FILE")]
	checkpoint: Option<PathBuf>,
	/// How old the block may be by this computer's clock
	#[arg(long, value_name = "SPAN", default_value = "10m", value_parser = values::duration)]
	max_age: Duration,
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
	async fn prover(&self, session: &Session) -> Result<Prover> {
		Prover::new(session, self.checkpoint.as_deref(), self.max_age).await
	}

	/// Writes what was made of what was proven.
	fn finish(&self, prover: &Prover, report: Report, contents: Vec<u8>) -> Result<Report> {
		let report = report
			.data("block", prover.block())
			.data("chain_time", rfc3339(prover.time()))
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
