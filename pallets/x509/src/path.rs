//! Certification paths (RFC 5280 section 6.1).
//!
//! A path leads from a trust anchor, which is a certificate that is trusted for reasons of its own, over
//! authorities to the certificate in question. [`validate`] judges a path that is given, [`build`] looks for one in a
//! pool of authorities.
//!
//! | step of RFC 5280 section 6.1 | here |
//! |---|---|
//! | 6.1.1 (d): the anchor is a name and a key | its certificate, whose own constraints, validity and extensions hold too (RFC 5937) |
//! | 6.1.3 (a)(1) to (4): signature, validity, revocation, name | `Walk::check` |
//! | 6.1.3 (b), (c): name constraints | [`crate::constraints`] |
//! | 6.1.3 (d) to (f), 6.1.4 (a), (b), (h) to (j), 6.1.5 (a), (b), (g): policies | [`crate::policy`] |
//! | 6.1.4 (g), (k) to (n): constraints, authority, path length, key usage | `Walk::prepare` |
//! | 6.1.3 (e), 6.1.4 (o), 6.1.5 (e), (f): critical extensions | when a certificate is read: one that is not evaluated is refused |
//!
//! Beyond that section, purposes nest: an authority with an extended key usage passes on no other purpose.

mod build;

pub use build::{Pool, build};

use crate::{
	MAX_PATH_LEN,
	algorithm::Verifier,
	certificate::Certificate,
	constraints::NameConstraints,
	crl::RevocationList,
	error::{Error, PathError},
	policy::{Policies, PolicyRules},
	profile::{Profile, ProfileRules, Role},
	time::UnixTime,
};
use alloc::vec::Vec;
use x509_cert::{
	der::{asn1::ObjectIdentifier, oid::AssociatedOid},
	ext::pkix::KeyUsage,
};

/// What the last certificate of a path has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Target {
	/// An authority or not, as in RFC 5280.
	#[default]
	Any,
	/// Not an authority.
	EndEntity,
	/// An authority below which there may be further certificates: what an intermediate has to be that is
	/// registered for later use.
	Authority,
}

/// What to do about revocation.
#[derive(Clone, Copy, Debug, Default)]
pub enum Revocation<'a> {
	/// Revocation is looked after elsewhere, as on the chain, where the registry knows it.
	#[default]
	Elsewhere,
	/// Where there are lists of an issuer, one of them has to be usable; certificates of other issuers pass.
	WhereListed(&'a [RevocationList]),
	/// Each certificate of the path needs a usable list of its issuer.
	Required(&'a [RevocationList]),
}

/// By which rules a path is judged.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
	/// The moment at which every certificate has to be valid.
	pub at: UnixTime,
	/// What the last certificate has to be.
	pub target: Target,
	/// The purpose that the last certificate has to be good for; `None` if any will do.
	pub purpose: Option<ObjectIdentifier>,
	/// Most authorities between the anchor and the last certificate, those issued by themselves not counted.
	pub max_intermediates: u8,
	/// What is asked of policies.
	pub policies: PolicyRules,
	/// What is asked of revocation.
	pub revocation: Revocation<'a>,
	/// What is asked beyond RFC 5280.
	pub profile: Profile,
	/// How many certificates from the anchor down have signatures that were verified before, and need not be again:
	/// 0 where nothing is known, 1 where the intermediate below the anchor was registered.
	pub verified: usize,
}

impl Rules<'_> {
	/// RFC 5280 at this moment, without further demands.
	pub fn at(at: UnixTime) -> Self {
		Self {
			at,
			target: Target::Any,
			purpose: None,
			max_intermediates: u8::MAX,
			policies: PolicyRules::default(),
			revocation: Revocation::Elsewhere,
			profile: Profile::Rfc5280,
			verified: 0,
		}
	}
}

