//! What the devices of a rotation get, and what they lose.

use super::Rotate;
use crate::{
	commands::{deliver, delivery, ssh as certificates},
	error::{Error, Result},
	lookup,
	values::{self, HostCaPatterns, LoginPrincipals},
};
use dpki_client::{Bundle, Item, View, ssh};
use dpki_primitives::{
	anchor::AnchorKind,
	channel::ChannelId,
	delivery::Suite,
	ids::{AnchorId, OrganisationId},
	key::{KeyPurpose, KeyType},
	status::Status,
};
use sha2::{Digest, Sha256};
use ssh_key::PrivateKey;

/// What stands for the name of a device in the names of its host certificate.
const PLACEHOLDER: &str = "{}";

impl Rotate {
	/// Refuses a state in which nobody could log in, and host certificates without names.
	pub(super) fn require_content(&self, kind: AnchorKind) -> Result<()> {
		let refused =
			|why: &str, next: &str| Err(Error::NotAllowed { why: why.into(), next: next.into() });
		let has_users = kind == AnchorKind::SshUserCa || !self.user_ca.is_empty();
		let may_log_in = has_users && !self.principals.is_empty();
		if !may_log_in && !self.parts.open_logins() {
			return refused(
				"nobody could log in any more, and a device takes away what a delivery does not name",
				"give --principals, and --user-ca if it is the host CA that is rotated",
			);
		}
		if kind == AnchorKind::SshHostCa && self.host_names.is_empty() {
			return refused(
				"the devices need certificates by the new host CA",
				"give --host-names, such as '{}.acme.example'",
			);
		}
		for name in &self.host_names {
			values::host_name(&name.replace(PLACEHOLDER, "x")).map_err(Error::Usage)?;
		}
		Ok(())
	}

	/// What every device gets: both CAs, and whatever else is named.
	pub(super) async fn items(
		&self,
		view: &View,
		organisation: OrganisationId,
		kind: AnchorKind,
		(old, new): (AnchorId, AnchorId),
	) -> Result<Vec<Item>> {
		let mut user_cas = Vec::new();
		for ca in &self.user_ca {
			let known = deliver::active(view, ca, AnchorKind::SshUserCa).await?;
			deliver::require_own(&known, organisation)?;
			user_cas.push(known.id);
		}
		let mut items = Vec::new();
		if kind == AnchorKind::SshUserCa {
			user_cas.retain(|id| *id != old && *id != new);
			// Revoked by an earlier run, or by somebody in a hurry: devices refuse a delivery that names such a CA.
			let is_good = matches!(view.anchor_status(old).await?, Status::Valid);
			user_cas.extend(is_good.then_some(old));
			user_cas.push(new);
		}
		items.extend(user_cas.into_iter().map(|anchor| Item::SshUserCa { anchor }));
		for HostCaPatterns { anchor, hosts } in &self.known_hosts_ca {
			let is_old =
				lookup::anchor_candidates(anchor, &[AnchorKind::SshHostCa])?.contains(&old);
			if is_old && !view.anchor_status(old).await?.is_valid() {
				continue;
			}
			let known = deliver::active(view, anchor, AnchorKind::SshHostCa).await?;
			items.push(Item::SshKnownHostCa { anchor: known.id, hosts: hosts.clone() });
		}
		items.extend(self.principals.iter().map(|LoginPrincipals { login, principals }| {
			Item::SshPrincipals { login: login.clone(), principals: principals.clone() }
		}));
		Ok(items)
	}

	/// A digest of what devices get besides the two CAs: an interrupted rotation goes on with the same, or not at all.
	pub(super) fn intent(&self, kind: AnchorKind, parts: &[Item]) -> Result<[u8; 32]> {
		let logins: Vec<_> = self.principals.iter().map(|it| (&it.login, &it.principals)).collect();
		let hosts: Vec<_> = self
			.known_hosts_ca
			.iter()
			.map(|it| (it.anchor.to_string(), &it.hosts))
			.collect();
		let users: Vec<_> = self.user_ca.iter().map(ToString::to_string).collect();
		let text = format!("{:?}", (kind.name(), logins, hosts, users, &self.host_names));
		let parts = Bundle { items: parts.to_vec() }.encode()?;
		Ok(Sha256::new().chain_update(text).chain_update(&*parts).finalize().into())
	}

	/// The host certificate of a device, or why it cannot have one.
	pub(super) async fn host_certificate(
		&self,
		view: &View,
		destination: &deliver::Destination,
		ca: &PrivateKey,
	) -> Result<std::result::Result<String, String>> {
		let device = &destination.device;
		let Some((_, record)) = lookup::valid_key(view, device, KeyPurpose::Ssh).await? else {
			return Ok(Err("the chain knows no valid SSH host key of it".into()));
		};
		let known = certificates::active_ca(view, ca, AnchorKind::SshHostCa).await?;
		deliver::require_own(&known, destination.record.organisation)?;
		let key = ssh::from_public_key(&record.public)?;
		let revocations = view.ssh_revocations(known.id).await?;
		if let Err(error) = deliver::require_unrevoked(&revocations, &key, &device.text) {
			return Ok(Err(error.to_string()));
		}
		let name = device.text.rsplit('/').next().unwrap_or_default();
		let content = certificates::Content {
			names: self.host_names.iter().map(|it| it.replace(PLACEHOLDER, name)).collect(),
			now: certificates::signing_time(Some(view.now()))?,
			span: self.host_cert_valid,
			serial: None,
			key_id: Some(device.text.clone()),
		};
		let certificate = content.sign(ca, &key, AnchorKind::SshHostCa)?;
		Ok(Ok(certificates::openssh_line(&certificate)?.trim_end().to_owned()))
	}
}

