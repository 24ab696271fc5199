//! `dpki ssh`: certificates for people and hosts, signed on this computer.
//!
//! The chain is asked first whether the CA may still sign. Its time counts as well as the clock of this computer: they
//! have to agree, because a certificate of five minutes made by a wrong clock opens nothing, or opens for too long.

pub mod requests;
mod rotate;

use crate::{
	commands::revoke,
	error::{Error, Result, crypto},
	files,
	lookup::{self, KnownAnchor},
	output::{Report, rfc3339},
	secrets,
	session::Session,
	values::{self, AnchorRef},
};
use clap::{Args, Subcommand};
use dpki_client::{
	View,
	ssh::{self, HostCertificate, UserCertificate},
};
use dpki_primitives::{Moment, anchor::AnchorKind, ids::AnchorId};
use serde_json::json;
use ssh_key::{Certificate, PrivateKey, PublicKey, certificate::CertType};
use std::{
	path::{Path, PathBuf},
	time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The longest certificate: whoever needs access for longer has it renewed.
const MAX_VALIDITY: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How far back a certificate starts, for hosts whose clocks are behind.
const CLOCK_LEEWAY: Duration = Duration::from_secs(60);

/// How far chain time and local clock may lie apart: finalised blocks are some seconds old on a healthy chain.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(2 * 60);

/// Certificates for people and hosts.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki ssh sign --ca user-ca --principal alice --for 5m ~/.ssh/id_ed25519.pub
  dpki ssh host-sign --ca host-ca --host drone-7.acme.example /etc/ssh/ssh_host_ed25519_key.pub
  dpki ssh rotate --org acme --fleet drones.txt --old-ca user-ca.pub --new-ca user-ca-2 \\
      --principals pilot=ops --state rotation.json")]
pub enum SshCommand {
	/// Sign a user certificate, after asking the chain whether the CA may still sign
	#[command(after_help = "\
Examples:
  dpki ssh sign --ca user-ca --principal alice --for 5m ~/.ssh/id_ed25519.pub
  dpki ssh sign --ca user-ca --principal alice --principal ops --for 8h \\
      --out alice-cert.pub alice.pub
The certificate goes to KEY-cert.pub, where ssh finds it by itself.")]
	Sign(SignUser),
	/// Sign a host certificate
	#[command(after_help = "\
Example:
  dpki ssh host-sign --ca host-ca --host drone-7.acme.example \\
      --for 30d /etc/ssh/ssh_host_ed25519_key.pub")]
	HostSign(SignHost),
	/// Answer devices that ask for certificates of their host keys, or of keys of their users
	#[command(after_help = "\
Examples:
  dpki ssh sign-requests drone-7.request --ca host-ca --for 30d
  dpki ssh sign-requests ops.request --ca user-ca --principal drone-7-ops --for 30d
  dpki deliver --org acme --device drone-7 --host-cert drone-7-cert.pub --user-ca user-ca.pub \\
      --principals pilot=alice
The certificate goes to FILE-cert.pub, without the ending of the request. No private key comes or
goes.")]
	SignRequests(requests::SignRequests),
	/// Give a fleet another CA: deliver it, wait for the devices, and revoke the old one after an overlap
	#[command(after_help = "\
Examples:
  dpki ssh rotate --org acme --fleet drones.txt --old-ca user-ca.pub --new-ca user-ca-2 \\
      --principals pilot=ops --overlap 7d --state rotation.json
  dpki ssh rotate --org acme --fleet drones.txt --old-ca host-ca.pub --new-ca host-ca-2 \\
      --host-names '{}.acme.example' --user-ca user-ca.pub --principals pilot=ops \\
      --state rotation.json
  dpki ssh rotate --org acme --fleet drones.txt --old-ca user-ca.pub --new-ca user-ca-2 \\
      --principals pilot=ops --trust web=ca.pem --data maps=maps.bin --state rotation.json
The same command goes on where it was interrupted, and tells how far it is. A delivery is the
full state of a device: name what the devices shall have besides, as in `dpki deliver`; the rest
is removed from them, access that was granted too.
Beside the state lies a file for each device, such as rotation.json.drone-7.review, for
`dpki access grant --review`.

Exit codes: 0 every device has the new CA; 3 some do not; 1 it did not get that far.")]
	Rotate(Box<rotate::Rotate>),
}

/// What both kinds of certificates need.
#[derive(Args)]
struct Common {
	/// The CA's private key file
	#[arg(long, value_name = "FILE")]
	ca: PathBuf,
	/// Serial number, not 0; a random one if left out
	#[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
	serial: Option<u64>,
	/// What sshd writes to its log; the names if left out
	#[arg(long, value_name = "TEXT")]
	key_id: Option<String>,
	/// Where to write the certificate (- for standard output); KEY-cert.pub if left out
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Do not ask the chain whether the CA may still sign, and go by the clock of this computer
	#[arg(long)]
	offline: bool,
	/// The public key to certify
	#[arg(value_name = "KEY.pub")]
	key: PathBuf,
}

/// Sign a user certificate.
#[derive(Args)]
pub struct SignUser {
	/// Whom it stands for (repeat, or separate by commas)
	#[arg(long, required = true, value_delimiter = ',', value_parser = values::principal)]
	principal: Vec<String>,
	/// How long it is valid
	#[arg(long = "for", default_value = "5m", value_parser = certificate_span, value_name = "SPAN")]
	span: Duration,
	#[command(flatten)]
	common: Common,
}

/// Sign a host certificate.
#[derive(Args)]
pub struct SignHost {
	/// Names and addresses by which the host is reached (repeat, or separate by commas)
	#[arg(long, required = true, value_delimiter = ',', value_parser = values::host_name)]
	host: Vec<String>,
	/// How long it is valid
	#[arg(long = "for", default_value = "30d", value_parser = certificate_span, value_name = "SPAN")]
	span: Duration,
	#[command(flatten)]
	common: Common,
}

impl SshCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::Sign(SignUser { principal, span, common }) => {
				sign(session, AnchorKind::SshUserCa, principal, span, common).await
			},
			Self::HostSign(SignHost { host, span, common }) => {
				sign(session, AnchorKind::SshHostCa, host, span, common).await
			},
			Self::SignRequests(command) => command.run(session).await,
			Self::Rotate(command) => command.run(session).await,
		}
	}
}

