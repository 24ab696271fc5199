//! The command line.

mod keys;
mod service;

pub use keys::{AuthorizedKeysArgs, ConsentArgs, RequestArgs, RequestKind, RevokeArgs};
pub use service::{HybridArgs, InstallArgs, LapseArgs, LogFormat, SealArgs, ServiceArgs, Suite};

use clap::{Args, Parser, Subcommand};
use dpki_agent::config::{parse_checkpoint, parse_hash};
use dpki_client::StoreAddress;
use dpki_light::Checkpoint;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Exit code of everything that went wrong.
pub const EXIT_ERROR: u8 = 1;
/// Exit code of a command line that makes no sense.
pub const EXIT_USAGE: u8 = 2;
/// Exit code of `status` when the agent is not at work.
pub const EXIT_NOT_WORKING: u8 = 3;

/// The device daemon of the device PKI chain.
///
/// It follows the chain with an embedded light client, proves every record that it relies on, decrypts what is delivered
/// to this device and puts it in force for SSH and for the services that its configuration names. It trusts no server.
#[derive(Debug, Parser)]
#[command(
	name = "dpki-agent",
	version,
	after_help = "\
Examples:
  dpki-agent init --config /etc/dpki/agent.toml --chain-spec /etc/dpki/chain.json \\
    --genesis 0x6e3c..150f --peer /ip4/192.0.2.1/tcp/30333/p2p/12D3KooW.. \\
    --organisation acme --device drone-7 --state /var/lib/dpki-agent
  dpki-agent enrol --config /etc/dpki/agent.toml --voucher-file drone-7.voucher
  dpki-agent install --config /etc/dpki/agent.toml
  dpki-agent run --config /etc/dpki/agent.toml
  dpki-agent lapse --config /etc/dpki/agent.toml
  dpki-agent rotate --overlap 7d
  dpki-agent consent --account 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --purpose tls \\
      --key tls.key
  dpki-agent request ssh-host --name drone-7.acme.example
  dpki-agent request ssh-user --user ops --principal drone-7-ops
  dpki-agent status --config /etc/dpki/agent.toml --json
  dpki-agent gateway --listen 127.0.0.1:8080 --node ws://127.0.0.1:9944

Exit codes: 0 done; 1 error; 2 the command line makes no sense;
3 `status` found the agent not at work.
With --json a command prints one JSON value on standard output, and an error as JSON in the last
line of standard error."
)]
pub struct Cli {
	/// What to log: error, warn, info, debug, trace, or a filter such as `info,dpki_agent=debug`.
	#[arg(
		long,
		global = true,
		env = "DPKI_AGENT_LOG",
		default_value = "error,dpki_agent=info,dpki_light=info"
	)]
	pub log: String,
	/// How the log is written: lines for people, or one JSON object per line.
	#[arg(long, global = true, env = "DPKI_AGENT_LOG_FORMAT", value_enum, default_value_t)]
	pub log_format: LogFormat,
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

