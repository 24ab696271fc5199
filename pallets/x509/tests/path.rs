//! What holds between the certificates of a path. Index 0 is the root, 1 the intermediate, 2 the device.

mod common;

use common::{
	Draft, NOT_AFTER, NOT_BEFORE, NOW, Party, World, directory, dns, email, fault, ip, time, uri,
};
use dpki_x509::{
	Certificate, Error, MAX_PATH_LEN, ObjectIdentifier, Pure, Rules, Target,
	extension::{ANY_POLICY, ANY_PURPOSE},
	validate,
};
use x509_cert::{
	der::oid::{
		AssociatedOid,
		db::rfc5912::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH},
	},
	ext::pkix::{
		AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, InhibitAnyPolicy, KeyUsage,
		KeyUsages, PolicyConstraints, PolicyMapping, PolicyMappings, SubjectKeyIdentifier,
		certpolicy::PolicyInformation, name::GeneralName,
	},
};

/// Judges the usual path after changes.
fn judge(
	root: impl FnOnce(Draft) -> Draft,
	ca: impl FnOnce(Draft) -> Draft,
	device: impl FnOnce(Draft) -> Draft,
) -> Result<(), dpki_x509::PathError> {
	let world = World::new();
	world.judge(
		root(world.root_draft()),
		ca(world.ca_draft()),
		device(world.device_draft()),
		&Rules::at(NOW),
	)
}

fn same(draft: Draft) -> Draft {
	draft
}

#[test]
fn a_plain_path_is_valid() {
	assert_eq!(judge(same, same, same), Ok(()));
}

#[test]
fn a_path_has_a_certificate_below_the_anchor() {
	let world = World::new();
	let root = world.root_draft().sign(&world.root);
	assert_eq!(validate(&Pure, &root, &[], &Rules::at(NOW)), fault(0, Error::PathEmpty));
}

#[test]
fn a_path_has_a_limit() {
	let world = World::new();
	let root = world.root_draft().sign(&world.root);
	let again = vec![&root; MAX_PATH_LEN + 1];
	assert_eq!(validate(&Pure, &root, &again, &Rules::at(NOW)), fault(0, Error::PathTooLong));
}

#[test]
fn every_certificate_is_valid_at_the_moment() {
	let late = |draft: Draft| draft.edit(|body| body.validity.not_before = time(NOW + 1));
	let early = |draft: Draft| draft.edit(|body| body.validity.not_after = time(NOW - 1));
	assert_eq!(judge(late, same, same), fault(0, Error::CertificateNotYetValid));
	assert_eq!(judge(same, late, same), fault(1, Error::CertificateNotYetValid));
	assert_eq!(judge(same, same, late), fault(2, Error::CertificateNotYetValid));
	assert_eq!(judge(early, same, same), fault(0, Error::CertificateExpired));
	assert_eq!(judge(same, early, same), fault(1, Error::CertificateExpired));
	assert_eq!(judge(same, same, early), fault(2, Error::CertificateExpired));
}

#[test]
fn both_ends_of_a_validity_belong_to_it() {
	let world = World::new();
	let judge = |at| {
		world.judge(world.root_draft(), world.ca_draft(), world.device_draft(), &Rules::at(at))
	};
	assert_eq!(judge(NOT_BEFORE), Ok(()));
	assert_eq!(judge(NOT_AFTER), Ok(()));
	assert_eq!(judge(NOT_BEFORE - 1), fault(0, Error::CertificateNotYetValid));
	assert_eq!(judge(NOT_AFTER + 1), fault(0, Error::CertificateExpired));
}

#[test]
fn a_signature_by_another_key_is_refused() {
	let world = World::new();
	let root = world.root_draft().sign(&world.root);
	let ca = world.ca_draft().sign(&world.device);
	let refusal = validate(&Pure, &root, &[&ca], &Rules::at(NOW));
	assert_eq!(refusal, fault(1, Error::SignatureInvalid));
}