/// Reads a root that asks to be a trust anchor: an authority that vouches for itself, under the profile. Whether it
/// is in force at some moment is for [`validate`] to say.
pub fn verify_root<V: Verifier + ?Sized>(
	verifier: &V,
	der: &[u8],
	profile: Profile,
) -> Result<Certificate, Error> {
	let root = Certificate::from_der(der)?;
	ensure!(root.is_self_issued(), Error::AnchorNotSelfIssued);
	root.check_authority()?;
	// RFC 5280 section 4.2.1.3 only recommends it. Who asks to be trusted by others follows the recommendation.
	let usage_is_critical = root.extensions().criticality(KeyUsage::OID) == Some(true);
	ensure!(usage_is_critical, Error::ExtensionCriticalityInvalid);
	profile.check_certificate(&root, Role::Anchor)?;
	ensure!(root.is_signed_by(verifier, &root), Error::SignatureInvalid);
	Ok(root)
}

/// Reads an authority that is to be a trust anchor although its issuer is none: a branch of a larger PKI. Nothing here
/// vouches for it. It is no root, as one is to vouch for itself, and plays the part of the anchor under the profile.
pub fn read_branch(der: &[u8], profile: Profile) -> Result<Certificate, Error> {
	let branch = Certificate::from_der(der)?;
	ensure!(!branch.is_self_issued(), Error::AnchorSelfIssued);
	branch.check_authority()?;
	branch.check_names_issuer_key()?;
	profile.check_certificate(&branch, Role::Anchor)?;
	Ok(branch)
}

/// Judges the path from `anchor` over `path`, which begins with the certificate that the anchor issued and ends with
/// the one in question. Costs one signature per certificate that is not among the [`Rules::verified`].
pub fn validate<V: Verifier + ?Sized>(
	verifier: &V,
	anchor: &Certificate,
	path: &[&Certificate],
	rules: &Rules,
) -> Result<(), PathError> {
	walk(verifier, anchor, path, rules, |index, issuer, certificate| {
		index <= rules.verified || certificate.is_signed_by(verifier, issuer)
	})
}

/// [`validate`] with another way to check the signature of the certificate with this index, given its issuer.
fn walk<V: Verifier + ?Sized>(
	verifier: &V,
	anchor: &Certificate,
	path: &[&Certificate],
	rules: &Rules,
	mut is_signed: impl FnMut(usize, &Certificate, &Certificate) -> bool,
) -> Result<(), PathError> {
	let Some((last, authorities)) = path.split_last() else {
		return Err(PathError { index: 0, error: Error::PathEmpty });
	};
	ensure!(path.len() <= MAX_PATH_LEN, PathError { index: 0, error: Error::PathTooLong });

	let mut walk = Walk::start(anchor, path.len(), rules).map_err(PathError::at(0))?;
	for (index, certificate) in (1..).zip(authorities) {
		walk.check(verifier, certificate, false, |issuer| is_signed(index, issuer, certificate))
			.and_then(|()| walk.prepare(certificate))
			.map_err(PathError::at(index))?;
	}
	let index = path.len();
	walk.check(verifier, last, true, |issuer| is_signed(index, issuer, last))
		.and_then(|()| walk.finish(last))
		.map_err(PathError::at(index))?;
	rules.profile.check_path(anchor, path, rules.target)
}

/// The state variables of RFC 5280 section 6.1.2.
struct Walk<'a> {
	rules: &'a Rules<'a>,
	issuer: &'a Certificate,
	/// Every authority so far: after a change of keys, lists may be signed by another key of the same name.
	authorities: Vec<&'a Certificate>,
	constraints: Vec<&'a NameConstraints>,
	policies: Policies<'a>,
	max_path_len: u8,
}

impl<'a> Walk<'a> {
	/// Takes the anchor for granted, but not against its own word.
	fn start(anchor: &'a Certificate, len: usize, rules: &'a Rules<'a>) -> Result<Self, Error> {
		anchor.validity().check(rules.at)?;
		if !anchor.is_self_issued() {
			anchor.check_names_issuer_key()?;
		}
		let mut policies = Policies::new(&rules.policies, len);
		policies.constrain(anchor.extensions());
		let mut walk = Self {
			rules,
			issuer: anchor,
			authorities: Vec::new(),
			constraints: Vec::new(),
			policies,
			max_path_len: rules.max_intermediates,
		};
		walk.become_issuer(anchor)?;
		Ok(walk)
	}

