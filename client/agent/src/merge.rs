//! From the bundles of several channels to one desired state.
//!
//! Parts about different things lie side by side, whichever channel names them. What two channels say in the same words is
//! said once. Where two of them say different things about the same thing, such as one login, one service or the host
//! certificate, the lower channel counts, and the delivery of the higher one is left out as a whole: half of a state is
//! another state. So what is in force does not depend on which of the two came first.
//!
//! Parts that are judged together count as one thing: otherwise what a higher channel says could make what a lower one says
//! no use.

use dpki_client::{Bundle, Item, primitives::channel::ChannelId};
use std::collections::BTreeMap;

/// Why the delivery of a channel is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conflict {
	/// The lower channel.
	pub with: ChannelId,
	/// What both claim.
	pub about: String,
}

/// What is in force together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Merged {
	/// The parts of all channels that are not left out, from the lowest.
	pub bundle: Bundle,
	/// Those of them that are in force already, on another channel than that of a new delivery.
	pub settled: Vec<Item>,
	/// The channels that are left out.
	pub overruled: BTreeMap<ChannelId, Conflict>,
}

/// What a channel has to itself by naming this part. A revocation list is good only with the trust bundle in which its issuer
/// is.
fn claim(item: &Item) -> String {
	match item.part() {
		Item::TrustBundle { name, .. } | Item::RevocationLists { name, .. } => {
			format!("the trust of the service {name}")
		},
		// A certificate is for the device's own key, or for the one that is delivered with it.
		Item::SshHostKey { .. } | Item::SshHostCertificate { .. } => {
			"the host key and its certificate".into()
		},
		_ => item.subject(),
	}
}

