//! What the configuration of a device has to say so that it takes a delivery: without it the device refuses all of it.

use crate::output::Report;
use dpki_client::{Bundle, Item};
use std::collections::BTreeSet;

/// What has to stand in its `agent.toml`, besides what is there for every device.
pub fn of(bundle: &Bundle) -> Vec<String> {
	let needed: BTreeSet<_> = bundle.items.iter().filter_map(need).collect();
	needed.into_iter().collect()
}

/// Adds that to what is told of a delivery.
pub fn told(report: Report, bundle: &Bundle) -> Report {
	let needs = of(bundle);
	if needs.is_empty() {
		return report;
	}
	report.row_as("needs", sentence(&needs), needs)
}

/// What the device needs, in words.
pub fn sentence(needs: &[String]) -> String {
	format!("{} in its agent.toml", needs.join(", "))
}

fn need(item: &Item) -> Option<String> {
	Some(match item {
		Item::SshHostKey { .. } => "`host-key` under `[apply]`".to_owned(),
		Item::SshUserKey { login, .. } | Item::SshUserCertificate { login, .. } => {
			format!("`{login}` under `[apply.user-keys]`")
		},
		Item::SshAuthorizedKeys { .. } | Item::SshTemporaryKey { .. } => {
			"`[apply.authorized-keys]`".to_owned()
		},
		Item::TlsIdentity { name, .. }
		| Item::TrustBundle { name, .. }
		| Item::RevocationLists { name, .. } => format!("`[apply.tls.{name}]`"),
		Item::Psk { .. } => "`[apply.psk]`".to_owned(),
		Item::Opaque { name, .. } => format!("`[apply.hooks.{name}]`"),
		// Access by certificates needs nothing, and what is optional the device may leave out.
		_ => return None,
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::error::Error;
	use dpki_client::bundle::Secret;
	use dpki_primitives::{channel::ChannelId, delivery::RefusalReason, ids::AnchorId};

	#[test]
	fn a_delivery_tells_what_the_device_has_to_be_configured_for() {
		let secret = || Secret::from(&b"secret"[..]);
		let name = || "web".to_owned();
		let trust = || Item::TrustBundle { name: name(), certificates: vec![] };
		let items = vec![
			Item::SshUserCa { anchor: AnchorId([1; 32]) },
			Item::SshUserKey { login: "ops".into(), private: secret(), certificate: None },
			Item::SshAuthorizedKeys { login: "ops".into(), keys: vec![] },
			Item::TlsIdentity { name: name(), chain: vec![], key: None },
			trust(),
			Item::Psk { identity: "drone-7".into(), key: secret() },
			Item::Opaque { name: "maps".into(), data: secret() }.optional(),
		];
		let bundle = Bundle { items };
		let wanted = [
			"`[apply.authorized-keys]`",
			"`[apply.psk]`",
			"`[apply.tls.web]`",
			"`ops` under `[apply.user-keys]`",
		];
		assert_eq!(of(&bundle), wanted);
		assert_eq!(told(Report::new(), &bundle).to_json()["needs"][1], wanted[1]);
		let nothing = Bundle { items: vec![trust().optional()] };
		assert!(told(Report::new(), &nothing).to_json().get("needs").is_none());

		let refused = |reason, needs| {
			let error =
				Error::DeviceRefused { channel: ChannelId::DEFAULT, sequence: 6, reason, needs };
			error.next_step().unwrap()
		};
		let next = refused(RefusalReason::BundleInvalid, of(&bundle));
		assert!(next.contains("`[apply.psk]`") && next.contains("agent.toml"), "{next}");
		for (reason, needs) in
			[(RefusalReason::BundleInvalid, vec![]), (RefusalReason::ApplyFailed, of(&bundle))]
		{
			let next = refused(reason, needs);
			assert!(next.contains("see its log") && !next.contains("agent.toml"), "{next}");
		}
	}
}