#[test]
fn names_chain() {
	let world = World::new();
	let root = world.root_draft().sign(&world.root);
	let stranger = Party::new("CN=Stranger", 2);
	let ca = Draft::authority(&stranger, &world.root).sign(&world.root);
	let device = world.device_draft().sign(&world.ca);
	let refusal = validate(&Pure, &root, &[&ca, &device], &Rules::at(NOW));
	assert_eq!(refusal, fault(2, Error::IssuerMismatch));
}

#[test]
fn certificates_name_the_key_of_their_issuer() {
	let nameless = |draft: Draft| draft.without(AuthorityKeyIdentifier::OID);
	assert_eq!(judge(nameless, same, same), Ok(()), "a root may leave it out");
	assert_eq!(judge(same, nameless, same), fault(1, Error::AuthorityKeyIdentifierMissing));
	assert_eq!(judge(same, same, nameless), fault(2, Error::AuthorityKeyIdentifierMissing));
}

#[test]
fn an_anchor_that_is_issued_by_others_names_the_key_of_its_issuer() {
	let world = World::new();
	let ca = world.ca_draft().without(AuthorityKeyIdentifier::OID).sign(&world.root);
	let device = world.device_draft().sign(&world.ca);
	let refusal = validate(&Pure, &ca, &[&device], &Rules::at(NOW));
	assert_eq!(refusal, fault(0, Error::AuthorityKeyIdentifierMissing));
}

#[test]
fn an_issuer_is_an_authority_that_may_sign_certificates() {
	let no_authority =
		|draft: Draft| draft.without(BasicConstraints::OID).with_usage(KeyUsages::DigitalSignature);
	let not_critical =
		|draft: Draft| draft.with(&BasicConstraints { ca: true, path_len_constraint: None }, false);
	let no_usage = |draft: Draft| draft.without(KeyUsage::OID);
	let no_signing = |draft: Draft| draft.with_usage(KeyUsages::CRLSign);
	let no_id = |draft: Draft| draft.without(SubjectKeyIdentifier::OID);
	for (index, error) in [(0, Error::IssuerNotAuthority), (1, Error::IssuerNotAuthority)] {
		let verdict = match index {
			0 => judge(no_authority, same, same),
			_ => judge(same, no_authority, same),
		};
		assert_eq!(verdict, fault(index, error));
	}
	assert_eq!(judge(same, not_critical, same), fault(1, Error::ExtensionCriticalityInvalid));
	assert_eq!(judge(same, no_usage, same), fault(1, Error::KeyUsageMissing));
	assert_eq!(judge(same, no_signing, same), fault(1, Error::KeyUsageMismatch));
	assert_eq!(judge(same, no_id, same), fault(1, Error::SubjectKeyIdentifierMissing));
}

#[test]
fn path_lengths_are_kept() {
	let limit = |len| move |draft: Draft| draft.with_path_len(len);
	assert_eq!(judge(limit(1), limit(0), same), Ok(()));
	assert_eq!(judge(limit(0), same, same), fault(1, Error::PathLengthExceeded));
}

#[test]
fn a_path_length_cannot_be_raised_further_down() {
	let world = World::new();
	let sub = Party::new("CN=Sub", 4);
	let root = world.root_draft().with_path_len(1).sign(&world.root);
	let ca = world.ca_draft().with_path_len(9).sign(&world.root);
	let sub_ca = Draft::authority(&sub, &world.ca).sign(&world.ca);
	let device = Draft::device(&world.device, &sub).sign(&sub);
	let refusal = validate(&Pure, &root, &[&ca, &sub_ca, &device], &Rules::at(NOW));
	assert_eq!(refusal, fault(2, Error::PathLengthExceeded));
}

#[test]
fn a_change_of_keys_does_not_count_as_an_intermediate() {
	let world = World::new();
	let renewed = Party::new("CN=Intermediate,O=Consortium", 4);
	let root = world.root_draft().with_path_len(1).sign(&world.root);
	let ca = world.ca_draft().with_path_len(0).sign(&world.root);
	let self_issued = Draft::authority(&renewed, &world.ca).sign(&world.ca);
	let device = Draft::device(&world.device, &renewed).sign(&renewed);
	assert_eq!(validate(&Pure, &root, &[&ca, &self_issued, &device], &Rules::at(NOW)), Ok(()));
}

