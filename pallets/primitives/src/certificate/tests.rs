//! What endorsers attest, and the verdict about certificates.

use super::*;
use crate::{
	ids::DeviceId,
	key::{KeyPurpose, KeyType},
	revocation::{Hold, HoldAuthority, Withdrawal},
};

const NOW: Moment = 1_800_000_000_000;

fn key() -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &[3; 32]).unwrap()
}

fn record() -> CertificateRecord {
	CertificateRecord {
		subject: Subject::Organisation(OrganisationId([1; 32])),
		holder: Holder::Account([2; 32]),
		requested: Level::Ev,
		key: key(),
		display_name: None,
		validity: Validity { not_before: NOW - 10, not_after: Some(NOW + 10) },
		control_until: None,
		suspension: None,
		revocation: None,
	}
}

fn revocation(reason: RevocationReason, at: Moment) -> Revocation {
	Revocation { reason, at }
}

fn verdict(record: &CertificateRecord, dependencies: Dependencies) -> Status {
	certificate_status(Some(record), dependencies, NOW)
}

#[test]
fn what_endorsers_attest_changes_the_digest_and_nothing_else_does() {
	let id = CertificateId([1; 32]);
	let base = record();
	let digest = base.digest(id);
	let mut name = base.clone();
	name.display_name = Some(b"Acme".to_vec().try_into().unwrap());
	let mut holder = base.clone();
	holder.holder = Holder::Account([9; 32]);
	let mut level = base.clone();
	level.requested = Level::Ov;
	let mut end = base.clone();
	end.validity.not_after = None;
	for other in [&name, &holder, &level, &end] {
		assert_ne!(other.digest(id), digest);
	}
	assert_ne!(base.digest(CertificateId([2; 32])), digest);

	let mut state = base.clone();
	state.control_until = Some(NOW);
	state.suspension = Some(Suspension { by: Authority::Holder, at: NOW });
	state.revocation = Some(revocation(RevocationReason::Superseded, NOW));
	assert_eq!(state.digest(id), digest);
}

#[test]
fn display_names_are_text_that_shows_what_it_says() {
	for good in ["Acme", "Bücher & Söhne GmbH", "株式会社", "A B"] {
		assert!(is_valid_display_name(good.as_bytes()), "{good}");
	}
	for bad in ["", " ", " Acme", "Acme ", "Ac\nme", "Ac\u{202e}me", "Ac\u{200b}me", "\u{feff}Acme"]
	{
		assert!(!is_valid_display_name(bad.as_bytes()), "{bad}");
	}
	assert!(!is_valid_display_name(&[0xff]));
}

#[test]
fn an_unknown_certificate_is_never_valid() {
	assert_eq!(certificate_status(None, Dependencies::default(), NOW), Status::Unknown);
	assert_eq!(verdict(&record(), Dependencies::default()), Status::Valid);
}

#[test]
fn lost_control_ends_a_certificate_like_its_expiry() {
	let mut record = record();
	record.control_until = Some(NOW);
	assert_eq!(verdict(&record, Dependencies::default()), Status::Valid);
	record.control_until = Some(NOW - 1);
	assert_eq!(verdict(&record, Dependencies::default()), Status::Expired);
	assert!(!record.holds_subject(Status::Expired, NOW));
	record.control_until = Some(NOW + 100);
	assert_eq!(record.ends_at(), NOW + 10);
}

#[test]
fn a_certificate_on_hold_is_suspended_and_still_holds_its_subject() {
	let mut record = record();
	record.suspension = Some(Suspension { by: Authority::Consortium, at: NOW });
	assert_eq!(verdict(&record, Dependencies::default()), Status::Suspended);
	assert!(record.holds_subject(Status::Suspended, NOW));
	assert!(!record.holds_subject(Status::Suspended, NOW + 11), "but not beyond its end");
}

#[test]
fn a_compromised_key_revokes_every_certificate_of_it() {
	let dependencies = Dependencies { compromised: Some(NOW - 5), ..Default::default() };
	let expected = Status::Revoked(revocation(RevocationReason::KeyCompromise, NOW - 5));
	assert_eq!(verdict(&record(), dependencies), expected);

	let mut revoked = record();
	revoked.revocation = Some(revocation(RevocationReason::Superseded, NOW - 7));
	let own = Status::Revoked(revocation(RevocationReason::Superseded, NOW - 7));
	assert_eq!(verdict(&revoked, dependencies), own, "the certificate's own word stands");
	assert!(!revoked.holds_subject(own, NOW));
}

