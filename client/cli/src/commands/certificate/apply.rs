//! Applying: with a private key on this computer, or with a certification request that was made elsewhere.

use super::application::on_hold;
use crate::{
	commands::{anchor::PROOF_LIFETIME, observer},
	error::{Error, Result},
	files,
	output::Report,
	secrets,
	session::Session,
	values::{
		self, Member, Name,
		certificates::{LevelArg, SubjectSpec},
	},
};
use clap::Args;
use codec::Decode;
use dpki_client::{
	AccountId, Client, Finalized, View, calls,
	certificate::{Draft, Escrow, public_key_from_pem},
	economy,
	possession::{SigningKey, SoftwareKey},
	subject,
};
use dpki_primitives::{
	application::{CertificateRequest, Possession, control_challenge},
	assurance::Assessment,
	certificate::{DisplayName, Holder},
	ids::{ApplicationId, KeyId},
	key::PublicKey,
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use x509_parser::pem::Pem;

/// What is applied for.
#[derive(Args)]
pub struct Wish {
	/// dns:NAME, ip:ADDRESS, org:NAME, service:NAME/SERVICE, device:NAME/DEVICE, person:HASH, or uuid or pseudonym, which
	/// follow from the key
	#[arg(value_name = "SUBJECT")]
	subject: SubjectSpec,
	/// Organisation that is to hold the certificate
	#[arg(long, value_name = "NAME", conflicts_with = "holder")]
	org: Option<Name>,
	/// Account that is to hold the certificate; that of --account if neither is given
	#[arg(long, value_name = "ACCOUNT")]
	holder: Option<Member>,
	/// The level that is wanted; for ov and ev endorsers have to attest who is behind it
	#[arg(long, value_enum, default_value = "dv")]
	level: LevelArg,
	/// Name to be shown at ov and ev, for organisations only
	#[arg(long, value_name = "NAME")]
	display_name: Option<String>,
	/// For how long it is to be valid
	#[arg(long, default_value = "90d", value_parser = values::duration)]
	valid: Duration,
}

impl Wish {
	/// The application of this payer for this key, whose proof is good for `proof`.
	async fn draft(
		self,
		(client, view): (&Client, &View),
		payer: AccountId,
		key: PublicKey,
		proof: Duration,
	) -> Result<Draft> {
		let display_name = self.display_name.map(|name| {
			DisplayName::try_from(name.into_bytes()).map_err(|_| {
				Error::Usage(
					"the display name is too long: give one of at most 64 bytes".to_owned(),
				)
			})
		});
		let holder = match (&self.org, &self.holder) {
			(Some(org), _) => Holder::Organisation(org.organisation()),
			(None, Some(Member(account))) => Holder::Account(*account),
			(None, None) => Holder::Account(payer),
		};
		let request = CertificateRequest {
			subject: self.subject.of_key(&key),
			holder,
			level: self.level.into(),
			key,
			display_name: display_name.transpose()?,
			not_after: values::after(view.now(), self.valid)?,
		};
		Ok(Draft {
			genesis: client.genesis_hash(),
			payer,
			nonce: view.application_nonce(&payer).await?,
			expires_at: values::after(view.now(), proof)?,
			request,
		})
	}
}

/// Apply with a private key on this computer.
#[derive(Args)]
pub struct Apply {
	#[command(flatten)]
	wish: Wish,
	/// The private key that is to be certified: OpenSSH, PKCS#8 PEM, or digits as an agent writes them
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
}

impl Apply {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let key = secrets::device_key(&self.key, SoftwareKey::from_text)?;
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let payer = session.actor(&account);
		let draft = self.wish.draft((&client, &view), payer, key.public(), PROOF_LIFETIME).await?;
		let possession = draft.sign(&key)?;
		submit(session, &client, &account, &draft, possession).await
	}
}

/// Draft an application for a key elsewhere.
#[derive(Args)]
pub struct DraftCommand {
	#[command(flatten)]
	wish: Wish,
	/// The public key that is to be certified, Ed25519 or P-256, as `openssl pkey -pubout` writes it
	#[arg(long, value_name = "FILE")]
	public: PathBuf,
	/// How long there is time to make the request and apply, a day at most
	#[arg(long, default_value = "1h", value_parser = values::duration)]
	within: Duration,
	/// Where to write the draft; the configuration for OpenSSL goes beside it, with the ending .cnf
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
}

impl DraftCommand {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let config = files::with_ending(&self.out, ".cnf");
		files::refuse_existing(&[&self.out, &config])?;
		let key = public_key_from_pem(&files::read_text(&self.public)?)?;
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let payer = session.actor(&account);
		let draft = self.wish.draft((&client, &view), payer, key, self.within).await?;
		files::write_public(&self.out, format!("{draft}\n").as_bytes())?;
		files::write_public(&config, draft.openssl_config().as_bytes())?;
		Ok(told(Report::new(), &draft)
			.done("Drafted an application")
			.row("draft", self.out.display())
			.row("openssl_config", config.display())
			.row("challenge_password", draft.challenge())
			.row("common_name", draft.request.subject.common_name())
			.time("apply_until", draft.expires_at)
			.tail(format!(
				"Next: openssl req -new -key PRIVATE-KEY -config {} -outform DER -out request.csr\n      \
				 dpki certificate apply-csr --draft {} --csr request.csr",
				config.display(),
				self.out.display(),
			))
			.read_at(view.head()))
	}
}

