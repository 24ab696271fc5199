//! Certificates that are not on the chain, below anchors that are.

use super::{mock::*, pki::*};
use dpki_primitives::{
	anchor::{Basis, ChainVerdict, MAX_ANCHOR_DEPTH, MAX_CHAIN_LEN, Profile},
	ids::AnchorId,
	key::KeyPurpose,
	revocation::Revocation,
	status::Status,
};
use frame_support::assert_ok;
use rcgen::{DnType, GeneralSubtree, NameConstraints, SanType, date_time_ymd};

const VALID: ChainVerdict = ChainVerdict::Status(Status::Valid);
const REVOKED: Revocation = Revocation { reason: REASON, at: NOW };

/// The verdict about the first of these below the anchor, under no further profile.
fn check(anchor: &Party, chain: &[&Party]) -> ChainVerdict {
	check_as(anchor.id(), chain, Profile::Rfc5280)
}

fn check_as(anchor: AnchorId, chain: &[&Party], profile: Profile) -> ChainVerdict {
	let chain: Vec<_> = chain.iter().map(|party| party.der.clone()).collect();
	Dpki::check_certificate(anchor, &chain, profile)
}

fn broken(at: impl Into<Option<u32>>, problem: &str) -> ChainVerdict {
	ChainVerdict::Broken { at: at.into(), problem: problem.into() }
}

fn leaf_of(issuer: &Party) -> Party {
	issuer.issue_to(entity("device"), ed25519_pair())
}

/// A registered root, a unit below it that is not registered, and a device of that.
fn tree() -> (Party, Party, Party) {
	let root = Party::root("Root");
	root.register_root();
	let unit = root.issue("Unit");
	let leaf = leaf_of(&unit);
	(root, unit, leaf)
}

#[test]
fn a_device_certificate_is_valid_below_an_anchor() {
	run(|| {
		let (root, unit, leaf) = tree();
		assert_eq!(check(&root, &[&leaf, &unit]), VALID);
		assert_eq!(check(&root, &[&leaf_of(&root)]), VALID);
		unit.register_below(&root);
		assert_eq!(check(&unit, &[&leaf]), VALID);
		assert_eq!(check(&root, &[&leaf, &unit]), VALID);
	});
}

#[test]
fn the_longest_chain_below_the_deepest_anchor_is_read() {
	run(|| {
		let mut last = Party::root("Root");
		last.register_root();
		for depth in 1..=MAX_ANCHOR_DEPTH {
			let next = last.issue(&format!("Unit {depth}"));
			next.register_below(&last);
			last = next;
		}
		let mut chain = vec![last];
		for n in 1..MAX_CHAIN_LEN {
			chain.insert(0, chain[0].issue(&format!("Team {n}")));
		}
		chain.insert(0, leaf_of(&chain[0]));
		let (anchor, chain) = chain.split_last().unwrap();
		let chain: Vec<_> = chain.iter().collect();
		assert_eq!(chain.len(), MAX_CHAIN_LEN as usize);
		assert_eq!(check(anchor, &chain), VALID);
		let longer = [&chain[..], &chain[..1]].concat();
		assert_eq!(check(anchor, &longer), ChainVerdict::LengthInvalid);
		assert_eq!(check(anchor, &[]), ChainVerdict::LengthInvalid);
	});
}

#[test]
fn the_anchor_is_an_x509_anchor_that_is_there() {
	run(|| {
		let (_, unit, leaf) = tree();
		let ssh = register_ssh(&Pair::ed25519(1));
		assert_eq!(check_as(ssh, &[&leaf], Profile::Rfc5280), ChainVerdict::NotX509);
		assert_eq!(check(&unit, &[&leaf]), ChainVerdict::Status(Status::Unknown));
	});
}

#[test]
fn a_fault_is_told_with_its_place() {
	run(|| {
		let (root, unit, leaf) = tree();
		assert_eq!(check(&root, &[&unit, &leaf]), broken(1, "IssuerMismatch"));
		let stranger = leaf_of(&Party::root("Another").issue("Unit"));
		assert_eq!(check(&root, &[&stranger, &unit]), broken(0, "SignatureInvalid"));
		let false_unit = Party::root("Root").issue("Unit");
		let its = leaf_of(&false_unit);
		assert_eq!(check(&root, &[&its, &false_unit]), broken(1, "SignatureInvalid"));
		let garbage = Party { der: vec![0x30, 0], ..leaf_of(&root) };
		assert_eq!(check(&root, &[&garbage, &unit]), broken(0, "CertificateMalformed"));
		let below_leaf = leaf.issue_to(entity("b"), ed25519_pair());
		let chain = [&below_leaf, &leaf, &unit];
		assert_eq!(check(&root, &chain), broken(1, "IssuerNotAuthority"));
	});
}

#[test]
fn constraints_of_an_anchor_above_the_anchor_hold() {
	run(|| {
		let mut params = authority("Root");
		params.name_constraints = Some(NameConstraints {
			permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".into())],
			excluded_subtrees: Vec::new(),
		});
		let root = Party::root_of(params, ed25519_pair());
		root.register_root();
		let unit = root.issue("Unit");
		unit.register_below(&root);
		let leaf = |name: &str| {
			let mut params = entity("device");
			params.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
			unit.issue_to(params, ed25519_pair())
		};
		assert_eq!(check(&unit, &[&leaf("a.example.com")]), VALID);
		let refused = broken(0, "NameNotPermitted");
		assert_eq!(check(&unit, &[&leaf("a.example.org")]), refused);
	});
}

