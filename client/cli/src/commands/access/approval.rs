//! Grants and certificates that not one person alone brings into force: who has a say, what they do, and waiting for them.

use crate::{
	commands::{deliver::Destination, delivery},
	error::{Error, Result},
	output::{Progress, rfc3339},
	proven::Chain,
};
use dpki_client::{AccountId, View, account};
use dpki_primitives::{
	Moment,
	approval::ApprovalRule,
	ids::{BlobDigest, OrganisationId},
	organisation::Role,
};
use futures::StreamExt;
use std::{path::Path, time::Duration};
use tokio::time::timeout;

/// How a delivery comes into force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Procedure {
	/// Whoever grants publishes it.
	Alone,
	/// Whoever grants publishes it, and others approve it.
	Approved(ApprovalRule),
	/// Whoever grants signs the content. This account publishes it, and somebody else approves it.
	Signed(ApprovalRule, AccountId),
}

impl Procedure {
	/// The one under this rule, if the content is to be signed for that account.
	pub fn of(rule: Option<ApprovalRule>, sign_for: Option<AccountId>) -> Result<Self> {
		match (rule, sign_for) {
			(Some(rule), Some(publisher)) if rule.signed_inside => {
				Ok(Self::Signed(rule, publisher))
			},
			(Some(rule), None) if rule.signed_inside => Err(Error::NotAllowed {
				why: format!(
					"devices of this organisation want the content signed by an {}, and published by somebody else",
					rule.role.name()
				),
				next: "add --sign-for with the account that is to publish it, which then runs \
				       `dpki publish-delivery`"
					.into(),
			}),
			(Some(rule), None) => Ok(Self::Approved(rule)),
			(None, None) => Ok(Self::Alone),
			(_, Some(_)) => Err(Error::NotAllowed {
				why: "the policy of this organisation asks for no signature of a second person"
					.into(),
				next: "leave --sign-for out".into(),
			}),
		}
	}

	/// The account that publishes, if `actor` grants.
	pub fn publisher(self, actor: AccountId) -> AccountId {
		match self {
			Self::Signed(_, publisher) => publisher,
			Self::Alone | Self::Approved(_) => actor,
		}
	}

	/// Refuses people who could not do their part, before anything is on the chain.
	pub async fn check(
		self,
		view: &View,
		organisation: OrganisationId,
		(signer, actor): (AccountId, AccountId),
	) -> Result<()> {
		let Self::Signed(rule, publisher) = self else { return Ok(()) };
		if signer != actor {
			return Err(Error::NotAllowed {
				why: "a content is signed by the key of an account, which no other account can do for it".into(),
				next: "leave --on-behalf-of and --as-multi out".into(),
			});
		}
		if signer == publisher {
			return Err(Error::NotAllowed {
				why: "who signs the content and who publishes it are one account".into(),
				next: "name another one with --sign-for".into(),
			});
		}
		let roles = view.roles(organisation, &signer).await?;
		if !rule.counts(&publisher, &signer, roles) {
			let (role, account) = (rule.role.name(), account::address(&signer));
			return Err(Error::RoleMissing { role, account });
		}
		if !view.roles(organisation, &publisher).await?.contains(Role::Publisher) {
			let (role, account) = (Role::Publisher.name(), account::address(&publisher));
			return Err(Error::RoleMissing { role, account });
		}
		Ok(())
	}

	/// Who has to do what with this file, in one sentence; `None` if nobody has to.
	pub fn sentence(self, file: &Path, until: Moment) -> Option<String> {
		let (file, until) = (file.display(), rfc3339(until));
		match self {
			Self::Alone => None,
			Self::Approved(ApprovalRule { role, needed, .. }) => {
				let who = match needed {
					1 => "an account".to_owned(),
					needed => format!("{needed} accounts"),
				};
				let has = if needed == 1 { "has" } else { "have" };
				Some(format!(
					"{who} with the role {} {has} to approve it before {until}, with `dpki approve-delivery {file}`",
					role.name()
				))
			},
			Self::Signed(ApprovalRule { role, .. }, publisher) => Some(format!(
				"{} has to publish it with `dpki publish-delivery {file}`, and another account with the role {} to \
				 approve it with `dpki approve-delivery {file}`, both before {until}",
				account::address(&publisher),
				role.name()
			)),
		}
	}
}

/// What is waited for.
pub struct Waiting<'a> {
	/// The delivery.
	pub destination: &'a Destination,
	/// Its envelope.
	pub digest: BlobDigest,
	/// The end of what it brings: who approves it later opens nothing.
	pub until: Moment,
	/// What it brings.
	pub what: Brings,
}

