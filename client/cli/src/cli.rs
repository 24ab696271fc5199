//! The command line: global options and the tree of commands. The arguments of a group stand beside its code in
//! [`crate::commands`].

use crate::{
	commands::{
		access, account, anchor, blob, bundle, certificate, chain, deliver, delivery, device,
		economy, endorser, export, fleet, hold, key, motion, multisig, network, node, observer,
		org, recovery, request, revoke, runtime, ssh, status, subject, validator, voucher, x509,
	},
	error::{Error, Result},
	output::Report,
	session::Session,
	values::{self, GenesisHash, Member},
};
use clap::{Args, CommandFactory, Parser, Subcommand, error::ErrorKind};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples, in the order in which a fleet starts:
  dpki key new account admin.key
  export DPKI_ACCOUNT=admin.key DPKI_GENESIS=0x...
  dpki org create acme --kind ecosystem-operator
  dpki key new ssh-ca user-ca
  dpki anchor add --org acme --kind ssh-user-ca --key user-ca
  dpki voucher new --org acme --device drone-7 --qr
  dpki deliver --org acme --device drone-7 --user-ca user-ca.pub --principals pilot=alice --wait
  dpki ssh sign --ca user-ca --principal alice --for 5m ~/.ssh/id_ed25519.pub
  dpki revoke ssh-cert --cert ~/.ssh/id_ed25519-cert.pub --reason keyCompromise

Exit codes: 0 done, or a valid verdict; 1 error; 2 the command line makes no sense; 3 a verdict
other than valid; 4 what --as-multi asks for waits for other members; 130 interrupted.
Every command takes --json: one JSON value on standard output, errors as JSON on standard error.";