#[test]
fn a_device_key_spoils_its_certificates_only_if_it_is_compromised() {
	let mut registered = KeyRecord {
		device: DeviceId([4; 32]),
		purpose: KeyPurpose::Tls,
		public: key(),
		validity: Validity { not_before: 0, not_after: Some(1) },
		registered_at: 0,
		superseded_at: Some(0),
		withdrawal: Withdrawal::Revoked(revocation(
			RevocationReason::CessationOfOperation,
			NOW - 3,
		)),
	};
	fn with(key: &KeyRecord) -> Dependencies<'_> {
		Dependencies { key: Some(key), ..Default::default() }
	}
	assert_eq!(verdict(&record(), with(&registered)), Status::Valid);
	registered.withdrawal =
		Withdrawal::Revoked(revocation(RevocationReason::KeyCompromise, NOW - 3));
	let expected = Status::Revoked(revocation(RevocationReason::KeyCompromise, NOW - 3));
	assert_eq!(verdict(&record(), with(&registered)), expected);
	let earlier = Dependencies { compromised: Some(NOW - 5), ..with(&registered) };
	assert_eq!(verdict(&record(), earlier).revocation().unwrap().at, NOW - 5);
}

#[test]
fn a_device_key_on_hold_for_its_compromise_puts_its_certificates_on_hold() {
	let hold = |reason| Hold { reason, at: NOW - 3, by: HoldAuthority::Registrar };
	for (reason, expected) in [
		(RevocationReason::KeyCompromise, Status::Suspended),
		(RevocationReason::CessationOfOperation, Status::Valid),
	] {
		let registered = KeyRecord {
			device: DeviceId([4; 32]),
			purpose: KeyPurpose::Tls,
			public: key(),
			validity: Validity { not_before: 0, not_after: None },
			registered_at: 0,
			superseded_at: None,
			withdrawal: Withdrawal::OnHold(hold(reason)),
		};
		let dependencies = Dependencies { key: Some(&registered), ..Default::default() };
		assert_eq!(verdict(&record(), dependencies), expected);
	}
}

#[test]
fn a_certificate_about_a_device_falls_with_it() {
	let mut record = record();
	record.subject = Subject::Device(DeviceId([4; 32]));
	assert_eq!(verdict(&record, Dependencies::default()), Status::Unknown);
	let mut device = DeviceRecord {
		organisation: OrganisationId([1; 32]),
		name: b"drone".to_vec().try_into().unwrap(),
		enrolled_at: 0,
		keys_registered: 1,
		withdrawal: Default::default(),
	};
	fn with(device: &DeviceRecord) -> Dependencies<'_> {
		Dependencies { device: Some(device), ..Default::default() }
	}
	assert_eq!(verdict(&record, with(&device)), Status::Valid);
	device.withdrawal = Withdrawal::Revoked(revocation(RevocationReason::PrivilegeWithdrawn, NOW));
	assert_eq!(
		verdict(&record, with(&device)),
		Status::IssuerRevoked(revocation(RevocationReason::PrivilegeWithdrawn, NOW))
	);
}

#[test]
fn the_default_policy_can_be_kept_and_impossible_ones_are_told() {
	let good = CertificatePolicy::default();
	assert!(good.is_coherent());
	let quorum = |ov, ev| CertificatePolicy { endorsers: Quorum { ov, ev }, ..good };
	let bad: Vec<CertificatePolicy> = alloc::vec![
		CertificatePolicy { observers: 0, ..good },
		CertificatePolicy { observers: MAX_VOTES + 1, ..good },
		quorum(0, 3),
		quorum(3, 2),
		quorum(1, MAX_QUORUM + 1),
		CertificatePolicy { commit_blocks: 0, ..good },
		CertificatePolicy { reveal_blocks: 0, ..good },
		CertificatePolicy { endorsement_blocks: 0, ..good },
		CertificatePolicy { control_lifetime: 0, ..good },
		CertificatePolicy { max_lifetime: 0, ..good },
		CertificatePolicy { max_endorsement_lifetime: 0, ..good },
	];
	for policy in bad {
		assert!(!policy.is_coherent(), "{policy:?}");
	}
}

#[test]
fn days_are_counted_from_the_epoch() {
	assert_eq!([0, DAY - 1, DAY, u64::MAX].map(day_of), [0, 0, 1, u32::MAX]);
}
