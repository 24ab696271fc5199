//! `dpki ssh sign-requests`: certificates for hosts, and for users of devices, that ask for them by a text.
//!
//! A device makes its keys itself; what comes here is a request that it has signed, see [`dpki_client::device_request`].
//! The signature is held against the key that the chain knows of the device, so the way of the request is nobody's concern.

use super::{Content, active_ca, certificate_report, certificate_span, openssh_line, replaceable};
use crate::{
	commands::{certificate::issue::require_fit, deliver, request::require_allowed},
	error::{Error, Result},
	files, lookup,
	output::{Report, rfc3339},
	prompt,
	proven::Trust,
	secrets,
	session::Session,
	values::{self, DeviceRef},
};
use clap::Args;
use dpki_client::{
	Client, View,
	device_request::{DeviceRequest, Wanted},
	ssh,
};
use dpki_primitives::{
	anchor::AnchorKind,
	device::DeviceRecord,
	ids::{DeviceId, KeyId, name_to_string},
	key::{KeyPurpose, PublicKey},
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Answer devices that ask for host certificates, or for certificates of their users.
#[derive(Args)]
pub struct SignRequests {
	/// What `dpki-agent request ssh-host --out` wrote, or one of `request ssh-user --out` alone
	#[arg(value_name = "FILE", required = true)]
	request: Vec<PathBuf>,
	/// The private key of an SSH host CA of the organisation, or of an SSH user CA for users of devices
	#[arg(long, value_name = "FILE")]
	ca: PathBuf,
	/// Whom certificates of users may stand for; one that asks for another name is refused (repeat, or separate by commas)
	#[arg(long, value_delimiter = ',', value_parser = values::principal)]
	principal: Vec<String>,
	/// How long the certificates are valid
	#[arg(long = "for", default_value = "30d", value_parser = certificate_span, value_name = "SPAN")]
	span: Duration,
	#[command(flatten)]
	trust: Trust,
	/// Sign without asking whether the names are right
	#[arg(long)]
	yes: bool,
}

impl SignRequests {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let read =
			|path: &PathBuf| -> Result<DeviceRequest> { Ok(files::read_text(path)?.parse()?) };
		let requests = self.request.iter().map(read).collect::<Result<Vec<_>>>()?;
		require_one_user(&requests.iter().map(|it| &it.wanted).collect::<Vec<_>>())?;
		let ca = secrets::ssh_key(&self.ca)?;
		let (client, view) = self.trust.view(session).await?;
		let mut reports = Vec::new();
		for (path, request) in self.request.iter().zip(requests) {
			let asked = Asked::of(request, &client, &view).await?;
			let device = asked.request.device;
			let (kind, key, names, next) = match &asked.request.wanted {
				Wanted::SshHost { key, names } => {
					require_host_key(&view, device, &asked.name, KeyId::of(key)).await?;
					(AnchorKind::SshHostCa, key, names, "--host-cert ".to_owned())
				},
				Wanted::SshUser { login, key, principals, .. } => {
					require_allowed(principals, &self.principal, &asked.name)?;
					require_fit(&view, KeyId::of(key), device, &asked.name).await?;
					(AnchorKind::SshUserCa, key, principals, format!("--user-cert {login}="))
				},
				Wanted::Tls { .. } => {
					return Err(asked.of_another_kind(path, "dpki certificate issue"));
				},
			};
			let known = active_ca(&view, &ca, kind).await?;
			deliver::require_own(&known, asked.record.organisation)?;
			let key = ssh::from_public_key(key)?;
			deliver::require_unrevoked(&view.ssh_revocations(known.id).await?, &key, &asked.name)?;
			let out = files::with_ending(&path.with_extension(""), "-cert.pub");
			replaceable(&out)?;
			let subject = subject(&asked.name, &asked.request.wanted);
			let question = format!("Certify {subject} as {}?", names.join(", "));
			prompt::confirm(&question, self.yes)?;
			let content = Content {
				names: names.clone(),
				now: super::signing_time(Some(view.now()))?,
				span: self.span,
				serial: None,
				key_id: Some(subject.clone()),
			};
			let certificate = content.sign(&ca, &key, kind)?;
			let line = openssh_line(&certificate)?;
			files::replace_public(&out, line.as_bytes())?;
			let until = rfc3339(certificate.valid_before().saturating_mul(1000));
			reports.push(
				certificate_report(&certificate)?
					.done(format!("Signed a certificate for {subject} until {until}"))
					.data("device", asked.request.device.to_string())
					.data("certificate", line.trim())
					.row("file", out.display())
					.tail(format!("Next: dpki deliver .. {next}{}", out.display())),
			);
		}
		Ok(Report::list(reports, "nothing was asked for"))
	}
}

/// A request that comes from the device that it names.
pub struct Asked {
	/// The request.
	pub request: DeviceRequest,
	/// The device.
	pub record: DeviceRecord,
	/// Its name, with that of its organisation.
	pub name: String,
}

