//! X.509 anchors below others: what each has to be, given everything above it.

use super::{mock::*, pki::*};
use crate::{AnchorMaterials, Error, Event};
use dpki_primitives::{
	anchor::{
		AnchorKind, AnchorMaterial, Basis, Certification, MAX_ANCHOR_DEPTH, MAX_ANCHORS_PER_KEY,
		Profile,
	},
	status::{Status, Validity},
};
use frame_support::{assert_noop, assert_ok};
use rcgen::{
	BasicConstraints, CertificateParams, CustomExtension, DnType, GeneralSubtree, IsCa,
	KeyIdMethod, NameConstraints, SanType, date_time_ymd,
};
use sp_runtime::DispatchError;

const SELF_SIGNED: Basis = Basis::SelfSigned(Profile::Rfc5280);

fn dns(name: &str) -> SanType {
	SanType::DnsName(name.try_into().unwrap())
}

fn subtree(name: &str) -> Vec<GeneralSubtree> {
	vec![GeneralSubtree::DnsName(name.into())]
}

fn with_path_len(len: u8) -> CertificateParams {
	let mut params = authority("Root");
	params.is_ca = IsCa::Ca(BasicConstraints::Constrained(len));
	params
}

/// A root that permits `example.com` and excludes `secret.example.com`.
fn constrained_root() -> Party {
	let mut params = authority("Root");
	params.name_constraints = Some(NameConstraints {
		permitted_subtrees: subtree("example.com"),
		excluded_subtrees: subtree("secret.example.com"),
	});
	Party::root_of(params, ed25519_pair())
}

#[test]
fn an_intermediate_is_registered_below_the_root_of_another_organisation() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue("Unit");
		assert_ok!(unit.register_for(MALLORY, other(), Basis::IssuedBy(root.id())));
		let record = Dpki::anchor(unit.id()).unwrap();
		assert_eq!((record.organisation, record.kind), (other(), AnchorKind::X509Intermediate));
		let (profile, issuer) = (Profile::Rfc5280, Some(root.id()));
		assert_eq!(record.certification, Some(Certification { profile, issuer, depth: 1 }));
		let validity = Validity { not_before: 1_577_836_800_000, not_after: Some(LAST) };
		assert_eq!(record.validity, validity);
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Valid);
		let kind = AnchorKind::X509Intermediate;
		let event = Event::AnchorRegistered { anchor: unit.id(), organisation: other(), kind };
		assert_eq!(last_event(), event.into());
		assert_eq!(Dpki::anchors_of_key(record.key_id), [unit.id()]);
	});
}

#[test]
fn a_root_is_registered_with_its_profile() {
	run(|| {
		let root = Party::root("Root");
		assert_ok!(root.register(Basis::SelfSigned(Profile::IdevId)));
		let certification = Dpki::anchor(root.id()).unwrap().certification.unwrap();
		let profile = Profile::IdevId;
		assert_eq!(certification, Certification { profile, issuer: None, depth: 0 });
		let unit = root.issue("Unit");
		unit.register_below(&root);
		assert_eq!(Dpki::anchor(unit.id()).unwrap().certification.unwrap().profile, profile);
	});
}

#[test]
fn a_tree_is_as_deep_as_it_may_be_and_no_deeper() {
	run(|| {
		let mut last = Party::root("Root");
		last.register_root();
		for depth in 1..=MAX_ANCHOR_DEPTH {
			let next = last.issue(&format!("Unit {depth}"));
			next.register_below(&last);
			assert_eq!(Dpki::anchor(next.id()).unwrap().certification.unwrap().depth, depth);
			last = next;
		}
		assert_eq!(Dpki::anchor_status(last.id()), Status::Valid);
		last.issue("Too deep").assert_refused_below(&last, Error::AnchorTooDeep);
	});
}

#[test]
fn possession_of_an_intermediate_is_proven_by_its_own_key() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue("Unit");
		let der = unit.der.clone();
		let by_issuer = Party { pair: root.copy_of_pair(), der, ..root.issue("Unit") };
		by_issuer.assert_refused_below(&root, Error::AnchorPossessionInvalid);
		let proof = unit.proof(&ALICE, acme());
		let basis = Basis::IssuedBy(root.id());
		let material = unit.material();
		assert_noop!(
			Dpki::register_authority(signed(CAROL), acme(), basis, material, proof, NOW + 1_000),
			Error::<Test>::AnchorPossessionInvalid
		);
		assert_ok!(unit.register(basis));
	});
}

