//! Trust anchors: registration, adoption and retirement. What the certificate of an X.509 anchor has to be is in
//! [`crate::authorities`], the end of an anchor in [`crate::revocation`].

use crate::{
	AnchorMaterials, Anchors, Config, Error, Event, KeyAnchors, Keys, OrganisationAnchors, Pallet,
	Registrants, Serials, context::Actor, crypto, economy::registration_of, ssh, x509,
};
use alloc::boxed::Box;
use dpki_primitives::{
	Moment,
	anchor::{
		AnchorKind, AnchorMaterial, AnchorRecord, Basis, Certification, MAX_ANCHORS_PER_KEY,
		MAX_ANCHORS_PER_ORGANISATION, Profile,
	},
	context::Action,
	economy::Resource,
	ids::{AnchorId, KeyId, OrganisationId},
	key::{PublicKey, Signature},
	organisation::Role,
	status::Validity,
};
use dpki_x509::Certificate;
use frame_support::ensure;
use sp_runtime::DispatchResult;

/// What somebody says that an anchor is.
#[derive(Clone, Copy)]
pub(crate) enum Claim {
	/// An SSH CA of this kind.
	Ssh(AnchorKind),
	/// An X.509 certification authority, trusted for this reason.
	X509(Basis),
}

/// An anchor that can be registered.
pub(crate) struct Candidate {
	/// Its key, by itself or in its certificate.
	pub holder: Holder,
	/// The id of that key.
	pub key_id: KeyId,
	/// When it is in force.
	pub validity: Validity,
	/// Its place, if it is an X.509 anchor.
	pub certification: Option<Certification>,
	/// Its serial number, if an anchor has issued it.
	pub serial: Option<Serial>,
}

/// A serial number, and whose.
#[derive(Clone, Copy)]
pub(crate) struct Serial {
	/// The key that signed the certificate: the one whose revocation lists name it by its number.
	pub issuer: KeyId,
	/// See [`serial_digest`](dpki_primitives::anchor::serial_digest).
	pub digest: [u8; 32],
}

/// What carries the key of an anchor.
pub(crate) enum Holder {
	/// The SSH wire encoding.
	Ssh(PublicKey),
	/// A certificate.
	X509(Box<Certificate>),
}

/// The proof that somebody holds the key of an anchor.
pub(crate) struct Possession {
	/// The signature.
	pub signature: Signature,
	/// The last moment at which it is accepted.
	pub expires_at: Moment,
}

impl Claim {
	/// What a kind claims by itself.
	pub(crate) fn of_kind<T: Config>(kind: AnchorKind) -> Result<Self, Error<T>> {
		match kind {
			AnchorKind::SshUserCa | AnchorKind::SshHostCa => Ok(Self::Ssh(kind)),
			AnchorKind::X509Root => Ok(Self::X509(Basis::SelfSigned(Profile::Rfc5280))),
			AnchorKind::X509Intermediate => Err(Error::<T>::AnchorIssuerMissing),
		}
	}

	fn kind(self) -> AnchorKind {
		match self {
			Self::Ssh(kind) => kind,
			Self::X509(basis) => basis.kind(),
		}
	}
}

impl Holder {
	/// The key in the form that records use, if it has one.
	fn public_key(&self) -> Option<PublicKey> {
		match self {
			Self::Ssh(key) => Some(key.clone()),
			Self::X509(certificate) => x509::public_key(certificate),
		}
	}