/// The public-key infrastructure of devices: organisations, trust anchors, vouchers, deliveries, revocations.
#[derive(Parser)]
#[command(name = "dpki", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
	/// Options of every command.
	#[command(flatten)]
	pub global: Global,
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// Options of every command.
#[derive(Args, Clone)]
pub struct Global {
	/// Print one JSON value instead of text
	#[arg(long, global = true, display_order = 100)]
	pub json: bool,
	/// WebSocket address of a node
	#[arg(
		long,
		global = true,
		env = "DPKI_URL",
		default_value = "ws://127.0.0.1:9944",
		value_name = "URL",
		display_order = 101
	)]
	pub url: String,
	/// Account that signs: a key file from `dpki key new account`, or a development account such as //Alice
	#[arg(
		long,
		global = true,
		env = "DPKI_ACCOUNT",
		hide_env_values = true,
		value_name = "FILE",
		display_order = 102
	)]
	pub account: Option<String>,
	/// Genesis hash of the chain: a node of another chain is refused before anything is read or signed
	#[arg(long, global = true, env = "DPKI_GENESIS", value_name = "HASH", display_order = 103)]
	pub genesis: Option<GenesisHash>,
	/// Tip for the author of the block, in the smallest unit: on a busy chain the transaction is included sooner
	#[arg(
		long,
		global = true,
		default_value = "0",
		value_name = "AMOUNT",
		value_parser = values::amount,
		display_order = 104
	)]
	pub tip: u128,
	/// Account for which --account acts as its proxy: SS58 address, 0x and 64 digits, or such as //Bob
	#[arg(long, global = true, value_name = "ACCOUNT", display_order = 105)]
	pub on_behalf_of: Option<Member>,
	/// Account of several people for which --account agrees, as 2:ACCOUNT,ACCOUNT,ACCOUNT; see `dpki multisig`
	#[arg(
		long,
		global = true,
		value_name = "M:ACCOUNT,..",
		conflicts_with = "on_behalf_of",
		display_order = 106
	)]
	pub as_multi: Option<multisig::Group>,
	/// On a chain on which nothing becomes final: go by the newest block, and wait for a block instead of finality. For
	/// `dpki motion`, `dpki validator` and `dpki node rotate-keys`, at a node on this computer
	#[arg(long, global = true, conflicts_with = "as_multi", display_order = 107)]
	pub unfinalised: bool,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
	/// Make and look at keys, and bring those of devices to the chain, one after the other
	#[command(subcommand)]
	Key(key::KeyCommand),
	/// Look at the balance of an account, send tokens to another, and let another act for it
	#[command(subcommand)]
	Account(account::AccountCommand),
	/// Create and govern organisations, and give their members roles
	#[command(subcommand)]
	Org(org::OrgCommand),
	/// Propose to the council or to an organisation, and vote
	#[command(subcommand)]
	Motion(motion::MotionCommand),
	/// Look at what things cost and what can be done for nothing, and propose to change it
	#[command(subcommand)]
	Economy(economy::EconomyCommand),
	/// Look at the validators, propose to change them, and set the session keys of one
	#[command(subcommand)]
	Validator(validator::ValidatorCommand),
	/// Act together as one account, of several people so many of whom have to agree
	#[command(subcommand)]
	Multisig(multisig::MultisigCommand),
	/// Add, list, retire and revoke trust anchors
	#[command(subcommand)]
	Anchor(anchor::AnchorCommand),
	/// Apply for certificates of names, organisations, services and devices, and look at what they are worth
	#[command(subcommand)]
	Certificate(certificate::CertificateCommand),
	/// Say whether applicants control names and addresses, and who may
	#[command(subcommand)]
	Observer(observer::ObserverCommand),
	/// Attest who is behind certificates, and who may
	#[command(subcommand)]
	Endorser(endorser::EndorserCommand),
	/// Look at what certificates are about
	#[command(subcommand)]
	Subject(subject::SubjectCommand),
	/// Issue one-time rights by which devices enrol
	#[command(subcommand)]
	Voucher(voucher::VoucherCommand),
	/// Look at devices and register keys for them
	#[command(subcommand)]
	Device(device::DeviceCommand),
	/// Commit many keys at once, prove single ones of them, and revoke any of them
	#[command(subcommand)]
	Fleet(fleet::FleetCommand),
	/// Sign SSH certificates for people and hosts
	#[command(subcommand)]
	Ssh(ssh::SshCommand),
	/// Ask for X.509 certificates, and see what the chain says about some; no chain is needed
	#[command(subcommand)]
	X509(x509::X509Command),
	/// Send a device its full desired state, encrypted
	///
	/// What an earlier delivery gave and this one does not name, the device takes away.
	Deliver(Box<deliver::Deliver>),
	/// Certify what devices ask for over the chain, or say why not
	#[command(subcommand)]
	Request(request::RequestCommand),
	/// Open logins that end by themselves, also where the device hears nothing of the chain
	#[command(subcommand)]
	Access(access::AccessCommand),
	/// Publish a delivery that somebody else has prepared and signed
	PublishDelivery(delivery::PublishDelivery),
	/// Approve a delivery that waits, after showing its content
	ApproveDelivery(delivery::ApproveDelivery),
	/// Take back a delivery that waits for approvals
	WithdrawDelivery(delivery::WithdrawDelivery),
	/// Copy envelopes and tiles to stores besides the chain, and have them kept no longer
	#[command(subcommand)]
	Blob(blob::BlobCommand),
	/// Take trust away for good
	#[command(subcommand)]
	Revoke(revoke::RevokeCommand),
	/// Take trust away from a device or a key of one until it is released
	#[command(subcommand)]
	Hold(hold::HoldCommand),
	/// Take a device or a key of one off hold
	#[command(subcommand)]
	Release(hold::ReleaseCommand),
	/// One verdict in one line: may this be relied on now?
	///
	/// Exit code 0 only for a valid thing, 3 for anything else that the chain answers (unknown included), 1 if the
	/// question could not be answered.
	Status(status::StatusArgs),
	/// Carry proofs of records to devices that reach no node, and verify them as a device does
	#[command(subcommand)]
	Bundle(bundle::BundleCommand),
	/// Lead devices over a change of the validators by force: statements that two thirds of the old ones sign
	#[command(subcommand)]
	Recovery(recovery::RecoveryCommand),
	/// Look at the code that the chain runs, and replace it by vote
	#[command(subcommand)]
	Runtime(runtime::RuntimeCommand),
	/// Write what the chain says in the forms of OpenSSL, OpenSSH and age
	#[command(subcommand)]
	Export(export::ExportCommand),
	/// Look at the chain itself
	#[command(subcommand)]
	Chain(chain::ChainCommand),
	/// Look at the nodes of a network
	#[command(subcommand)]
	Network(network::NetworkCommand),
	/// Bring a node of one's own into the network as a validator, and change its session keys
	#[command(subcommand)]
	Node(node::NodeCommand),
	/// Print a completion script for a shell
	#[command(after_help = "Example:\n  dpki completions bash > /etc/bash_completion.d/dpki")]
	Completions {
		/// Which shell
		shell: Shell,
	},
}

impl Command {
	/// Refuses what nobody needs in order to bring finality back: who relies on it waits for it.
	fn require_vote(&self) -> Result<()> {
		match self {
			Self::Motion(_)
			| Self::Validator(_)
			| Self::Node(node::NodeCommand::RotateKeys { .. }) => Ok(()),
			_ => Err(Error::Usage(
				"--unfinalised is for dpki motion, dpki validator and dpki node rotate-keys: leave it out".into(),
			)),
		}
	}
}