/// What these bundles give together, of which that of the channel `new` is not in force yet.
pub fn merge(bundles: BTreeMap<ChannelId, Bundle>, new: Option<ChannelId>) -> Merged {
	let mut merged = Merged::default();
	let mut claimed: BTreeMap<String, (ChannelId, Vec<usize>)> = BTreeMap::new();
	for (channel, Bundle { items }) in bundles {
		let conflict = items.iter().find_map(|item| {
			let about = claim(item);
			let (with, places) = claimed.get(&about)?;
			let mut parts = places.iter().filter_map(|at| merged.bundle.items.get(*at));
			let is_same = parts.any(|part| part.part() == item.part());
			(!is_same).then_some(Conflict { with: *with, about })
		});
		if let Some(conflict) = conflict {
			merged.overruled.insert(channel, conflict);
			continue;
		}
		if new.is_some_and(|new| new != channel) {
			merged.settled.extend(items.iter().map(|item| item.part().clone()));
		}
		for item in items {
			let (owner, places) =
				claimed.entry(claim(&item)).or_insert_with(|| (channel, Vec::new()));
			// What a lower channel has claimed it says in the same words.
			if *owner == channel {
				places.push(merged.bundle.items.len());
				merged.bundle.items.push(item);
			}
		}
	}
	merged
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::{bundle::Secret, primitives::ids::AnchorId};

	fn channel(number: u8) -> ChannelId {
		ChannelId::new(number).unwrap()
	}

	fn login(login: &str, principal: &str) -> Item {
		Item::SshPrincipals { login: login.into(), principals: vec![principal.into()] }
	}

	fn merged(bundles: &[(u8, &[Item])], new: Option<u8>) -> Merged {
		let bundles = bundles
			.iter()
			.map(|(number, items)| (channel(*number), Bundle { items: items.to_vec() }));
		merge(bundles.collect(), new.map(channel))
	}

	#[test]
	fn parts_about_different_things_lie_side_by_side() {
		let (root, web) = (login("root", "admin"), login("web", "ops"));
		let found =
			merged(&[(3, std::slice::from_ref(&web)), (0, std::slice::from_ref(&root))], None);
		assert_eq!(found.bundle.items, [root, web]);
		assert!(found.overruled.is_empty() && found.settled.is_empty());
	}

	#[test]
	fn what_two_channels_say_in_the_same_words_is_said_once() {
		let ca = Item::SshUserCa { anchor: AnchorId([1; 32]) };
		let again = [ca.clone().optional()];
		let found = merged(&[(0, std::slice::from_ref(&ca)), (1, &again)], None);
		assert_eq!(found.bundle.items, [ca]);
		assert!(found.overruled.is_empty());
	}

	#[test]
	fn of_two_channels_that_claim_the_same_the_lower_one_counts() {
		let other = Item::Psk { identity: "a".into(), key: Secret::from(&[1; 16][..]) };
		let (low, high) = ([login("root", "a")], [login("root", "b"), other]);
		let found = merged(&[(1, &low), (4, &high)], None);
		assert_eq!(found.bundle.items, low, "nothing of the higher one is in force");
		let conflict = Conflict { with: channel(1), about: "the login root".into() };
		assert_eq!(found.overruled, BTreeMap::from([(channel(4), conflict)]));
	}

	#[test]
	fn what_is_judged_together_belongs_to_one_channel() {
		let trust = |byte| Item::TrustBundle { name: "web".into(), certificates: vec![vec![byte]] };
		let lists = Item::RevocationLists { name: "web".into(), lists: vec![vec![1]] };
		let both = [trust(1), lists.clone()];
		let found = merged(&[(0, &both), (5, &both)], None);
		assert_eq!(found.bundle.items, both, "one channel may name both, and another the same");
		assert!(found.overruled.is_empty());
		let about = "the trust of the service web";
		for (low, high) in [(trust(2), lists.clone()), (lists.clone(), trust(2))] {
			let found = merged(&[(0, std::slice::from_ref(&low)), (5, &[high])], Some(0));
			assert_eq!(found.bundle.items, [low]);
			let conflict = Conflict { with: channel(0), about: about.into() };
			assert_eq!(found.overruled, BTreeMap::from([(channel(5), conflict)]));
		}
		let other = Item::RevocationLists { name: "mail".into(), lists: vec![vec![1]] };
		assert!(merged(&[(0, &[trust(2)]), (5, &[other])], None).overruled.is_empty());
	}

	#[test]
	fn a_host_key_and_a_certificate_belong_to_one_channel() {
		let key = Item::SshHostKey { private: Secret::from(&b"key"[..]) };
		let certificate = Item::SshHostCertificate { certificate: "certificate".into() };
		let both = [key.clone(), certificate.clone()];
		assert!(merged(&[(0, &both), (1, &both)], None).overruled.is_empty());
		let found = merged(&[(0, &[key]), (1, &[certificate])], None);
		let about = "the host key and its certificate".into();
		let conflict = Conflict { with: channel(0), about };
		assert_eq!(found.overruled, BTreeMap::from([(channel(1), conflict)]));
	}

	#[test]
	fn the_key_of_a_user_belongs_to_one_channel_whoever_made_it() {
		let login = || "ops".to_owned();
		let private = Secret::from(&b"key"[..]);
		let delivered = Item::SshUserKey { login: login(), private, certificate: None };
		let own = Item::SshUserCertificate { login: login(), certificate: "a".into() };
		let found = merged(&[(0, &[own]), (1, &[delivered])], None);
		let conflict = Conflict { with: channel(0), about: "the key of the user ops".into() };
		assert_eq!(found.overruled, BTreeMap::from([(channel(1), conflict)]));
	}

	#[test]
	fn a_channel_that_is_left_out_is_in_nobodys_way() {
		let bundles: [(u8, &[Item]); 3] = [
			(0, &[login("root", "a")]),
			(1, &[login("root", "b"), login("web", "b")]),
			(2, &[login("web", "c")]),
		];
		let found = merged(&bundles, None);
		assert_eq!(found.bundle.items, [login("root", "a"), login("web", "c")]);
		assert_eq!(found.overruled.into_keys().collect::<Vec<_>>(), [channel(1)]);
	}

	#[test]
	fn what_other_channels_have_in_force_is_settled() {
		let (low, high) = ([login("root", "a")], [login("web", "b")]);
		assert_eq!(merged(&[(0, &low), (1, &high)], Some(1)).settled, low);
		assert_eq!(merged(&[(0, &low), (1, &high)], Some(0)).settled, high);
	}
}
