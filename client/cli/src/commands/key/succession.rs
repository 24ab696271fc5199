//! `dpki key add`, `replace`, `announce`, `reveal`, `revoke` and `compromised`: the keys of a device over time.

use crate::{
	commands::{anchor::PROOF_LIFETIME, device, revoke::How},
	error::{Error, Result},
	files, lookup,
	output::{Report, hex},
	prompt, secrets,
	session::Session,
	values::{self, AnchorRef, DeviceRef, HexBytes},
};
use clap::Args;
use dpki_client::{
	Client, View, calls,
	certificate::public_key_from_pem,
	possession::{
		OwnRevocation, Registration, Replacing, Reveal, Signer, SigningKey, SoftwareKey,
		prove_compromise, reveal,
	},
};
use dpki_primitives::{
	Moment,
	context::Registrant,
	device::Compromised,
	ids::{DeviceId, KeyCommitment, KeyId},
	key::{KeyPurpose, KeyRecord, Signature},
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

/// Who agrees for the device, and who brings it to the chain.
#[derive(Args)]
pub struct Consenting {
	/// The private half of a signing key of the device: the signing.key of its agent, OpenSSH or PKCS#8 PEM
	#[arg(long, value_name = "FILE")]
	consent_key: PathBuf,
	/// The device does it alone, without an account and a fee, if the key policy of its organisation allows that
	#[arg(long)]
	alone: bool,
}

/// Register a key in the place of another one.
#[derive(Args)]
pub struct Replace {
	/// Id of the key that is replaced; `dpki device show` shows it
	#[arg(value_name = "ID")]
	old: KeyId,
	/// The new private key: OpenSSH, PKCS#8 PEM, or digits as the agent writes them
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// For how long the old key is good yet, seven days at most; it ends at once if left out
	#[arg(long, value_parser = values::duration)]
	grace: Option<Duration>,
	/// How long the new key may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
	#[command(flatten)]
	consenting: Consenting,
}

/// Announce the key that is to follow another one.
#[derive(Args)]
pub struct Announce {
	/// Id of the key that is to be followed
	#[arg(value_name = "ID")]
	key: KeyId,
	/// The private key that is to follow; only a hash of its public half leaves this computer
	#[arg(long, value_name = "FILE", required_unless_present = "commitment")]
	next: Option<PathBuf>,
	/// The commitment to it, where it is kept elsewhere
	#[arg(
		long,
		value_name = "HASH",
		value_parser = values::hash,
		conflicts_with = "next"
	)]
	commitment: Option<Commitment>,
	#[command(flatten)]
	consenting: Consenting,
}

/// A hash that names a key without telling it.
pub type Commitment = [u8; 32];

/// Have the announced key take the place of another one.
#[derive(Args)]
pub struct RevealKey {
	/// Id of the key that is followed, even if it is revoked for its compromise
	#[arg(value_name = "ID")]
	old: KeyId,
	/// The private key that was announced
	#[arg(long, value_name = "FILE")]
	key: PathBuf,
	/// The private key that is to follow this one, in turn
	#[arg(long, value_name = "FILE")]
	next: Option<PathBuf>,
	/// How long the key may be used; without end if left out
	#[arg(long, value_parser = values::duration)]
	valid: Option<Duration>,
}

/// Revoke a key by the word of its device.
#[derive(Args)]
pub struct RevokeOwnKey {
	/// Id of the key; `dpki device show` shows it
	#[arg(value_name = "ID")]
	key: KeyId,
	/// The private half of a signing key of the device, which may be the one that is revoked: the signing.key of its agent,
	/// OpenSSH or PKCS#8 PEM
	#[arg(long, value_name = "FILE")]
	signing_key: PathBuf,
	#[command(flatten)]
	how: How,
}

