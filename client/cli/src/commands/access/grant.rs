//! `dpki access grant`: the grant on the chain, in a certificate, and in the state of the device.

use super::{
	draft, sign, span,
	state::{self, State},
};
use crate::{
	commands::{
		deliver::{self, Destination},
		delivery, ssh as certificates,
	},
	error::{Error, Result},
	files,
	output::{Report, rfc3339},
	secrets,
	session::Session,
	transaction,
	values::{self, DeviceRef},
};
use clap::{ArgGroup, Args};
use dpki_client::{
	Account, AccountId, Client, Finalized, Item, View, access,
	access::AccessRequest,
	calls,
	names::NameKind,
	possession::{SigningKey, SoftwareKey},
	ssh::{self, UserCertificate},
};
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	approval::ApprovalRule,
	assurance::Level,
	certificate::Holder,
	channel::ChannelId,
	delivery::Outcome,
	ids::{CertificateId, OrganisationId},
};
use ssh_key::{Certificate, PrivateKey};
use std::{path::PathBuf, time::Duration};

/// How far back an SSH certificate starts, in seconds, for hosts whose clocks are behind.
const CLOCK_LEEWAY: u64 = 60;

/// Open a login for a short time.
#[derive(Args)]
#[command(group = ArgGroup::new("whom").required(true).args(["key", "request"]))]
pub struct Grant {
	/// ORGANISATION/NAME, or the id
	#[arg(value_name = "ORG/NAME|ID")]
	device: DeviceRef,
	/// Channel of the device, 0 to 15, to whose newest delivery the access is added
	#[arg(long, value_name = "N", default_value_t)]
	channel: ChannelId,
	/// For how long from now on; with --request the longest that it may ask for
	#[arg(long = "for", default_value = "5m", value_parser = span, value_name = "SPAN")]
	span: Duration,
	/// The user of the device
	#[arg(long, value_name = "LOGIN", value_parser = login)]
	login: String,
	/// The private key of an SSH user CA of the organisation
	#[arg(long, value_name = "FILE")]
	ca: PathBuf,
	/// The private key that is to have access, Ed25519 or P-256, where it lies on this computer; it only signs
	#[arg(long, value_name = "FILE")]
	key: Option<PathBuf>,
	/// What `dpki access request` wrote where the key lies
	#[arg(long, value_name = "FILE", requires = "out")]
	request: Option<PathBuf>,
	/// The file that opens the newest delivery to the device
	#[arg(long, value_name = "FILE")]
	review: PathBuf,
	/// Seal the delivery to the hybrid key of the device, which `dpki-agent hybrid` wrote into this file there
	#[arg(long, value_name = "FILE")]
	hybrid_key: Option<PathBuf>,
	/// Where to write the certificate; KEY-cert.pub if left out, where ssh finds it by itself
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Wait until the device says what became of it; fails if it refuses, or says nothing for this long
	#[arg(
		long,
		value_name = "SPAN",
		num_args = 0..=1,
		require_equals = true,
		default_missing_value = "60s",
		value_parser = values::duration
	)]
	wait: Option<Duration>,
}

/// What a request may ask for.
struct Limits<'a> {
	genesis: [u8; 32],
	payer: AccountId,
	nonce: u64,
	organisation: OrganisationId,
	device: &'a DeviceRef,
	now: Moment,
	/// The latest end.
	until: Moment,
}

impl Limits<'_> {
	/// Refuses a request for something else than is granted.
	fn check(&self, request: &AccessRequest) -> Result<()> {
		let AccessRequest { draft, device, .. } = request;
		let refused = |why: String, next: &str| Err(Error::NotAllowed { why, next: next.into() });
		let again = "have it made again with `dpki access request`";
		if draft.genesis != self.genesis || draft.payer != self.payer {
			return refused("the request is for another account or another chain".into(), again);
		}
		let asked = &draft.request;
		let is_plain = asked.holder == Holder::Organisation(self.organisation)
			&& asked.subject == access::subject(self.organisation, self.device.id)
			&& asked.level == Level::Dv
			&& asked.display_name.is_none();
		if *device != self.device.id || !is_plain {
			let why = format!("the request does not ask for access to {}", self.device.text);
			return refused(why, again);
		}
		if draft.nonce != self.nonce {
			return refused("the account has applied for something else since".into(), again);
		}
		if draft.expires_at < self.now || asked.not_after <= self.now {
			return refused("the request has expired".into(), again);
		}
		if asked.not_after > self.until {
			let why = format!("the request asks for access until {}", rfc3339(asked.not_after));
			return refused(why, "allow that much with --for, or have it ask for less");
		}
		Ok(())
	}
}

