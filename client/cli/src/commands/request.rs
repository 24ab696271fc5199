//! `dpki request`: certificates that devices ask for over the chain, and what they are answered.
//!
//! A device makes its keys itself and files what it asks for with `dpki-agent request`. Here somebody looks at it, certifies the
//! key with a CA key on this computer and delivers the certificate, or says why not.

mod answer;

pub use answer::require_allowed;

use crate::{
	commands::{certificate::issue::Proposal, delivery::place, ssh::requests::signer},
	error::{Error, Result},
	lookup,
	output::{Report, rfc3339},
	prompt,
	proven::Trust,
	session::Session,
	values::{DeviceRef, Name},
};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use dpki_client::{
	Client, View, calls,
	device_request::{Filed, Wanted, filing_word},
	ssh,
};
use dpki_primitives::{
	Moment,
	device::DeviceRecord,
	filing::{Filing, FilingKind, FilingPlace, FilingStanding, Objection},
	ids::{Login, Name as StoredName, is_valid_login, is_valid_name},
};
use std::str::FromStr;

/// Certificates that devices ask for.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki request list --org acme
  dpki request show acme/drone-7 tls:web
  dpki request answer acme/drone-7 tls:web --ca-cert ca.crt --ca-key ca.key \\
      --review drone-7.review
  dpki request refuse acme/drone-7 tls:web --reason names-not-allowed")]
pub enum RequestCommand {
	/// List what waits for an organisation, or what a device has asked for
	#[command(after_help = "\
Examples:
  dpki request list --org acme
  dpki request list --device acme/drone-7 --json")]
	List(List),
	/// Show what a device asks for, after its signature was verified
	#[command(after_help = "\
Example:
  dpki request show acme/drone-7 tls:web")]
	Show(Which),
	/// Certify what a device asks for, and deliver it the certificate with all that it has
	#[command(after_help = "\
Examples:
  dpki request answer acme/drone-7 tls:web --ca-cert ca.crt --ca-key ca.key --valid 90d \\
      --review drone-7.review
  dpki request answer acme/drone-7 ssh-host --ca host-ca --valid 30d --review drone-7.review \\
      --wait
  dpki request answer acme/drone-7 ssh-user:ops --ca user-ca --principal drone-7-ops \\
      --review drone-7.review
  dpki request answer acme/drone-7 tls:web \\
      --delivered 12    # it was certified and delivered in another way
A delivery is all that a device has, so the file that opens the newest one is needed:
`dpki deliver --review` wrote it, and this replaces it. Where the organisation asks for
approvals, those who approve run `dpki approve-delivery FILE.next`; where it asks for a second
person, add --sign-for, and that account runs `dpki publish-delivery FILE.next`, which tells the
device.")]
	Answer(Box<answer::Answer>),
	/// Tell a device that it gets no certificate, and why
	#[command(after_help = "\
Example:
  dpki request refuse acme/drone-7 tls:web --reason names-not-allowed")]
	Refuse(Refuse),
	/// Remove a request that nobody would answer any more: its time is over, or its device is revoked
	#[command(after_help = "\
Example:
  dpki request clear acme/drone-7 tls:web")]
	Clear(Which),
}

/// Whose requests.
#[derive(Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["org", "device"]))]
pub struct List {
	/// Those that wait for this organisation
	#[arg(long)]
	org: Option<Name>,
	/// Those of this device, answered ones too
	#[arg(long, value_name = "ORG/NAME|ID")]
	device: Option<DeviceRef>,
}

/// One request.
#[derive(Args)]
pub struct Which {
	/// ORGANISATION/NAME, or the id
	#[arg(value_name = "ORG/NAME|ID")]
	device: DeviceRef,
	/// What it asks for: ssh-host, tls: and the service, or ssh-user: and the account
	#[arg(value_name = "ssh-host|tls:SERVICE|ssh-user:LOGIN")]
	what: What,
}

/// What a device asks for.
#[derive(Clone, Debug)]
pub struct What(FilingKind);

impl FromStr for What {
	type Err = String;

	fn from_str(text: &str) -> std::result::Result<Self, String> {
		let kind = match text.split_once(':') {
			None if text == "ssh-host" => Some(FilingKind::SshHost),
			Some(("tls", service)) if is_valid_name(service.as_bytes()) => {
				let service = StoredName::try_from(service.as_bytes().to_vec());
				service.ok().map(|service| FilingKind::Tls { service })
			},
			Some(("ssh-user", login)) if is_valid_login(login.as_bytes()) => {
				let login = Login::try_from(login.as_bytes().to_vec());
				login.ok().map(|login| FilingKind::SshUser { login })
			},
			_ => None,
		};
		kind.map(Self).ok_or_else(|| {
			"write ssh-host, tls: and the name of a service, such as tls:web, or ssh-user: and an account of the device, such \
			 as ssh-user:ops"
				.to_owned()
		})
	}
}

/// Why there is no certificate.
#[derive(Args)]
pub struct Refuse {
	#[command(flatten)]
	which: Which,
	/// Why not
	#[arg(long)]
	reason: Reason,
	#[command(flatten)]
	trust: Trust,
	/// Refuse without asking
	#[arg(long)]
	yes: bool,
}