/// Revoke a key, or an anchor, that has leaked.
#[derive(Args)]
pub struct CompromisedKey {
	/// The private key that has leaked; whoever has it can do this
	#[arg(value_name = "FILE", required_unless_present = "proof")]
	file: Option<PathBuf>,
	/// The digits in the file are an X25519 key, as in the agreement.key of an agent, of a member of a fleet
	#[arg(long, requires = "file", conflicts_with = "anchor")]
	agreement: bool,
	/// The anchor that the key is of, by id or file; a key of a device, a certificate or a member of a fleet if left out
	#[arg(long, value_name = "ID|FILE")]
	anchor: Option<AnchorRef>,
	/// The proof that was made beforehand with --prepare
	#[arg(long, value_name = "HEX", conflicts_with_all = ["file", "prepare"])]
	proof: Option<HexBytes>,
	/// Id of the key of a device, with --proof
	#[arg(long, value_name = "ID", requires = "proof", conflicts_with = "anchor")]
	id: Option<KeyId>,
	/// Public key of a certificate or of a member of a fleet, Ed25519 or P-256 in PEM, with --proof
	#[arg(long, value_name = "FILE", requires = "proof", conflicts_with_all = ["anchor", "id"])]
	public: Option<PathBuf>,
	/// Print the proof and send nothing: for the day on which the key is lost
	#[arg(long)]
	prepare: bool,
	/// Do not ask for confirmation
	#[arg(long)]
	yes: bool,
}

/// What the chain holds of the key that is to be replaced, announced for, or followed.
async fn known_key(view: &View, id: KeyId) -> Result<KeyRecord> {
	view.key(id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "key", name: id.to_string() })
}

/// What the proofs for the next key of this device have in common.
async fn registration(
	client: &Client,
	view: &View,
	registrant: Registrant,
	device: DeviceId,
) -> Result<Registration> {
	let named = DeviceRef { id: device, text: device.to_string() };
	let record = lookup::device(view, &named).await?;
	Ok(Registration {
		genesis: client.genesis_hash(),
		registrant,
		device,
		keys_registered: record.keys_registered,
		expires_at: values::after(view.now(), PROOF_LIFETIME)?,
	})
}

fn not_after(now: Moment, valid: Option<Duration>) -> Result<Option<Moment>> {
	valid.map(|valid| values::after(now, valid)).transpose()
}

fn millis(span: Option<Duration>) -> Moment {
	span.map_or(0, |span| Moment::try_from(span.as_millis()).unwrap_or(Moment::MAX))
}

impl Replace {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Consenting { consent_key, alone } = self.consenting;
		let account = (!alone).then(|| session.account()).transpose()?;
		let signing = secrets::device_key(&consent_key, SoftwareKey::from_text)?;
		let (client, view) = session.view().await?;
		let old = known_key(&view, self.old).await?;
		let key = device::read_key(&self.key, old.purpose)?;
		let registrant = account
			.as_ref()
			.map_or(Registrant::Device, |account| Registrant::Account(session.actor(account)));
		let mut begun = registration(&client, &view, registrant, old.device).await?;
		let not_after = not_after(view.now(), self.valid)?;
		let grace = millis(self.grace);
		let replacing = Replacing { old: self.old, grace };
		let consent = begun.consent_to_replacement(
			replacing,
			old.purpose,
			&key.public(),
			not_after,
			&signing,
		)?;
		let new = begun.prove(old.purpose, &*key, not_after)?;
		let id = KeyId::of(&new.public);
		let expires_at = begun.expires_at;
		let doing = "replacing the key";
		let finalized = match account {
			Some(account) => {
				let call = calls::replace_key(self.old, new, grace, consent, expires_at);
				session.submit(&client, &account, &call, doing).await?
			},
			None => {
				let call = calls::replace_own_key(self.old, new, grace, consent, expires_at);
				session.submit_general(&client, &call, doing).await?
			},
		};
		Ok(Report::new()
			.done("Replaced the key")
			.row("key_id", id)
			.row("replaced", self.old)
			.row("purpose", old.purpose.name())
			.data("device", old.device.to_string())
			.time_if("not_after", not_after)
			.finalized(&finalized))
	}
}

/// The commitment to the key in this file as the one that follows `current`.
fn commitment(current: KeyId, next: &Path, purpose: KeyPurpose) -> Result<KeyCommitment> {
	let key = device::read_key(next, purpose)?;
	Ok(KeyCommitment::of(current, &key.public()))
}

