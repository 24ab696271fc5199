//! Chains of certificates below a registered anchor: device certificates that are not on the chain themselves.
//!
//! What the registry knows counts as much as what the certificates say. An authority in the chain can itself be an
//! anchor that was revoked or put on hold, under this certificate or another one of the same key from the same issuer;
//! and the key of any certificate can have been revoked, as an anchor's or as a device's, be on hold as a device's, or be known
//! as compromised.

use crate::{Anchors, Config, KeyAnchors, Pallet, crypto::Verifier, x509};
use alloc::{string::String, vec::Vec};
use core::convert::Infallible;
use dpki_primitives::{
	Moment,
	anchor::{ChainVerdict, MAX_CHAIN_LEN, Profile, standings_above},
	ids::AnchorId,
	status::{Standing, Status, status},
};
use dpki_x509::{Certificate, Error as X509Error, Rules};

/// A certificate at fault, counted from the end entity, and what is wrong with it.
struct Fault {
	at: Option<usize>,
	error: X509Error,
}

impl From<Fault> for ChainVerdict {
	fn from(fault: Fault) -> Self {
		Self::Broken {
			at: fault.at.and_then(|at| at.try_into().ok()),
			problem: String::from(fault.error.name()),
		}
	}
}

impl<T: Config> Pallet<T> {
	/// The verdict about the first certificate of `chain`, each of whose certificates was issued by the next, and the
	/// last by the anchor, which is not among them. At most [`MAX_CHAIN_LEN`]; the order is that of TLS (RFC 8446
	/// section 4.4.2). Judged is by the profile of the anchor and by this one.
	pub fn check_certificate(
		anchor: AnchorId,
		chain: &[Vec<u8>],
		profile: Profile,
	) -> ChainVerdict {
		if chain.is_empty() || chain.len() > MAX_CHAIN_LEN as usize {
			return ChainVerdict::LengthInvalid;
		}
		let Some(record) = Anchors::<T>::get(anchor) else {
			return ChainVerdict::Status(Status::Unknown);
		};
		let Some(certification) = record.certification else { return ChainVerdict::NotX509 };
		let Some(profile) = certification.profile.with(profile) else {
			return ChainVerdict::ProfileMismatch;
		};
		Self::judge_chain(anchor, chain, profile, Self::now()).unwrap_or_else(Into::into)
	}

	fn judge_chain(
		anchor: AnchorId,
		chain: &[Vec<u8>],
		profile: Profile,
		now: Moment,
	) -> Result<ChainVerdict, Fault> {
		let read = |(at, der): (usize, &Vec<u8>)| {
			Certificate::from_der(der).map_err(|error| Fault { at: Some(at), error })
		};
		let chain = chain.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;

		let status = Self::status_of_chain(anchor, &chain, now)?;
		if !status.is_valid() {
			return Ok(ChainVerdict::Status(status));
		}
		let unfit = Fault { at: None, error: X509Error::CertificateMalformed };
		let above = Self::path_to(anchor).ok_or(unfit)?;
		let Some((root, authorities)) = above.split_first() else {
			return Ok(ChainVerdict::Status(Status::Unknown));
		};
		let path: Vec<_> = authorities.iter().chain(chain.iter().rev()).collect();
		let rules = Rules { profile, verified: authorities.len(), ..Rules::at(x509::seconds(now)) };
		dpki_x509::validate(&Verifier, root, &path, &rules).map_err(|fault| Fault {
			at: path.len().checked_sub(fault.index).filter(|at| *at < chain.len()),
			error: fault.error,
		})?;
		Ok(ChainVerdict::Status(status))
	}

	/// What the registry and the clock say of the first certificate.
	fn status_of_chain(
		anchor: AnchorId,
		chain: &[Certificate],
		now: Moment,
	) -> Result<Status, Fault> {
		let Some(record) = Anchors::<T>::get(anchor) else { return Ok(Status::Unknown) };
		// From the anchor downwards, because it depends on who issued it as which anchor a certificate counts.
		let mut above = KeyAnchors::<T>::get(record.key_id);
		let mut standings = Vec::new();
		for (at, certificate) in chain.iter().enumerate().rev() {
			let fault = |error| Fault { at: Some(at), error };
			let key =
				x509::key_id::<T>(certificate).map_err(|_| fault(X509Error::PublicKeyMalformed))?;
			if Self::is_ruled_out(key) {
				return Err(fault(X509Error::CertificateRevoked));
			}
			let registered = Self::key_status(key);
			let mut standing = Standing {
				validity: x509::validity(certificate),
				suspended: registered == Status::Suspended,
				superseded_at: None,
				revocation: registered.revocation(),
			};
			let anchors = KeyAnchors::<T>::get(key);
			for record in anchors.iter().filter_map(Anchors::<T>::get) {
				if record.issuer().is_some_and(|issuer| above.contains(&issuer)) {
					standing.revocation = standing.revocation.or(record.revocation);
					standing.suspended |= record.suspended;
				}
			}
			standings.push(Some(standing));
			above = anchors;
		}
		standings.reverse();
		standings.push(Some(record.standing()));
		let read = |id| Ok::<_, Infallible>(Anchors::<T>::get(id));
		let Ok(higher) = standings_above(&record, read);
		standings.extend(higher);
		Ok(match standings.split_first() {
			Some((own, issuers)) => status(own.as_ref(), issuers, now),
			None => Status::Unknown,
		})
	}
}