	/// Section 6.1.3. The cheap checks come before the signature; none of them hands anything out.
	fn check<V: Verifier + ?Sized>(
		&mut self,
		verifier: &V,
		certificate: &Certificate,
		is_last: bool,
		is_signed: impl FnOnce(&Certificate) -> bool,
	) -> Result<(), Error> {
		ensure!(certificate.issuer() == self.issuer.subject(), Error::IssuerMismatch);
		certificate.check_names_issuer_key()?;
		certificate.validity().check(self.rules.at)?;
		ensure!(is_signed(self.issuer), Error::SignatureInvalid);
		self.check_revocation(verifier, certificate)?;
		// An authority can pass to a new key without a name of its own among the permitted ones.
		if is_last || !certificate.is_self_issued() {
			for constraints in &self.constraints {
				constraints.check(certificate)?;
			}
		}
		self.policies.process(certificate, is_last)
	}

	/// Section 6.1.4: what the next certificate will find.
	fn prepare(&mut self, certificate: &'a Certificate) -> Result<(), Error> {
		self.policies.prepare(certificate)?;
		self.count(certificate)?;
		self.become_issuer(certificate)
	}

	/// Section 6.1.4 (l).
	fn count(&mut self, authority: &Certificate) -> Result<(), Error> {
		if !authority.is_self_issued() {
			self.max_path_len =
				self.max_path_len.checked_sub(1).ok_or(Error::PathLengthExceeded)?;
		}
		Ok(())
	}

	/// Section 6.1.4 (c) to (g), (k), (m) and (n).
	fn become_issuer(&mut self, authority: &'a Certificate) -> Result<(), Error> {
		authority.check_authority()?;
		self.check_purpose(authority)?;
		let path_len = authority.extensions().path_len().unwrap_or(u8::MAX);
		self.max_path_len = self.max_path_len.min(path_len);
		self.constraints.extend(authority.extensions().name_constraints.as_ref());
		self.issuer = authority;
		self.authorities.push(authority);
		Ok(())
	}

	/// Section 6.1.5, and what the last certificate has to be.
	fn finish(mut self, last: &'a Certificate) -> Result<(), Error> {
		self.check_purpose(last)?;
		match self.rules.target {
			Target::Any => {},
			Target::EndEntity => {
				ensure!(!last.extensions().is_authority(), Error::KeyUsageMismatch);
			},
			Target::Authority => {
				self.count(last)?;
				last.check_authority()?;
			},
		}
		self.policies.finish(last)
	}

	fn check_purpose(&self, certificate: &Certificate) -> Result<(), Error> {
		let is_allowed = self
			.rules
			.purpose
			.is_none_or(|purpose| certificate.extensions().allows_purpose(purpose));
		ensure!(is_allowed, Error::ExtendedKeyUsageMismatch);
		Ok(())
	}

	/// Section 6.1.3 (a)(3), with lists as in section 6.3.
	fn check_revocation<V: Verifier + ?Sized>(
		&self,
		verifier: &V,
		certificate: &Certificate,
	) -> Result<(), Error> {
		let (lists, is_required) = match self.rules.revocation {
			Revocation::Elsewhere => return Ok(()),
			Revocation::WhereListed(lists) => (lists, false),
			Revocation::Required(lists) => (lists, true),
		};
		let mut problem = is_required.then_some(Error::RevocationUnknown);
		let mut is_covered = false;
		for list in lists.iter().filter(|list| list.issuer() == certificate.issuer()) {
			match self.check_list(verifier, list) {
				Ok(()) => is_covered = true,
				Err(error) => {
					problem = Some(error);
					continue;
				},
			}
			ensure!(!list.contains(certificate), Error::CertificateRevoked);
		}
		match problem {
			Some(error) if !is_covered => Err(error),
			_ => Ok(()),
		}
	}

	/// Refuses a list that no authority of the path has signed, the issuer first.
	fn check_list<V: Verifier + ?Sized>(
		&self,
		verifier: &V,
		list: &RevocationList,
	) -> Result<(), Error> {
		let mut verdict = Err(Error::RevocationUnknown);
		for authority in self.authorities.iter().rev() {
			if authority.subject() == list.issuer() {
				verdict = list.check_usable(verifier, authority, self.rules.at);
			}
			if verdict.is_ok() {
				break;
			}
		}
		verdict
	}
}