impl Cli {
	/// Does what was asked.
	pub async fn run(self) -> Result<Report> {
		if self.global.unfinalised {
			self.command.require_vote()?;
		}
		let session = Session::new(self.global);
		match self.command {
			Command::Key(command) => command.run(&session).await,
			Command::Account(command) => command.run(&session).await,
			Command::Org(command) => command.run(&session).await,
			Command::Motion(command) => command.run(&session).await,
			Command::Economy(command) => command.run(&session).await,
			Command::Validator(command) => command.run(&session).await,
			Command::Multisig(command) => command.run(&session).await,
			Command::Anchor(command) => command.run(&session).await,
			Command::Certificate(command) => command.run(&session).await,
			Command::Observer(command) => command.run(&session).await,
			Command::Endorser(command) => command.run(&session).await,
			Command::Subject(command) => command.run(&session).await,
			Command::Voucher(command) => command.run(&session).await,
			Command::Device(command) => command.run(&session).await,
			Command::Fleet(command) => command.run(&session).await,
			Command::Ssh(command) => command.run(&session).await,
			Command::X509(command) => command.run(&session).await,
			Command::Access(command) => command.run(&session).await,
			Command::Request(command) => command.run(&session).await,
			Command::Deliver(command) => command.run(&session).await,
			Command::PublishDelivery(command) => command.run(&session).await,
			Command::ApproveDelivery(command) => command.run(&session).await,
			Command::WithdrawDelivery(command) => command.run(&session).await,
			Command::Blob(command) => command.run(&session).await,
			Command::Revoke(command) => command.run(&session).await,
			Command::Hold(command) => command.run(&session).await,
			Command::Release(command) => command.run(&session).await,
			Command::Status(args) => args.run(&session).await,
			Command::Bundle(command) => command.run(&session).await,
			Command::Recovery(command) => command.run(),
			Command::Runtime(command) => command.run(&session).await,
			Command::Export(command) => command.run(&session).await,
			Command::Chain(command) => command.run(&session).await,
			Command::Network(command) => command.run(&session).await,
			Command::Node(command) => command.run(&session).await,
			Command::Completions { shell } => Ok(completions(shell)),
		}
	}
}

/// The error about a command line as if nothing were set in the environment: what is set there is no part of what the
/// person typed, and would stand in the usage as if it had to be given.
pub fn explain(error: clap::Error) -> clap::Error {
	if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
		return error;
	}
	let command = Cli::command().mut_args(|argument| argument.env(None::<&'static str>));
	// The environment itself may be what is wrong.
	command.try_get_matches().err().unwrap_or(error)
}

fn completions(shell: Shell) -> Report {
	let mut script = Vec::new();
	clap_complete::generate(shell, &mut Cli::command(), "dpki", &mut script);
	Report::new()
		.data("shell", shell.to_string())
		.data("script", String::from_utf8_lossy(&script).into_owned())
		.raw(script)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	/// One with the name of a global option would be taken for it, or the other way round.
	#[test]
	fn no_argument_has_the_name_of_a_global_option() {
		fn visit(command: &clap::Command, globals: &[&clap::Id]) {
			for sub in command.get_subcommands() {
				for argument in sub.get_arguments() {
					assert!(
						!globals.contains(&argument.get_id()),
						"{} of {}",
						argument.get_id(),
						sub.get_name()
					);
				}
				visit(sub, globals);
			}
		}
		let command = Cli::command();
		let globals: Vec<_> = command.get_arguments().map(clap::Arg::get_id).collect();
		visit(&command, &globals);
	}

	#[test]
	fn nothing_but_votes_and_keys_goes_without_finality() {
		for (line, is_for_it) in [
			("dpki motion vote 3 aye --unfinalised", true),
			("dpki validator note-stalled --delay 9 --finalized 7 --unfinalised", true),
			("dpki node rotate-keys --unfinalised", true),
			("dpki node join spec.json --unfinalised", false),
			("dpki revoke device acme/drone-7 --reason keyCompromise --unfinalised", false),
			("dpki chain info --unfinalised", false),
		] {
			let cli =
				Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
			assert!(cli.global.unfinalised, "{line}");
			assert_eq!(cli.command.require_vote().is_ok(), is_for_it, "{line}");
		}
	}

	/// clap breaks longer ones where they cannot be copied any more.
	#[test]
	fn no_line_of_an_example_is_too_long() {
		fn visit(command: &clap::Command) {
			let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
			for line in help.lines() {
				assert!(line.chars().count() <= 98, "{}: {line}", command.get_name());
			}
			command.get_subcommands().for_each(visit);
		}
		visit(&Cli::command());
	}

	#[test]
	fn every_command_shows_an_example() {
		fn visit(command: &clap::Command, path: &str) {
			let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
			assert!(help.contains(&format!("  {path} ")), "no example of `{path}`");
			for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
				visit(sub, &format!("{path} {}", sub.get_name()));
			}
		}
		visit(&Cli::command(), "dpki");
	}
}
