//! Certificate policies along a path (RFC 5280 sections 6.1.2 to 6.1.5, with the graph of RFC 9618 in place of the
//! tree, whose size an attacker can make grow exponentially).
//!
//! Level `i` of the graph holds the policies that are valid for the first `i` certificates, each once, with links to
//! the policies of level `i - 1` that they come from. Its size is bounded by the number of policies and mappings of
//! the certificates ([`crate::MAX_POLICIES`] each).

use crate::{
	certificate::Certificate,
	error::Error,
	extension::{ANY_POLICY, Extensions},
};
use alloc::{vec, vec::Vec};
use x509_cert::der::asn1::ObjectIdentifier;

/// What a relying party asks of policies (RFC 5280 section 6.1.1 (c), (e), (f) and (g)).
#[derive(Clone, Debug)]
pub struct PolicyRules {
	/// The policies that are acceptable. `None` stands for any.
	pub acceptable: Option<Vec<ObjectIdentifier>>,
	/// Whether the path has to be valid for one of them.
	pub require_explicit: bool,
	/// Whether mappings between policies are ignored.
	pub inhibit_mapping: bool,
	/// Whether the policy that stands for all is ignored.
	pub inhibit_any: bool,
}

impl Default for PolicyRules {
	/// Any policy, none required, as RFC 5280 applications commonly do.
	fn default() -> Self {
		Self {
			acceptable: None,
			require_explicit: false,
			inhibit_mapping: false,
			inhibit_any: false,
		}
	}
}

/// A policy that is valid up to some certificate.
#[derive(Clone, Debug)]
struct Node {
	policy: ObjectIdentifier,
	/// The policies of the next certificate that count as this one.
	expected: Vec<ObjectIdentifier>,
	/// Indices into the level above.
	parents: Vec<usize>,
}

/// The state of policy processing after some certificates of a path.
pub(crate) struct Policies<'a> {
	rules: &'a PolicyRules,
	/// `None` once no policy is valid any more.
	graph: Option<Vec<Vec<Node>>>,
	/// Certificates until an explicit policy is required.
	explicit_policy: u32,
	/// Certificates until mappings are ignored.
	policy_mapping: u32,
	/// Certificates until the policy that stands for all is ignored.
	inhibit_any: u32,
}

impl<'a> Policies<'a> {
	/// The state before the first of `len` certificates (RFC 5280 section 6.1.2).
	pub(crate) fn new(rules: &'a PolicyRules, len: usize) -> Self {
		let never = u32::try_from(len).unwrap_or(u32::MAX).saturating_add(1);
		let initial = |is_set| if is_set { 0 } else { never };
		let root = Node { policy: ANY_POLICY, expected: vec![ANY_POLICY], parents: Vec::new() };
		Self {
			rules,
			graph: Some(vec![vec![root]]),
			explicit_policy: initial(rules.require_explicit),
			policy_mapping: initial(rules.inhibit_mapping),
			inhibit_any: initial(rules.inhibit_any),
		}
	}

	/// Processes the policies of a certificate (section 6.1.3 (d) to (f)).
	pub(crate) fn process(
		&mut self,
		certificate: &Certificate,
		is_last: bool,
	) -> Result<(), Error> {
		let any_counts = self.inhibit_any > 0 || (!is_last && certificate.is_self_issued());
		let policies = certificate.extensions().policies.as_ref();
		self.graph = self.graph.take().and_then(|graph| extend(graph, policies?, any_counts));
		ensure!(self.explicit_policy > 0 || self.graph.is_some(), Error::PolicyNotAccepted);
		Ok(())
	}

	/// Prepares for the next certificate (section 6.1.4 (a), (b), (h), (i) and (j)).
	pub(crate) fn prepare(&mut self, certificate: &Certificate) -> Result<(), Error> {
		let extensions = certificate.extensions();
		self.map(&extensions.policy_mappings)?;
		if !certificate.is_self_issued() {
			self.explicit_policy = self.explicit_policy.saturating_sub(1);
			self.policy_mapping = self.policy_mapping.saturating_sub(1);
			self.inhibit_any = self.inhibit_any.saturating_sub(1);
		}
		self.constrain(extensions);
		Ok(())
	}

	/// Lowers the counters to what an authority demands.
	pub(crate) fn constrain(&mut self, extensions: &Extensions) {
		let lower = |counter: &mut u32, demand: Option<u32>| {
			*counter = demand.map_or(*counter, |demand| demand.min(*counter));
		};
		if let Some(constraints) = &extensions.policy_constraints {
			lower(&mut self.explicit_policy, constraints.require_explicit_policy);
			lower(&mut self.policy_mapping, constraints.inhibit_policy_mapping);
		}
		lower(&mut self.inhibit_any, extensions.inhibit_any_policy);
	}

