//! What is in a delivery, for the eyes of those who stand for it. Secrets are named and not shown.

use crate::{
	commands::access::key_name,
	error::{Error, Result},
	output::rfc3339,
};
use dpki_client::{Content, Item, View, account, bundle::AuthorizedKey};
use dpki_primitives::{
	Moment,
	ids::{AnchorId, CertificateId, DeviceId},
	organisation::Role,
};

/// What a delivery would bring about, and who stands for it: what a person has to know to decide.
pub async fn describe(content: &Content, view: &View, device: DeviceId) -> Result<Vec<String>> {
	let mut told = lines(content);
	for anchor in anchors(content) {
		let status = view.anchor_status(anchor).await?;
		told.push(format!("the anchor {anchor} is {}", status.name()));
	}
	for (grant, _) in grants(content) {
		told.push(match view.stored_certificate(grant).await? {
			Some((record, _)) => {
				format!("the grant {grant} is for the key {}", key_name(&record.key))
			},
			None => format!("the chain knows no grant {grant}"),
		});
	}
	let Some(signature) = &content.signature else {
		told.push("nobody has signed the content".into());
		return Ok(told);
	};
	let is_manager = match view.device(device).await? {
		Some(record) => {
			let roles = view.roles(record.organisation, &signature.account).await?;
			roles.contains(Role::AnchorManager)
		},
		None => false,
	};
	let signer = account::address(&signature.account);
	let role = if is_manager { "an anchor manager" } else { "who is NO anchor manager" };
	let until = rfc3339(signature.expires_at);
	told.push(format!("signed by {signer}, {role}, for publication until {until}"));
	Ok(told)
}

/// The question to a person, with all that was told.
pub fn question(told: &[String], device: &str, sequence: u64, question: &str) -> String {
	let lines: String = told.iter().map(|line| format!("  {line}\n")).collect();
	format!("Delivery {sequence} to {device}:\n{lines}{question}")
}

/// One line for each item.
pub fn lines(content: &Content) -> Vec<String> {
	let mut lines: Vec<String> = content.bundle.items.iter().map(line).collect();
	if lines.is_empty() {
		lines.push("nothing: all access is taken away".into());
	}
	lines.extend(content.skipped.iter().map(|kind| format!("an unknown optional item ({kind})")));
	lines
}

/// One line about an item.
pub fn line(item: &Item) -> String {
	let what = match item.part() {
		Item::SshUserCa { anchor } => format!("certificates of the user CA {anchor} may log in"),
		Item::SshHostCertificate { .. } => "a host certificate".into(),
		Item::SshKnownHostCa { anchor, hosts } => {
			format!("the host CA {anchor} is believed for {}", hosts.join(", "))
		},
		Item::SshPrincipals { login, principals } => {
			format!("{login} is open to the principals {}", principals.join(", "))
		},
		Item::SshHostKey { private } => format!("a host key ({private:?})"),
		Item::SshUserKey { login, private, certificate } => {
			let with = if certificate.is_some() { " with a certificate" } else { "" };
			format!("a key for {login} to prove itself elsewhere{with} ({private:?})")
		},
		Item::SshUserCertificate { login, .. } => {
			format!("a certificate for {login} to prove itself elsewhere, for the device's own key")
		},
		Item::SshAuthorizedKeys { login, keys } => {
			let keys: Vec<_> = keys.iter().map(key).collect();
			format!("{login} is open to the keys {}", keys.join(", "))
		},
		Item::TlsIdentity { name, chain, key } => {
			let own = if key.is_some() { "with a private key" } else { "for the device's own key" };
			format!("the TLS identity {name} of {} certificates {own}", chain.len())
		},
		Item::TrustBundle { name, certificates } => {
			format!("the trust bundle {name} of {} certificates", certificates.len())
		},
		Item::Psk { identity, key } => format!("the pre-shared key {identity} ({key:?})"),
		Item::Opaque { name, data } => format!("the data {name} ({data:?})"),
		Item::SshTemporaryAccess { login, grant, until, .. } => {
			format!("{login} is open to the grant {grant} until {}", rfc3339(*until))
		},
		Item::SshTemporaryKey { login, grant, until } => {
			format!("{login} is open to the key of the grant {grant} until {}", rfc3339(*until))
		},
		Item::RevocationLists { name, lists } => {
			format!("{} revocation lists for {name}", lists.len())
		},
		other => other.name().into(),
	};
	let escrow = if item.is_escrow() { " - SOMEBODY ELSE KNOWS THIS PRIVATE KEY" } else { "" };
	let optional = if matches!(item, Item::Optional(_)) { " (if the device can)" } else { "" };
	format!("{what}{optional}{escrow}")
}

