//! Anchors that the consortium adopts by vote. Who votes is the runtime's; here it is root.

use super::{mock::*, pki::*};
use crate::{Error, Event};
use dpki_primitives::{
	anchor::{AnchorKind, Basis, Profile},
	ids::OrganisationId,
	revocation::Revocation,
	status::Status,
};
use frame_support::{assert_noop, assert_ok};
use rcgen::ExtendedKeyUsagePurpose;
use sp_runtime::{DispatchError, DispatchResult};

const OWNER: OrganisationId = OrganisationId::CONSORTIUM;

fn council() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

fn adopt(party: &Party, basis: Basis) -> DispatchResult {
	Dpki::adopt_authority(council(), basis, party.material())
}

fn adopted_root() -> Party {
	let root = Party::root("Public CA");
	adopt(&root, Basis::SelfSigned(Profile::TlsServer)).unwrap();
	root
}

#[test]
fn a_root_of_a_public_ca_is_adopted_by_vote_without_its_key() {
	run(|| {
		let root = adopted_root();
		let record = Dpki::anchor(root.id()).unwrap();
		assert_eq!((record.organisation, record.kind), (OWNER, AnchorKind::X509Root));
		assert_eq!(record.certification.unwrap().profile, Profile::TlsServer);
		assert_eq!(Dpki::anchor_status(root.id()), Status::Valid);
		assert_eq!(Dpki::anchors_of(OWNER).len(), 1);
		let kind = AnchorKind::X509Root;
		let event = Event::AnchorRegistered { anchor: root.id(), organisation: OWNER, kind };
		assert_eq!(last_event(), event.into());
	});
}

#[test]
fn nobody_adopts_an_anchor_alone() {
	run(|| {
		let root = Party::root("Public CA");
		let basis = Basis::SelfSigned(Profile::Rfc5280);
		assert_noop!(
			Dpki::adopt_authority(signed(ALICE), basis, root.material()),
			DispatchError::BadOrigin
		);
	});
}

#[test]
fn no_role_and_no_name_leads_to_the_consortium() {
	run(|| {
		assert_noop!(
			Party::root("Root").register_for(ALICE, OWNER, Basis::SelfSigned(Profile::Rfc5280)),
			Error::<Test>::OrganisationUnknown
		);
		let root = adopted_root();
		for who in [ALICE, MALLORY] {
			let refused = Error::<Test>::RoleMissing;
			assert_noop!(Dpki::retire_anchor(signed(who.clone()), root.id()), refused);
			let refused = Error::<Test>::RoleMissing;
			assert_noop!(Dpki::revoke_anchor(signed(who), root.id(), REASON), refused);
		}
	});
}

#[test]
fn the_consortium_leaves_the_anchors_of_organisations_alone() {
	run(|| {
		let root = Party::root("Root");
		root.register_root();
		let refused = Error::<Test>::RoleMissing;
		assert_noop!(Dpki::revoke_anchor(council(), root.id(), REASON), refused);
		let refused = Error::<Test>::RoleMissing;
		assert_noop!(Dpki::retire_anchor(council(), root.id()), refused);
	});
}

#[test]
fn a_branch_of_a_public_ca_is_adopted_without_its_root() {
	run(|| {
		let branch = Party::root("Public CA").issue_with("Branch", |it| {
			it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
		});
		assert_ok!(adopt(&branch, Basis::Vote(Profile::TlsServer)));
		let record = Dpki::anchor(branch.id()).unwrap();
		assert_eq!((record.organisation, record.kind), (OWNER, AnchorKind::X509Intermediate));
		assert_eq!(record.issuer(), None);
		branch.issue("Unit").register_below(&branch);
	});
}

#[test]
fn a_branch_is_an_authority_and_no_root() {
	run(|| {
		let vote = Basis::Vote(Profile::Rfc5280);
		let root = Party::root("Public CA");
		let as_branch = Party { kind: AnchorKind::X509Intermediate, ..Party::root("Public CA") };
		assert_noop!(adopt(&as_branch, vote), Error::<Test>::CertificateSelfIssued);
		let leaf = root.issue_to(entity("Leaf"), ed25519_pair());
		assert_noop!(adopt(&leaf, vote), Error::<Test>::CertificateNotAuthority);
		let unnamed =
			root.issue_with("Branch", |it| it.use_authority_key_identifier_extension = false);
		assert_noop!(adopt(&unnamed, vote), Error::<Test>::CertificateIssuerKeyUnnamed);
		let expired =
			root.issue_with("Branch", |it| it.not_after = rcgen::date_time_ymd(2026, 1, 1));
		assert_noop!(adopt(&expired, vote), Error::<Test>::CertificateExpired);
	});
}

#[test]
fn what_is_adopted_below_an_anchor_is_held_to_its_path() {
	run(|| {
		let root = adopted_root();
		let stranger = Party::root("Public CA").issue("Branch");
		assert_noop!(
			adopt(&stranger, Basis::IssuedBy(root.id())),
			Error::<Test>::CertificateSignatureInvalid
		);
		let branch = root.issue("Branch");
		assert_ok!(adopt(&branch, Basis::IssuedBy(root.id())));
		assert_noop!(adopt(&branch, Basis::IssuedBy(root.id())), Error::<Test>::AnchorExists);
	});
}

#[test]
fn the_consortium_retires_revokes_and_holds_its_own() {
	run(|| {
		let (first, second) = (adopted_root(), adopted_root());
		let unit = first.issue("Unit");
		assert_ok!(unit.register_for(MALLORY, other(), Basis::IssuedBy(first.id())));
		assert_ok!(Dpki::retire_anchor(council(), second.id()));
		assert_eq!(Dpki::anchor_status(second.id()), Status::Superseded);
		assert_ok!(Dpki::suspend_anchor(council(), first.id()));
		assert_eq!(Dpki::anchor_status(unit.id()), Status::Suspended);
		assert_ok!(Dpki::release_anchor(council(), first.id()));
		assert_ok!(Dpki::revoke_anchor(council(), first.id(), REASON));
		let revoked = Revocation { reason: REASON, at: NOW };
		assert_eq!(Dpki::anchor_status(unit.id()), Status::IssuerRevoked(revoked));
	});
}

#[test]
fn the_consortium_takes_back_what_lies_below_its_own() {
	run(|| {
		let root = adopted_root();
		let unit = root.issue("Unit");
		assert_ok!(unit.register_for(MALLORY, other(), Basis::IssuedBy(root.id())));
		assert_ok!(Dpki::revoke_anchor(council(), unit.id(), REASON));
		assert_eq!(
			Dpki::anchor_status(unit.id()),
			Status::Revoked(Revocation { reason: REASON, at: NOW })
		);
		assert_eq!(Dpki::anchor_status(root.id()), Status::Valid);
	});
}