	/// Applies mappings to the last level.
	fn map(&mut self, mappings: &[(ObjectIdentifier, ObjectIdentifier)]) -> Result<(), Error> {
		let maps_any = mappings.iter().any(|(from, to)| [from, to].contains(&&ANY_POLICY));
		ensure!(!maps_any, Error::PolicyMappingInvalid);
		let Some(level) = self.graph.as_mut().and_then(|graph| graph.last_mut()) else {
			return Ok(());
		};
		let parents_of_any = level
			.iter()
			.find(|node| node.policy == ANY_POLICY)
			.map(|node| node.parents.clone());
		let mut mapped = Vec::new();
		for (from, to) in mappings {
			if self.policy_mapping == 0 {
				level.retain(|node| node.policy != *from);
				continue;
			}
			let is_first = !mapped.contains(from);
			mapped.push(*from);
			match (level.iter_mut().find(|node| node.policy == *from), &parents_of_any) {
				(Some(node), _) if is_first => node.expected = vec![*to],
				(Some(node), _) => node.expected.push(*to),
				(None, Some(parents)) => {
					let parents = parents.clone();
					level.push(Node { policy: *from, expected: vec![*to], parents });
				},
				(None, None) => {},
			}
		}
		if level.is_empty() {
			self.graph = None;
		}
		Ok(())
	}

	/// Ends the path (section 6.1.5 (a), (b) and (g)).
	pub(crate) fn finish(mut self, last: &Certificate) -> Result<(), Error> {
		self.explicit_policy = self.explicit_policy.saturating_sub(1);
		let constraints = last.extensions().policy_constraints.as_ref();
		if constraints.and_then(|constraints| constraints.require_explicit_policy) == Some(0) {
			self.explicit_policy = 0;
		}
		ensure!(self.explicit_policy > 0 || self.has_acceptable(), Error::PolicyNotAccepted);
		Ok(())
	}

	/// Whether the user-constrained policy set would be non-empty.
	fn has_acceptable(&self) -> bool {
		let Some(graph) = &self.graph else { return false };
		let Some(acceptable) = &self.rules.acceptable else { return true };
		if acceptable.contains(&ANY_POLICY) {
			return true;
		}
		// A policy counts under the name that it has where it first stands for itself: in a node whose parent is the
		// policy that stands for all. From the last level up, only nodes that lead there are looked at.
		let mut live: Vec<usize> = (0..graph.last().map_or(0, Vec::len)).collect();
		for level in (1..graph.len()).rev() {
			let (Some(nodes), Some(above)) = (graph.get(level), graph.get(level - 1)) else {
				return false;
			};
			let mut live_above = Vec::new();
			for node in live.iter().filter_map(|index| nodes.get(*index)) {
				let comes_from_any = node
					.parents
					.iter()
					.filter_map(|parent| above.get(*parent))
					.any(|parent| parent.policy == ANY_POLICY);
				let is_named = node.policy != ANY_POLICY;
				if comes_from_any && is_named && acceptable.contains(&node.policy) {
					return true;
				}
				let stands_for_all = !is_named && level == graph.len() - 1;
				if stands_for_all && !acceptable.is_empty() {
					return true;
				}
				for parent in &node.parents {
					if !live_above.contains(parent) {
						live_above.push(*parent);
					}
				}
			}
			live = live_above;
		}
		false
	}
}

/// Adds the level of a certificate with these policies (section 6.1.3 (d)); `None` if none is left.
fn extend(
	mut graph: Vec<Vec<Node>>,
	policies: &[ObjectIdentifier],
	any_counts: bool,
) -> Option<Vec<Vec<Node>>> {
	let above = graph.last()?;
	let expecting = |policy: &ObjectIdentifier| -> Vec<usize> {
		let expects = |node: &Node| node.expected.contains(policy);
		above
			.iter()
			.enumerate()
			.filter(|(_, node)| expects(node))
			.map(|(i, _)| i)
			.collect()
	};
	let any_above = above.iter().position(|node| node.policy == ANY_POLICY);
	let mut level: Vec<Node> = Vec::new();
	for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
		let mut parents = expecting(policy);
		if parents.is_empty() {
			parents.extend(any_above);
		}
		if !parents.is_empty() {
			level.push(Node { policy: *policy, expected: vec![*policy], parents });
		}
	}
	if any_counts && policies.contains(&ANY_POLICY) {
		for policy in above.iter().flat_map(|node| &node.expected) {
			if !level.iter().any(|node| node.policy == *policy) {
				let parents = expecting(policy);
				level.push(Node { policy: *policy, expected: vec![*policy], parents });
			}
		}
	}
	if level.is_empty() {
		return None;
	}
	graph.push(level);
	Some(graph)
}
