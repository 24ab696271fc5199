//! From a bundle and what the chain proves about its anchors to the access that is wanted.
//!
//! A bundle that is new is held against every rule and refused as a whole. A bundle that is in force is only ever
//! narrowed: an anchor that is not valid any more is left out, what was revoked under it enters a revocation list.
//! A retired anchor (superseded) still counts, because what it signed stays good, until it expires like any other.
//!
//! There are two revocation lists. OpenSSH holds a list against every key that it meets, whoever signed for it: against
//! plain keys, the keys in certificates and the CA keys that signed them. So sshd's list takes what is revoked under user
//! CAs, all of which are the organisation's own, and nothing that a host CA says, which may be anybody's; the list of the
//! ssh client takes what is revoked under host CAs. In neither list can an entry under one CA name the key of a CA that
//! is believed: that would end every certificate of that CA at once. A CA is taken away by revoking its anchor, which
//! the same role may do.

use crate::{
	appliers::{Applier, Appliers},
	chain::Chain,
	merge::Merged,
	refusal::Refusal,
	ssh::{
		delivered::HostKey,
		krl::Krl,
		state::{KnownHostCa, SshState, Temporary, TemporaryKey, UserCa, bare},
	},
};
use dpki_client::{
	Bundle, Item, access,
	primitives::{
		Moment,
		anchor::{AnchorKind, AnchorRecord},
		certificate::Holder,
		ids::{AnchorId, CertificateId, DeviceId, OrganisationId},
		key::PublicKey,
		revocation::{SshRevocation, SshSubject},
		status::{Status, status},
	},
	ssh::{fingerprint, from_public_key, key_from_material},
	view::ReadError,
};
use sha2::{Digest, Sha256};
use ssh_key::{Certificate, Fingerprint, HashAlg, certificate::CertType};
use std::collections::BTreeMap;

const HOST_CERTIFICATE: &str = "host certificate";
const USER_CERTIFICATE: &str = "user certificate";

/// Why a new bundle was not found good.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
	/// The chain gave none.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The bundle is refused.
	#[error(transparent)]
	Refused(#[from] Refusal),
}

/// How a bundle is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scrutiny {
	// For the first time: every rule holds.
	New,
	// Again: it is narrowed, never refused.
	InForce,
}

/// Answers about anchors that cannot change, kept from block to block.
#[derive(Default)]
pub struct AnchorCache(BTreeMap<AnchorId, Cached>);

#[derive(Default)]
struct Cached {
	material: Option<Vec<u8>>,
	revocations: Vec<SshRevocation>,
}

/// Turns bundles into wanted access for one device.
pub struct Resolver<'a> {
	/// The finalised state.
	pub chain: &'a dyn Chain,
	/// The organisation of the device.
	pub organisation: OrganisationId,
	/// The device.
	pub device: DeviceId,
	/// Its host key.
	pub host_key: &'a ssh_key::PublicKey,
	/// What is known already.
	pub cache: &'a mut AnchorCache,
	/// What puts the parts in force that are not about SSH certificates.
	pub appliers: &'a mut Appliers,
}