#[test]
fn the_relying_party_limits_intermediates() {
	let world = World::new();
	let rules = Rules { max_intermediates: 0, ..Rules::at(NOW) };
	let verdict = world.judge(world.root_draft(), world.ca_draft(), world.device_draft(), &rules);
	assert_eq!(verdict, fault(1, Error::PathLengthExceeded));
}

#[test]
fn an_authority_to_be_registered_is_one_below_which_there_can_be_others() {
	let world = World::new();
	let judge = |root: Draft, last: Draft, target| {
		let (root, last) = (root.sign(&world.root), last.sign(&world.root));
		validate(&Pure, &root, &[&last], &Rules { target, ..Rules::at(NOW) })
	};
	let device = || Draft::device(&world.device, &world.root);
	assert_eq!(judge(world.root_draft(), world.ca_draft(), Target::Authority), Ok(()));
	assert_eq!(judge(world.root_draft(), device(), Target::EndEntity), Ok(()));
	assert_eq!(judge(world.root_draft(), world.ca_draft(), Target::Any), Ok(()));
	let refusal = judge(world.root_draft(), device(), Target::Authority);
	assert_eq!(refusal, fault(1, Error::IssuerNotAuthority));
	let refusal = judge(world.root_draft().with_path_len(0), world.ca_draft(), Target::Authority);
	assert_eq!(refusal, fault(1, Error::PathLengthExceeded));
	let refusal = judge(world.root_draft(), world.ca_draft(), Target::EndEntity);
	assert_eq!(refusal, fault(1, Error::KeyUsageMismatch));
}

#[test]
fn signatures_that_were_verified_before_are_not_verified_again() {
	let world = World::new();
	let root = world.root_draft().sign(&world.root);
	let unsigned = world.ca_draft().sign(&world.device);
	let device = world.device_draft().sign(&world.ca);
	let judge = |verified| {
		validate(&Pure, &root, &[&unsigned, &device], &Rules { verified, ..Rules::at(NOW) })
	};
	assert_eq!(judge(0), fault(1, Error::SignatureInvalid));
	assert_eq!(judge(1), Ok(()));
}

#[test]
fn purposes_nest() {
	let world = World::new();
	let judge = |ca: Draft, device: Draft| {
		let rules = Rules { purpose: Some(ID_KP_CLIENT_AUTH), ..Rules::at(NOW) };
		world.judge(world.root_draft(), ca, device, &rules)
	};
	let client = [ID_KP_CLIENT_AUTH];
	let server = [ID_KP_SERVER_AUTH];
	let ca = || world.ca_draft();
	let device = || world.device_draft();
	assert_eq!(judge(ca(), device()), Ok(()));
	assert_eq!(judge(ca().with_purposes(&client), device().with_purposes(&client)), Ok(()));
	assert_eq!(judge(ca(), device().with_purposes(&[ANY_PURPOSE])), Ok(()));
	let refusal = judge(ca(), device().with_purposes(&server));
	assert_eq!(refusal, fault(2, Error::ExtendedKeyUsageMismatch));
	let refusal = judge(ca().with_purposes(&server), device().with_purposes(&client));
	assert_eq!(refusal, fault(1, Error::ExtendedKeyUsageMismatch));
}

/// The verdict on a device of one name below an intermediate with constraints.
fn constrained(
	permitted: &[GeneralName],
	excluded: &[GeneralName],
	name: &GeneralName,
) -> Result<(), dpki_x509::PathError> {
	judge(
		same,
		|ca| ca.with_constraints(permitted, excluded),
		|device| device.with_names(std::slice::from_ref(name)),
	)
}

