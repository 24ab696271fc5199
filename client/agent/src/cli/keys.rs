//! What the agent is told about keys: consents, requests for certificates, and the keys that sshd asks for.

use super::parse_span;
use clap::{
	Args,
	builder::{PossibleValuesParser, TypedValueParser},
};
use dpki_client::{
	AccountId, account,
	primitives::{
		ids::KeyId,
		key::{KeyPurpose, KeyType, PublicKey},
		revocation::RevocationReason,
	},
};
use std::{path::PathBuf, time::Duration};

/// `dpki-agent authorized-keys`.
#[derive(Debug, Args)]
#[command(after_help = "\
There is no key and an error, with exit code 1, if what the agent has proven is missing, too old
(`freshness.ssh-login`), damaged, or open to be written by others.

In sshd_config:
  AuthorizedKeysCommand /usr/bin/dpki-agent authorized-keys %u
  AuthorizedKeysCommandUser nobody

Example:
  dpki-agent authorized-keys root")]
pub struct AuthorizedKeysArgs {
	/// The login.
	#[arg(value_name = "USER")]
	pub login: String,
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// Print JSON, which is not for sshd.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
The device needs no account, and its signing key stays where it is. For another key than the
signing key the organisation has to let its devices act alone. Where a successor of the key is
announced, the reason has to be keyCompromise, and the successor stays. This may be done while
the agent runs.

Examples:
  dpki-agent revoke 0x3b1c..9f --reason cessationOfOperation
  dpki-agent revoke 0x77aa..01 --reason keyCompromise --last")]
pub struct RevokeArgs {
	/// Id of the key, as `dpki device show` lists it.
	#[arg(value_name = "ID")]
	pub key: KeyId,
	/// Why, by its RFC 5280 name.
	#[arg(long, ignore_case = true, value_parser = reasons())]
	pub reason: RevocationReason,
	/// That it is meant even if it is the signing key, after which the device says nothing any more.
	#[arg(long)]
	pub last: bool,
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// How long to wait for a fresh block.
	#[arg(long, value_name = "SECONDS", default_value_t = 180)]
	pub timeout: u64,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

fn reasons() -> impl TypedValueParser<Value = RevocationReason> {
	let names = RevocationReason::ALL.map(RevocationReason::rfc5280_name);
	PossibleValuesParser::new(names).try_map(|name| {
		let mut reasons = RevocationReason::ALL.into_iter();
		let is_it = |reason: &RevocationReason| reason.rfc5280_name().eq_ignore_ascii_case(&name);
		reasons.find(is_it).ok_or("unknown reason")
	})
}

/// `dpki-agent consent`.
#[derive(Debug, Args)]
#[command(after_help = "\
The account that registers the key has to be named beforehand, and the number of keys of the
device is part of the consent: it is good for one key, one account, and until the device gets
another key. A key that lies on the device proves itself at once, and neither private key leaves
it. A key that somebody else holds is named by its public half, as `dpki key show` prints it.
This may be done while the agent runs.

Examples:
  dpki-agent consent --account 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --purpose tls \\
    --key /var/lib/dpki-agent/tls.key --valid 365d --out drone-7-tls.consent
  dpki-agent consent --account 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty --purpose ssh \\
    --public ed25519:0x5f3c..d1
Then, at the registrar:
  dpki device register-key acme/drone-7 --consent drone-7-tls.consent")]
pub struct ConsentArgs {
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// The account that is to register the key: SS58 address, or 0x and 64 digits.
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
	pub account: AccountId,
	/// What the key is for.
	#[arg(long, value_parser = purposes())]
	pub purpose: KeyPurpose,
	/// The private key, if it lies on the device: OpenSSH or PKCS#8 PEM without a passphrase, or hexadecimal digits.
	#[arg(
		long,
		value_name = "FILE",
		required_unless_present_any = ["public", "hybrid"],
		conflicts_with_all = ["public", "hybrid"]
	)]
	pub key: Option<PathBuf>,
	/// The public key, if somebody else holds it: its algorithm and its bytes, as ed25519:0x5f3c..d1.
	#[arg(long, value_name = "ALGORITHM:HEX", value_parser = parse_public, conflicts_with = "hybrid")]
	pub public: Option<PublicKey>,
	/// The device's own hybrid key, see `dpki-agent hybrid`; for the purpose key-agreement.
	#[arg(long)]
	pub hybrid: bool,
	/// How long the key may be used, as 365d; without end if left out.
	#[arg(long, value_name = "SPAN", value_parser = parse_span)]
	pub valid: Option<Duration>,
	/// How long the consent is good, a day at most.
	#[arg(long = "for", value_name = "SPAN", value_parser = parse_span, default_value = "1h")]
	pub lifetime: Duration,
	/// The new file that it is written to; standard output if left out.
	#[arg(long, value_name = "FILE")]
	pub out: Option<PathBuf>,
	/// How long to wait for a fresh block.
	#[arg(long, value_name = "SECONDS", default_value_t = 180)]
	pub timeout: u64,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

/// `dpki-agent request`.
#[derive(Debug, Args)]
#[command(after_help = "\
The request is signed by the device and holds no secret. It goes over the chain, where all can
see it, and this waits until the organisation has answered with `dpki request`: the certificate
comes in a delivery, which the agent that runs puts in force. With --print and --out somebody
carries it to the CA instead, who answers with `dpki ssh sign-requests` or
`dpki certificate issue`. This may be done while the agent runs. Interrupting the wait takes
nothing back.

A service has to stand under [apply.tls] in the configuration. Its private key is made with its
first request and stays in the state directory, as tls/SERVICE/0.key; later requests are for the
same key. Rename it there to 1.key, and the next request makes another one, while certificates
for the old one still find it. With --plain and --self-signed the chain is not asked.

A user has to stand under [apply.user-keys], with the place of its key. The key is made likewise,
as made-user-keys/USER/0.key, and comes to that place with its certificate, which then lies
beside it.

Examples:
  dpki-agent request ssh-host --name drone-7.acme.example --name 10.0.0.7
  dpki-agent request ssh-user --user ops --principal drone-7-ops
  dpki-agent request tls --service web --name drone-7.acme.example --no-wait
  dpki-agent request tls --service web --withdraw
  dpki-agent request tls --service web --name drone-7.acme.example --out web.request
  dpki-agent request tls --service web --name drone-7.acme.example --plain > web.csr
  dpki-agent request tls --service mesh --name drone-7.acme.example --self-signed --days 90 \\
      > mesh.pem")]
pub struct RequestArgs {
	/// For the SSH host key, for a service that speaks TLS, or for a user of the device who logs in elsewhere.
	#[arg(value_enum, value_name = "WHAT")]
	pub what: RequestKind,
	/// The configuration file.
	#[arg(long, value_name = "FILE", default_value = "/etc/dpki/agent.toml")]
	pub config: PathBuf,
	/// A name or an address by which the device is reached; may be repeated.
	#[arg(
		long = "name",
		value_name = "NAME",
		required_unless_present_any = ["withdraw", "principals"]
	)]
	pub names: Vec<String>,
	/// With `ssh-user`: for whom the certificate is to stand where that user logs in; may be repeated.
	#[arg(long = "principal", value_name = "NAME", conflicts_with_all = ["names", "service"])]
	pub principals: Vec<String>,
	/// Which account of the device, with `ssh-user`.
	#[arg(
		long,
		value_name = "LOGIN",
		required_if_eq("what", "ssh-user"),
		conflicts_with = "service"
	)]
	pub user: Option<String>,
	/// Which service, with `tls`.
	#[arg(long, value_name = "NAME", required_if_eq("what", "tls"))]
	pub service: Option<String>,
	/// Do not file it on the chain: print it, for somebody to carry to the CA.
	#[arg(long, group = "form")]
	pub print: bool,
	/// Do not wait until it is answered.
	#[arg(long, conflicts_with_all = ["form", "out"])]
	pub no_wait: bool,
	/// Take back what was filed, and ask for nothing.
	#[arg(long, group = "form", conflicts_with_all = ["names", "principals", "out", "lifetime"])]
	pub withdraw: bool,
	/// With `tls`: print PKCS#10 in PEM, for a CA that knows nothing of the chain.
	#[arg(long, group = "form")]
	pub plain: bool,
	/// With `tls`: print a certificate that no CA has signed, which peers believe one by one.
	#[arg(long, group = "form")]
	pub self_signed: bool,
	/// How many days that is valid.
	#[arg(
		long,
		value_name = "DAYS",
		value_parser = clap::value_parser!(u32).range(1..),
		default_value_t = 365,
		requires = "self_signed",
		conflicts_with_all = ["plain", "print", "withdraw"]
	)]
	pub days: u32,
	/// How long a request that is carried is good, a day at most.
	#[arg(
		long = "for",
		value_name = "SPAN",
		value_parser = parse_span,
		default_value = "24h",
		conflicts_with_all = ["plain", "self_signed", "no_wait"]
	)]
	pub lifetime: Duration,
	/// The new file that it is written to, for somebody to carry to the CA.
	#[arg(long, value_name = "FILE")]
	pub out: Option<PathBuf>,
	/// How long to wait for a fresh block.
	#[arg(
		long,
		value_name = "SECONDS",
		default_value_t = 180,
		conflicts_with_all = ["plain", "self_signed"]
	)]
	pub timeout: u64,
	/// Print JSON.
	#[arg(long)]
	pub json: bool,
}

