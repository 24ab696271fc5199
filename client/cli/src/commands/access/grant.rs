//! `dpki access grant`: the grant on the chain, in a certificate, and in the state of the device.

use super::{
	approval::{Brings, Procedure, Waiting},
	draft, key_name, sign, span,
	state::{self, Sealed, State},
};
use crate::{
	commands::{
		deliver::{self, Destination},
		delivery, ssh as certificates,
	},
	error::{Error, Result},
	files,
	lookup::KnownAnchor,
	output::{Report, rfc3339},
	proven::{Chain, Trust},
	secrets,
	session::Session,
	transaction,
	values::{self, DeviceRef, Member},
};
use clap::{ArgGroup, Args};
use dpki_client::{
	Account, AccountId, Bundle, Client, Finalized, Item, View, access,
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
	delivery::{DeliveryBinding, Outcome},
	ids::{AnchorId, CertificateId, OrganisationId},
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
	#[arg(long, value_name = "FILE", required_unless_present = "plain")]
	ca: Option<PathBuf>,
	/// Let the key itself open the login, without a CA and a certificate; the device needs [apply.authorized-keys]
	#[arg(long, conflicts_with_all = ["ca", "out"])]
	plain: bool,
	/// The private key that is to have access, Ed25519 or P-256, where it lies on this computer; it only signs
	#[arg(long, value_name = "FILE")]
	key: Option<PathBuf>,
	/// What `dpki access request` wrote where the key lies
	#[arg(long, value_name = "FILE")]
	request: Option<PathBuf>,
	/// The file that opens the newest delivery to the device
	#[arg(long, value_name = "FILE")]
	review: PathBuf,
	/// Seal the delivery to the hybrid key of the device, which `dpki-agent hybrid` wrote into this file there
	#[arg(long, value_name = "FILE")]
	hybrid_key: Option<PathBuf>,
	/// Sign the delivery for this account to publish, where the policy of the organisation asks for a second person
	#[arg(long, value_name = "ACCOUNT")]
	sign_for: Option<Member>,
	/// Where to write the certificate; KEY-cert.pub if left out, where ssh finds it by itself
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	#[command(flatten)]
	trust: Trust,
	/// Wait until those who have to approve have done so, and the device says what became of it; fails if it refuses, or
	/// says nothing for this long (60s). Approvals are waited for as long, or until the access is over
	#[arg(
		long,
		value_name = "SPAN",
		num_args = 0..=1,
		require_equals = true,
		value_parser = values::duration
	)]
	wait: Option<Option<Duration>>,
}

/// How long a device may take to acknowledge.
const PATIENCE: Duration = Duration::from_secs(60);

/// What opens the login.
enum Way {
	/// A certificate by this CA, which is written into this file.
	Certificate { ca: Box<PrivateKey>, known: Box<KnownAnchor>, out: PathBuf },
	/// The key itself.
	Plain,
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
		if let Some(out) = &out {
			certificates::replaceable(out)?;
		}
		let account = session.account()?;
		let ca = self.ca.as_deref().map(secrets::ssh_key).transpose()?;
		let mut chain = self.trust.chain(session).await?;
		let (client, view) = (chain.client().clone(), chain.view().await?);
		let payer = session.actor(&account);
		let destination =
			Destination::of(&view, self.device.clone(), self.channel, self.hybrid_key.as_deref())
				.await?;
		let organisation = destination.record.organisation;
		let way = match (ca, out) {
			(Some(ca), Some(out)) => {
				let known = certificates::active_ca(&view, &ca, AnchorKind::SshUserCa).await?;
				deliver::require_own(&known, organisation)?;
				Way::Certificate { ca: Box::new(ca), known: Box::new(known), out }
			},
			_ => Way::Plain,
		};
		let rule = view.organisation(organisation).await?;
		let rule = rule.and_then(|record| ApprovalRule::of(record.policy));
		let procedure = Procedure::of(rule, self.sign_for.as_ref().map(|it| it.0))?;
		procedure.check(&view, organisation, (account.id(), payer)).await?;
		let state = State::read(&self.review, session, (&client, &view), &destination).await?;
		state.require_as_secret(&destination.key, &destination.device.text)?;
		let request = self.request((&client, &view), payer, &destination).await?;