impl Announce {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Consenting { consent_key, alone } = self.consenting;
		let account = (!alone).then(|| session.account()).transpose()?;
		let signing = secrets::device_key(&consent_key, SoftwareKey::from_text)?;
		let (client, view) = session.view().await?;
		let record = known_key(&view, self.key).await?;
		let commitment = match (&self.next, self.commitment) {
			(Some(next), _) => commitment(self.key, next, record.purpose)?,
			(None, Some(hash)) => KeyCommitment(hash),
			(None, None) => {
				return Err(Error::Usage("say which key follows: give --next".to_owned()));
			},
		};
		let registrant = account
			.as_ref()
			.map_or(Registrant::Device, |account| Registrant::Account(session.actor(account)));
		let begun = registration(&client, &view, registrant, record.device).await?;
		let consent = begun.consent_to_announcement(self.key, commitment, &signing)?;
		let doing = "announcing the key";
		let finalized = match account {
			Some(account) => {
				let call =
					calls::announce_next_key(self.key, commitment, consent, begun.expires_at);
				session.submit(&client, &account, &call, doing).await?
			},
			None => {
				let call = calls::announce_own_key(self.key, commitment, consent, begun.expires_at);
				session.submit_general(&client, &call, doing).await?
			},
		};
		Ok(Report::new()
			.done("Announced the key that follows")
			.row("key_id", self.key)
			.row("commitment", commitment)
			.data("device", record.device.to_string())
			.finalized(&finalized))
	}
}

impl RevealKey {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let old = known_key(&view, self.old).await?;
		let key = device::read_key(&self.key, old.purpose)?;
		let id = KeyId::of(&key.public());
		let next = self.next.as_ref().map(|next| commitment(id, next, old.purpose)).transpose()?;
		let not_after = not_after(view.now(), self.valid)?;
		let said = Reveal {
			genesis: client.genesis_hash(),
			device: old.device,
			old: self.old,
			purpose: old.purpose,
			not_after,
			next,
			expires_at: values::after(view.now(), PROOF_LIFETIME)?,
		};
		let new = reveal(said, &*key)?;
		let call = calls::reveal_next_key(self.old, new, next, said.expires_at);
		let finalized = session.submit_general(&client, &call, "revealing the key").await?;
		Ok(Report::new()
			.done("The announced key has taken the place of the one before it")
			.row("key_id", id)
			.row("replaced", self.old)
			.row("purpose", old.purpose.name())
			.data("device", old.device.to_string())
			.data("next", next.map(|next| next.to_string()))
			.time_if("not_after", not_after)
			.finalized(&finalized))
	}
}

impl RevokeOwnKey {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let Self { key, signing_key, how } = self;
		let signing = secrets::device_key(&signing_key, SoftwareKey::from_text)?;
		let (client, view) = session.view().await?;
		let record = known_key(&view, key).await?;
		let (device, reason) = (record.device, how.reason);
		let purpose = record.purpose.name();
		let question = format!(
			"Revoke the {purpose} key {key} ({})? This cannot be undone.",
			reason.rfc5280_name()
		);
		how.confirm(&question)?;
		let expires_at = values::after(view.now(), PROOF_LIFETIME)?;
		let genesis = client.genesis_hash();
		let word = OwnRevocation { genesis, device, key, reason, expires_at };
		let call = calls::revoke_own_key(key, reason, word.sign(&signing)?, expires_at);
		let finalized = session.submit_general(&client, &call, "revoking the key").await?;
		Ok(Report::new()
			.done(format!("Revoked the {purpose} key {key} by the word of its device"))
			.row("key_id", key)
			.row("reason", reason.rfc5280_name())
			.data("device", device.to_string())
			.finalized(&finalized))
	}
}