#[test]
fn only_an_anchor_manager_of_the_organisation_registers_an_authority() {
	run(|| {
		let root = Party::root("Root");
		for who in [BOB, MALLORY] {
			let refusal = root.register_for(who, acme(), SELF_SIGNED);
			assert_noop!(refusal, Error::<Test>::RoleMissing);
		}
		let (material, proof) = (root.material(), root.proof(&CAROL, acme()));
		let origin = RuntimeOrigin::root();
		assert_noop!(
			Dpki::register_authority(origin, acme(), SELF_SIGNED, material, proof, NOW + 1_000),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn what_an_organisation_registers_rests_on_a_signature() {
	run(|| {
		let (root, unit) = (Party::root("Root"), Party::root("Root").issue("Unit"));
		assert_noop!(
			unit.register(Basis::Vote(Profile::Rfc5280)),
			Error::<Test>::AnchorVoteMissing
		);
		assert_noop!(
			Dpki::register_anchor(
				signed(CAROL),
				acme(),
				AnchorKind::X509Intermediate,
				unit.material(),
				unit.proof(&CAROL, acme()),
				NOW + 1_000
			),
			Error::<Test>::AnchorIssuerMissing
		);
		unit.assert_refused_below(&root, Error::AnchorUnknown);
		let as_root = Party { kind: AnchorKind::X509Root, ..unit };
		assert_noop!(as_root.register(SELF_SIGNED), Error::<Test>::CertificateNotSelfIssued);
	});
}

#[test]
fn nothing_lies_below_an_ssh_ca() {
	run(|| {
		let ssh = register_ssh(&Pair::ed25519(1));
		let unit = Party::root("Root").issue("Unit");
		assert_noop!(unit.register(Basis::IssuedBy(ssh)), Error::<Test>::AnchorNotX509);
	});
}

#[test]
fn an_intermediate_is_signed_by_the_key_above() {
	run(|| {
		let (root, namesake) = (Party::root("Root"), Party::root("Root"));
		let another = Party::root("Another");
		for party in [&root, &another] {
			party.register_root();
		}
		let unit = namesake.issue("Unit");
		unit.assert_refused_below(&root, Error::CertificateSignatureInvalid);
		root.issue("Unit")
			.assert_refused_below(&another, Error::CertificateIssuerMismatch);
	});
}

#[test]
fn an_intermediate_is_an_authority() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let leaf = root.issue_to(entity("Leaf"), ed25519_pair());
		leaf.assert_refused_below(&root, Error::CertificateNotAuthority);
		let no_usage = root.issue_with("Unit", |it| it.key_usages = Vec::new());
		no_usage.assert_refused_below(&root, Error::CertificateNotAuthority);
	});
}

#[test]
fn an_intermediate_names_the_key_above() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue_with("Unit", |it| it.use_authority_key_identifier_extension = false);
		unit.assert_refused_below(&root, Error::CertificateIssuerKeyUnnamed);
	});
}

#[test]
fn an_intermediate_is_in_force_when_it_is_registered() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let later = root.issue_with("Later", |it| it.not_before = date_time_ymd(2030, 1, 1));
		later.assert_refused_below(&root, Error::CertificateNotYetValid);
		let expired = root.issue_with("Old", |it| it.not_after = date_time_ymd(2026, 1, 1));
		expired.assert_refused_below(&root, Error::CertificateExpired);
	});
}

#[test]
fn path_lengths_hold_over_the_whole_path() {
	run(|| {
		let none = Party::root_of(with_path_len(0), ed25519_pair());
		none.register_root();
		none.issue("Unit").assert_refused_below(&none, Error::CertificatePathTooLong);

		let one = Party::root_of(with_path_len(1), ed25519_pair());
		one.register_root();
		let unit = one.issue("Unit");
		unit.register_below(&one);
		// The unit itself sets no limit; the root does.
		unit.issue("Team").assert_refused_below(&unit, Error::CertificatePathTooLong);
	});
}

#[test]
fn name_constraints_hold_over_the_whole_path() {
	run(|| {
		let root = constrained_root();
		root.register_root();
		let unit = root.issue("Unit");
		unit.register_below(&root);
		let with_name = |name| unit.issue_with("Team", |it| it.subject_alt_names = vec![dns(name)]);
		for name in ["example.org", "a.secret.example.com"] {
			let team = with_name(name);
			team.assert_refused_below(&unit, Error::CertificateNameNotPermitted);
		}
		with_name("team.example.com").register_below(&unit);
	});
}

#[test]
fn policies_that_an_authority_above_requires_are_there() {
	run(|| {
		// RFC 5280 section 4.2.1.11: requireExplicitPolicy after no certificate.
		let mut required =
			CustomExtension::from_oid_content(&[2, 5, 29, 36], vec![0x30, 3, 0x80, 1, 0]);
		required.set_criticality(true);
		let mut params = authority("Root");
		params.custom_extensions = vec![required];
		let root = Party::root_of(params, ed25519_pair());
		root.register_root();
		root.issue("Unit").assert_refused_below(&root, Error::CertificatePolicyInvalid);
		let any_policy = [0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0];
		let with_policy = root.issue_with("Unit", |it| {
			let policies = CustomExtension::from_oid_content(&[2, 5, 29, 32], any_policy.to_vec());
			it.custom_extensions = vec![policies];
		});
		with_policy.register_below(&root);
	});
}