fn key(AuthorizedKey { key, until }: &AuthorizedKey) -> String {
	let name = ssh_key::PublicKey::from_openssh(key).map_or_else(
		|_| "an unreadable key".into(),
		|key| dpki_client::ssh::fingerprint_text(&key),
	);
	match until {
		Some(until) => format!("{name} until {}", rfc3339(*until)),
		None => name,
	}
}

/// Refuses a delivery that is to open logins for a time that is over: it would open none of them.
pub fn require_in_time(content: &Content, now: Moment) -> Result<()> {
	let Some(last) = grants(content).map(|(_, until)| until).max() else { return Ok(()) };
	if now <= last {
		return Ok(());
	}
	Err(Error::NotAllowed {
		why: format!("the access in this delivery was over at {}", rfc3339(last)),
		next: "have it granted again with `dpki access grant`, which takes out what is over; whoever published this one \
		       takes it back with `dpki withdraw-delivery`"
			.into(),
	})
}

/// The grants in a delivery, with their ends.
fn grants(content: &Content) -> impl Iterator<Item = (CertificateId, Moment)> {
	content.bundle.items.iter().filter_map(|item| match item.part() {
		Item::SshTemporaryAccess { grant, until, .. }
		| Item::SshTemporaryKey { grant, until, .. } => Some((*grant, *until)),
		_ => None,
	})
}

fn anchors(content: &Content) -> impl Iterator<Item = AnchorId> {
	content.bundle.items.iter().filter_map(|item| match item.part() {
		Item::SshUserCa { anchor } | Item::SshKnownHostCa { anchor, .. } => Some(*anchor),
		_ => None,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::{Bundle, bundle::Secret};

	fn lines_of(items: Vec<Item>) -> String {
		let bundle = Bundle { items };
		lines(&Content { bundle, signature: None, digest: [0; 32], skipped: vec![77] }).join("\n")
	}

	#[test]
	fn an_empty_delivery_says_what_it_does() {
		let text = lines_of(vec![]);
		assert!(text.contains("all access is taken away") && text.contains("(77)"), "{text}");
	}

	#[test]
	fn secrets_are_named_and_not_shown_and_escrow_is_told() {
		let secret = || Secret::from(&b"very secret bytes"[..]);
		let text = lines_of(vec![
			Item::Psk { identity: "drone-7".into(), key: secret() },
			Item::SshHostKey { private: secret() },
			Item::Opaque { name: "maps".into(), data: secret() }.optional(),
		]);
		assert!(text.contains("drone-7") && !text.contains("very"), "{text}");
		assert_eq!(text.matches("SOMEBODY ELSE").count(), 1, "{text}");
		assert!(text.contains("(if the device can)"), "{text}");
	}

	#[test]
	fn access_that_is_over_is_neither_published_nor_approved() {
		let content = |ends: &[Moment]| {
			let key = |(number, until): (u8, &Moment)| Item::SshTemporaryKey {
				login: "root".into(),
				grant: CertificateId([number; 32]),
				until: *until,
			};
			let bundle = Bundle { items: (1..).zip(ends).map(key).collect() };
			Content { bundle, signature: None, digest: [0; 32], skipped: vec![] }
		};
		require_in_time(&content(&[]), 9).unwrap();
		require_in_time(&content(&[5, 9]), 9).unwrap();
		let error = require_in_time(&content(&[5, 8]), 9).unwrap_err();
		assert!(error.to_string().contains("was over at"), "{error}");
		assert!(error.next_step().unwrap().contains("dpki access grant"));
	}
}
