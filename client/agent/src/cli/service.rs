//! What the agent is told about being a service.

use clap::{Args, ValueEnum};
use dpki_agent::{
	seal::SealSettings,
	service::{ServiceSettings, api::ApiSettings, metrics::MetricsSettings},
};
use std::{net::SocketAddr, path::PathBuf};

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum LogFormat {
	/// Lines for people.
	#[default]
	Text,
	/// One JSON object per line.
	Json,
}

/// What `dpki-agent init` writes into `[service]`.
#[derive(Debug, Args)]
pub struct ServiceArgs {
	/// Seal the secrets in the state directory by the random key in this file.
	#[arg(long, value_name = "FILE", group = "seal")]
	pub seal_key_file: Option<PathBuf>,
	/// The same by a credential that systemd gives to the service.
	#[arg(long, value_name = "NAME", group = "seal")]
	pub seal_credential: Option<String>,
	/// The same by what this command prints, words separated by spaces; such as one that asks the TPM.
	#[arg(long, value_name = "COMMAND", group = "seal")]
	pub seal_command: Option<String>,
	/// Answer others on the machine on this Unix socket.
	#[arg(long, value_name = "FILE")]
	pub socket: Option<PathBuf>,
	/// The group that may connect to the socket.
	#[arg(long, value_name = "NAME", requires = "socket")]
	pub socket_group: Option<String>,
	/// Serve figures for Prometheus and a health check on this loopback address.
	#[arg(long, value_name = "ADDRESS:PORT")]
	pub metrics: Option<SocketAddr>,
}

impl ServiceArgs {
	/// The settings that these arguments make.
	pub fn settings(self) -> Result<ServiceSettings, String> {
		let absolute = |path: PathBuf| {
			std::path::absolute(&path).map_err(|error| format!("{}: {error}", path.display()))
		};
		let words = |line: String| line.split_whitespace().map(Into::into).collect();
		let key_file = self.seal_key_file.map(absolute).transpose()?.map(SealSettings::KeyFile);
		let (group, users) = (self.socket_group, Vec::new());
		Ok(ServiceSettings {
			seal: key_file
				.or(self.seal_credential.map(SealSettings::Credential))
				.or(self.seal_command.map(|line| SealSettings::Command(words(line)))),
			api: self.socket.map(absolute).transpose()?.map(|socket| ApiSettings {
				socket,
				group,
				users,
			}),
			metrics: self.metrics.map(|listen| MetricsSettings { listen }),
		})
	}
}

/// `dpki-agent lapse`.
#[derive(Debug, Args)]
#[command(after_help = "\
After a start of the system nobody can tell how long it was down: temporary access and plain keys
of grants open nothing until the chain tells something new. What has no end stays. Neither the
network nor the seal key is needed; `dpki-agent run` begins with the same. While an agent runs,
that sees to it. The unit dpki-agent-lapse, which `dpki-agent install` writes, does this before
sshd starts.

Example:
  dpki-agent lapse --config /etc/dpki/agent.toml")]
pub struct LapseArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent seal`.
#[derive(Debug, Args)]
#[command(after_help = "\
Private keys and journal are sealed one after the other: whenever this is interrupted, each is
there in one form or the other, and the next start of the agent completes it. While an agent runs
on the same state directory this is refused. What a journalling file system or the flash below it
keeps of the open form is beyond a program's reach: where that matters, make a new device with
`dpki-agent init --seal-key-file`. Without the key the state is lost: keep a copy where no device
is.

Example, after `[service.seal]` was written into the configuration:
  dpki-agent seal --config /etc/dpki/agent.toml")]
pub struct SealArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent install`.
#[derive(Debug, Args)]
#[command(after_help = "\
The unit lets the agent write where the configuration says, and nowhere else. Beside it lies
dpki-agent-lapse.service, which takes away what has ended before sshd starts, and is enabled with
it. A unit that is there and says something else is left alone without --replace.

Examples:
  dpki-agent install --config /etc/dpki/agent.toml
  dpki-agent install --unit /tmp/dpki-agent.service \\
      && systemd-analyze verify /tmp/dpki-agent.service
With a seal key that only this machine's TPM opens (`credential = \"dpki-agent.seal\"` in
`[service.seal]`):
  head -c 32 /dev/urandom | systemd-creds encrypt --with-key=tpm2 --name=dpki-agent.seal - \\
    /etc/credstore.encrypted/dpki-agent.seal")]
pub struct InstallArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// The unit to write.
	#[arg(long, value_name = "FILE", default_value = "/etc/systemd/system/dpki-agent.service")]
	pub unit: PathBuf,
	/// The agent's program; by default this one.
	#[arg(long, value_name = "PATH")]
	pub program: Option<PathBuf>,
	/// The file of the credential that `service.seal` names; by default it lies in /etc/credstore.encrypted.
	#[arg(long, value_name = "FILE")]
	pub credential_file: Option<PathBuf>,
	/// The credential is not encrypted.
	#[arg(long, requires = "credential_file")]
	pub credential_plain: bool,
	/// A further directory that the agent may write to; may be repeated.
	#[arg(long, value_name = "DIR")]
	pub writable: Vec<PathBuf>,
	/// Write over a unit that says something else.
	#[arg(long)]
	pub replace: bool,
	/// Print the units, and write nothing.
	#[arg(long)]
	pub print: bool,
	/// Print JSON.
	#[arg(long, conflicts_with = "print")]
	pub json: bool,
}

/// Which keys open deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Suite {
	/// An X25519 key.
	#[default]
	X25519,
	/// The same and an X-Wing key.
	XWing,
}

/// `dpki-agent hybrid`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is delivered lies on the chain for ever, for whoever has a quantum computer one day. An
X-Wing key joins X25519 with ML-KEM-768, so that both have to be broken. The chain has the hash
of its public half, which the device vouches for by its consent; publishers need the public half
itself, which they check against the hash. The key is made once; a running agent finds it with
the next block.

Examples:
  dpki-agent hybrid --config /etc/dpki/agent.toml --out drone-7.hybrid
  dpki-agent consent --account 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty \\
      --purpose key-agreement --hybrid --out drone-7-hybrid.consent
Then, at the registrar and at the publisher:
  dpki device register-key acme/drone-7 --consent drone-7-hybrid.consent
  dpki deliver --org acme --device drone-7 --hybrid-key drone-7.hybrid --user-ca user-ca.pub \\
      --principals root=ops")]
pub struct HybridArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// The new file that the public half is written to; standard output if left out.
	#[arg(long, value_name = "FILE")]
	pub out: Option<PathBuf>,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}