	/// Whether a signature of this key verifies.
	pub(crate) fn verify(&self, payload: &[u8], signature: &[u8]) -> bool {
		match self {
			Self::Ssh(key) => crypto::verify(key, payload, signature),
			Self::X509(certificate) => x509::verify_possession(certificate, payload, signature),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Registers an anchor that `account` has shown to hold. It is active at once: the organisation answers for its
	/// own anchors, and nobody else's devices trust them unless told to.
	pub(crate) fn do_register_anchor(
		account: T::AccountId,
		organisation: OrganisationId,
		claim: Claim,
		material: AnchorMaterial,
		possession: Possession,
	) -> DispatchResult {
		Self::ensure_role(organisation, &account, Role::AnchorManager)?;
		let now = Self::now();
		Self::ensure_unexpired(possession.expires_at, now)?;
		let is_voted = matches!(claim, Claim::X509(Basis::Vote(_)));
		ensure!(!is_voted, Error::<T>::AnchorVoteMissing);

		let (anchor, candidate) = Self::judge_anchor(organisation, claim, &material, now)?;
		let payer = account.clone();
		let action = Action::PossessAnchor { account: account.into(), organisation, anchor };
		let payload = Self::payload(action, 0, possession.expires_at);
		ensure!(
			candidate.holder.verify(&payload, &possession.signature),
			Error::<T>::AnchorPossessionInvalid
		);
		Self::pay_for(&payer, registration_of(claim.kind()), Resource::Anchor(anchor))?;
		Self::add_anchor(organisation, anchor, claim.kind(), candidate, material, now)
	}

	/// Registers an X.509 anchor for the consortium. The vote for it takes the place of a proof of possession: who holds
	/// the key of a public CA need not know of this chain.
	pub(crate) fn do_adopt_authority(basis: Basis, material: AnchorMaterial) -> DispatchResult {
		let (organisation, now) = (OrganisationId::CONSORTIUM, Self::now());
		let claim = Claim::X509(basis);
		let (anchor, candidate) = Self::judge_anchor(organisation, claim, &material, now)?;
		Self::add_anchor(organisation, anchor, claim.kind(), candidate, material, now)
	}

	/// Everything about a new anchor but who wants it. What costs a signature comes last.
	fn judge_anchor(
		organisation: OrganisationId,
		claim: Claim,
		material: &[u8],
		now: Moment,
	) -> Result<(AnchorId, Candidate), Error<T>> {
		let anchor = AnchorId::of(claim.kind(), material);
		if let Some(record) = Anchors::<T>::get(anchor) {
			return Err(match record.revocation {
				Some(_) => Error::<T>::AnchorWasRevoked,
				None => Error::<T>::AnchorExists,
			});
		}
		let listed = OrganisationAnchors::<T>::decode_len(organisation).unwrap_or_default();
		ensure!(listed < MAX_ANCHORS_PER_ORGANISATION as usize, Error::<T>::AnchorListFull);
		let candidate = match claim {
			Claim::Ssh(_) => {
				let key = ssh::parse(material)?;
				Candidate {
					key_id: KeyId::of(&key),
					holder: Holder::Ssh(key),
					validity: Validity { not_before: now, not_after: None },
					certification: None,
					serial: None,
				}
			},
			Claim::X509(basis) => Self::read_authority(basis, material, now)?,
		};
		Self::ensure_key_is_free(&candidate)?;
		Self::ensure_serial_is_free(candidate.serial)?;
		Ok((anchor, candidate))
	}

	/// That the key above has given the serial number to no other anchor, revoked or not.
	fn ensure_serial_is_free(serial: Option<Serial>) -> Result<(), Error<T>> {
		let is_taken = serial.is_some_and(|it| Serials::<T>::contains_key(it.issuer, it.digest));
		ensure!(!is_taken, Error::<T>::CertificateSerialTaken);
		Ok(())
	}

	/// That nothing is known of the key that speaks against another anchor of it. The id of an anchor covers its kind and
	/// every byte of its certificate, so the same key has many.
	fn ensure_key_is_free(candidate: &Candidate) -> Result<(), Error<T>> {
		let key = candidate.key_id;
		ensure!(!Self::is_ruled_out(key), Error::<T>::AnchorKeyWasRevoked);
		ensure!(!Keys::<T>::contains_key(key), Error::<T>::AnchorKeyInUse);
		let anchors = KeyAnchors::<T>::get(key);
		ensure!(anchors.len() < MAX_ANCHORS_PER_KEY as usize, Error::<T>::AnchorKeyFull);
		let Some(issuer) = candidate.certification.and_then(|it| it.issuer) else { return Ok(()) };
		// Another certificate from the same issuer, or the same one with another signature, would undo its revocation. So it
		// would from another anchor of the issuer's key, such as a root that was renewed.
		let above = Anchors::<T>::get(issuer).map(|record| record.key_id);
		let givers = above.map(KeyAnchors::<T>::get).unwrap_or_default();
		let is_withdrawn = anchors.into_iter().filter_map(Anchors::<T>::get).any(|record| {
			record.revocation.is_some() && record.issuer().is_some_and(|it| givers.contains(&it))
		});
		ensure!(!is_withdrawn, Error::<T>::AnchorKeyWithdrawn);
		Ok(())
	}

	/// Stores an anchor that has been judged.
	fn add_anchor(
		organisation: OrganisationId,
		anchor: AnchorId,
		kind: AnchorKind,
		candidate: Candidate,
		material: AnchorMaterial,
		now: Moment,
	) -> DispatchResult {
		let Candidate { holder, key_id, validity, certification, serial } = candidate;
		OrganisationAnchors::<T>::try_append(organisation, anchor)
			.map_err(|_| Error::<T>::AnchorListFull)?;
		KeyAnchors::<T>::try_append(key_id, anchor).map_err(|_| Error::<T>::AnchorKeyFull)?;
		if let Some(issuer) = certification.and_then(|it| it.issuer) {
			Self::list_child(issuer, anchor);
		}
		if let Some(Serial { issuer, digest }) = serial {
			Serials::<T>::insert(issuer, digest, anchor);
		}
		let key = holder.public_key();
		let record = AnchorRecord {
			certification,
			..AnchorRecord::new(organisation, kind, key, key_id, validity, now)
		};
		Anchors::<T>::insert(anchor, record);
		AnchorMaterials::<T>::insert(anchor, material);
		Registrants::<T>::insert(organisation, ());
		Self::deposit_event(Event::AnchorRegistered { anchor, organisation, kind });
		Ok(())
	}

	/// What carries the key of an anchor that was registered with this material.
	pub(crate) fn anchor_holder(kind: AnchorKind, material: &[u8]) -> Result<Holder, Error<T>> {
		match kind {
			AnchorKind::SshUserCa | AnchorKind::SshHostCa => Ok(Holder::Ssh(ssh::parse(material)?)),
			AnchorKind::X509Root | AnchorKind::X509Intermediate => {
				Ok(Holder::X509(Box::new(Certificate::from_der(material)?)))
			},
		}
	}

	/// Retires an anchor: what it signed stays good, nothing new is to be signed. A retirement that was planned for later
	/// comes at once.
	pub(crate) fn do_retire_anchor(actor: Actor<T::AccountId>, anchor: AnchorId) -> DispatchResult {
		let mut record = Self::managed_anchor(&actor, anchor)?;
		let now = Self::now();
		ensure!(record.revocation.is_none(), Error::<T>::AnchorWasRevoked);
		ensure!(!record.is_retired(now), Error::<T>::AnchorAlreadyRetired);
		record.retired_at = Some(now);
		let organisation = record.organisation;
		Anchors::<T>::insert(anchor, record);
		Self::deposit_event(Event::AnchorRetired { anchor, organisation });
		Ok(())
	}

	/// The anchor, if whoever acts may act on it.
	pub(crate) fn managed_anchor(
		actor: &Actor<T::AccountId>,
		anchor: AnchorId,
	) -> Result<AnchorRecord, Error<T>> {
		let record = Anchors::<T>::get(anchor).ok_or(Error::<T>::AnchorUnknown)?;
		Self::ensure_manager(actor, record.organisation)?;
		Ok(record)
	}
}
