//! Anchors to measure with.

use super::*;
use dpki_x509::Certificate;

/// `count` anchors of the organisation, unchecked, each with a key of its own; returns the last one.
pub(super) fn fill_anchors<T: Config>(organisation: OrganisationId, count: u32) -> AnchorId {
	let mut last = AnchorId::default();
	for n in 0..count {
		let key = KeyId::of(&placeholder(n));
		last = insert_anchor::<T>(organisation, AnchorKind::SshUserCa, key, n, None);
	}
	last
}

/// An anchor of the organisation, unchecked; `n` tells it from others.
pub(super) fn insert_anchor<T: Config>(
	organisation: OrganisationId,
	kind: AnchorKind,
	key_id: KeyId,
	n: u32,
	certification: Option<Certification>,
) -> AnchorId {
	let material: AnchorMaterial = n.to_be_bytes().to_vec().try_into().expect("4 bytes");
	let anchor = AnchorId::of(kind, &material);
	let now = Pallet::<T>::now();
	let validity = Validity { not_before: 0, not_after: None };
	let record = AnchorRecord {
		certification,
		..AnchorRecord::new(organisation, kind, None, key_id, validity, now)
	};
	Anchors::<T>::insert(anchor, record);
	AnchorMaterials::<T>::insert(anchor, material);
	OrganisationAnchors::<T>::try_append(organisation, anchor).expect("no more anchors than fit");
	KeyAnchors::<T>::try_append(key_id, anchor).expect("no more anchors than fit");
	anchor
}

/// A root and what lies below it, as deep as it goes, all with this certificate; returns the last. The organisation and
/// the key of the certificate are left with room for one anchor more.
pub(super) fn deepest_authority<T: Config>(
	organisation: OrganisationId,
	certificate: &[u8],
) -> AnchorId {
	let key = Certificate::from_der(certificate).expect("it is a certificate");
	let key = crate::x509::key_id::<T>(&key).expect("every key has an id");
	let kind = AnchorKind::X509Intermediate;
	let mut issuer = None;
	for depth in 0..MAX_ANCHOR_DEPTH {
		let certification = Certification { profile: Profile::Rfc5280, issuer, depth };
		let n = 1_000 + u32::from(depth);
		let anchor = insert_anchor::<T>(organisation, kind, key, n, Some(certification));
		AnchorMaterials::<T>::insert(anchor, material(certificate));
		issuer = Some(anchor);
	}
	for n in u32::from(MAX_ANCHOR_DEPTH)..MAX_ANCHORS_PER_KEY - 1 {
		let certification = Certification { issuer, ..Certification::default() };
		insert_anchor::<T>(organisation, kind, key, 1_000 + n, Some(certification));
	}
	fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION - MAX_ANCHORS_PER_KEY);
	issuer.expect("there is a root")
}

/// As many anchors of one key as it can have, in organisations of their own with full lists, each with a payer of its own;
/// returns the one of this organisation.
pub(super) fn anchor_of_the_most<T: Config>(organisation: OrganisationId) -> AnchorId {
	let (key, certification) = (KeyId([9; 32]), Some(Certification::default()));
	let kind = AnchorKind::X509Root;
	let mut anchor = AnchorId::default();
	for n in 0..MAX_ANCHORS_PER_KEY {
		let owner = if n == 0 { organisation } else { OrganisationId([n as u8; 32]) };
		fill_anchors::<T>(owner, MAX_ANCHORS_PER_ORGANISATION - 1);
		let id = insert_anchor::<T>(owner, kind, key, n, certification);
		hold_from_another::<T>(n, Resource::Anchor(id));
		if n == 0 {
			anchor = id;
		}
	}
	anchor
}

/// How the possession of an anchor's key is proven.
type Prove<AccountId> = fn(&AccountId, OrganisationId, AnchorKind, &[u8]) -> Signature;

/// What registers a root for an organisation with room for one anchor more.
pub(super) struct RootToRegister<AccountId> {
	pub origin: RawOrigin<AccountId>,
	pub organisation: OrganisationId,
	pub material: AnchorMaterial,
	pub possession: Signature,
	pub anchor: AnchorId,
}

pub(super) fn root_to_register<T: Config>(
	der: &[u8],
	prove: Prove<T::AccountId>,
) -> RootToRegister<T::AccountId> {
	let (who, organisation) = member::<T>();
	fill_anchors::<T>(organisation, MAX_ANCHORS_PER_ORGANISATION - 1);
	let kind = AnchorKind::X509Root;
	let possession = prove(&who, organisation, kind, der);
	let (origin, anchor) = (RawOrigin::Signed(who), AnchorId::of(kind, der));
	RootToRegister { origin, organisation, material: material(der), possession, anchor }
}