impl Grant {
	/// Runs the command.
	pub(super) async fn run(self, session: &Session) -> Result<Report> {
		let out = self.certificate_file()?;
		certificates::replaceable(&out)?;
		let account = session.account()?;
		let ca = secrets::ssh_key(&self.ca)?;
		let (client, view) = session.view().await?;
		let payer = session.actor(&account);
		let destination =
			Destination::of(&view, self.device.clone(), self.channel, self.hybrid_key.as_deref())
				.await?;
		let organisation = destination.record.organisation;
		let known = certificates::active_ca(&view, &ca, AnchorKind::SshUserCa).await?;
		deliver::require_own(&known, organisation)?;
		let rule = view.organisation(organisation).await?;
		let rule = rule.and_then(|record| ApprovalRule::of(record.policy));
		require_publishable(rule)?;
		let state = State::read(&self.review, &client, &view, &destination).await?;
		state.require_as_secret(&destination.key, &destination.device.text)?;
		let request = self.request((&client, &view), payer, &destination).await?;

		let (grant, until) = (request.draft.certificate(), request.draft.request.not_after);
		let bundle = state.with(known.id, self.item(grant, until), view.now());
		// Whatever cannot be delivered is refused before anything is on the chain.
		bundle.encode()?;
		let certificate = certificate(&ca, &request, view.now())?;
		let granted = apply(session, &client, &account, &request).await?;

		let done = async {
			let published =
				state::publish(session, &client, &account, &destination, &bundle, &self.review)
					.await?;
			files::replace_public(&out, certificates::openssh_line(&certificate)?.as_bytes())?;
			Ok(published)
		};
		let published: Finalized = match done.await {
			Ok(published) => published,
			Err(error) => {
				session.warn(&format!(
					"the grant {grant} is on the chain, and the device may not know of it: \
					 `dpki access revoke {grant}` takes it back"
				));
				return Err(error);
			},
		};
		let name = destination.device.text.clone();
		let mut report = Report::new()
			.done(format!("Granted access to {}@{name} until {}", self.login, rfc3339(until)))
			.row("grant", grant)
			.time("until", until)
			.row("certificate", out.display())
			.row("principal", access::principal(grant))
			.row("serial", access::serial(grant))
			.data("ca_anchor", known.id.to_string())
			.data("device", destination.device.id.to_string())
			.data("login", self.login.as_str())
			.data("channel", self.channel.number())
			.data("sequence", destination.sequence)
			.data("granted_in", granted.number)
			.row("review", self.review.display());
		if rule.is_some() {
			let view = client.at_finalized().await?;
			report = delivery::waiting(report, &view, destination.device.id, self.channel).await?;
		}
		report = report.finalized(&published);
		let Some(patience) = self.wait else { return Ok(report) };
		let stopped = || Error::Interrupted {
			doing: format!("waiting for {name}: the access is granted and delivered"),
			next: format!("`dpki status delivery {name}` shows what becomes of it"),
		};
		let waiting = deliver::acknowledgement(&client, &destination, patience);
		let seen = transaction::or_interrupted(waiting, stopped).await?;
		match seen.outcome {
			Outcome::Applied => {
				Ok(report.data("outcome", "applied").time("acknowledged_at", seen.at))
			},
			Outcome::Refused(reason) => {
				Err(Error::DeviceRefused { sequence: seen.sequence, reason })
			},
		}
	}

	fn certificate_file(&self) -> Result<PathBuf> {
		match (&self.out, &self.key) {
			(Some(out), _) => Ok(out.clone()),
			(None, Some(key)) => Ok(files::with_ending(key, "-cert.pub")),
			(None, None) => Err(Error::Usage("say where to write the certificate: --out".into())),
		}
	}

	fn item(&self, grant: CertificateId, until: Moment) -> Item {
		let principal = access::principal(grant);
		Item::SshTemporaryAccess { login: self.login.clone(), principal, grant, until }
	}

	/// The request of the key: made here if the key is, or held against what is granted.
	async fn request(
		&self,
		at: (&Client, &View),
		payer: AccountId,
		destination: &Destination,
	) -> Result<AccessRequest> {
		let (client, view) = at;
		let (organisation, device) = (destination.record.organisation, &destination.device);
		if let Some(key) = &self.key {
			let key = secrets::device_key(key, SoftwareKey::from_text)?;
			let draft = draft(at, (organisation, device), payer, key.public(), self.span).await?;
			return sign(draft, device, &key);
		}
		let path = self.request.as_deref().unwrap_or_else(|| "-".as_ref());
		let request: AccessRequest = files::read_text(path)?.parse()?;
		let limits = Limits {
			genesis: client.genesis_hash(),
			payer,
			nonce: view.application_nonce(&payer).await?,
			organisation,
			device,
			now: view.now(),
			until: values::after(view.now(), self.span)?,
		};
		limits.check(&request)?;
		Ok(request)
	}
}

/// Refuses a policy under which whoever grants could not publish.
fn require_publishable(rule: Option<ApprovalRule>) -> Result<()> {
	match rule {
		Some(rule) if rule.signed_inside => Err(Error::NotAllowed {
			why: "devices of this organisation want each content signed by a second person".into(),
			next: "use a certificate of `dpki ssh sign` for a principal that is delivered already"
				.into(),
		}),
		_ => Ok(()),
	}
}