impl Command {
	/// Whether the answer is for programs.
	pub fn as_json(&self) -> bool {
		match self {
			Self::Init(args) => args.json,
			Self::Enrol(args) => args.json,
			Self::Run(args) => args.json,
			Self::Lapse(args) => args.json,
			Self::Seal(args) => args.json,
			Self::Install(args) => args.json,
			Self::Hybrid(args) => args.json,
			Self::Fingerprint(args) => args.json,
			Self::Rotate(args) => args.json,
			Self::Revoke(args) => args.json,
			Self::Consent(args) => args.json,
			Self::Request(args) => args.json,
			Self::AuthorizedKeys(args) => args.json,
			Self::Status(args) => args.json,
			Self::Checkpoint(args) => args.json,
			Self::Gateway(args) => args.json,
		}
	}
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
	/// Write the configuration and make the keys of the device.
	Init(Box<InitArgs>),
	/// Spend a voucher on the keys of the device.
	Enrol(EnrolArgs),
	/// Follow the chain and put in force what is delivered.
	Run(RunArgs),
	/// Take away what has ended, by what is on the disk; for the start of the system, before sshd.
	Lapse(LapseArgs),
	/// Seal the secrets in the state directory by the key that the configuration names.
	Seal(SealArgs),
	/// Write the unit of systemd for this configuration.
	Install(InstallArgs),
	/// Make the key that opens deliveries which a quantum computer is not to open, and show its public half.
	Hybrid(HybridArgs),
	/// Show what a registrar compares who approves the keys of the device.
	Fingerprint(FingerprintArgs),
	/// Replace the key that opens deliveries; the old one is destroyed when the chain says that it has ended.
	Rotate(RotateArgs),
	/// Revoke a key of the device by its own word: one that does not sign, or the signing key itself.
	Revoke(RevokeArgs),
	/// Sign the consent of the device to a further key; its signing key stays where it is.
	Consent(ConsentArgs),
	/// Ask a CA for a certificate; the private key is made on the device and stays there.
	Request(RequestArgs),
	/// Tell sshd the keys that open a login, from what is proven and on the disk; for AuthorizedKeysCommand.
	AuthorizedKeys(AuthorizedKeysArgs),
	/// Show whether the agent is at work, and what is in force.
	Status(StatusArgs),
	/// Show whose finality the agent believes in, or recover it.
	Checkpoint(CheckpointArgs),
	/// Serve proof bundles over HTTP to devices that reach no node.
	Gateway(GatewayArgs),
}

/// `dpki-agent init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is made unless the chain specification has this genesis hash, and nothing that exists is
overwritten. Add the line that is printed to sshd_config, above any Match block.

Example, keeping the host key that clients know:
  dpki-agent init --config /etc/dpki/agent.toml --chain-spec chain.json --genesis 0x6e3c..150f \\
    --peer /ip4/192.0.2.1/tcp/30333/p2p/12D3KooW.. --organisation acme --device drone-7 \\
    --state /var/lib/dpki-agent --status-file /run/dpki-agent/status.json \\
    --host-key /etc/ssh/ssh_host_ed25519_key \\
    --sshd-config /etc/ssh/sshd_config --reload 'systemctl reload ssh'")]