impl Resolver<'_> {
	/// Whether a new bundle follows every rule. `all` is what would be in force with it, on all channels.
	pub async fn judge(&mut self, bundle: &Bundle, all: &Merged) -> Result<(), ResolveError> {
		let mut state = SshState::default();
		for item in in_order(bundle) {
			self.add(item, Scrutiny::New, &mut state).await?;
		}
		self.judge_host_key(&state)?;
		if all.bundle != *bundle {
			state = self.narrow(all).await?;
		}
		let now = self.chain.head().time;
		self.appliers.judge(&state, now).map_err(|error| invalid(error.to_string()))
	}

	/// What bundles that were found good still give together.
	pub async fn narrow(&mut self, all: &Merged) -> Result<SshState, ReadError> {
		let mut state = SshState { settled: all.settled.clone(), ..SshState::default() };
		for item in in_order(&all.bundle) {
			match self.add(item, Scrutiny::InForce, &mut state).await {
				Ok(()) => {},
				Err(ResolveError::Read(error)) => return Err(error),
				// It was good once, perhaps by the rules of an older agent. Without it the rest is still enforced.
				Err(ResolveError::Refused(refusal)) => {
					tracing::warn!(%refusal, "an item that is in force is left out");
				},
			}
		}
		spare_believed_cas(&mut state);
		Ok(state)
	}

	async fn add(
		&mut self,
		item: &Item,
		scrutiny: Scrutiny,
		state: &mut SshState,
	) -> Result<(), ResolveError> {
		match item {
			Item::SshUserCa { anchor } => {
				let found = self.anchor(*anchor, AnchorKind::SshUserCa, scrutiny, state).await?;
				let Some(key) = found else { return Ok(()) };
				state.user_cas.push(UserCa { anchor: *anchor, key });
			},
			Item::SshKnownHostCa { anchor, hosts } => {
				let found = self.anchor(*anchor, AnchorKind::SshHostCa, scrutiny, state).await?;
				let Some(key) = found else { return Ok(()) };
				state.known_host_cas.push(KnownHostCa { hosts: hosts.clone(), key });
			},
			Item::SshHostCertificate { certificate } => {
				let certificate = parse_certificate(HOST_CERTIFICATE, certificate)?;
				let delivered = state.host_key.as_ref().map(HostKey::public);
				let mut keys = delivered.into_iter().chain([self.host_key]);
				let Some(key) = keys.find(|key| key.key_data() == certificate.public_key()) else {
					// sshd would complain about it, and a complaint must hold no revocation up.
					return Err(invalid(
						"the host certificate is for another host key than this device's".into(),
					));
				};
				if scrutiny == Scrutiny::New {
					if certificate.critical_options().iter().next().is_some() {
						return Err(invalid(
							"the host certificate has critical options, which no SSH client knows for hosts"
								.into(),
						));
					}
					self.judge_certificate(&certificate, key, AnchorKind::SshHostCa).await?;
				}
				let line = certificate.to_openssh();
				state.host_certificate = Some(line.map_err(|error| {
					invalid(format!("the host certificate cannot be written: {error}"))
				})?);
			},
			Item::SshHostKey { private } if self.appliers.ssh.takes(item) => {
				let key = HostKey::read(private)
					.map_err(|problem| invalid(format!("the host key {problem}")))?;
				state.host_key = Some(key);
			},
			Item::SshUserCertificate { certificate, .. } if self.appliers.takes(item) => {
				if scrutiny == Scrutiny::New {
					let certificate = parse_certificate(USER_CERTIFICATE, certificate)?;
					let key = ssh_key::PublicKey::new(certificate.public_key().clone(), "");
					self.judge_certificate(&certificate, &key, AnchorKind::SshUserCa).await?;
				}
				state.parts.push(item.clone());
			},
			Item::SshPrincipals { login, principals } => {
				state.principals.insert(login.clone(), principals.clone());
			},
			Item::SshTemporaryAccess { login, principal, grant, until } => {
				if self.granted(*grant, *until).await?.is_some() {
					let (login, principal) = (login.clone(), principal.clone());
					state.temporary.push(Temporary { login, principal, until: *until });
				}
			},
			Item::SshTemporaryKey { login, grant, until } if self.appliers.takes(item) => {
				if let Some(key) = self.granted(*grant, *until).await? {
					let key = from_public_key(&key).ok().and_then(|key| bare(&key).ok());
					let key = key.ok_or_else(|| {
						invalid(format!("the key of the grant {grant} is none for SSH"))
					})?;
					let login = login.clone();
					state.temporary_keys.push(TemporaryKey { login, key, until: *until });
				}
			},
			Item::Optional(part) if !self.is_applicable(part) => {
				tracing::warn!(part = part.name(), "an optional part of the bundle is left out");
			},
			Item::Optional(part) => return Box::pin(self.add(part, scrutiny, state)).await,
			part if self.appliers.takes(part) => state.parts.push(part.clone()),
			other => {
				let part = other.name();
				return Err(invalid(format!(
					"this agent cannot put the {part} in force: update it, name an applier for it under [apply] in its \
					 configuration, or mark that part as optional"
				)));
			},
		}
		Ok(())
	}

	/// Whether this agent can put such a part in force.
	fn is_applicable(&self, part: &Item) -> bool {
		self.appliers.ssh.takes(part) || self.appliers.takes(part)
	}

	/// The key of an anchor, or `None` if it is not to be believed any more. What is revoked under it enters the list of
	/// those who would believe it.
	async fn anchor(
		&mut self,
		id: AnchorId,
		kind: AnchorKind,
		scrutiny: Scrutiny,
		state: &mut SshState,
	) -> Result<Option<ssh_key::PublicKey>, ResolveError> {
		let record = self.chain.anchor(id).await?;
		let now = self.chain.head().time;
		// An SSH CA has nothing above it; any other anchor is refused below for its kind.
		let standing = record.as_ref().map(|record: &AnchorRecord| record.standing());
		let verdict = status(standing.as_ref(), &[], now);
		let believed = is_believed(verdict);
		if !believed && scrutiny == Scrutiny::New {
			return Err(invalid(format!("the anchor {id} is {}", verdict.name())));
		}
		let Some(record) = record else { return Ok(None) };
		if record.kind != kind {
			let (found, wanted) = (record.kind.name(), kind.name());
			return Err(invalid(format!("the anchor {id} is of the kind {found}, not {wanted}")));
		}
		// Whoever may publish may not bring in a CA that the anchor managers have not registered, nor its revocations.
		if kind == AnchorKind::SshUserCa && record.organisation != self.organisation {
			return Err(invalid(format!("the user CA {id} belongs to another organisation")));
		}
		let Some(material) = self.material(id).await? else {
			return Err(invalid(format!("the anchor {id} has no key")));
		};
		let revoked = if kind == AnchorKind::SshUserCa {
			&mut state.revoked_keys
		} else {
			&mut state.revoked_host_keys
		};
		revoked.add(&material, self.revocations(id).await?);
		if let Status::Revoked(revocation) = verdict {
			// So that what it signed falls wherever else it may be believed on this device.
			revoked.fingerprints.insert(Sha256::digest(&material).into());
			revoked.generated_at = revoked.generated_at.max(revocation.at / 1000);
			revoked.version += 1;
		}
		if !believed {
			return Ok(None);
		}
		let key = key_from_material(&material)
			.map_err(|error| invalid(format!("the anchor {id} is no SSH key: {error}")))?;
		Ok(Some(key))
	}

	/// The key that may have access until then, as the chain says. A grant that has ended is no reason to refuse a bundle:
	/// the device may have been off until then, and the rest of the bundle is wanted.
	async fn granted(
		&mut self,
		grant: CertificateId,
		until: Moment,
	) -> Result<Option<PublicKey>, ResolveError> {
		let Some((record, verdict)) = self.chain.certificate(grant).await? else {
			return Err(invalid(format!("the chain does not know the grant {grant}")));
		};
		let is_ours = record.subject == access::subject(self.organisation, self.device)
			&& record.holder == Holder::Organisation(self.organisation);
		if !is_ours {
			return Err(invalid(format!("the grant {grant} is not about access to this device")));
		}
		// An end that everybody can read would mean nothing if the device went on behind it.
		if record.validity.not_after.is_none_or(|end| until > end) {
			return Err(invalid(format!("the access of the grant {grant} would outlive it")));
		}
		Ok(verdict.is_valid().then_some(record.key))
	}

	/// sshd shows the first of several host keys of a type, and that is the device's own. So one of that type is of use with a
	/// certificate for it only, and a delivery that changes nothing says nothing that is wanted.
	fn judge_host_key(&self, state: &SshState) -> Result<(), ResolveError> {
		let Some(key) = state.host_key.as_ref().map(HostKey::public) else { return Ok(()) };
		if key.key_data() == self.host_key.key_data() {
			return Err(invalid("the host key is the one that the device has itself".into()));
		}
		let parse = |line| parse_certificate(HOST_CERTIFICATE, line);
		let certificate = state.host_certificate.as_deref().map(parse).transpose()?;
		let is_certified = certificate.is_some_and(|it| it.public_key() == key.key_data());
		if key.algorithm() != self.host_key.algorithm() || is_certified {
			return Ok(());
		}
		Err(invalid(format!(
			"the host key is of the type {}, like the device's own, which sshd would show in its place: deliver one of another \
			 type, or a certificate for it",
			key.algorithm()
		)))
	}

	/// A certificate, which is for this key, has to be of the right type, in time, unrevoked, and signed by a CA of this kind of
	/// the organisation.
	async fn judge_certificate(
		&mut self,
		certificate: &Certificate,
		key: &ssh_key::PublicKey,
		kind: AnchorKind,
	) -> Result<(), ResolveError> {
		let (what, wanted, other) = match kind {
			AnchorKind::SshHostCa => (HOST_CERTIFICATE, CertType::Host, USER_CERTIFICATE),
			_ => (USER_CERTIFICATE, CertType::User, HOST_CERTIFICATE),
		};
		let refused = |problem: &str| Err(invalid(format!("the {what} {problem}")));
		if certificate.cert_type() != wanted {
			return refused(&format!("is a {other}"));
		}
		let ca = ssh_key::PublicKey::new(certificate.signature_key().clone(), "");
		let Ok(material) = ca.to_bytes() else { return refused("is signed by no SSH key") };
		// A moment within its validity, so that only signature and signer are judged; the times follow, because a
		// certificate that begins a little later than the chain's clock does no harm.
		let signer = Fingerprint::new(HashAlg::Sha256, certificate.signature_key());
		if certificate.validate_at(certificate.valid_after(), [&signer]).is_err() {
			return refused("is not signed by the CA that it names");
		}
		let now = self.chain.head().time;
		if certificate.valid_before() <= now / 1000 {
			return refused("has expired");
		}
		let anchor = AnchorId::of(kind, &material);
		let Some(record) = self.chain.anchor(anchor).await? else {
			return refused("is signed by a CA that the chain does not know");
		};
		if record.organisation != self.organisation {
			return refused("is signed by a CA of another organisation");
		}
		let verdict = status(Some(&record.standing()), &[], now);
		if !is_believed(verdict) {
			return refused(&format!("is signed by a CA that is {}", verdict.name()));
		}
		let fingerprint = Fingerprint::new(HashAlg::Sha256, key.key_data()).sha256();
		let serial = certificate.serial();
		let revoked = self.revocations(anchor).await?.iter().any(|entry| match entry.subject {
			SshSubject::Serial(revoked) => revoked == serial,
			SshSubject::KeyFingerprint(revoked) => Some(revoked) == fingerprint,
		});
		if revoked { refused("is revoked") } else { Ok(()) }
	}

	async fn material(&mut self, id: AnchorId) -> Result<Option<Vec<u8>>, ReadError> {
		let cached = self.cache.0.entry(id).or_default();
		if cached.material.is_none() {
			cached.material = self.chain.anchor_material(id).await?;
		}
		Ok(cached.material.clone())
	}

	async fn revocations(&mut self, id: AnchorId) -> Result<&[SshRevocation], ReadError> {
		let cached = self.cache.0.entry(id).or_default();
		// Entries are never removed or changed, so the count tells whether there are new ones.
		if self.chain.ssh_revocation_count(id).await? as usize != cached.revocations.len() {
			cached.revocations = self.chain.ssh_revocations(id).await?;
		}
		Ok(&cached.revocations)
	}
}