impl Asked {
	/// Reads a request, and refuses it unless a valid signing key of a valid device has signed it.
	pub async fn read(path: &Path, client: &Client, view: &View) -> Result<Self> {
		Self::of(files::read_text(path)?.parse()?, client, view).await
	}

	/// The same of a request that was read already.
	async fn of(request: DeviceRequest, client: &Client, view: &View) -> Result<Self> {
		let (record, name, signer) = signer(view, request.device, request.key).await?;
		request.verify(client.genesis_hash(), &signer, view.now())?;
		Ok(Self { request, record, name })
	}

	/// The error for a request that another command answers.
	pub fn of_another_kind(&self, path: &Path, command: &str) -> Error {
		Error::NotAllowed {
			why: format!("{} asks for a certificate of another kind", path.display()),
			next: format!("answer it with `{command}`"),
		}
	}
}

/// Refuses to answer a request for a user beside others: what `--principal` names would be granted to each of the devices,
/// and one whose signing key was stolen would ask for what was meant for another.
fn require_one_user(wanted: &[&Wanted]) -> Result<()> {
	let has_user = wanted.iter().any(|it| matches!(it, Wanted::SshUser { .. }));
	if wanted.len() == 1 || !has_user {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why:
			"one of these requests is for a user, whose principals would be allowed to all of them"
				.into(),
		next: "answer requests for users one at a time, each with a --principal of its own".into(),
	})
}

/// Whom a certificate is for: the device, or one of its users.
fn subject(device: &str, wanted: &Wanted) -> String {
	match wanted {
		Wanted::SshUser { login, .. } => format!("{device}:{login}"),
		_ => device.to_owned(),
	}
}

/// A device with its name and this signing key of it; refuses one whose word counts for nothing.
pub async fn signer(
	view: &View,
	id: DeviceId,
	key: KeyId,
) -> Result<(DeviceRecord, String, PublicKey)> {
	let record = lookup::device(view, &DeviceRef::from(id)).await?;
	let organisation = lookup::organisation_name(view, record.organisation).await?;
	let name = format!("{organisation}/{}", name_to_string(&record.name));
	let status = view.device_status(id).await?;
	if !status.is_valid() {
		return Err(Error::NotAllowed {
			why: format!("the device {name} is {}", lookup::verdict(status, &record.standing())),
			next: "do not answer it".into(),
		});
	}
	let signer = view
		.key(key)
		.await?
		.filter(|it| it.device == id && it.purpose == KeyPurpose::Sign && it.is_proven());
	let is_valid = view.key_status(key).await?.is_valid();
	let Some(signer) = signer.filter(|_| is_valid) else {
		return Err(Error::NotAllowed {
			why: format!("{name} has no valid signing key {key}"),
			next: "do not answer it, or have the device ask again".into(),
		});
	};
	Ok((record, name, signer.public))
}

/// Refuses a host key that is not the one that the chain knows of the device.
pub async fn require_host_key(view: &View, device: DeviceId, name: &str, key: KeyId) -> Result<()> {
	let known = view.key(key).await?;
	let known = known.filter(|it| it.device == device && it.purpose == KeyPurpose::Ssh);
	if known.is_some() && view.key_status(key).await?.is_valid() {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("the chain knows no valid SSH host key {key} of {name}"),
		next: "have the device register its host key".into(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::possession::AgreementKey;

	// Of which kind a key is matters to nobody here.
	fn host() -> Wanted {
		let key = AgreementKey::from_secret_bytes(&[7; 32]).public();
		Wanted::SshHost { key, names: vec!["a.acme.example".into()] }
	}

	fn user(login: &str) -> Wanted {
		let key = AgreementKey::from_secret_bytes(&[8; 32]).public();
		let (login, principals) = (login.into(), vec!["a-ops".into()]);
		Wanted::SshUser { login, key, principals, possession: Default::default() }
	}

	#[test]
	fn what_is_allowed_to_a_user_of_one_device_is_allowed_to_no_other() {
		for good in [&[user("ops")][..], &[host()], &[host(), host()]] {
			require_one_user(&good.iter().collect::<Vec<_>>()).unwrap();
		}
		for bad in [[user("ops"), user("ops")], [user("ops"), user("pilot")], [host(), user("ops")]]
		{
			let error = require_one_user(&bad.iter().collect::<Vec<_>>()).unwrap_err();
			assert!(error.to_string().contains("would be allowed to all of them"), "{error}");
			assert!(error.next_step().unwrap().contains("one at a time"), "{error}");
		}
	}

	#[test]
	fn a_certificate_says_which_user_of_which_device_it_is_for() {
		assert_eq!(subject("acme/drone-7", &user("ops")), "acme/drone-7:ops");
		assert_eq!(subject("acme/drone-7", &host()), "acme/drone-7");
	}
}