impl CompromisedKey {
	/// Runs the command.
	pub async fn run(self, session: &Session) -> Result<Report> {
		let (client, view) = session.view().await?;
		let (what, id, signer) = self.leaked(&view).await?;
		let proof = match (&self.proof, signer) {
			(Some(HexBytes(bytes)), _) => Signature::try_from(bytes.clone())
				.map_err(|_| Error::Usage("this is too long to be a proof".to_owned()))?,
			(None, Some(key)) => prove_compromise(client.genesis_hash(), id, &*key)?,
			(None, None) => {
				return Err(Error::Usage(
					"give the key that has leaked, or its --proof".to_owned(),
				));
			},
		};
		let report = Report::new().row("key_id", id);
		if self.prepare {
			return Ok(report
				.done("Made the proof that the key has leaked; nothing was sent")
				.row("proof", hex(&proof))
				.warn("whoever has the proof can revoke the key, and do nothing else with it"));
		}
		let payer = match Self::is_dear(&view, &what).await? {
			true => Some(session.account()?),
			false => None,
		};
		let question = match what {
			Compromised::Public(_) => format!(
				"No device has the key {id}. Revoke it, and with it whatever is certified or committed with it, for its \
				 compromise? This cannot be undone."
			),
			_ => format!("Revoke {id} for its compromise? This cannot be undone."),
		};
		prompt::confirm(&question, self.yes)?;
		let call = calls::report_compromise(what, proof);
		let doing = "revoking the key";
		let finalized = match payer {
			Some(account) => session.submit(&client, &account, &call, doing).await?,
			None => session.submit_general(&client, &call, doing).await?,
		};
		Ok(report
			.done("Revoked what has leaked")
			.data("reason", "keyCompromise")
			.finalized(&finalized))
	}

	/// Whether somebody has to pay for the proof.
	async fn is_dear(view: &View, what: &Compromised) -> Result<bool> {
		Ok(match *what {
			Compromised::Key(id) => calls::is_proof_dear(Some(&known_key(view, id).await?.public)),
			Compromised::Anchor(id) => {
				let record = view.anchor(id).await?;
				record.is_some_and(|record| calls::is_proof_dear(record.key.as_ref()))
			},
			Compromised::Public(_) => true,
		})
	}

	/// What has leaked, under which id of its key, and the key if it is at hand.
	async fn leaked(&self, view: &View) -> Result<(Compromised, KeyId, Option<Box<dyn Signer>>)> {
		if let Some(anchor) = &self.anchor {
			let known = lookup::anchor(view, anchor, lookup::ANY_KIND).await?;
			let signer: Option<Box<dyn Signer>> = match &self.file {
				Some(file) if known.record.kind.is_x509() => {
					let material = view.anchor_material(known.id).await?.unwrap_or_default();
					Some(Box::new(secrets::root_key(file, &material)?))
				},
				Some(file) => Some(Box::new(secrets::signing_key(file)?)),
				None => None,
			};
			return Ok((Compromised::Anchor(known.id), known.record.key_id, signer));
		}
		if let Some(id) = self.id {
			return Ok((Compromised::Key(id), id, None));
		}
		if let Some(public) = &self.public {
			let public = public_key_from_pem(&files::read_text(public)?)?;
			let id = KeyId::of(&public);
			return Ok((Compromised::Public(public), id, None));
		}
		let file = self.file.as_ref().ok_or_else(|| {
			Error::Usage(
				"say what has leaked: give the key, its --id, its --anchor or its --public half"
					.to_owned(),
			)
		})?;
		// Digits name no algorithm: what the chain knows of them decides, and for keys that the registry does not hold
		// whoever gives them.
		let readings = match self.agreement {
			true => &[KeyPurpose::KeyAgreement][..],
			false => &[KeyPurpose::Sign, KeyPurpose::KeyAgreement],
		};
		let mut unregistered = None;
		for purpose in readings {
			let Ok(key) = device::read_key(file, *purpose) else { continue };
			let public = key.public();
			let id = KeyId::of(&public);
			let signer: Box<dyn Signer> = Box::new(Leaked(key));
			if view.key(id).await?.is_some() {
				return Ok((Compromised::Key(id), id, Some(signer)));
			}
			unregistered.get_or_insert((Compromised::Public(public), id, Some(signer)));
		}
		unregistered.ok_or_else(|| Error::Unknown { what: "key", name: file.display().to_string() })
	}
}

/// A key of a device, to sign with and no more.
struct Leaked(Box<dyn SigningKey>);

impl Signer for Leaked {
	fn sign(&self, payload: &[u8]) -> Result<Signature, dpki_client::possession::PossessionError> {
		self.0.sign(payload)
	}
}