async fn sign(
	session: &Session,
	kind: AnchorKind,
	names: Vec<String>,
	span: Duration,
	common: Common,
) -> Result<Report> {
	let key = read_public_key(&common.key)?;
	let to_stdout = common.out.as_deref() == Some(Path::new("-"));
	let out = common.out.unwrap_or_else(|| certificate_path(&common.key));
	let replaced = if to_stdout { None } else { replaceable(&out)? };
	let ca = secrets::ssh_key(&common.ca)?;
	let checked = match common.offline {
		true => None,
		false => {
			let (_client, view) = session.view().await?;
			Some((active_ca(&view, &ca, kind).await?, view.head()))
		},
	};
	let now = signing_time(checked.as_ref().map(|(_, head)| head.time))?;
	let content = Content { names, now, span, serial: common.serial, key_id: common.key_id };
	let certificate = content.sign(&ca, &key, kind)?;
	let line = openssh_line(&certificate)?;

	let mut report = certificate_report(&certificate)?
		.done(format!("Signed a certificate until {}", until(&certificate)))
		.data("certificate", line.trim());
	report = match checked {
		Some((anchor, head)) => report.row("ca_anchor", anchor.id).read_at(head),
		None => report.data("ca_anchor", AnchorId::of(kind, &material(&ca)?).to_string()),
	};
	if to_stdout {
		return Ok(report.raw(line));
	}
	files::replace_public(&out, line.as_bytes())?;
	report = report.row("file", out.display());
	match replaced {
		Some(old) => mention(report, &old, now),
		None => Ok(report),
	}
}

