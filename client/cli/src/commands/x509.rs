//! `dpki x509`: certificates of others, judged by the very code that the chain runs.

mod check;
pub mod issuer;
mod pkcs12;
mod request;
mod show;

use crate::{
	error::{Error, Result},
	files,
	output::Report,
	session::Session,
};
use check::{Check, Match};
use clap::Subcommand;
use dpki_x509::{
	limbo::{self, Tally},
	time::UnixTime,
};
use pkcs12::Pkcs12;
use request::Request;
use serde_json::{Value, json};
pub use show::ProfileArg;
use show::Show;
use std::{
	path::{Path, PathBuf},
	time::SystemTime,
};

/// Certificates of others, judged by the very code that the chain runs.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki x509 show device.crt --root root.crt --intermediate ca.crt
  dpki x509 check device.crt --below ca.crt
  dpki x509 limbo limbo.json")]
pub enum X509Command {
	/// Say what the chain would say about a certificate: whether it accepts it, for which profile, and why not
	///
	/// A root is judged by itself. Everything else is judged as the end of a path from --root; without one there is no
	/// verdict. Revocation is what the chain keeps, and is asked with `dpki x509 check`.
	#[command(after_help = "\
Examples:
  dpki x509 show root.crt
  dpki x509 show device.crt --root root.crt --intermediate ca.crt --profile idevid

Exit codes: 0 accepted, 3 refused or not judged.")]
	Show(Show),
	/// Ask the chain about a certificate below one of its anchors, with everything that it has revoked
	///
	/// The file is read here first. The authorities between are found by their names among the files that are given, in
	/// whatever order. The verdict is that of the node that is asked; what it rests on can be proven with `dpki bundle`.
	#[command(after_help = "\
Examples:
  dpki x509 check device.crt --below ca.crt
  dpki x509 check chain.pem --below 0x7d2e...90 --profile matter

Exit codes: 0 valid, 3 anything else.")]
	Check(Check),
	/// Hold a certificate in a file against what is registered: whether it is that anchor, or has that key and subject
	#[command(after_help = "\
Examples:
  dpki x509 match ca.crt --anchor 0x7d2e...90
  dpki x509 match www.crt --certificate 0x1f0a...4c

Exit codes: 0 it is, and that is valid; 3 it is another one, or that is not valid.")]
	Match(Match),
	/// Make the certification request (PKCS#10) for a draft of an application, without OpenSSL
	///
	/// It names the subject of the draft and carries its challenge: it is good for that one application alone.
	#[command(after_help = "\
Example:
  dpki certificate draft dns:www.acme.example --public www.pub.pem --out www.draft
  dpki x509 csr --draft www.draft --key www.key www.csr
  dpki certificate apply-csr --draft www.draft --csr www.csr")]
	Csr(Request),
	/// Put a private key and its certificates into one file (PKCS#12), for browsers, Java and Windows; no chain is needed
	#[command(after_help = "\
Examples:
  dpki x509 pkcs12 --key www.key --chain www.chain.pem --out www.p12
  dpki x509 pkcs12 --key www.key --chain www.chain.pem --out www.p12 --password-file www.password")]
	Pkcs12(Pkcs12),
	/// Run a file of test cases in the format of x509-limbo.com
	///
	/// The groups `webpki` and `online` are judged under the profile tls-server, all others under rfc5280. What the
	/// numbers are for the public suite, and why single cases differ, stands in docs/x509.md.
	#[command(after_help = "\
Examples:
  dpki x509 limbo limbo.json
  dpki x509 limbo limbo.json --json | jq .groups

Exit codes: 0 nothing was accepted that has to be refused; 1 something was, or the file could not
be read.")]
	Limbo {
		/// The file; - is standard input
		#[arg(value_name = "FILE")]
		file: PathBuf,
	},
}

impl X509Command {
	/// Runs the command. Only what asks about the state of the chain needs one.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Show(command) => command.run(),
			Self::Check(command) => command.run(session).await,
			Self::Match(command) => command.run(session).await,
			Self::Csr(command) => command.run(),
			Self::Pkcs12(command) => command.run(),
			Self::Limbo { file } => run_limbo(&file),
		}
	}
}

/// The local time; a clock before 1970 is at its beginning.
fn now() -> UnixTime {
	let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
	since.map_or(0, |since| since.as_secs())
}

fn run_limbo(file: &Path) -> Result<Report> {
	let text = files::read_suite(file)?;
	let judged = limbo::run(&text, now()).map_err(|reason| {
		let is_json = serde_json::from_str::<Value>(&text).is_ok();
		let reason = match reason.strip_prefix("no limbo file: ") {
			_ if !is_json => "it is not JSON".to_owned(),
			Some(reason) => reason.to_owned(),
			None => reason,
		};
		Error::NotASuite { path: file.to_owned(), reason }
	})?;
	let tally = |tally: &Tally| json!({ "agreed": tally.agreed, "disagreed": tally.disagreed, "skipped": tally.skipped });
	let groups: Value =
		judged.groups.iter().map(|(name, group)| (name.clone(), tally(group))).collect();
	let cases: Vec<_> = judged
		.cases
		.iter()
		.map(|case| {
			json!({
				"id": case.id,
				"expected": case.expected,
				"accepted": case.accepted,
				"reason": case.reason,
			})
		})
		.collect();
	let unsafe_accepts: Vec<_> = judged.unsafe_accepts().map(|case| case.id.as_str()).collect();
	Ok(Report::new()
		.succeeded(unsafe_accepts.is_empty())
		.data("groups", groups)
		.data("unsafe_accepts", json!(unsafe_accepts))
		.data("cases", cases)
		.raw(judged.to_string()))
}
