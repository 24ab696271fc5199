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