/// Tells of the certificate that lay at the place of the new one, if it still opens something.
fn mention(report: Report, old: &Certificate, now: Moment) -> Result<Report> {
	if old.valid_before() <= now / 1000 {
		return Ok(report);
	}
	let (serial, end) = (old.serial(), until(old));
	let revoke = match serial {
		0 => "`dpki revoke ssh-key` ends every one of its key".to_owned(),
		_ => {
			let ca = revoke::signer_anchor(old)?;
			format!("`dpki revoke ssh-cert --ca {ca} --serial {serial}` ends it")
		},
	};
	let replaced = json!({ "serial": serial.to_string(), "valid_until": end });
	Ok(report.data("replaced", replaced).warn(format!(
		"the file held the certificate {serial}, which stays good until {end} wherever there is a copy: {revoke}"
	)))
}

/// The anchor of this CA key, if the chain lets it sign.
pub async fn active_ca(view: &View, ca: &PrivateKey, kind: AnchorKind) -> Result<KnownAnchor> {
	let material = material(ca)?;
	let anchor = AnchorRef::Id(AnchorId::of(kind, &material));
	let Some(known) = lookup::find_anchor(view, &anchor, &[kind]).await? else {
		for other in AnchorKind::ALL {
			if view.anchor(AnchorId::of(other, &material)).await?.is_some() {
				return Err(lookup::of_another_kind("this CA", other, &[kind]));
			}
		}
		let kind = kind.name();
		return Err(Error::NotAllowed {
			why: format!("the chain does not know this key as an {kind}"),
			next: format!("register it with `dpki anchor add --kind {kind}`, or check --url"),
		});
	};
	known.require_valid()
}

/// What a certificate is to say.
pub struct Content {
	/// Whom it stands for, or by which names the host is reached.
	pub names: Vec<String>,
	/// The time at which it is made.
	pub now: Moment,
	/// How long it is valid from then on.
	pub span: Duration,
	/// Its serial number; a random one if left out.
	pub serial: Option<u64>,
	/// What sshd writes to its log; the names if left out.
	pub key_id: Option<String>,
}

impl Content {
	/// Signs a certificate of the kind that this kind of CA signs.
	pub fn sign(self, ca: &PrivateKey, key: &PublicKey, kind: AnchorKind) -> Result<Certificate> {
		let now = self.now / 1000;
		let valid_from = now.saturating_sub(CLOCK_LEEWAY.as_secs());
		let valid_until = now.saturating_add(self.span.as_secs());
		let (serial, principals) = (self.serial, self.names);
		let key_id = self.key_id.unwrap_or_else(|| principals.join(","));
		Ok(match kind {
			AnchorKind::SshHostCa => {
				let content =
					HostCertificate { serial, key_id, principals, valid_from, valid_until };
				ssh::sign_host(ca, key, &content)?
			},
			_ => {
				let extensions = UserCertificate::DEFAULT_EXTENSIONS.map(str::to_owned).to_vec();
				let content = UserCertificate {
					serial,
					key_id,
					principals,
					valid_from,
					valid_until,
					extensions,
				};
				ssh::sign_user(ca, key, &content)?
			},
		})
	}
}

/// The time that a certificate is made at: that of this computer, if the chain does not contradict it.
pub fn signing_time(chain: Option<Moment>) -> Result<Moment> {
	let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	let local = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
	match chain {
		Some(chain) if u128::from(chain.abs_diff(local)) > MAX_CLOCK_DIFFERENCE.as_millis() => {
			Err(Error::ClocksDiffer { chain, local })
		},
		_ => Ok(local),
	}
}

/// One line as in a `-cert.pub` file.
pub fn openssh_line(certificate: &Certificate) -> Result<String> {
	certificate
		.to_openssh()
		.map(|line| line + "\n")
		.map_err(crypto("write the certificate"))
}