		let (grant, until) = (request.draft.certificate(), request.draft.request.not_after);
		let bundle = state.with(way.anchor(), self.item(&way, grant, until), view.now());
		// Whatever cannot be delivered is refused before anything is on the chain.
		bundle.encode()?;
		let certificate = way.certificate(&request, view.now())?;
		let granted = apply(session, &client, &account, &request).await?;

		let binding = DeliveryBinding {
			genesis: client.genesis_hash(),
			organisation,
			publisher: procedure.publisher(payer),
			device: destination.device.id,
			channel: destination.channel,
			recipient: destination.recipient.0,
			suite: destination.shared_suite(),
			sequence: destination.sequence,
		};
		let done = async {
			let how = (&account, procedure);
			let span = (view.now(), until);
			// The grant took its time, and so may have whoever was asked for a passphrase.
			destination.require_current(&chain.view().await?).await?;
			let sealed = state::seal(how, binding, &destination, &bundle, span, &self.review)?;
			let published = match procedure {
				Procedure::Signed(..) => None,
				_ => Some(sealed.publish(session, &client, &account).await?),
			};
			if procedure == Procedure::Alone {
				files::rename(&sealed.file, &self.review)?;
			}
			if let (Way::Certificate { out, .. }, Some(certificate)) = (&way, &certificate) {
				files::replace_public(out, certificates::openssh_line(certificate)?.as_bytes())?;
			}
			Ok((sealed, published))
		};
		let done: Result<(Sealed, Option<Finalized>)> = done.await;
		let (sealed, published) = match done {
			Ok(done) => done,
			Err(error) => {
				session.warn(&format!(
					"the grant {grant} is on the chain, and the device may not know of it: \
					 `dpki access revoke {grant}` takes it back"
				));
				return Err(error);
			},
		};
		let mut report = self.report(&destination, &way, &request);
		report = report
			.data("granted_in", granted.number)
			.data("channel", self.channel.number())
			.data("sequence", destination.sequence)
			.row("review", self.review.display());
		if let Procedure::Approved(_) = procedure {
			let view = chain.view().await?;
			report = delivery::waiting(report, &view, destination.device.id, self.channel).await?;
		}
		report = report.finalized(published.as_ref().unwrap_or(&granted));
		if let Some(sentence) = procedure.sentence(&sealed.file, until) {
			report =
				report.data("awaits", sealed.file.display().to_string()).row("next", &sentence);
			if self.wait.is_some() {
				session.warn(&format!("the access is not in force yet: {sentence}"));
			}
		}
		let Some(patience) = self.wait else { return Ok(report) };
		let (digest, what) = (sealed.digest(), Brings::Access);
		let waiting = Waiting { destination: &destination, digest, until, what };
		if procedure != Procedure::Alone {
			let stopped = || Error::Interrupted {
				doing: "waiting for approvals: the access is granted, and not in force".into(),
				next: format!(
					"`dpki status delivery {}{}` shows who is missing",
					destination.device.text,
					delivery::option(self.channel)
				),
			};
			let approved = waiting.in_force(&mut chain, patience);
			transaction::or_interrupted(approved, stopped).await?;
			files::rename(&sealed.file, &self.review)?;
			report = report.data("approved", true);
		}
		let patience = patience.unwrap_or(PATIENCE);
		acknowledged(report, &mut chain, &destination, &bundle, patience).await
	}

	fn report(&self, to: &Destination, way: &Way, request: &AccessRequest) -> Report {
		let grant = request.draft.certificate();
		let (name, until) = (&to.device.text, request.draft.request.not_after);
		let report = Report::new()
			.done(format!("Granted access to {}@{name} until {}", self.login, rfc3339(until)))
			.row("grant", grant)
			.time("until", until)
			.data("device", to.device.id.to_string())
			.data("login", self.login.as_str());
		match way {
			Way::Certificate { known, out, .. } => report
				.row("certificate", out.display())
				.row("principal", access::principal(grant))
				.row("serial", access::serial(grant))
				.data("ca_anchor", known.id.to_string()),
			Way::Plain => report.row("key", key_name(&request.draft.request.key)),
		}
	}

	/// Where the certificate is written, if there is one.
	fn certificate_file(&self) -> Result<Option<PathBuf>> {
		match (&self.out, &self.key) {
			_ if self.plain => Ok(None),
			(Some(out), _) => Ok(Some(out.clone())),
			(None, Some(key)) => Ok(Some(files::with_ending(key, "-cert.pub"))),
			(None, None) => Err(Error::Usage("say where to write the certificate: --out".into())),
		}
	}

	fn item(&self, way: &Way, grant: CertificateId, until: Moment) -> Item {
		let login = self.login.clone();
		match way {
			Way::Certificate { .. } => {
				let principal = access::principal(grant);
				Item::SshTemporaryAccess { login, principal, grant, until }
			},
			Way::Plain => Item::SshTemporaryKey { login, grant, until },
		}
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

impl Way {
	/// The CA that the device has to believe.
	fn anchor(&self) -> Option<AnchorId> {
		match self {
			Self::Certificate { known, .. } => Some(known.id),
			Self::Plain => None,
		}
	}

	fn certificate(&self, request: &AccessRequest, now: Moment) -> Result<Option<Certificate>> {
		match self {
			Self::Certificate { ca, .. } => certificate(ca, request, now).map(Some),
			Self::Plain => Ok(None),
		}
	}
}

/// Waits for what the device says of the delivery.
async fn acknowledged(
	report: Report,
	chain: &mut Chain,
	destination: &Destination,
	bundle: &Bundle,
	patience: Duration,
) -> Result<Report> {
	let name = &destination.device.text;
	let stopped = || Error::Interrupted {
		doing: format!("waiting for {name}: the access is granted and delivered"),
		next: format!(
			"`dpki status delivery {name}{}` shows what becomes of it",
			delivery::option(destination.channel)
		),
	};
	let waiting = deliver::acknowledgement(chain, destination, patience);
	let seen = transaction::or_interrupted(waiting, stopped).await?;
	match seen.outcome {
		Outcome::Applied => Ok(report.data("outcome", "applied").time("acknowledged_at", seen.at)),
		Outcome::Refused(reason) => Err(Error::DeviceRefused {
			channel: destination.channel,
			sequence: seen.sequence,
			reason,
			needs: deliver::needs::of(bundle),
		}),
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
	fn a_plain_grant_needs_no_ca_and_writes_no_certificate() {
		#[derive(clap::Parser)]
		struct Line {
			#[command(flatten)]
			grant: Grant,
		}
		let parse = |more: &str| {
			let line = format!("grant acme/drone-7 --login root --review r {more}");
			<Line as clap::Parser>::try_parse_from(line.split_whitespace()).map(|it| it.grant)
		};
		let plain = parse("--plain --key alice").unwrap();
		assert_eq!((plain.certificate_file().unwrap(), plain.wait), (None, None));
		assert_eq!(plain.span, Duration::from_secs(300), "five minutes if it is not said");
		parse("--plain --request alice.request").unwrap();
		let file = parse("--ca ca --key alice --wait").unwrap();
		assert_eq!(file.certificate_file().unwrap(), Some("alice-cert.pub".into()));
		assert_eq!(file.wait, Some(None));
		let minutes = parse("--ca ca --key alice --sign-for //Bob --wait=5m").unwrap();
		assert_eq!(minutes.wait, Some(Some(Duration::from_secs(300))));
		let nowhere = parse("--ca ca --request alice.request").unwrap();
		assert!(nowhere.certificate_file().unwrap_err().to_string().contains("--out"));
		for wrong in ["--key alice", "--plain --ca ca --key alice", "--plain --out f --key alice"] {
			assert!(parse(wrong).is_err(), "{wrong}");
		}
	}
}