/// Why a device gets no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reason {
	/// No reason is given
	Unspecified,
	/// The device is not to have these names
	NamesNotAllowed,
	/// The organisation has no such service on this device
	ServiceUnknown,
	/// The CA does not certify such a key, or its possession is not proven
	KeyUnfit,
	/// What is asked for cannot be read
	Malformed,
	/// The certificate that the device has is good enough
	NotNeeded,
}

impl From<Reason> for Objection {
	fn from(reason: Reason) -> Self {
		match reason {
			Reason::Unspecified => Self::Unspecified,
			Reason::NamesNotAllowed => Self::NamesNotAllowed,
			Reason::ServiceUnknown => Self::ServiceUnknown,
			Reason::KeyUnfit => Self::KeyUnfit,
			Reason::Malformed => Self::Malformed,
			Reason::NotNeeded => Self::NotNeeded,
		}
	}
}

impl RequestCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		match self {
			Self::List(list) => list.run(session).await,
			Self::Show(which) => which.show(session).await,
			Self::Answer(answer) => answer.run(session).await,
			Self::Refuse(refuse) => refuse.run(session).await,
			Self::Clear(which) => which.clear(session).await,
		}
	}
}

impl List {
	async fn run(self, session: &Session) -> Result<Report> {
		let (_client, view) = session.view().await?;
		let mut reports = Vec::new();
		if let Some(device) = &self.device {
			lookup::device(&view, device).await?;
			for (slot, filing) in view.filings_of(device.id).await? {
				reports.push(describe(&device.text, (device.id, slot), &filing, view.now()));
			}
			return Ok(Report::list(reports, &format!("{} has asked for nothing", device.text)));
		}
		// The command line takes one of the two.
		let Some(org) = &self.org else { return Ok(Report::list(reports, "nothing was asked")) };
		let mut start = Some(0);
		while let Some(from) = start {
			let page = view.filings_for(org.organisation(), from).await?;
			for (place, located) in page.items {
				let Some(filing) = located.record else { continue };
				let record = view.device(place.0).await?;
				let name = match record {
					Some(record) => device_name(&view, &record).await?,
					None => place.0.to_string(),
				};
				reports.push(describe(&name, place, &filing, view.now()));
			}
			start = page.next;
		}
		Ok(Report::list(reports, &format!("nothing waits for {org}")))
	}
}

impl Which {
	/// The newest request of this kind, with the slot that it is in.
	async fn find(&self, view: &View) -> Result<(FilingPlace, Filing)> {
		lookup::device(view, &self.device).await?;
		let filings = view.filings_of(self.device.id).await?.into_iter();
		let newest = filings
			.filter(|(_, filing)| filing.kind == self.what.0)
			.max_by_key(|(_, filing)| filing.number);
		let (slot, filing) = newest.ok_or_else(|| Error::Unknown {
			what: "request",
			name: format!("of {} for {}", self.device.text, filing_word(&self.what.0)),
		})?;
		Ok(((self.device.id, slot), filing))
	}

	/// The request of this kind that waits, and what it is about.
	async fn open(&self, client: &Client, view: &View) -> Result<Opened> {
		let (place, filing) = self.find(view).await?;
		let content = view.filing_content(place.0, place.1).await?;
		let Some(content) = content.filter(|_| filing.is_waiting(view.now())) else {
			return Err(Error::NotAllowed {
				why: format!("the request does not wait: {}", standing(&filing, view.now())),
				next: "have the device ask again".into(),
			});
		};
		let filed = Filed::stored(place, &filing, content);
		let (record, name, public) = signer(view, place.0, filed.key).await?;
		let wanted = filed.open(client.genesis_hash(), &public)?;
		if filed.content() != filing.content {
			return Err(dpki_client::device_request::RequestError::Signature.into());
		}
		Ok(Opened { place, filing, record, name, wanted })
	}

	async fn show(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let (place, filing) = self.find(&view).await?;
		if !filing.is_waiting(view.now()) {
			return Ok(describe(&self.device.text, place, &filing, view.now()).read_at(view.head()));
		}
		let opened = self.open(&client, &view).await?;
		let report = describe(&opened.name, place, &opened.filing, view.now());
		let report = match &opened.wanted {
			Wanted::SshHost { key, names } => report
				.row_as("names", names.join(", "), names.clone())
				.row("key_id", dpki_primitives::ids::KeyId::of(key)),
			Wanted::SshUser { key, principals, .. } => report
				.row_as("principals", principals.join(", "), principals.clone())
				.row("key_id", dpki_primitives::ids::KeyId::of(key))
				.row("key_fingerprint", ssh::fingerprint_text(&ssh::from_public_key(key)?)),
			Wanted::Tls { csr, .. } => {
				let proposal = Proposal::read(csr, &opened.name, place.0)?;
				report.row("subject", &proposal.subject).row_as(
					"names",
					proposal.names.join(", "),
					proposal.names.clone(),
				)
			},
		};
		Ok(report.row("signed_by", opened.filing.key).read_at(view.head()))
	}