/// Apply with a certification request that was made for a draft.
#[derive(Args)]
pub struct ApplyCsr {
	/// The file that `dpki certificate draft` made
	#[arg(long, value_name = "FILE")]
	draft: PathBuf,
	/// The certification request, DER or PEM
	#[arg(long, value_name = "FILE")]
	csr: PathBuf,
}

impl ApplyCsr {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let draft: Draft = files::read_text(&self.draft)?.parse()?;
		let possession = draft.with_request(&request_der(&self.csr)?)?;
		let account = session.account()?;
		let (client, view) = session.view().await?;
		let again = |why: &str| Error::NotAllowed {
			why: format!("{} {why}", self.draft.display()),
			next: "make a new draft with `dpki certificate draft`, and a new request for it"
				.to_owned(),
		};
		if draft.genesis != client.genesis_hash() || draft.payer != session.actor(&account) {
			return Err(again("was made for another account or on another chain"));
		}
		if draft.nonce != view.application_nonce(&draft.payer).await? {
			return Err(again("was made before another application of the account"));
		}
		if draft.expires_at < view.now() {
			return Err(again("has expired"));
		}
		submit(session, &client, &account, &draft, possession).await
	}
}

/// The DER of a certification request in PEM or DER. Whether it is one is judged by the chain.
fn request_der(path: &Path) -> Result<Vec<u8>> {
	let bytes = files::read(path)?;
	if bytes.starts_with(b"\x30") {
		return Ok(bytes.to_vec());
	}
	let mut pems = Pem::iter_from_buffer(&bytes).filter_map(|pem| pem.ok());
	let request = pems.find(|pem| pem.label.ends_with("CERTIFICATE REQUEST"));
	request.map(|pem| pem.contents).ok_or_else(|| Error::WrongFile {
		path: path.to_owned(),
		expected: "a certification request (PKCS#10) in DER or PEM".to_owned(),
	})
}

async fn submit(
	session: &Session,
	client: &Client,
	account: &dpki_client::Account,
	draft: &Draft,
	possession: Possession,
) -> Result<Report> {
	let call = calls::apply(draft.request.clone(), possession, draft.expires_at);
	let finalized = session.submit(client, account, &call, "applying").await?;
	let granted = finalized
		.events
		.iter()
		.any(|event| event.pallet == "Certificates" && event.name == "CertificateIssued");
	// What it stands at is news about a transaction that is final: it is not undone because a node fails to tell it.
	let standing = standing(client, draft).await.unwrap_or_default();
	let report = told(Report::new(), draft).data("granted", granted);
	let report = match granted {
		true => worth(report, draft, standing.assessment.as_ref()),
		false => {
			let (subject, key) = (&draft.request.subject, KeyId::of(&draft.request.key));
			let challenge =
				control_challenge(&draft.genesis, draft.application(), subject.id(), key);
			observer::looked_for(report, subject, &challenge)
				.done(format!(
					"Applied: observers look whether {} is yours",
					subject::to_text(subject)
				))
				.tail(
					"Put the challenge at its place now, and leave it there until the application is decided.",
				)
		},
	};
	Ok(taken(report.finalized(&finalized), &finalized, standing.escrow.as_ref()))
}

/// What has become of an application that was just made.
#[derive(Default)]
struct Standing {
	assessment: Option<Assessment>,
	escrow: Option<Escrow>,
}

async fn standing(client: &Client, draft: &Draft) -> Result<Standing> {
	let view = client.at_finalized().await?;
	let assessment = view.assessment(draft.certificate()).await?.assessment;
	let escrow = view.application(draft.application()).await?.escrow;
	Ok(Standing { assessment, escrow })
}

/// A certificate that was granted, with the level that it counts as now: higher ones wait for endorsers.
fn worth(report: Report, draft: &Draft, assessment: Option<&Assessment>) -> Report {
	let (id, wanted) = (draft.certificate(), draft.request.level);
	let Some(level) = assessment.and_then(|it| it.level) else {
		return report.done(format!("Granted certificate {id}"));
	};
	let report = report.row("level", level.name());
	let needed = assessment.map_or(0, |it| it.quorum.needed(wanted));
	if level >= wanted {
		return report.done(format!("Granted certificate {id}, {}", level.name()));
	}
	let (now, later) = (level.name(), wanted.name());
	report
		.done(format!("Granted certificate {id}, {now} until it is endorsed (requested {later})"))
		.data("endorsements_needed", needed)
		.tail(format!(
			"It counts as {later} once endorsers of {needed} organisations attest who is behind it, each by\n  \
			 dpki endorser endorse {id} --level {} --valid SPAN",
			later.to_lowercase(),
		))
}

