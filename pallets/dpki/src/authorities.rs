//! X.509 anchors: what the certificate of one has to be, given what the trust in it is to rest on.
//!
//! An intermediate is judged by RFC 5280 section 6.1 at the time of the block over the whole path from the anchor that
//! stands by itself: validity, signature, authority, path lengths, name constraints, policies, purposes, critical
//! extensions, and the profile of that anchor. The signatures above it were verified when the anchors above were
//! registered and are not verified again; every other rule is, because each certificate of a path limits all below. Nor may its
//! serial number be that of another anchor from the same key (RFC 5280 section 4.1.2.2): a revocation list names certificates
//! by their numbers, and would end both.

use crate::{
	AnchorMaterials, Anchors, Config, Error, Pallet,
	anchors::{Candidate, Holder, Serial},
	crypto::Verifier,
	x509,
};
use alloc::{boxed::Box, vec::Vec};
use dpki_primitives::{
	Moment,
	anchor::{Basis, Certification, MAX_ANCHOR_DEPTH, serial_digest},
	ids::AnchorId,
};
use dpki_x509::{Certificate, Rules, Target};
use frame_support::ensure;

impl<T: Config> Pallet<T> {
	/// The certificate of an X.509 anchor that may rest on this. A root, or what a vote alone vouches for, can be
	/// registered before it is in force; below an anchor everything is in force when it is registered.
	pub(crate) fn read_authority(
		basis: Basis,
		der: &[u8],
		now: Moment,
	) -> Result<Candidate, Error<T>> {
		let standing_alone = |profile| Certification { profile, issuer: None, depth: 0 };
		let (certificate, certification, serial) = match basis {
			Basis::SelfSigned(profile) => {
				let root = dpki_x509::verify_root(&Verifier, der, profile)?;
				(root, standing_alone(profile), None)
			},
			Basis::Vote(profile) => {
				let branch = dpki_x509::read_branch(der, profile)?;
				(branch, standing_alone(profile), None)
			},
			Basis::IssuedBy(issuer) => Self::read_intermediate(issuer, der, now)?,
		};
		let validity = x509::validity(&certificate);
		let is_expired = validity.not_after.is_some_and(|end| now > end);
		ensure!(!is_expired, Error::<T>::CertificateExpired);
		Ok(Candidate {
			key_id: x509::key_id(&certificate)?,
			holder: Holder::X509(Box::new(certificate)),
			validity,
			certification: Some(certification),
			serial,
		})
	}

	fn read_intermediate(
		issuer: AnchorId,
		der: &[u8],
		now: Moment,
	) -> Result<(Certificate, Certification, Option<Serial>), Error<T>> {
		let above = Anchors::<T>::get(issuer).ok_or(Error::<T>::AnchorUnknown)?;
		let Certification { profile, depth, .. } =
			above.certification.ok_or(Error::<T>::AnchorNotX509)?;
		ensure!(depth < MAX_ANCHOR_DEPTH, Error::<T>::AnchorTooDeep);
		let is_in_force = Self::anchor_status(issuer).is_valid();
		ensure!(is_in_force, Error::<T>::AnchorIssuerNotValid);

		let certificate = Certificate::from_der(der)?;
		let serial = Serial { issuer: above.key_id, digest: serial_digest(certificate.serial()) };
		let above = Self::path_to(issuer).ok_or(Error::<T>::AnchorIssuerUnfit)?;
		let (root, authorities) = above.split_first().ok_or(Error::<T>::AnchorIssuerUnfit)?;
		let path: Vec<_> = authorities.iter().chain([&certificate]).collect();
		let rules = Rules {
			target: Target::Authority,
			profile,
			verified: authorities.len(),
			..Rules::at(x509::seconds(now))
		};
		dpki_x509::validate(&Verifier, root, &path, &rules).map_err(|fault| {
			if fault.index == path.len() {
				fault.error.into()
			} else {
				Error::<T>::AnchorIssuerUnfit
			}
		})?;
		let certification = Certification { profile, issuer: Some(issuer), depth: depth + 1 };
		Ok((certificate, certification, Some(serial)))
	}

	/// The certificates from the anchor that stands by itself down to this one. `None` if one of them is missing, or
	/// cannot be read by the rules of today.
	pub(crate) fn path_to(anchor: AnchorId) -> Option<Vec<Certificate>> {
		let mut path = Vec::new();
		let mut next = Some(anchor);
		while let Some(id) = next {
			if path.len() > usize::from(MAX_ANCHOR_DEPTH) {
				return None;
			}
			path.push(Certificate::from_der(&AnchorMaterials::<T>::get(id)?).ok()?);
			next = Anchors::<T>::get(id)?.issuer();
		}
		path.reverse();
		Some(path)
	}
}