	async fn clear(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let (place, filing) = self.find(&view).await?;
		let call = calls::clear_request(place);
		let finalized = session.submit(&client, &account, &call, "removing the request").await?;
		Ok(describe(&self.device.text, place, &filing, view.now())
			.done("Removed the request")
			.finalized(&finalized))
	}
}

impl Refuse {
	async fn run(self, session: &Session) -> Result<Report> {
		let account = session.account()?;
		let (client, view) = self.trust.view(session).await?;
		let (place, filing) = self.which.find(&view).await?;
		let objection = Objection::from(self.reason);
		let (name, word) = (&self.which.device.text, filing_word(&filing.kind));
		let question = format!("Refuse {name} the certificate {word} ({})?", objection.name());
		prompt::confirm(&question, self.yes)?;
		let call = calls::refuse_request(place, filing.content, objection);
		let finalized = session.submit(&client, &account, &call, "refusing the request").await?;
		Ok(describe(name, place, &filing, view.now())
			.done(format!("Refused {name} the certificate {word}"))
			.data("objection", objection.name())
			.finalized(&finalized))
	}
}

/// A request that waits and comes from the device that it names.
struct Opened {
	place: FilingPlace,
	filing: Filing,
	record: DeviceRecord,
	/// The name of the device, with that of its organisation.
	name: String,
	wanted: Wanted,
}

async fn device_name(view: &View, record: &DeviceRecord) -> Result<String> {
	let organisation = lookup::organisation_name(view, record.organisation).await?;
	Ok(format!("{organisation}/{}", dpki_primitives::ids::name_to_string(&record.name)))
}

fn describe(name: &str, (device, slot): FilingPlace, filing: &Filing, now: Moment) -> Report {
	let report = Report::new()
		.row("device_name", name)
		.row("request", filing_word(&filing.kind))
		.row("standing", standing(filing, now))
		.time("filed_at", filing.filed_at)
		.data("waits", filing.is_waiting(now))
		.data("device", device.to_string())
		.data("slot", slot)
		.data("number", filing.number)
		.data("content", crate::output::hex(&filing.content));
	match filing.standing {
		FilingStanding::Waiting { .. } => report.time("expires_at", filing.expires_at),
		FilingStanding::Answered { channel, sequence, .. } => {
			report.data("channel", channel.number()).data("sequence", sequence)
		},
		FilingStanding::Refused { objection, .. } => report.data("objection", objection.name()),
	}
}

/// What became of a request.
fn standing(filing: &Filing, now: Moment) -> String {
	match filing.standing {
		FilingStanding::Waiting { .. } if filing.is_waiting(now) => "it waits".into(),
		FilingStanding::Waiting { .. } => {
			format!("its time was over at {}", rfc3339(filing.expires_at))
		},
		FilingStanding::Answered { channel, sequence, at } => {
			format!("it was answered by delivery {sequence}{} at {}", place(channel), rfc3339(at))
		},
		FilingStanding::Refused { objection, at } => {
			format!("it was refused ({}) at {}", objection.name(), rfc3339(at))
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		channel::ChannelId,
		ids::{KeyId, OrganisationId},
	};

	#[test]
	fn what_is_typed_is_what_is_printed() {
		for text in ["ssh-host", "tls:web", "ssh-user:_Ops"] {
			assert_eq!(filing_word(&text.parse::<What>().unwrap().0), text);
		}
		for wrong in ["", "ssh", "tls", "tls:", "tls:../x", "web", "ssh-user:", "ssh-user:../x"] {
			assert!(wrong.parse::<What>().is_err(), "{wrong}");
		}
	}

	#[test]
	fn reasons_are_typed_as_the_chain_names_them() {
		for reason in Reason::value_variants() {
			let word = reason.to_possible_value().unwrap().get_name().to_owned();
			assert_eq!(word, Objection::from(*reason).name());
		}
		assert_eq!(Reason::value_variants().len(), Objection::ALL.len());
	}

	#[test]
	fn a_request_tells_whether_it_waits_and_what_became_of_it() {
		let filing = |standing| Filing {
			organisation: OrganisationId([1; 32]),
			kind: FilingKind::SshHost,
			content: [2; 32],
			number: 0,
			key: KeyId([3; 32]),
			filed_at: 0,
			expires_at: 100,
			standing,
		};
		let waiting = filing(FilingStanding::Waiting { position: 0 });
		assert_eq!(standing(&waiting, 100), "it waits");
		assert!(standing(&waiting, 101).contains("its time was over"));
		let answered = |channel| {
			let channel = ChannelId::new(channel).unwrap();
			standing(&filing(FilingStanding::Answered { channel, sequence: 7, at: 5 }), 6)
		};
		assert!(answered(0).contains("by delivery 7 at"), "{}", answered(0));
		assert!(answered(2).contains("by delivery 7 on channel 2 at"), "{}", answered(2));
		let objection = Objection::KeyUnfit;
		let refused = filing(FilingStanding::Refused { objection, at: 5 });
		assert!(standing(&refused, 6).contains("key-unfit"));
	}
}