/// Adds what is on hold for the application, what was paid of it at once, and all that has left the balance of the payer.
fn taken(report: Report, finalized: &Finalized, escrow: Option<&Escrow>) -> Report {
	let paid = finalized
		.events
		.iter()
		.filter(|event| event.pallet == "Certificates" && event.name == "FeePaid")
		.filter_map(|event| <(ApplicationId, AccountId, u128)>::decode(&mut &event.fields[..]).ok())
		.fold(0_u128, |sum, (_, _, amount)| sum.saturating_add(amount));
	let held = escrow.map_or(0, |escrow| {
		let endorsers = escrow.endorsement.saturating_mul(escrow.endorsements_left.into());
		[escrow.deposit, escrow.network, escrow.observation]
			.into_iter()
			.fold(endorsers, u128::saturating_add)
	});
	let costs = economy::costs(finalized);
	let total = [costs.fees, costs.held, paid, held].into_iter().fold(0, u128::saturating_add);
	let report = match escrow {
		Some(escrow) => on_hold(report, escrow),
		None => report,
	};
	// Text for programs too: numbers of 128 bits do not fit those of JSON.
	report.row("price_paid", paid).row("left_the_balance", total)
}

/// What there is to say about an application that is made.
fn told(report: Report, draft: &Draft) -> Report {
	report
		.row("subject", subject::to_text(&draft.request.subject))
		.row("application", draft.application())
		.row("certificate", draft.certificate())
		.row("key_id", KeyId::of(&draft.request.key))
		.row("requested_level", draft.request.level.name())
		.time("not_after", draft.request.not_after)
}

/// The application that a transaction has opened.
pub fn opened(finalized: &Finalized) -> Option<ApplicationId> {
	let mut events = finalized.events.iter();
	let event =
		events.find(|event| event.pallet == "Certificates" && event.name == "ApplicationOpened")?;
	ApplicationId::decode(&mut &event.fields[..]).ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use dpki_client::Event;
	use dpki_primitives::{
		assurance::{Level, Quorum},
		key::KeyType,
		status::Status,
	};

	fn draft() -> Draft {
		let key = PublicKey::new(KeyType::Ed25519, &[7; 32]).unwrap();
		let request = CertificateRequest {
			subject: subject::parse("org:acme").unwrap(),
			holder: Holder::Account([2; 32]),
			level: Level::Ev,
			key,
			display_name: None,
			not_after: 9_000,
		};
		Draft { genesis: [1; 32], payer: [2; 32], nonce: 0, expires_at: 9_000, request }
	}

	#[test]
	fn the_level_that_was_asked_for_is_not_told_as_the_one_that_counts() {
		let assessment = |level| Assessment {
			status: Status::Valid,
			level: Some(level),
			requested: Level::Ev,
			quorum: Quorum { ov: 2, ev: 3 },
			counted_for_ov: 0,
			counted_for_ev: 0,
			explanations: vec![],
		};
		let draft = draft();
		let told = |level| worth(told(Report::new(), &draft), &draft, Some(&assessment(level)));
		let json = told(Level::Dv).to_json();
		assert_eq!((&json["requested_level"], &json["level"]), (&"EV".into(), &"DV".into()));
		assert_eq!(json["endorsements_needed"], 3);
		let text = told(Level::Dv).to_text();
		assert!(text.contains("DV until it is endorsed (requested EV)"), "{text}");
		assert!(text.contains("endorsers of 3 organisations"), "{text}");
		let command = format!("dpki endorser endorse {} --level ev", draft.certificate());
		assert!(text.contains(&command), "{text}");
		let text = told(Level::Ev).to_text();
		assert!(text.contains(", EV\n") && !text.contains("endorser endorse"), "{text}");
		let unknown = worth(Report::new(), &draft, None).to_text();
		assert_eq!(unknown, format!("Granted certificate {}\n", draft.certificate()));
	}

	#[test]
	fn what_left_the_balance_has_every_part() {
		let event = |pallet: &str, name: &str, fields: Vec<u8>| Event {
			pallet: pallet.into(),
			name: name.into(),
			fields,
			text: String::new(),
		};
		let (id, who) = (draft().application(), [3u8; 32]);
		let events = vec![
			event("TransactionPayment", "TransactionFeePaid", (who, 5u128, 0u128).encode()),
			event("Certificates", "FeePaid", (id, who, 70u128).encode()),
		];
		let finalized = Finalized {
			number: 1,
			hash: [1; 32],
			extrinsic: [2; 32],
			events,
			proven: false,
			is_final: true,
		};
		let escrow = Escrow {
			deposit: 100,
			network: 0,
			observation: 1_000,
			endorsement: 10_000,
			endorsements_left: 3,
			paid: vec![],
		};
		let json = taken(Report::new(), &finalized, Some(&escrow)).to_json();
		assert_eq!(
			(&json["price_paid"], &json["left_the_balance"]),
			(&"70".into(), &"31175".into())
		);
		assert_eq!(json["on_hold"]["observation"], "1000");
		let text = taken(Report::new(), &finalized, Some(&escrow)).to_text();
		assert!(text.contains("10000 for each of 3 endorsers, deposit 100"), "{text}");
		assert!(text.contains("left the balance  31175"), "{text}");
	}
}