#[test]
fn what_happens_to_an_anchor_reaches_the_device() {
	run(|| {
		let (root, unit, leaf) = tree();
		unit.register_below(&root);
		let verdict = || check(&unit, &[&leaf]);
		assert_ok!(Dpki::suspend_anchor(signed(CAROL), root.id()));
		assert_eq!(verdict(), ChainVerdict::Status(Status::Suspended));
		assert_ok!(Dpki::release_anchor(signed(CAROL), root.id()));
		assert_ok!(Dpki::retire_anchor(signed(CAROL), root.id()));
		assert_eq!(verdict(), VALID, "what a retired anchor issued stays good");
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), root.id(), REASON));
		assert_eq!(verdict(), ChainVerdict::Status(Status::IssuerRevoked(REVOKED)));
	});
}

#[test]
fn time_is_that_of_the_block() {
	run(|| {
		let (root, unit, _) = tree();
		let mut params = entity("device");
		params.not_before = date_time_ymd(2028, 1, 1);
		params.not_after = date_time_ymd(2029, 1, 1);
		let leaf = unit.issue_to(params, ed25519_pair());
		let at = |now| {
			set_time(now);
			check(&root, &[&leaf, &unit])
		};
		assert_eq!(at(1_830_297_599_999), ChainVerdict::Status(Status::NotYetValid));
		assert_eq!(at(1_830_297_600_000), VALID);
		assert_eq!(at(1_861_920_000_999), VALID);
		assert_eq!(at(1_861_920_001_000), ChainVerdict::Status(Status::Expired));
	});
}

/// Whoever shows a chain chooses the anchor. A root does not hide that the unit in the chain was taken back.
#[test]
fn an_authority_in_the_chain_that_is_an_anchor_counts_as_one() {
	run(|| {
		let (root, unit, leaf) = tree();
		assert_ok!(unit.register_for(MALLORY, other(), Basis::IssuedBy(root.id())));
		// Another certificate of the same key and issuer, which is not registered.
		let again = unit.reissued_by(&root, 9);
		for chain in [[&leaf, &unit], [&leaf, &again]] {
			assert_eq!(check(&root, &chain), VALID);
		}
		assert_ok!(Dpki::suspend_anchor(signed(MALLORY), unit.id()));
		for chain in [[&leaf, &unit], [&leaf, &again]] {
			assert_eq!(check(&root, &chain), ChainVerdict::Status(Status::Suspended));
		}
		assert_ok!(Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON));
		for chain in [[&leaf, &unit], [&leaf, &again]] {
			let revoked = ChainVerdict::Status(Status::IssuerRevoked(REVOKED));
			assert_eq!(check(&root, &chain), revoked);
		}
		// What another issuer gave to the key is not touched by it.
		let another = Party::root("Another");
		another.register_root();
		let elsewhere = unit.reissued_by(&another, 5);
		assert_eq!(check(&another, &[&leaf, &elsewhere]), VALID);
		// The end of the key is the end of all.
		assert_ok!(Dpki::revoke_anchor(signed(MALLORY), unit.id(), REASON));
		assert_eq!(check(&another, &[&leaf, &elsewhere]), broken(1, "CertificateRevoked"));
	});
}

#[test]
fn a_device_whose_key_was_revoked_on_the_chain_is_revoked() {
	run(|| {
		let root = Party::root_of(authority("Root"), ed25519_pair());
		root.register_root();
		let pair = Pair::ed25519(7);
		let leaf = root.issue_to(entity("device"), certified(&pair));
		enrol("drone-1", &[(KeyPurpose::Sign, pair.clone())]);
		assert_eq!(check(&root, &[&leaf]), VALID);
		assert_ok!(Dpki::revoke_key(signed(BOB), pair.id(), REASON));
		assert_eq!(check(&root, &[&leaf]), ChainVerdict::Status(Status::Revoked(REVOKED)));
	});
}

#[test]
fn the_profile_of_the_anchor_and_the_one_asked_for_both_hold() {
	run(|| {
		let root = Party::root_of(authority("Root"), p256_pair());
		assert_ok!(root.register(Basis::SelfSigned(Profile::IdevId)));
		let plain = root.issue_to(entity("device"), p256_pair());
		let mut params = entity("device");
		params
			.distinguished_name
			.push(DnType::CustomDnType(vec![2, 5, 4, 5]), "SN-0001");
		let named = root.issue_to(params, p256_pair());
		let id = root.id();
		for profile in [Profile::Rfc5280, Profile::IdevId] {
			assert_eq!(check_as(id, &[&named], profile), VALID);
			let refused = broken(0, "DeviceSerialMissing");
			assert_eq!(check_as(id, &[&plain], profile), refused);
		}
		let mismatch = ChainVerdict::ProfileMismatch;
		assert_eq!(check_as(id, &[&named], Profile::Matter), mismatch);

		let open = Party::root_of(authority("Open"), p256_pair());
		open.register_root();
		let plain = open.issue_to(entity("device"), p256_pair());
		assert_eq!(check_as(open.id(), &[&plain], Profile::Rfc5280), VALID);
		let refused = broken(0, "DeviceSerialMissing");
		assert_eq!(check_as(open.id(), &[&plain], Profile::IdevId), refused);
	});
}
