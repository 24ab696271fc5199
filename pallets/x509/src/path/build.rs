//! Path building: from the certificate in question up, depth first.
//!
//! Authorities whose key identifier is the one that the certificate names are tried first, and a signature is checked
//! before a branch is followed, each pair once. Signatures and steps are counted: pools can be made in which every
//! authority seems to have issued every other.

use super::{Rules, walk};
use crate::{
	MAX_PATH_LEN, MAX_SIGNATURE_CHECKS,
	algorithm::Verifier,
	certificate::Certificate,
	error::{Error, PathError},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};

/// Most certificates that are put into a path on trial.
const MAX_STEPS: usize = 256;

/// Where a path is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Pool<'a> {
	/// The trust anchors.
	pub anchors: &'a [Certificate],
	/// Authorities that may stand between.
	pub intermediates: &'a [Certificate],
}

/// A certificate of the pool.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
	Leaf,
	Anchor(usize),
	Intermediate(usize),
}

/// Looks for a path from one of the anchors to `leaf` that is valid by the rules: the anchor and the certificates below
/// it. If there is none, the error is that of the path that came furthest to its end, or says that no anchor was
/// reached. [`Rules::verified`] is not regarded.
///
/// This is for tools. A chain is told the path and calls [`super::validate`], whose cost is known before.
pub fn build<'a, V: Verifier + ?Sized>(
	verifier: &V,
	pool: Pool<'a>,
	leaf: &'a Certificate,
	rules: &Rules,
) -> Result<(&'a Certificate, Vec<&'a Certificate>), PathError> {
	let mut search = Search {
		verifier,
		pool,
		leaf,
		rules,
		verdicts: BTreeMap::new(),
		steps: 0,
		refusal: Error::PathNotFound.into(),
	};
	match search.extend(&mut vec![Place::Leaf]) {
		Ok(found) => Ok(found),
		Err(Stop::NotHere) => Err(search.refusal),
		Err(Stop::BudgetExceeded) => Err(Error::PathBudgetExceeded.into()),
	}
}

impl From<Error> for PathError {
	fn from(error: Error) -> Self {
		Self { index: 0, error }
	}
}

enum Stop {
	NotHere,
	BudgetExceeded,
}

struct Search<'a, 'b, V: ?Sized> {
	verifier: &'b V,
	pool: Pool<'a>,
	leaf: &'a Certificate,
	rules: &'b Rules<'b>,
	/// Whether the first was signed by the second.
	verdicts: BTreeMap<(Place, Place), bool>,
	steps: usize,
	refusal: PathError,
}

impl<'a, V: Verifier + ?Sized> Search<'a, '_, V> {
	fn get(&self, place: Place) -> Option<&'a Certificate> {
		match place {
			Place::Leaf => Some(self.leaf),
			Place::Anchor(index) => self.pool.anchors.get(index),
			Place::Intermediate(index) => self.pool.intermediates.get(index),
		}
	}

	/// Extends a path, which leads from the leaf upwards, until it reaches an anchor and is valid.
	fn extend(
		&mut self,
		upwards: &mut Vec<Place>,
	) -> Result<(&'a Certificate, Vec<&'a Certificate>), Stop> {
		let top = *upwards.last().unwrap_or(&Place::Leaf);
		for place in self.candidates(top) {
			if let Place::Anchor(index) = place {
				if self.is_signed(top, place)?
					&& let Some(found) = self.judge(index, upwards)?
				{
					return Ok(found);
				}
				continue;
			}
			if upwards.contains(&place) || self.repeats(place, upwards) {
				continue;
			}
			if upwards.len() >= MAX_PATH_LEN || !self.is_signed(top, place)? {
				continue;
			}
			self.steps += 1;
			if self.steps > MAX_STEPS {
				return Err(Stop::BudgetExceeded);
			}
			upwards.push(place);
			match self.extend(upwards) {
				Err(Stop::NotHere) => upwards.pop(),
				done => return done,
			};
		}
		Err(Stop::NotHere)
	}

	/// Who could have issued the certificate by name: anchors first, then those that the key identifier points to.
	fn candidates(&self, below: Place) -> Vec<Place> {
		let Some(certificate) = self.get(below) else { return Vec::new() };
		let anchors = (0..self.pool.anchors.len()).map(Place::Anchor);
		let intermediates = (0..self.pool.intermediates.len()).map(Place::Intermediate);
		let mut places: Vec<_> = anchors
			.chain(intermediates)
			.filter_map(|place| Some((place, self.get(place)?)))
			.filter(|(_, issuer)| issuer.subject() == certificate.issuer())
			.map(|(place, issuer)| (!certificate.points_to(issuer), place))
			.collect();
		places.sort();
		places.into_iter().map(|(_, place)| place).collect()
	}

	/// Whether an authority of the same name and key is in the path already: it would only lead around in a circle.
	fn repeats(&self, place: Place, upwards: &[Place]) -> bool {
		let Some(new) = self.get(place) else { return true };
		upwards
			.iter()
			.filter_map(|used| self.get(*used))
			.any(|used| used.subject() == new.subject() && used.key() == new.key())
	}

	fn is_signed(&mut self, below: Place, above: Place) -> Result<bool, Stop> {
		if let Some(verdict) = self.verdicts.get(&(below, above)) {
			return Ok(*verdict);
		}
		if self.verdicts.len() >= MAX_SIGNATURE_CHECKS {
			return Err(Stop::BudgetExceeded);
		}
		let (Some(certificate), Some(issuer)) = (self.get(below), self.get(above)) else {
			return Ok(false);
		};
		let verdict = certificate.is_signed_by(self.verifier, issuer);
		self.verdicts.insert((below, above), verdict);
		Ok(verdict)
	}

	/// Judges a path that has reached an anchor. Its signatures are known to be good.
	fn judge(
		&mut self,
		anchor: usize,
		upwards: &[Place],
	) -> Result<Option<(&'a Certificate, Vec<&'a Certificate>)>, Stop> {
		self.steps += 1;
		if self.steps > MAX_STEPS {
			return Err(Stop::BudgetExceeded);
		}
		let Some(anchor) = self.get(Place::Anchor(anchor)) else { return Ok(None) };
		let path: Vec<_> = upwards.iter().rev().filter_map(|place| self.get(*place)).collect();
		match walk(self.verifier, anchor, &path, self.rules, |_, _, _| true) {
			Ok(()) => Ok(Some((anchor, path))),
			Err(refusal) => {
				if self.refusal.error == Error::PathNotFound || refusal.index > self.refusal.index {
					self.refusal = refusal;
				}
				Ok(None)
			},
		}
	}
}