#[test]
fn names_lie_within_what_is_permitted() {
	let refused = fault(2, Error::NameNotPermitted);
	for (base, inside, outside) in [
		(dns("a.org"), dns("x.a.org"), dns("b.org")),
		(ip(&[10, 0, 0, 0, 255, 0, 0, 0]), ip(&[10, 9, 9, 9]), ip(&[11, 0, 0, 0])),
		(email("a.org"), email("me@a.org"), email("me@b.a.org")),
		(email("me@a.org"), email("me@a.org"), email("you@a.org")),
		(email(".a.org"), email("me@b.a.org"), email("me@a.org")),
		(uri("a.org"), uri("https://a.org/x"), uri("https://b.a.org/x")),
		(uri(".a.org"), uri("https://b.a.org:1/x"), uri("urn:a.org")),
		(directory("O=Consortium"), directory("CN=x,O=consortium"), directory("O=Other")),
	] {
		assert_eq!(constrained(std::slice::from_ref(&base), &[], &inside), Ok(()), "{inside:?}");
		assert_eq!(constrained(std::slice::from_ref(&base), &[], &outside), refused, "{outside:?}");
	}
}

#[test]
fn names_do_not_lie_within_what_is_excluded() {
	let refused = fault(2, Error::NameExcluded);
	for (base, inside, outside) in [
		(dns("a.org"), dns("x.a.org"), dns("b.org")),
		(dns(""), dns("a.org"), ip(&[10, 0, 0, 1])),
		(dns("b.a.org"), dns("*.a.org"), dns("*.c.org")),
		(ip(&[10, 0, 0, 0, 255, 0, 0, 0]), ip(&[10, 9, 9, 9]), ip(&[11, 0, 0, 0])),
		(email("a.org"), email("me@a.org"), email("me@b.a.org")),
		(uri("a.org"), uri("https://a.org/x"), uri("https://b.a.org/x")),
		(directory("O=Other"), directory("CN=x,O=other"), directory("O=Consortium")),
	] {
		assert_eq!(constrained(&[], std::slice::from_ref(&base), &outside), Ok(()), "{outside:?}");
		assert_eq!(constrained(&[], std::slice::from_ref(&base), &inside), refused, "{inside:?}");
	}
}

#[test]
fn an_exclusion_wins_and_other_forms_are_free() {
	let both = constrained(&[dns("a.org")], &[dns("x.a.org")], &dns("x.a.org"));
	assert_eq!(both, fault(2, Error::NameExcluded));
	assert_eq!(constrained(&[dns("a.org")], &[], &ip(&[10, 0, 0, 1])), Ok(()));
}

#[test]
fn the_subject_is_a_directory_name_too() {
	let verdict = judge(same, |ca| ca.with_constraints(&[directory("O=Other")], &[]), same);
	assert_eq!(verdict, fault(2, Error::NameNotPermitted));
	let verdict = judge(same, |ca| ca.with_constraints(&[directory("O=Consortium")], &[]), same);
	assert_eq!(verdict, Ok(()));
}

#[test]
fn a_mailbox_in_the_subject_is_held_to_constraints_of_mailboxes() {
	let world = World::new();
	let judge = |subject: &str| {
		let device = Party::new(subject, 3);
		let ca = world.ca_draft().with_constraints(&[email("a.org")], &[]);
		world.judge(world.root_draft(), ca, Draft::device(&device, &world.ca), &Rules::at(NOW))
	};
	assert_eq!(judge("emailAddress=me@a.org"), Ok(()));
	assert_eq!(judge("emailAddress=me@b.org"), fault(2, Error::NameNotPermitted));
	assert_eq!(judge("emailAddress=nobody"), fault(2, Error::NameNotPermitted));
}

#[test]
fn a_constrained_form_that_is_not_evaluated_is_refused() {
	let oid = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999.1");
	let registered = GeneralName::RegisteredId(oid);
	let verdict = constrained(std::slice::from_ref(&registered), &[], &registered);
	assert_eq!(verdict, fault(2, Error::NameFormUnsupported));
	assert_eq!(constrained(std::slice::from_ref(&registered), &[], &dns("a.org")), Ok(()));
}

