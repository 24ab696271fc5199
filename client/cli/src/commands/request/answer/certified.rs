//! The certificate that answers a request, once somebody has agreed to its names.

use super::Answer;
use crate::{
	commands::{
		certificate::issue::{self, Proposal},
		deliver,
		request::Opened,
		ssh as certificates,
		x509::issuer::Authority,
	},
	error::{Error, Result},
	lookup, prompt, secrets,
	values::{self, AnchorRef},
};
use dpki_client::{Item, View, ssh};
use dpki_primitives::{Moment, anchor::AnchorKind, ids::KeyId, key::PublicKey};

/// A certificate that was signed, after somebody agreed to its names.
pub(super) struct Certified {
	/// The certificate, as it is delivered.
	pub item: Item,
	/// What it was signed for.
	pub names: Vec<String>,
	/// Its last moment.
	pub until: Moment,
	/// The key that it is about.
	pub key: KeyId,
}

impl Answer {
	/// For the host key of the device.
	pub(super) async fn host_certificate(
		&self,
		view: &View,
		opened: &Opened,
		(id, key): (KeyId, ssh_key::PublicKey),
		names: Vec<String>,
	) -> Result<Certified> {
		let Some(ca) = &self.ca else { return Err(self.other_ca("--ca with an SSH host CA")) };
		let ca = secrets::ssh_key(ca)?;
		let known = certificates::active_ca(view, &ca, AnchorKind::SshHostCa).await?;
		deliver::require_own(&known, opened.record.organisation)?;
		deliver::require_unrevoked(&view.ssh_revocations(known.id).await?, &key, &opened.name)?;
		let question = format!("Certify {} as {}?", opened.name, names.join(", "));
		prompt::confirm(&question, self.yes)?;
		let content = certificates::Content {
			names: names.clone(),
			now: certificates::signing_time(Some(view.now()))?,
			span: self.valid,
			serial: None,
			key_id: Some(opened.name.clone()),
		};
		let certificate = content.sign(&ca, &key, AnchorKind::SshHostCa)?;
		let until = certificate.valid_before().saturating_mul(1000);
		let line = certificates::openssh_line(&certificate)?;
		let item = Item::SshHostCertificate { certificate: line.trim_end().to_owned() };
		Ok(Certified { item, names, until, key: id })
	}

	/// For a user of the device, whose key it has made.
	pub(super) async fn user_certificate(
		&self,
		view: &View,
		opened: &Opened,
		(login, key): (String, &PublicKey),
		principals: Vec<String>,
	) -> Result<Certified> {
		let Some(ca) = &self.ca else { return Err(self.other_ca("--ca with an SSH user CA")) };
		require_allowed(&principals, &self.principal, &opened.name)?;
		let ca = secrets::ssh_key(ca)?;
		let known = certificates::active_ca(view, &ca, AnchorKind::SshUserCa).await?;
		deliver::require_own(&known, opened.record.organisation)?;
		let id = KeyId::of(key);
		issue::require_fit(view, id, opened.place.0, &opened.name).await?;
		let key = ssh::from_public_key(key)?;
		deliver::require_unrevoked(&view.ssh_revocations(known.id).await?, &key, &opened.name)?;
		let who = principals.join(", ");
		let question = format!("Certify the user {login} of {} to log in as {who}?", opened.name);
		prompt::confirm(&question, self.yes)?;
		let content = certificates::Content {
			names: principals.clone(),
			now: certificates::signing_time(Some(view.now()))?,
			span: self.valid,
			serial: None,
			key_id: Some(format!("{}:{login}", opened.name)),
		};
		let certificate = content.sign(&ca, &key, AnchorKind::SshUserCa)?;
		let until = certificate.valid_before().saturating_mul(1000);
		let certificate = certificates::openssh_line(&certificate)?.trim_end().to_owned();
		let item = Item::SshUserCertificate { login, certificate };
		Ok(Certified { item, names: principals, until, key: id })
	}

	/// For a service of the device.
	pub(super) async fn tls_certificate(
		&self,
		view: &View,
		opened: &Opened,
		service: String,
		csr: &[u8],
	) -> Result<Certified> {
		let (Some(certificate), Some(ca_key)) = (&self.ca_cert, &self.ca_key) else {
			return Err(self.other_ca("--ca-cert and --ca-key with an X.509 CA"));
		};
		let authority = Authority::read(certificate, ca_key)?;
		let file = AnchorRef::File(certificate.clone());
		let kinds = [AnchorKind::X509Root, AnchorKind::X509Intermediate];
		let known = lookup::anchor(view, &file, &kinds).await?.require_valid()?;
		deliver::require_own(&known, opened.record.organisation)?;
		let proposal = Proposal::read(csr, &opened.name, opened.place.0)?;
		let key = proposal.key();
		issue::require_fit(view, key, opened.place.0, &opened.name).await?;
		prompt::confirm(&proposal.question(&service), self.yes)?;
		let until = values::after(view.now(), self.valid)?;
		let names = proposal.names.clone();
		let certificate = proposal.sign(&authority, view.now(), until)?;
		let mut chain = vec![certificate.der().to_vec()];
		// Peers have the root; what lies between has to be shown to them.
		if known.record.kind == AnchorKind::X509Intermediate {
			chain.push(authority.der.clone());
		}
		let item = Item::TlsIdentity { name: service, chain, key: None };
		Ok(Certified { item, names, until, key })
	}

	/// The error for a CA that does not certify what is asked for.
	fn other_ca(&self, needed: &str) -> Error {
		Error::NotAllowed {
			why: format!("{} asks for a certificate of another kind", self.which.device.text),
			next: format!("give {needed}"),
		}
	}
}

/// Refuses principals that whoever answers has not named: a device asks for what it wants, and a certificate opens logins on
/// machines of others.
pub fn require_allowed(asked: &[String], allowed: &[String], device: &str) -> Result<()> {
	let missing: Vec<_> = asked
		.iter()
		.filter(|name| !allowed.contains(name))
		.map(String::as_str)
		.collect();
	if missing.is_empty() {
		return Ok(());
	}
	let names = missing.join(", ");
	Err(Error::NotAllowed {
		why: format!("{device} asks to log in as {names}, which is not allowed"),
		next: format!("add --principal {} if it may, or refuse it", missing.join(",")),
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn nobody_is_certified_for_principals_that_were_not_allowed() {
		let names = |text: &str| -> Vec<String> {
			text.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect()
		};
		let judge = |asked, allowed| require_allowed(&names(asked), &names(allowed), "acme/d");
		judge("crew", "crew").unwrap();
		judge("crew", "pilots,crew").unwrap();
		for (asked, allowed, missing) in
			[("crew", "", "crew"), ("root,crew", "crew", "root"), ("crew", "crews", "crew")]
		{
			let error = judge(asked, allowed).unwrap_err();
			let why = format!("acme/d asks to log in as {missing}, which is not allowed");
			assert!(error.to_string().contains(&why), "{error}");
			let next = format!("--principal {missing} if it may");
			assert!(error.next_step().unwrap().contains(&next), "{error}");
		}
	}
}