/// The parts of a bundle in the order in which they are judged: a certificate after the key that it may be for.
fn in_order(bundle: &Bundle) -> impl Iterator<Item = &Item> {
	let is_key = |item: &&Item| matches!(item.part(), Item::SshHostKey { .. });
	let others = bundle.items.iter().filter(move |item| !is_key(item));
	bundle.items.iter().filter(is_key).chain(others)
}

/// A retired anchor is believed like a valid one. One that is retired and something graver, such as expired, has the
/// graver status.
fn is_believed(verdict: Status) -> bool {
	matches!(verdict, Status::Valid | Status::Superseded)
}

/// Takes the keys of the CAs that are believed out of the lists that are held against them.
fn spare_believed_cas(state: &mut SshState) {
	let spare = |list: &mut Krl, ca: &ssh_key::PublicKey| {
		if list.fingerprints.remove(&fingerprint(ca)) {
			tracing::debug!("a revocation that names the key of a CA in force is left out");
		}
	};
	for ca in &state.user_cas {
		spare(&mut state.revoked_keys, &ca.key);
	}
	for ca in &state.known_host_cas {
		spare(&mut state.revoked_host_keys, &ca.key);
	}
}

/// The certificate without its comment, which somebody else chose and which could hold a line break.
fn parse_certificate(what: &str, text: &str) -> Result<Certificate, ResolveError> {
	Certificate::from_openssh(text.trim())
		.and_then(|certificate| Certificate::from_bytes(&certificate.to_bytes()?))
		.map_err(|error| invalid(format!("the {what} is malformed: {error}")))
}

fn invalid(problem: String) -> ResolveError {
	Refusal::BundleInvalid(problem).into()
}