#[test]
fn constraints_of_the_anchor_hold_for_intermediates_and_devices() {
	let limited = |draft: Draft| draft.with_constraints(&[dns("a.org")], &[]);
	let verdict = judge(limited, |ca| ca.with_names(&[dns("b.org")]), same);
	assert_eq!(verdict, fault(1, Error::NameNotPermitted));
	let verdict = judge(limited, same, |device| device.with_names(&[dns("b.org")]));
	assert_eq!(verdict, fault(2, Error::NameNotPermitted));
}

#[test]
fn constraints_of_several_authorities_all_hold() {
	let outer = |draft: Draft| draft.with_constraints(&[dns("a.org")], &[]);
	let inner = |draft: Draft| draft.with_constraints(&[dns("b.a.org"), dns("c.org")], &[]);
	let named = |name: &'static str| move |draft: Draft| draft.with_names(&[dns(name)]);
	assert_eq!(judge(outer, inner, named("x.b.a.org")), Ok(()));
	assert_eq!(judge(outer, inner, named("a.org")), fault(2, Error::NameNotPermitted));
	assert_eq!(judge(outer, inner, named("c.org")), fault(2, Error::NameNotPermitted));
}

#[test]
fn a_change_of_keys_is_free_of_constraints_but_a_last_certificate_is_not() {
	let world = World::new();
	let renewed = Party::new("CN=Root,O=Consortium", 4);
	let root = world.root_draft().with_constraints(&[dns("a.org")], &[]).sign(&world.root);
	let self_issued = Draft::authority(&renewed, &world.root)
		.with_names(&[dns("b.org")])
		.sign(&world.root);
	let device = Draft::device(&world.device, &renewed).sign(&renewed);
	let rules = Rules::at(NOW);
	assert_eq!(validate(&Pure, &root, &[&self_issued, &device], &rules), Ok(()));
	let refusal = validate(&Pure, &root, &[&self_issued], &rules);
	assert_eq!(refusal, fault(1, Error::NameNotPermitted));
}

#[test]
fn constraints_that_cannot_be_evaluated_are_not_read() {
	let world = World::new();
	for bad in [
		dns(".a.org"),
		dns("*.a.org"),
		ip(&[10, 0, 255, 255]),
		ip(&[10, 0, 0, 0, 255, 0, 255, 0]),
		email("a@b@c"),
		uri("https://a.org"),
	] {
		let draft = world.ca_draft().with_constraints(std::slice::from_ref(&bad), &[]);
		assert_eq!(draft.read(&world.root).err(), Some(Error::ExtensionMalformed), "{bad:?}");
	}
}

fn policy(number: u32) -> ObjectIdentifier {
	ObjectIdentifier::new_unwrap("1.3.6.1.4.1.99999").push_arc(number).unwrap()
}

fn policies(list: &[ObjectIdentifier]) -> CertificatePolicies {
	let information = |oid: &ObjectIdentifier| PolicyInformation {
		policy_identifier: *oid,
		policy_qualifiers: None,
	};
	CertificatePolicies(list.iter().map(information).collect())
}

/// Judges the usual path with policies, of which one is required.
fn with_policies(
	ca: impl FnOnce(Draft) -> Draft,
	device: &[ObjectIdentifier],
	acceptable: &[ObjectIdentifier],
) -> Result<(), dpki_x509::PathError> {
	let world = World::new();
	let mut rules = Rules::at(NOW);
	rules.policies.require_explicit = true;
	rules.policies.acceptable = Some(acceptable.to_vec());
	let device = world.device_draft().with(&policies(device), false);
	world.judge(world.root_draft(), ca(world.ca_draft()), device, &rules)
}