impl RequestArgs {
	/// Whether somebody carries the request to the CA.
	pub fn is_carried(&self) -> bool {
		self.print || self.out.is_some()
	}
}

/// For what a certificate is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum RequestKind {
	/// The SSH host key.
	SshHost,
	/// A service that speaks TLS.
	Tls,
	/// A user of the device.
	SshUser,
}

fn parse_account(text: &str) -> Result<AccountId, String> {
	account::parse_address(text).map_err(|error| error.to_string())
}

fn purposes() -> impl TypedValueParser<Value = KeyPurpose> {
	PossibleValuesParser::new(KeyPurpose::ALL.map(KeyPurpose::name)).try_map(|name| {
		let mut purposes = KeyPurpose::ALL.into_iter();
		purposes.find(|purpose| purpose.name() == name).ok_or("unknown purpose")
	})
}

fn parse_public(text: &str) -> Result<PublicKey, String> {
	let read = || {
		let (name, digits) = text.split_once(':')?;
		let key_type = KeyType::ALL.into_iter().find(|key_type| key_type.name() == name)?;
		let bytes = hex::decode(digits.strip_prefix("0x").unwrap_or(digits)).ok()?;
		PublicKey::new(key_type, &bytes)
	};
	read().ok_or_else(|| {
		"write the algorithm and the bytes as `dpki key show` prints them, such as ed25519:0x5f3c..d1"
			.to_owned()
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_request_that_the_chain_does_not_see_has_one_form_and_no_end() {
		#[derive(clap::Parser)]
		struct Line {
			#[command(flatten)]
			request: RequestArgs,
		}
		let parse = |more: &str| {
			let line = format!("request tls --service web --name web.example {more}");
			<Line as clap::Parser>::try_parse_from(line.split_whitespace()).map(|it| it.request)
		};
		assert!(parse("--plain").unwrap().plain);
		assert_eq!(parse("--self-signed --days 9").unwrap().days, 9);
		assert_eq!(parse("").unwrap().lifetime, Duration::from_secs(86_400));
		assert!(!parse("--no-wait --timeout 9").unwrap().is_carried());
		for carried in ["--print", "--out web.request", "--print --for 1h --timeout 9"] {
			assert!(parse(carried).unwrap().is_carried(), "{carried}");
		}
		for wrong in [
			"--plain --self-signed",
			"--plain --print",
			"--print --no-wait",
			"--out web.request --no-wait",
			"--plain --no-wait",
			"--print --days 9",
			"--plain --for 1h",
			"--self-signed --timeout 9",
			"--self-signed --days 0",
			"--plain --days 9",
			"--days 9",
		] {
			assert!(parse(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_request_of_a_user_names_the_account_and_its_principals() {
		#[derive(clap::Parser)]
		struct Line {
			#[command(flatten)]
			request: RequestArgs,
		}
		let parse = |line: &str| {
			let words = format!("request {line}");
			<Line as clap::Parser>::try_parse_from(words.split_whitespace()).map(|it| it.request)
		};
		let asked = parse("ssh-user --user ops --principal crew --principal pilots").unwrap();
		assert_eq!((asked.user.as_deref(), asked.principals.len()), (Some("ops"), 2));
		assert!(parse("ssh-user --user ops --withdraw").unwrap().withdraw);
		for wrong in [
			"ssh-user --principal crew",
			"ssh-user --user ops",
			"ssh-user --user ops --principal crew --name drone-7.acme.example",
			"ssh-user --user ops --principal crew --service web",
			"ssh-user --withdraw",
			"ssh-host",
		] {
			assert!(parse(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn a_public_key_is_written_as_it_is_shown() {
		let digits = "ab".repeat(32);
		for text in [format!("ed25519:0x{digits}"), format!("x25519:{digits}")] {
			assert!(parse_public(&text).is_ok(), "{text}");
		}
		for wrong in ["", "ed25519", "ed25519:0x12", "rsa:0x12", &digits] {
			assert!(parse_public(wrong).is_err(), "{wrong}");
		}
	}
}