/// What a delivery that is waited for brings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Brings {
	/// Access that was granted.
	Access,
	/// The certificate that the device has asked for.
	Certificate,
}

impl Brings {
	/// In a word.
	fn word(self) -> &'static str {
		match self {
			Self::Access => "access",
			Self::Certificate => "certificate",
		}
	}

	/// What to do if it never comes into force.
	fn again(self) -> &'static str {
		match self {
			Self::Access => "grant the access again",
			Self::Certificate => "have the device ask again",
		}
	}
}

/// What a block tells about a delivery that is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Seen {
	/// It is the newest one of its device.
	InForce,
	/// It is published, and approvals are missing.
	Proposed,
	/// It is neither.
	Nowhere,
	/// Another one is.
	Replaced(u64),
}

impl Waiting<'_> {
	/// Waits until the delivery is in force on the chain.
	pub async fn in_force(&self, chain: &mut Chain, patience: Option<Duration>) -> Result<()> {
		let Destination { device, sequence, .. } = self.destination;
		let _progress = Progress::start(format!(
			"waiting for those who have to approve delivery {sequence} to {}",
			device.text
		));
		let mut heads = chain.client().finalized_heads();
		let waiting = async {
			let mut was_proposed = false;
			while let Some(head) = heads.next().await {
				// An interrupted stream is being set up again, and the time runs on.
				let Ok(head) = head else { continue };
				let view = chain.view_at(head).await?;
				let seen = self.look(&view).await?;
				if self.judge(seen, was_proposed, view.now())? {
					return Ok(());
				}
				was_proposed |= seen == Seen::Proposed;
			}
			Err(self.not_approved(patience))
		};
		match patience {
			Some(patience) => timeout(patience, waiting)
				.await
				.unwrap_or_else(|_| Err(self.not_approved(Some(patience)))),
			None => waiting.await,
		}
	}

	async fn look(&self, view: &View) -> Result<Seen> {
		let Destination { device, channel, sequence, .. } = self.destination;
		if let Some(newest) = view.delivery(device.id, *channel).await?
			&& newest.sequence >= *sequence
		{
			return Ok(match newest.digest == self.digest {
				true => Seen::InForce,
				false => Seen::Replaced(newest.sequence),
			});
		}
		let proposal = view.proposal(device.id, *channel).await?;
		let is_ours = proposal.is_some_and(|it| it.record.digest == self.digest);
		Ok(if is_ours { Seen::Proposed } else { Seen::Nowhere })
	}

	/// Whether the waiting is over, and well.
	fn judge(&self, seen: Seen, was_proposed: bool, now: Moment) -> Result<bool> {
		let (device, option) = self.place();
		let (what, again) = (self.what.word(), self.what.again());
		match seen {
			Seen::InForce => Ok(true),
			Seen::Replaced(newer) => {
				let Destination { channel, sequence, .. } = *self.destination;
				Err(Error::DeliveryReplaced { channel, sequence, newer })
			},
			_ if now > self.until => Err(Error::NotAllowed {
				why: format!("the {what} was over before its delivery was approved"),
				next: match seen {
					Seen::Proposed => {
						format!(
							"`dpki withdraw-delivery {device}{option}` takes that back; then {again}"
						)
					},
					_ => again.into(),
				},
			}),
			Seen::Nowhere if was_proposed => Err(Error::NotAllowed {
				why: format!(
					"the delivery of the {what} was taken back, or another one took its place"
				),
				next: format!(
					"`dpki status delivery {device}{option}` shows what waits there; then {again}"
				),
			}),
			Seen::Proposed | Seen::Nowhere => Ok(false),
		}
	}

	/// The device, and the option that names the channel, as commands take them.
	fn place(&self) -> (&str, String) {
		(&self.destination.device.text, delivery::option(self.destination.channel))
	}

	fn not_approved(&self, patience: Option<Duration>) -> Error {
		let (sequence, (device, option)) = (self.destination.sequence, self.place());
		let what = self.what.word();
		let within = patience.map_or_else(String::new, |patience| {
			format!(" within {}", humantime::format_duration(patience))
		});
		Error::NotAllowed {
			why: format!("delivery {sequence} with the {what} was not approved{within}"),
			next: format!(
				"`dpki status delivery {device}{option}` shows who is missing; it can be approved until the {what} is over"
			),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::values::DeviceRef;
	use dpki_client::envelope::RecipientKey;
	use dpki_primitives::{
		channel::ChannelId,
		device::DeviceRecord,
		ids::{DeviceId, KeyId},
		key::{KeyPurpose, KeyRecord, KeyType, PublicKey},
		organisation::DeliveryPolicy,
		status::Validity,
	};

	const BOB: AccountId = [4; 32];

	fn rule(policy: DeliveryPolicy) -> Option<ApprovalRule> {
		ApprovalRule::of(policy)
	}

	#[test]
	fn each_policy_has_its_procedure_and_says_so() {
		let (two, watched) = (DeliveryPolicy::MultiAdmin, DeliveryPolicy::Watchdogs { needed: 2 });
		assert_eq!(Procedure::of(None, None).unwrap(), Procedure::Alone);
		let approved = Procedure::of(rule(watched), None).unwrap();
		assert_eq!(approved, Procedure::Approved(rule(watched).unwrap()));
		let signed = Procedure::of(rule(two), Some(BOB)).unwrap();
		assert_eq!(signed, Procedure::Signed(rule(two).unwrap(), BOB));
		assert_eq!((approved.publisher([1; 32]), signed.publisher([1; 32])), ([1; 32], BOB));
		let error = Procedure::of(rule(two), None).unwrap_err();
		assert!(error.next_step().unwrap().contains("--sign-for"), "{error}");
		for unasked in [None, rule(watched)] {
			let error = Procedure::of(unasked, Some(BOB)).unwrap_err();
			assert!(error.next_step().unwrap().contains("leave --sign-for out"), "{error}");
		}
	}

	#[test]
	fn one_sentence_says_who_has_to_do_what_until_when() {
		let tell =
			|procedure: Procedure| procedure.sentence(Path::new("d.next"), 1_790_000_000_000);
		assert_eq!(tell(Procedure::Alone), None);
		let needed = |needed| {
			let rule = rule(DeliveryPolicy::Watchdogs { needed }).unwrap();
			tell(Procedure::Approved(rule)).unwrap()
		};
		assert!(needed(1).starts_with("an account with the role watchdog has to"), "{}", needed(1));
		for words in ["2 accounts with", "`dpki approve-delivery d.next`", "2026-09-21T14:13:20Z"] {
			assert!(needed(2).contains(words), "{words}: {}", needed(2));
		}
		let signed =
			tell(Procedure::Signed(rule(DeliveryPolicy::MultiAdmin).unwrap(), BOB)).unwrap();
		let bob = account::address(&BOB);
		for words in [&bob, "`dpki publish-delivery d.next`", "`dpki approve-delivery d.next`"] {
			assert!(signed.contains(words), "{words}: {signed}");
		}
	}

	#[test]
	fn what_is_waited_for_comes_in_time_or_is_told_why_not() {
		let device = DeviceRef::from(DeviceId([2; 32]));
		let public = PublicKey::new(KeyType::X25519, &[3; 32]).unwrap();
		let key = KeyRecord {
			device: device.id,
			purpose: KeyPurpose::KeyAgreement,
			public: public.clone(),
			validity: Validity { not_before: 1, not_after: None },
			registered_at: 1,
			superseded_at: None,
			withdrawal: Default::default(),
		};
		let destination = Destination {
			device,
			record: DeviceRecord {
				organisation: OrganisationId([1; 32]),
				name: b"drone-7".to_vec().try_into().unwrap(),
				enrolled_at: 1,
				keys_registered: 3,
				withdrawal: Default::default(),
			},
			recipient: (KeyId::of(&public), key),
			key: RecipientKey::X25519(public),
			channel: ChannelId::DEFAULT,
			sequence: 5,
		};
		let waiting_for = |what| {
			let digest = BlobDigest([7; 32]);
			Waiting { destination: &destination, digest, until: 100, what }
		};
		let waiting = waiting_for(Brings::Access);
		let judge = |seen, was_proposed, now| {
			waiting.judge(seen, was_proposed, now).map_err(|error| error.to_string())
		};
		for seen in [Seen::Nowhere, Seen::Proposed] {
			assert_eq!(judge(seen, false, 100), Ok(false), "{seen:?}");
			assert!(judge(seen, false, 101).unwrap_err().contains("over before"), "{seen:?}");
		}
		assert_eq!(judge(Seen::InForce, true, 100), Ok(true));
		assert!(judge(Seen::Nowhere, true, 100).unwrap_err().contains("taken back"));
		assert!(judge(Seen::Replaced(6), true, 100).unwrap_err().contains("replaced"));
		let certificate = waiting_for(Brings::Certificate);
		let error = certificate.judge(Seen::Nowhere, true, 100).unwrap_err();
		assert!(error.to_string().contains("of the certificate was taken back"), "{error}");
		assert!(error.next_step().unwrap().contains("have the device ask again"), "{error}");
	}
}