#[test]
fn a_required_policy_holds_for_the_whole_path() {
	let (one, two) = (policy(1), policy(2));
	let ca = |list: &[ObjectIdentifier]| {
		let list = policies(list);
		move |draft: Draft| draft.with(&list, false)
	};
	assert_eq!(with_policies(ca(&[one, two]), &[two], &[two]), Ok(()));
	assert_eq!(with_policies(ca(&[ANY_POLICY]), &[two], &[two]), Ok(()));
	let refused = fault(2, Error::PolicyNotAccepted);
	assert_eq!(with_policies(ca(&[one]), &[two], &[two]), refused);
	assert_eq!(with_policies(ca(&[one]), &[one], &[two]), refused);
	assert_eq!(with_policies(same, &[one], &[one]), fault(1, Error::PolicyNotAccepted));
}

#[test]
fn an_authority_can_require_a_policy() {
	let demand = |draft: Draft| {
		draft.with(
			&PolicyConstraints { require_explicit_policy: Some(0), inhibit_policy_mapping: None },
			true,
		)
	};
	assert_eq!(judge(demand, same, same), fault(1, Error::PolicyNotAccepted));
	assert_eq!(judge(same, demand, same), fault(2, Error::PolicyNotAccepted));
}

#[test]
fn policies_can_be_mapped_unless_that_is_inhibited() {
	let (one, two) = (policy(1), policy(2));
	let mapped = move |draft: Draft| {
		let mapping = PolicyMapping { issuer_domain_policy: one, subject_domain_policy: two };
		draft.with(&policies(&[one]), false).with(&PolicyMappings(vec![mapping]), true)
	};
	assert_eq!(with_policies(mapped, &[two], &[one]), Ok(()));
	assert_eq!(with_policies(mapped, &[one], &[one]), fault(2, Error::PolicyNotAccepted));
	let mut rules = Rules::at(NOW);
	rules.policies.require_explicit = true;
	rules.policies.inhibit_mapping = true;
	let world = World::new();
	let device = world.device_draft().with(&policies(&[two]), false);
	let verdict = world.judge(world.root_draft(), mapped(world.ca_draft()), device, &rules);
	assert_eq!(verdict, fault(2, Error::PolicyNotAccepted));
}

#[test]
fn the_policy_for_all_is_not_mapped_and_can_be_inhibited() {
	let mapping =
		PolicyMapping { issuer_domain_policy: ANY_POLICY, subject_domain_policy: policy(1) };
	let mapped = |draft: Draft| draft.with(&PolicyMappings(vec![mapping.clone()]), true);
	assert_eq!(judge(same, mapped, same), fault(1, Error::PolicyMappingInvalid));
	let inhibited =
		|draft: Draft| draft.with(&policies(&[policy(1)]), false).with(&InhibitAnyPolicy(0), true);
	let verdict = with_policies(inhibited, &[ANY_POLICY], &[policy(1)]);
	assert_eq!(verdict, fault(2, Error::PolicyNotAccepted));
}

#[test]
fn a_graph_of_policies_does_not_explode() {
	// Each authority maps each policy to each: a tree of policies would have 5^9 leaves here.
	let parties: Vec<_> = (1..=10).map(|n| Party::new(&format!("CN=A{n}"), n)).collect();
	let list: Vec<_> = (1..=5).map(policy).collect();
	let mut mappings = Vec::new();
	for from in &list {
		for to in &list {
			mappings
				.push(PolicyMapping { issuer_domain_policy: *from, subject_domain_policy: *to });
		}
	}
	let authority = |index: usize| {
		let issuer = &parties[index.saturating_sub(1)];
		Draft::authority(&parties[index], issuer)
			.with(&policies(&list), false)
			.with(&PolicyMappings(mappings.clone()), true)
			.sign(issuer)
	};
	let certificates: Vec<Certificate> = (0..10).map(authority).collect();
	let path: Vec<_> = certificates.iter().skip(1).collect();
	let mut rules = Rules::at(NOW);
	rules.policies.require_explicit = true;
	rules.policies.acceptable = Some(vec![policy(9)]);
	let verdict = validate(&Pure, &certificates[0], &path, &rules);
	assert_eq!(verdict, fault(9, Error::PolicyNotAccepted));
}