/// What there is to say about a certificate. The serial number is text, because programs that keep numbers as
/// floating point would round it.
pub fn certificate_report(certificate: &Certificate) -> Result<Report> {
	let ca = PublicKey::from(certificate.signature_key().clone());
	let subject = PublicKey::from(certificate.public_key().clone());
	let kind = match certificate.cert_type() {
		CertType::User => "user",
		CertType::Host => "host",
	};
	let principals = certificate.valid_principals().to_vec();
	Ok(Report::new()
		.data("type", "ssh-certificate")
		.row("kind", kind)
		.row("serial", certificate.serial())
		.row("key_id", certificate.key_id())
		.row_as("principals", principals.join(", "), principals)
		.time("valid_from", certificate.valid_after().saturating_mul(1000))
		.row("valid_until", until(certificate))
		.row("key_fingerprint", ssh::fingerprint_text(&subject))
		.row("ca_fingerprint", ssh::fingerprint_text(&ca)))
}

/// Reads an SSH certificate.
pub fn read_certificate(path: &Path) -> Result<Certificate> {
	Certificate::from_openssh(files::read_text(path)?.trim()).map_err(|_| Error::WrongFile {
		path: path.to_owned(),
		expected: "an SSH certificate, as `dpki ssh sign` makes it".to_owned(),
	})
}

/// Reads an SSH public key.
pub fn read_public_key(path: &Path) -> Result<PublicKey> {
	PublicKey::from_openssh(files::read_text(path)?.trim()).map_err(|_| Error::WrongFile {
		path: path.to_owned(),
		expected: "an SSH public key; its name mostly ends in .pub".to_owned(),
	})
}

fn material(ca: &PrivateKey) -> Result<Vec<u8>> {
	lookup::ssh_material(ca.public_key())
}

fn until(certificate: &Certificate) -> String {
	rfc3339(certificate.valid_before().saturating_mul(1000))
}

/// `id_ed25519.pub` becomes `id_ed25519-cert.pub`, the name that ssh looks for.
fn certificate_path(key: &Path) -> PathBuf {
	let stem = if key.extension().is_some_and(|ending| ending == "pub") {
		key.with_extension("")
	} else {
		key.to_owned()
	};
	files::with_ending(&stem, "-cert.pub")
}

/// The older certificate that lies there and may be replaced; anything else may not.
pub fn replaceable(out: &Path) -> Result<Option<Certificate>> {
	if out.symlink_metadata().is_err() {
		return Ok(None);
	}
	read_certificate(out).map(Some).map_err(|_| Error::Exists(out.to_owned()))
}

/// The time span of a certificate.
pub fn certificate_span(text: &str) -> Result<Duration, String> {
	let span = values::duration(text)?;
	if span > MAX_VALIDITY {
		return Err("a certificate is valid for 366 days at most: have it renewed".to_owned());
	}
	Ok(span)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_certificate_lies_where_ssh_looks_for_it() {
		for (key, certificate) in [
			("id_ed25519.pub", "id_ed25519-cert.pub"),
			("/a/b.c.pub", "/a/b.c-cert.pub"),
			("key", "key-cert.pub"),
		] {
			assert_eq!(certificate_path(Path::new(key)), Path::new(certificate));
		}
	}

	#[test]
	fn a_chain_that_contradicts_the_clock_stops_the_signature() {
		let now = signing_time(None).unwrap();
		assert!(signing_time(Some(now)).is_ok());
		assert!(signing_time(Some(now - 60_000)).is_ok());
		assert!(matches!(signing_time(Some(now - 600_000)), Err(Error::ClocksDiffer { .. })));
		assert!(matches!(signing_time(Some(now + 600_000)), Err(Error::ClocksDiffer { .. })));
	}

	#[test]
	fn certificates_do_not_live_for_years() {
		assert!(certificate_span("365d").is_ok());
		assert!(certificate_span("2y").is_err());
	}
}
