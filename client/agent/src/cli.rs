//! The command line.

use clap::{Args, Parser, Subcommand};
use dpki_agent::config::parse_hash;
use std::path::PathBuf;

/// The device daemon of the device PKI chain.
///
/// It follows the chain with an embedded light client, proves every record that it relies on, decrypts what is delivered
/// to this device and puts it in force for SSH. It trusts no server.
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
  dpki-agent run --config /etc/dpki/agent.toml
  dpki-agent status --config /etc/dpki/agent.toml --json"
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
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
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
	/// Show how the agent is.
	Status(StatusArgs),
}

/// `dpki-agent init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing that exists is overwritten. Add the line that is printed to sshd_config, above any Match block.

Example, keeping the host key that clients know:
  dpki-agent init --config /etc/dpki/agent.toml --chain-spec chain.json --genesis 0x6e3c..150f \\
    --peer /ip4/192.0.2.1/tcp/30333/p2p/12D3KooW.. --organisation acme --device drone-7 \\
    --state /var/lib/dpki-agent --host-key /etc/ssh/ssh_host_ed25519_key \\
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
	/// A node, as /ip4/../tcp/../p2p/..; may be repeated.
	#[arg(long = "peer", value_name = "MULTIADDR", required = true)]
	pub peers: Vec<String>,
	/// The organisation that the device belongs to.
	#[arg(long, value_name = "NAME")]
	pub organisation: String,
	/// The name of the device in it.
	#[arg(long, value_name = "NAME")]
	pub device: String,
	/// The directory of keys, journal and status.
	#[arg(long, value_name = "DIR", default_value = "/var/lib/dpki-agent")]
	pub state: PathBuf,
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
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent enrol`.
#[derive(Debug, Args)]
#[command(after_help = "\
Other users of the machine can see command lines: prefer --voucher - or --voucher-file.

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
}

/// `dpki-agent status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}