/// What registers an intermediate at the bottom of the deepest tree.
pub(super) struct AuthorityToRegister<AccountId> {
	pub origin: RawOrigin<AccountId>,
	pub organisation: OrganisationId,
	pub basis: Basis,
	pub material: AnchorMaterial,
	pub possession: Signature,
	pub anchor: AnchorId,
}

pub(super) fn authority_to_register<T: Config>(
	der: &[u8],
	prove: Prove<T::AccountId>,
) -> AuthorityToRegister<T::AccountId> {
	let (who, organisation) = member::<T>();
	let basis = Basis::IssuedBy(deepest_authority::<T>(organisation, der));
	let kind = AnchorKind::X509Intermediate;
	let possession = prove(&who, organisation, kind, der);
	let (origin, anchor) = (RawOrigin::Signed(who), AnchorId::of(kind, der));
	AuthorityToRegister { origin, organisation, basis, material: material(der), possession, anchor }
}

/// Plans the end of an anchor.
pub(super) fn plan_end<T: Config>(anchor: AnchorId) {
	Anchors::<T>::mutate(anchor, |record| {
		record.as_mut().expect("it was inserted").retired_at = Some(expires_at::<T>());
	});
}

/// Revokes so much under an SSH CA that its first page has one place left.
pub(super) fn revoke_but_one<T: Config>(who: &T::AccountId, anchor: AnchorId) {
	for serial in 1..SSH_REVOCATIONS_PER_PAGE {
		let subject = SshSubject::Serial(u64::from(serial));
		Pallet::<T>::do_revoke_ssh(who.clone(), anchor, subject, REASON).expect("there is room");
	}
}

pub(super) fn longest_crl_pointer() -> CrlPointer {
	let mut url = b"https://".to_vec();
	url.resize(MAX_CRL_URL_LEN as usize, b'a');
	let url = url.try_into().expect("it has the length that is allowed");
	CrlPointer { url, digest: Some([1; 32]) }
}

pub(super) fn material(der: &[u8]) -> AnchorMaterial {
	der.to_vec().try_into().expect("no certificate is longer than material may be")
}

/// What adopts this certificate below the deepest authority of the consortium: origin, basis, material, and its id.
pub(super) fn adoption<T: Config>(
	der: &[u8],
) -> Result<(T::RuntimeOrigin, Basis, AnchorMaterial, AnchorId), BenchmarkError> {
	let issuer = deepest_authority::<T>(OrganisationId::CONSORTIUM, der);
	let origin =
		T::AnchorOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
	let anchor = AnchorId::of(AnchorKind::X509Intermediate, der);
	Ok((origin, Basis::IssuedBy(issuer), material(der), anchor))
}

/// An X.509 anchor of the organisation, unchecked.
pub(super) fn root<T: Config>(organisation: OrganisationId, suspended: bool) -> AnchorId {
	let certification = Some(Certification::default());
	let key = KeyId([9; 32]);
	let anchor = insert_anchor::<T>(organisation, AnchorKind::X509Root, key, 0, certification);
	Anchors::<T>::mutate(anchor, |record| {
		record.as_mut().expect("it was inserted").suspended = suspended;
	});
	anchor
}

pub(super) fn ssh_p256_blob(public: &p256::ecdsa::SigningKey) -> AnchorMaterial {
	let point = public.verifying_key().to_encoded_point(false);
	let parts: [&[u8]; 3] = [b"ecdsa-sha2-nistp256", b"nistp256", point.as_bytes()];
	let string = |part: &[u8]| [&(part.len() as u32).to_be_bytes(), part].concat();
	let blob: Vec<u8> = parts.iter().flat_map(|part| string(part)).collect();
	blob.try_into().expect("104 bytes")
}

/// Stores an anchor as version 1 did, revoked with another one of its key.
pub(super) fn put_old_record<T: Config>(anchor: AnchorId) {
	let AnchorRecord { organisation, kind, key_id, .. } =
		Anchors::<T>::get(anchor).expect("it was inserted");
	let old = AnchorRecordV1 {
		organisation,
		kind,
		key: Some(p256_pair(0).1),
		key_id,
		validity: Validity { not_before: 0, not_after: Some(1_000) },
		registered_at: 0,
		retired_at: Some(0),
		revocation: None,
	};
	let raw = Anchors::<T>::hashed_key_for(anchor);
	frame_support::storage::unhashed::put(&raw, &old);
	KeyAnchors::<T>::remove(key_id);
	RevokedAnchorKeys::<T>::insert(key_id, ());
}