/// The SSH certificate of a grant.
fn certificate(ca: &PrivateKey, request: &AccessRequest, now: Moment) -> Result<Certificate> {
	let grant = request.draft.certificate();
	let now = certificates::signing_time(Some(now))? / 1000;
	let content = UserCertificate {
		serial: Some(access::serial(grant)),
		key_id: grant.to_string(),
		principals: vec![access::principal(grant)],
		valid_from: now.saturating_sub(CLOCK_LEEWAY),
		valid_until: request.draft.request.not_after / 1000,
		extensions: UserCertificate::DEFAULT_EXTENSIONS.map(str::to_owned).to_vec(),
	};
	let key = ssh::from_public_key(&request.draft.request.key)?;
	Ok(ssh::sign_user(ca, &key, &content)?)
}

/// Puts the grant on record.
async fn apply(
	session: &Session,
	client: &Client,
	account: &Account,
	request: &AccessRequest,
) -> Result<Finalized> {
	let call =
		calls::apply(request.draft.request.clone(), request.possession(), request.draft.expires_at);
	session.submit(client, account, &call, "putting the grant on record").await
}

fn login(text: &str) -> std::result::Result<String, String> {
	NameKind::Login.check(text).map_err(|error| error.to_string())?;
	Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::certificate::Draft;
	use dpki_primitives::{application::CertificateRequest, ids::DeviceId, key::KeyType};

	const ORGANISATION: OrganisationId = OrganisationId([1; 32]);
	const NOW: Moment = 1_000_000;

	fn device() -> DeviceRef {
		DeviceRef::from(DeviceId([2; 32]))
	}

	fn request() -> AccessRequest {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let request = CertificateRequest {
			subject: access::subject(ORGANISATION, device().id),
			holder: Holder::Organisation(ORGANISATION),
			level: Level::Dv,
			key: key.public(),
			display_name: None,
			not_after: NOW + 300_000,
		};
		let (genesis, payer, expires_at) = ([3; 32], [4; 32], NOW + 600_000);
		let draft = Draft { genesis, payer, nonce: 5, expires_at, request };
		sign(draft, &device(), &key).unwrap()
	}

	#[test]
	fn a_request_is_granted_as_it_was_meant_or_not_at_all() {
		let device = device();
		let limits = Limits {
			genesis: [3; 32],
			payer: [4; 32],
			nonce: 5,
			organisation: ORGANISATION,
			device: &device,
			now: NOW,
			until: NOW + 300_000,
		};
		let good = request();
		limits.check(&good).unwrap();
		type Change = fn(&mut AccessRequest);
		let changes: [(&str, Change); 9] = [
			("another account or another chain", |it| it.draft.genesis = [9; 32]),
			("another account or another chain", |it| it.draft.payer = [9; 32]),
			("does not ask for access", |it| it.device = DeviceId([9; 32])),
			("does not ask for access", |it| {
				it.draft.request.subject = access::subject(ORGANISATION, DeviceId([9; 32]));
			}),
			("does not ask for access", |it| it.draft.request.holder = Holder::Account([4; 32])),
			("applied for something else", |it| it.draft.nonce = 4),
			("has expired", |it| it.draft.expires_at = NOW - 1),
			("has expired", |it| it.draft.request.not_after = NOW),
			("asks for access until", |it| it.draft.request.not_after += 1),
		];
		for (sentence, change) in changes {
			let mut other = good.clone();
			change(&mut other);
			let error = limits.check(&other).unwrap_err();
			assert!(error.to_string().contains(sentence), "{error}");
			assert!(error.next_step().is_some());
		}
	}

	#[test]
	fn the_certificate_ends_with_the_grant_and_is_good_for_nothing_else() {
		let ca = PrivateKey::random(&mut rand_core::OsRng, ssh_key::Algorithm::Ed25519).unwrap();
		let now = certificates::signing_time(None).unwrap();
		let mut request = request();
		request.draft.request.not_after = now + 300_999;
		let grant = request.draft.certificate();
		let certificate = certificate(&ca, &request, now).unwrap();
		assert_eq!(certificate.valid_before(), (now + 300_999) / 1000);
		assert_eq!(certificate.valid_principals(), [access::principal(grant)]);
		assert_eq!(certificate.serial(), access::serial(grant));
		assert_eq!(certificate.key_id(), grant.to_string());
	}

	#[test]
	fn where_a_second_person_has_to_sign_nobody_grants_alone() {
		use dpki_primitives::organisation::DeliveryPolicy;
		assert!(require_publishable(None).is_ok());
		let watched = ApprovalRule::of(DeliveryPolicy::Watchdogs { needed: 2 });
		assert!(require_publishable(watched).is_ok());
		let error = require_publishable(ApprovalRule::of(DeliveryPolicy::MultiAdmin)).unwrap_err();
		assert!(error.next_step().unwrap().contains("dpki ssh sign"), "{error}");
	}
}