/// What somebody has to agree to before anything is delivered on this channel.
pub fn question(
	kind: AnchorKind,
	old: AnchorId,
	devices: usize,
	parts: &[Item],
	(channel, keeps_others): (ChannelId, bool),
) -> String {
	let named: Vec<_> = parts.iter().map(Item::name).collect();
	let besides = match &named[..] {
		[] => "nothing".to_owned(),
		names => names.join(", "),
	};
	let place = delivery::place(channel);
	let others = match keeps_others {
		true => {
			" What they have on other channels stays, but for what ends with the old CA or claims the same."
		},
		false => "",
	};
	format!(
		"Deliver another {} to {devices} devices{place}, and revoke {old} after the overlap? A delivery is all that a device \
		 has{place}. Besides SSH certificates these get: {besides}. Whatever else they have there (certificates and private \
		 keys of services, trusted CAs, revocation lists, pre-shared keys, authorized keys, data of programs, access that \
		 was granted) IS REMOVED FROM THEM.{others}",
		kind.name(),
	)
}

/// What a device keeps from those who wait for a quantum computer is not published for them by a rotation.
pub fn reason_against(newest: Suite, wanted: Suite) -> Option<String> {
	let is_hybrid = |suite: Suite| suite.recipient_type() == KeyType::XWing;
	(is_hybrid(newest) && !is_hybrid(wanted)).then(|| {
		"what it has was encrypted to its hybrid key: give the public half with --hybrid-key, and --again".into()
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::prompt;
	use clap::Parser;
	use std::fs;

	#[derive(Parser)]
	struct Line {
		#[command(flatten)]
		rotate: Rotate,
	}

	fn rotate(further: &[&str]) -> Rotate {
		let needed = ["rotate", "--org", "acme", "--device", "drone-7", "--old-ca", "old.pub"];
		let files = ["--new-ca", "new", "--state", "state"];
		let words = [&needed[..], &files, further].concat();
		let Ok(line) = Line::try_parse_from(words) else { panic!("it can be parsed") };
		line.rotate
	}

	#[test]
	fn all_that_devices_get_is_part_of_what_is_gone_on_with() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("maps");
		let data = format!("maps={}", path.display());
		let intent = |further: &[&str], content: &str| {
			fs::write(&path, content).unwrap();
			let rotate = rotate(further);
			let parts = rotate.parts.items().unwrap();
			rotate.intent(AnchorKind::SshUserCa, &parts).unwrap()
		};
		let with = ["--data", &data];
		assert_eq!(intent(&with, "here"), intent(&with, "here"));
		assert_ne!(intent(&with, "here"), intent(&with, "there"), "another content");
		assert_ne!(intent(&with, "here"), intent(&[], "here"), "it would be removed");
		assert_ne!(intent(&with, "here"), intent(&["--data", &data, "--optional"], "here"));
	}

	#[test]
	fn the_question_names_what_devices_keep_and_that_the_rest_is_removed() {
		let (old, alone) = (AnchorId([1; 32]), (ChannelId::DEFAULT, false));
		let asked = question(AnchorKind::SshUserCa, old, 12, &[], alone);
		for words in ["12 devices", "these get: nothing", "access that was granted", "REMOVED"] {
			assert!(asked.contains(words), "{asked}");
		}
		let ca = Item::TrustBundle { name: "web".into(), certificates: vec![] };
		let parts = std::slice::from_ref(&ca);
		let asked = question(AnchorKind::SshUserCa, old, 12, parts, alone);
		assert!(asked.contains(ca.name()) && !asked.contains("channel"), "{asked}");
		let beside = (ChannelId::new(3).unwrap(), true);
		let told = question(AnchorKind::SshUserCa, old, 12, parts, beside);
		assert!(told.contains("on channel 3") && told.contains("other channels stays"), "{told}");
		// Tests have no terminal.
		assert!(matches!(prompt::confirm(&asked, false), Err(Error::ConfirmationMissing(_))));
	}

	#[test]
	fn keys_that_open_a_login_are_enough_to_log_in() {
		let kind = AnchorKind::SshUserCa;
		let error = rotate(&[]).require_content(kind).unwrap_err();
		assert!(error.to_string().contains("nobody could log in"), "{error}");
		rotate(&["--principals", "root=ops"]).require_content(kind).unwrap();
		rotate(&["--authorized-keys", "root=keys"]).require_content(kind).unwrap();
	}

	#[test]
	fn what_was_kept_from_quantum_computers_is_sealed_to_a_hybrid_key_or_not_at_all() {
		for suite in Suite::ALL {
			let is_hybrid = matches!(suite, Suite::XWingChaCha20Poly1305 | Suite::SharedXWing);
			let reason = reason_against(suite, Suite::SharedX25519);
			assert_eq!(reason.is_some(), is_hybrid, "{suite:?}");
			assert_eq!(reason_against(suite, Suite::SharedXWing), None, "{suite:?}");
		}
	}
}