pub struct InitArgs {
	/// The configuration file to write.
	#[arg(long, value_name = "FILE")]
	pub config: PathBuf,
	/// The raw specification of the chain.
	#[arg(long, value_name = "FILE")]
	pub chain_spec: PathBuf,
	/// The genesis hash of the chain, got from somebody you trust.
	#[arg(long, value_name = "HASH", value_parser = parse_hash)]
	pub genesis: [u8; 32],
	/// A checkpoint of the chain, as `dpki-agent checkpoint` prints it on a device that you trust. Without one the agent
	/// begins with the authorities of the genesis.
	#[arg(long, value_name = "HEX", value_parser = parse_checkpoint)]
	pub checkpoint: Option<Checkpoint>,
	/// A node, as /ip4/../tcp/../p2p/..; may be repeated.
	#[arg(long = "peer", value_name = "MULTIADDR", required = true)]
	pub peers: Vec<String>,
	/// Where deliveries are fetched from: chain, or KIND=ADDRESS with bitswap, kubo, gateway, gateway-car or folder; may be
	/// repeated, and is asked in this order. Without it the chain.
	#[arg(long = "blobs", value_name = "STORE")]
	pub blobs: Vec<StoreAddress>,
	/// The organisation that the device belongs to.
	#[arg(long, value_name = "NAME")]
	pub organisation: String,
	/// The name of the device in it.
	#[arg(long, value_name = "NAME")]
	pub device: String,
	/// The directory of keys and journal, for the agent only.
	#[arg(long, value_name = "DIR", default_value = "/var/lib/dpki-agent")]
	pub state: PathBuf,
	/// Where the agent writes its status, if others than its own user shall read it; the directory has to exist. By
	/// default it lies in the state directory.
	#[arg(long, value_name = "FILE")]
	pub status_file: Option<PathBuf>,
	/// The directory that sshd reads.
	#[arg(long, value_name = "DIR", default_value = "/etc/ssh/dpki")]
	pub ssh_dir: PathBuf,
	/// An existing host key to take over; by default one is made.
	#[arg(long, value_name = "FILE")]
	pub host_key: Option<PathBuf>,
	/// The sshd that tests a configuration.
	#[arg(long, value_name = "PATH", default_value = "/usr/sbin/sshd")]
	pub sshd: PathBuf,
	/// The main configuration of sshd, to be tested together with ours.
	#[arg(long, value_name = "FILE")]
	pub sshd_config: Option<PathBuf>,
	/// The command that makes sshd read its host certificate anew, words separated by spaces.
	#[arg(long, value_name = "COMMAND")]
	pub reload: Option<String>,
	/// A finalised block older than this brings no new delivery into force.
	#[arg(long, value_name = "SECONDS", default_value_t = 600)]
	pub max_head_age: u64,
	/// Which keys open deliveries: x-wing makes a hybrid key beside the X25519 key, see `dpki-agent hybrid`.
	#[arg(long, value_enum, default_value_t)]
	pub suite: Suite,
	/// What the agent is for others on the machine.
	#[command(flatten)]
	pub service: ServiceArgs,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent enrol`.
#[derive(Debug, Args)]
#[command(after_help = "\
Other users of the machine can see command lines: prefer --voucher - or --voucher-file. While an
agent runs on the same state directory this is refused.

Examples:
  dpki-agent enrol --config /etc/dpki/agent.toml --voucher-file drone-7.voucher
  dpki voucher new --org acme --device drone-7 --json | jq -r .voucher | \\
    dpki-agent enrol --config /etc/dpki/agent.toml --voucher -")]
pub struct EnrolArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// The voucher as text, or `-` to read it from standard input.
	#[arg(long, value_name = "TEXT", required_unless_present = "voucher_file")]
	pub voucher: Option<String>,
	/// The file that holds the voucher.
	#[arg(long, value_name = "FILE", conflicts_with = "voucher")]
	pub voucher_file: Option<PathBuf>,
	/// How long to try.
	#[arg(long, value_name = "SECONDS", default_value_t = 180)]
	pub timeout: u64,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent run`.
#[derive(Debug, Args)]
#[command(after_help = "\
One agent runs on a state directory, another one is refused. SIGTERM and SIGINT end it, with exit
code 0.

Examples:
  dpki-agent run --config /etc/dpki/agent.toml
  dpki-agent run --config /etc/dpki/agent.toml --once --timeout 60 --json | jq .sequence")]
pub struct RunArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Converge once and end.
	#[arg(long)]
	pub once: bool,
	/// How long to try, with --once.
	#[arg(long, value_name = "SECONDS", default_value_t = 180, requires = "once")]
	pub timeout: u64,
	/// Print errors as JSON, and with --once the status too.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent fingerprint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a voucher a device comes to the chain by a request, which a registrar approves. Anybody
can ask under its name, so the registrar compares what this shows with what the request has.

On the device:
  dpki key request --org acme --device drone-7 --key sign=/var/lib/dpki-agent/signing.key \\
    --key key-agreement=/var/lib/dpki-agent/agreement.key --key ssh=/var/lib/dpki-agent/host_key
  dpki-agent fingerprint --config /etc/dpki/agent.toml --qr
At the registrar:
  dpki key approve 0x5f3c...d1 --fingerprint K3XQ-7B2M-...")]
pub struct FingerprintArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Draw a QR code, too.
	#[arg(long)]
	pub qr: bool,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
What was encrypted to the old key stays on the chain for ever. While the old key is good yet, the
agent opens what is sealed to either; afterwards it destroys the old one, and nobody opens what
was sealed to it. This may be done while the agent runs. The organisation has to let its devices
replace their keys alone (`dpki org key-policy`).

Example:
  dpki-agent rotate --config /etc/dpki/agent.toml --overlap 7d
  dpki-agent rotate --config /etc/dpki/agent.toml --overlap 7d --hybrid --out drone-7.hybrid")]
pub struct RotateArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// For how long the old key is good yet.
	#[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "7d")]
	pub overlap: Duration,
	/// Replace the hybrid key; publishers need the public half of the new one.
	#[arg(long)]
	pub hybrid: bool,
	/// The new file that the public half of the new hybrid key is written to; standard output if left out.
	#[arg(long, value_name = "FILE", requires = "hybrid")]
	pub out: Option<PathBuf>,
	/// How long to wait for a fresh block.
	#[arg(long, value_name = "SECONDS", default_value_t = 180)]
	pub timeout: u64,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

fn parse_span(text: &str) -> Result<Duration, String> {
	match humantime::parse_duration(text) {
		Ok(span) if span.as_secs() > 0 => Ok(span),
		_ => Err("write a time span such as 5m, 24h or 30d".to_owned()),
	}
}

/// `dpki-agent status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the agent is at work; 3 it is not: it does not run, or the newest finalised block
is older than max-head-age, or something hinders it, as is then said; 1 its state cannot be read.
Who may not look into the state directory is not told whether the agent runs (`running` is null),
only how old its word is. A delivery that was refused and a revoked device are shown and change
nothing about the exit code.

Examples:
  dpki-agent status --config /etc/dpki/agent.toml
  dpki-agent status --json | jq '{working, age_seconds, warnings}'
  dpki-agent status >/dev/null || logger -p daemon.err 'dpki-agent is not at work'")]
pub struct StatusArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent checkpoint`.
#[derive(Debug, Args)]
#[command(after_help = "\
The agent keeps the newest checkpoint in its state directory, and believes only what those
authorities finalise, or those to whom they hand over. A device that was away for longer than the
chain can prove needs a newer one: from a device that you trust, as `chain.checkpoint` in its
configuration, or signed by two thirds of the authorities that it knows.

Examples:
  dpki-agent checkpoint --config /etc/dpki/agent.toml --json | jq -r .checkpoint
  dpki-agent checkpoint --recovery acme.recovery")]
pub struct CheckpointArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Go on from the checkpoint in this file, which two thirds of the known authorities have signed. While an agent runs
	/// on the same state directory this is refused.
	#[arg(long, value_name = "FILE")]
	pub recovery: Option<PathBuf>,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent gateway`.
#[derive(Debug, Args)]
#[command(after_help = "\
Neither the gateway nor its node is trusted by anybody: devices verify what they get. It needs no
configuration, no key and no state directory, and may run beside an agent or alone. For the open
network put a cache before it.

Examples:
  dpki-agent gateway --listen 127.0.0.1:8080 --node ws://127.0.0.1:9944
  dpki-agent gateway --listen '[::1]:8080' --node wss://node.acme.example --max-age 2s
  curl -s http://127.0.0.1:8080/v1/chain | jq .block.number")]
pub struct GatewayArgs {
	/// Where to listen; with port 0 the system chooses one, which the log tells.
	#[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
	pub listen: SocketAddr,
	/// The node that makes the bundles.
	#[arg(long, value_name = "URL", default_value = "ws://127.0.0.1:9944")]
	pub node: String,
	/// How long caches may keep what is newest: by so long a revocation may reach devices later.
	#[arg(long, value_name = "SPAN", value_parser = parse_span, default_value = "2s")]
	pub max_age: Duration,
	/// Print errors as JSON.
	#[arg(long)]
	pub json: bool,
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn every_command_shows_an_example_and_takes_json() {
		let cli = Cli::command();
		let mut seen = 0;
		for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
			let name = command.get_name();
			let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
			assert!(help.contains(&format!("\n  dpki-agent {name} ")), "no example of `{name}`");
			let json = command.get_arguments().any(|argument| argument.get_long() == Some("json"));
			assert!(json, "`{name}` takes no --json");
			seen += 1;
		}
		assert_eq!(seen, 16);
	}

	/// clap breaks longer ones where they cannot be copied any more.
	#[test]
	fn no_line_of_an_example_is_too_long() {
		for command in Cli::command().get_subcommands().chain([&Cli::command()]) {
			let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
			for line in help.lines() {
				assert!(line.chars().count() <= 98, "{}: {line}", command.get_name());
			}
		}
	}

	#[test]
	fn exit_codes_are_documented() {
		let help = Cli::command().get_after_help().map(ToString::to_string).unwrap_or_default();
		for (code, words) in [
			(EXIT_ERROR, "error"),
			(EXIT_USAGE, "the command line makes no sense"),
			(EXIT_NOT_WORKING, "`status` found the agent not at work"),
		] {
			assert!(help.contains(&format!("{code} {words}")), "{code}");
		}
	}
}