#[test]
fn an_unknown_critical_extension_of_an_intermediate_is_refused() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue_with("Unit", |it| {
			let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1], vec![5, 0]);
			unknown.set_criticality(true);
			it.custom_extensions = vec![unknown];
		});
		unit.assert_refused_below(&root, Error::CertificateExtensionUnknown);
	});
}

#[test]
fn nothing_is_registered_below_an_anchor_that_is_not_in_force() {
	const IN_2031: u64 = 1_924_992_000_000;
	type Change = fn(&Party, &Party);
	let changes: [Change; 5] = [
		|root, _| Dpki::revoke_anchor(signed(CAROL), root.id(), REASON).unwrap(),
		|_, unit| Dpki::revoke_anchor(signed(CAROL), unit.id(), REASON).unwrap(),
		|root, _| Dpki::suspend_anchor(signed(CAROL), root.id()).unwrap(),
		|_, unit| Dpki::retire_anchor(signed(CAROL), unit.id()).unwrap(),
		|_, _| set_time(IN_2031),
	];
	for change in changes {
		run(|| {
			let (root, unit, team) = tree_to_2030();
			change(&root, &unit);
			let (proof, expires_at) = (team.proof(&CAROL, acme()), Dpki::now() + 1_000);
			let basis = Basis::IssuedBy(unit.id());
			let material = team.material();
			assert_noop!(
				Dpki::register_authority(signed(CAROL), acme(), basis, material, proof, expires_at),
				Error::<Test>::AnchorIssuerNotValid
			);
		});
	}
	run(|| {
		let mut params = authority("Root");
		params.not_before = date_time_ymd(2030, 1, 1);
		let root = Party::root_of(params, ed25519_pair());
		root.register_root();
		root.issue("Unit").assert_refused_below(&root, Error::AnchorIssuerNotValid);
	});
	run(|| {
		let (root, unit, team) = tree_to_2030();
		assert_ok!(Dpki::retire_anchor(signed(CAROL), root.id()));
		// What a retired root issued goes on.
		team.register_below(&unit);
	});
}

/// Rules become stricter; what was registered before them is not removed.
#[test]
fn below_a_certificate_that_cannot_be_read_any_more_nothing_is_registered() {
	ext().execute_with(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue("Unit");
		let unreadable: AnchorMaterial = vec![0x30, 0].try_into().unwrap();
		AnchorMaterials::<Test>::insert(root.id(), unreadable);
		unit.assert_refused_below(&root, Error::AnchorIssuerUnfit);
	});
}

#[test]
fn a_key_has_a_bounded_number_of_anchors() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let unit = root.issue("Unit");
		for serial in 1..=MAX_ANCHORS_PER_KEY as u8 {
			unit.reissued_by(&root, serial).register_below(&root);
		}
		let one_more = unit.reissued_by(&root, 0x7f);
		one_more.assert_refused_below(&root, Error::AnchorKeyFull);
	});
}

const VENDOR: [u64; 9] = [1, 3, 6, 1, 4, 1, 37244, 2, 1];

/// An authority of device attestation as the profile of Matter wants it.
fn matter(name: &str, vendor: Option<&str>, path_len: u8) -> CertificateParams {
	let mut params = authority(name);
	params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_len));
	params.key_identifier_method = KeyIdMethod::Sha256;
	if let Some(vendor) = vendor {
		params.distinguished_name.push(DnType::CustomDnType(VENDOR.to_vec()), vendor);
	}
	params
}

#[test]
fn a_product_attestation_authority_passes_its_profile_on() {
	run(|| {
		let paa = Party::root_of(matter("PAA", Some("FFF1"), 1), p256_pair());
		assert_ok!(paa.register(Basis::SelfSigned(Profile::Matter)));
		let issue = |vendor, path_len| paa.issue_to(matter("PAI", vendor, path_len), p256_pair());

		issue(Some("FFF2"), 0).assert_refused_below(&paa, Error::CertificateVendorMismatch);
		issue(None, 0).assert_refused_below(&paa, Error::CertificateVendorMismatch);
		let wrong_key = paa.issue_to(matter("PAI", Some("FFF1"), 0), ed25519_pair());
		wrong_key.assert_refused_below(&paa, Error::CertificateProfileMismatch);
		let pai = issue(Some("FFF1"), 0);
		pai.register_below(&paa);
		assert_eq!(Dpki::anchor(pai.id()).unwrap().certification.unwrap().profile, Profile::Matter);
		// There is one level of intermediates.
		let below = pai.issue_to(matter("PAI 2", Some("FFF1"), 0), p256_pair());
		below.assert_refused_below(&pai, Error::CertificatePathTooLong);
	});
}

#[test]
fn a_root_that_does_not_keep_its_profile_is_refused() {
	run(|| {
		let root = Party::root("Root");
		assert_noop!(
			root.register(Basis::SelfSigned(Profile::Matter)),
			Error::<Test>::CertificateProfileMismatch
		);
	});
}
