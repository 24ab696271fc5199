// SPDX-License-Identifier: Apache-2.0

//! Certificates in this runtime: who decides, who is paid, and what
//! [`dpki_runtime::dpki_api::DpkiApi`] answers about them.

use crate::common::{account, chain, origin};
use codec::Decode;
use dpki_primitives::{
	Moment,
	anchor::AnchorKind,
	application::{CertificateRequest, Observation, Phase, Possession, Votes, commitment},
	assessment::{StoredRecords, assessed},
	assurance::{AccreditationState, Assessment, Finding, Level, Quorum},
	bond::{Bond, SlashReason, SlashRecord},
	certificate::{CertificatePolicy, CertificateRecord, Holder, Office, day_of},
	context::{Action, SigningContext},
	ids::{AnchorId, ApplicationId, CertificateId, KeyId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	motion::Electorate,
	organisation::OrganisationKind,
	revocation::{Revocation, RevocationReason},
	status::Status,
	storage_keys,
	subject::Subject,
};
use dpki_runtime::{
	AccountId, Balance, Balances, Certificates, Dpki, Motions, Multisig, Organisations, Runtime,
	RuntimeCall, RuntimeOrigin, System, UNIT,
	configs::{
		economy::EXISTENTIAL_DEPOSIT,
		governance::{MaxPeriod, MinPeriod},
		pki::{DEFAULT_FEES, ValidatorsAccount},
	},
	dpki_api::{certificates::AssessmentAnswer, runtime_decl_for_dpki_api::DpkiApiV1},
	genesis_config_presets::{LOCAL_PRESET, MINIMUM_BOND, preset_names},
};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};
use sp_core::{Pair, ed25519};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Eve, Ferdie};
use sp_runtime::traits::Dispatchable;
use std::{collections::HashMap, convert::Infallible};

type Error = pallet_certificates::Error<Runtime>;

const NOW: Moment = 1_800_000_000_000;
const DAY: Moment = 24 * 60 * 60 * 1000;
const SALT: [u8; 32] = [5; 32];
const POLICY: CertificatePolicy = CertificatePolicy {
	observers: 2,
	endorsers: Quorum { ov: 1, ev: 2 },
	commit_blocks: 10,
	reveal_blocks: 10,
	endorsement_blocks: 100,
	control_lifetime: 90 * DAY,
	max_lifetime: 200 * DAY,
	max_endorsement_lifetime: 100 * DAY,
};

/// A chain on which Alice has founded `acme`, Bob and Charlie observe and Dave and Eve endorse, each for an
/// organisation of its own.
fn with_acme(test: impl FnOnce()) {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		create(Alice, "acme");
		assert_ok!(Certificates::set_policy(RuntimeOrigin::root(), POLICY));
		for (who, name, office, level) in [
			(Bob, "bob", Office::Observer, Level::Dv),
			(Charlie, "charlie", Office::Observer, Level::Dv),
			(Dave, "dave", Office::Endorser, Level::Ev),
			(Eve, "eve", Office::Endorser, Level::Ev),
		] {
			create(who, name);
			if office == Office::Endorser {
				bond(&account(who));
			}
			let organisation = OrganisationId::from_name(name.as_bytes());
			let root = RuntimeOrigin::root();
			assert_ok!(Certificates::accredit(root, office, account(who), organisation, level));
		}
		test();
	});
}

/// Gives the account what endorsers have to bond, and has it do that.
fn bond(who: &AccountId) {
	let given = MINIMUM_BOND + UNIT;
	assert_ok!(Balances::transfer_keep_alive(origin(Ferdie), who.clone().into(), given));
	assert_ok!(Certificates::bond(RuntimeOrigin::signed(who.clone()), MINIMUM_BOND));
}

fn create(who: Sr25519Keyring, name: &str) {
	let name = name.as_bytes().to_vec().try_into().unwrap();
	assert_ok!(Organisations::create(origin(who), name, OrganisationKind::TestLab));
}

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn dns() -> Subject {
	Subject::Dns(b"drone.example".to_vec().try_into().unwrap())
}

fn pair() -> ed25519::Pair {
	ed25519::Pair::from_seed(&[9; 32])
}

fn request(subject: Subject, level: Level) -> CertificateRequest {
	CertificateRequest {
		subject,
		holder: Holder::Organisation(acme()),
		level,
		key: PublicKey::new(KeyType::Ed25519, &pair().public().0).unwrap(),
		display_name: None,
		not_after: NOW + 60 * DAY,
	}
}

/// Alice applies with a signature of the key.
fn apply(request: CertificateRequest) -> ApplicationId {
	let payer: [u8; 32] = account(Alice).into();
	let nonce = Runtime::application_nonce(account(Alice));
	let action = Action::ApplyForCertificate { payer, request: request.digest() };
	let genesis = frame_system::BlockHash::<Runtime>::get(0).0;
	let expires_at = NOW + 60_000;
	let payload = SigningContext { genesis, action, nonce, expires_at }.payload();
	let signature = Signature::truncate_from(pair().sign(&payload).0.to_vec());
	let possession = Possession::Signature(signature);
	assert_ok!(Certificates::apply(origin(Alice), request, possession, expires_at));
	ApplicationId::of(&payer, nonce)
}

/// A certificate of `acme` about itself at EV, which Dave and Eve have endorsed.
fn endorsed() -> CertificateId {
	let id = CertificateId::of(apply(request(Subject::Organisation(acme()), Level::Ev)));
	for who in [Dave, Eve] {
		endorse(who, id);
	}
	id
}

fn endorse(who: Sr25519Keyring, id: CertificateId) {
	let digest = Runtime::certificate(id).digest.expect("it was granted");
	let until = NOW + 50 * DAY;
	assert_ok!(Certificates::endorse(origin(who), id, Level::Ev, digest, None, until));
}

fn observe(who: Sr25519Keyring, id: ApplicationId) {
	let hash = commitment(id, &account(who).into(), Observation::Controlled, &SALT);
	assert_ok!(Certificates::commit(origin(who), id, hash));
}

fn reveal(who: Sr25519Keyring, id: ApplicationId) {
	assert_ok!(Certificates::reveal(origin(who), id, Observation::Controlled, SALT));
}

/// What a client makes of nothing but the storage under the keys that an answer names.
struct Proven(HashMap<Vec<u8>, Option<Vec<u8>>>);

impl Proven {
	fn read(keys: &[Vec<u8>]) -> Self {
		Self(
			keys.iter()
				.map(|key| (key.clone(), sp_io::storage::get(key).map(Into::into)))
				.collect(),
		)
	}

	fn assessment(&self, id: CertificateId) -> Option<Assessment> {
		let Ok(now) = self.stored(&storage_keys::now());
		let Ok(found) = assessed(self, id, now.expect("there is a time"));
		found.map(|found| found.assessment)
	}
}

impl StoredRecords for Proven {
	type Error = Infallible;

	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, Infallible> {
		let value = self.0.get(key).expect("the answer names everything that it depends on");
		let decode = |bytes: &Vec<u8>| Record::decode(&mut &bytes[..]).expect("it is of this type");
		Ok(value.as_ref().map(decode))
	}
}

/// The effective level, after it was computed once more from what can be proven.
fn level(id: CertificateId) -> (Option<Level>, Vec<Finding>) {
	let AssessmentAnswer { assessment, depends_on } = Runtime::assessment(id);
	assert_eq!(Proven::read(&depends_on).assessment(id), assessment);
	let assessment = assessment.expect("it was granted");
	(assessment.level, assessment.explanations.iter().map(|it| it.finding).collect())
}

fn stored<T: Decode>(key: &[u8]) -> Option<T> {
	sp_io::storage::get(key).map(|bytes| T::decode(&mut &bytes[..]).expect("it is of this type"))
}

#[test]
fn the_effective_level_follows_from_storage_that_the_answer_names() {
	with_acme(|| {
		let id = endorsed();
		assert_eq!(level(id), (Some(Level::Ev), vec![Finding::Counted; 2]));

		// Dave was corrupt from the day of the endorsement on: of two voices for EV one is left.
		let mark = |who, from| {
			Certificates::mark_compromised(
				RuntimeOrigin::root(),
				Office::Endorser,
				account(who),
				from,
			)
		};
		assert_ok!(mark(Dave, NOW));
		let one = vec![Finding::EndorserCompromised, Finding::Counted];
		assert_eq!(level(id), (Some(Level::Ov), one));
		assert_ok!(mark(Eve, NOW - DAY));
		assert_eq!(level(id), (Some(Level::Dv), vec![Finding::EndorserCompromised; 2]));

		assert_ok!(Certificates::revoke(origin(Alice), id, RevocationReason::KeyCompromise));
		assert_eq!(level(id).0, None);
		let answer = Runtime::certificate(id);
		let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: NOW };
		assert_eq!(answer.certificate.status, Status::Revoked(revocation));
		let record: CertificateRecord = answer.certificate.record.expect("it is never removed");
		let compromised = storage_keys::compromised_key(KeyId::of(&record.key));
		assert!(answer.depends_on.contains(&compromised));
		assert_eq!(stored(&answer.certificate.storage_key), Some(record));
		assert_eq!(stored::<Moment>(&compromised), Some(NOW));
	});
}

/// An endorsement of an account of several people is one endorsement, and none of them gives it alone.
#[test]
fn an_endorser_can_be_an_account_of_several_people() {
	with_acme(|| {
		create(Ferdie, "laboratory");
		let laboratory = OrganisationId::from_name(b"laboratory");
		let mut all = [account(Alice), account(Bob), account(Charlie)];
		all.sort();
		let shared = Multisig::multi_account_id(&all, 2);
		let (root, office) = (RuntimeOrigin::root(), Office::Endorser);
		bond(&shared);
		assert_ok!(Certificates::accredit(root, office, shared.clone(), laboratory, Level::Ov));

		let id = CertificateId::of(apply(request(Subject::Organisation(acme()), Level::Ov)));
		let digest = Runtime::certificate(id).digest.expect("it was granted");
		let (certificate, level_given) = (id, Level::Ov);
		let (evidence, expires_at) = (None, NOW + 50 * DAY);
		let call: RuntimeCall = pallet_certificates::Call::endorse {
			certificate,
			level: level_given,
			digest,
			evidence,
			expires_at,
		}
		.into();
		let sign = |who: Sr25519Keyring, timepoint| {
			let others = all.iter().filter(|one| **one != account(who)).cloned().collect();
			let weight = call.get_dispatch_info().call_weight;
			Multisig::as_multi(origin(who), 2, others, timepoint, Box::new(call.clone()), weight)
		};
		assert!(call.clone().dispatch(origin(Bob)).is_err(), "none of them alone");
		let timepoint = Multisig::timepoint();
		assert_ok!(sign(Bob, None));
		assert_eq!(level(id), (Some(Level::Dv), vec![]));
		assert_ok!(sign(Charlie, Some(timepoint)));
		assert_eq!(level(id), (Some(Level::Ov), vec![Finding::Counted]));
		let endorsements = Runtime::endorsements(id).record.expect("there is one");
		assert_eq!(endorsements[0].endorser, <[u8; 32]>::from(shared));
	});
}

/// However many people give it, however often, and whoever of them is accredited too: it has the voice of its organisation.
#[test]
fn an_account_of_several_people_counts_once() {
	with_acme(|| {
		create(Ferdie, "laboratory");
		let laboratory = OrganisationId::from_name(b"laboratory");
		let mut all = [account(Alice), account(Bob), account(Charlie)];
		all.sort();
		let shared = Multisig::multi_account_id(&all, 2);
		for who in [shared, account(Bob), account(Charlie)] {
			let (root, office) = (RuntimeOrigin::root(), Office::Endorser);
			bond(&who);
			assert_ok!(Certificates::accredit(root, office, who, laboratory, Level::Ev));
		}

		let id = CertificateId::of(apply(request(Subject::Organisation(acme()), Level::Ev)));
		let certificate = id;
		let digest = Runtime::certificate(id).digest.expect("it was granted");
		let give_together = |until| {
			let (level, evidence, expires_at) = (Level::Ev, None, NOW + until);
			let call: RuntimeCall = pallet_certificates::Call::endorse {
				certificate,
				level,
				digest,
				evidence,
				expires_at,
			}
			.into();
			let weight = call.get_dispatch_info().call_weight;
			let timepoint = Multisig::timepoint();
			for (who, timepoint) in [(Bob, None), (Charlie, Some(timepoint))] {
				let others = all.iter().filter(|one| **one != account(who)).cloned().collect();
				let call = Box::new(call.clone());
				assert_ok!(Multisig::as_multi(origin(who), 2, others, timepoint, call, weight));
			}
		};
		give_together(40 * DAY);
		assert_eq!(level(id), (Some(Level::Ov), vec![Finding::Counted]));
		give_together(50 * DAY);
		let voices = vec![Finding::Counted, Finding::OrganisationCounted];
		assert_eq!(level(id), (Some(Level::Ov), voices), "beside the first");
		for who in [Bob, Charlie] {
			endorse(who, id);
		}
		let other = Finding::OrganisationCounted;
		let voices = vec![Finding::Counted, other, other, other];
		assert_eq!(level(id), (Some(Level::Ov), voices), "three accounts, one organisation");
		endorse(Dave, id);
		assert_eq!(level(id).0, Some(Level::Ev), "two organisations");
	});
}

#[test]
fn a_certified_key_that_leaked_becomes_no_anchor_and_an_anchor_key_that_leaked_ends_its_certificates()
 {
	let register = || {
		let blob = |part: &[u8]| [&(part.len() as u32).to_be_bytes(), part].concat();
		let material = [blob(b"ssh-ed25519"), blob(&pair().public().0)].concat();
		let anchor = AnchorId::of(AnchorKind::SshUserCa, &material);
		let action =
			Action::PossessAnchor { account: account(Alice).into(), organisation: acme(), anchor };
		let genesis = frame_system::BlockHash::<Runtime>::get(0).0;
		let expires_at = NOW + 60_000;
		let payload = SigningContext { genesis, action, nonce: 0, expires_at }.payload();
		let possession = Signature::truncate_from(pair().sign(&payload).0.to_vec());
		let material = material.try_into().expect("a blob is short");
		let kind = AnchorKind::SshUserCa;
		Dpki::register_anchor(origin(Alice), acme(), kind, material, possession, expires_at)
			.map(|()| anchor)
	};
	let reason = RevocationReason::KeyCompromise;
	with_acme(|| {
		let id = endorsed();
		assert_ok!(Certificates::revoke(origin(Alice), id, reason));
		let refused = pallet_dpki::Error::<Runtime>::AnchorKeyWasRevoked;
		assert_eq!(register(), Err(refused.into()));
	});
	with_acme(|| {
		let id = endorsed();
		let anchor = register().expect("nothing is known against the key");
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		assert_ok!(Dpki::revoke_anchor(origin(Alice), anchor, reason));
		let revoked = Status::Revoked(Revocation { reason, at: NOW });
		assert_eq!(Certificates::certificate_status(id), revoked);
	});
}

#[test]
fn an_application_is_told_with_its_votes_its_challenge_and_its_escrow() {
	with_acme(|| {
		let id = apply(request(dns(), Level::Dv));
		let answer = Runtime::application(id);
		assert_eq!(answer.certificate, Some(CertificateId::of(id)));
		assert_eq!(answer.challenge.expect("it waits for observers").0, dns());
		let escrow = answer.escrow.expect("it is open");
		assert_eq!(escrow.observation, DEFAULT_FEES.issue.dv.observation);
		assert_eq!(stored(&answer.application.storage_key), answer.application.record);

		assert_eq!(Runtime::pending_observations(account(Bob), 0).items, [id]);
		observe(Bob, id);
		observe(Charlie, id);
		assert_eq!(Runtime::pending_observations(account(Bob), 0).items, []);
		assert_eq!(Runtime::pending_reveals(account(Bob), 0).items, [id]);
		let votes = Runtime::application(id).votes;
		assert_eq!(votes.record.as_ref().map(|votes| votes.len()), Some(2));
		assert_eq!(stored::<Votes>(&votes.storage_key), votes.record);

		System::set_block_number(System::block_number() + POLICY.commit_blocks + 1);
		let before = Balances::free_balance(account(Bob));
		reveal(Bob, id);
		reveal(Charlie, id);
		let answer = Runtime::application(id);
		let phase = answer.application.record.expect("it stays readable").phase;
		assert!(matches!(phase, Phase::Closed { .. }), "{phase:?}");
		assert_eq!((answer.challenge, answer.escrow), (None, None));

		let price = DEFAULT_FEES.issue.dv;
		assert_eq!(Balances::free_balance(account(Bob)), before + price.observation / 2);
		let pot = Balances::free_balance(ValidatorsAccount::get());
		assert_eq!(pot, EXISTENTIAL_DEPOSIT + price.network);
	});
}

#[test]
fn certificates_are_listed_by_holder_subject_and_end() {
	with_acme(|| {
		let id = endorsed();
		let (holder, subject) = (Holder::Organisation(acme()), Subject::Organisation(acme()).id());
		let day = day_of(NOW + 60 * DAY);
		for page in [
			Runtime::certificates_of(holder, 0),
			Runtime::certificates_about(subject, 0),
			Runtime::certificates_ending_on(day, 0),
		] {
			assert_eq!((page.total, page.next), (1, None));
			let (listed, verdict) = &page.items[0];
			assert_eq!((*listed, verdict.status), (id, Status::Valid));
			assert_eq!(stored(&verdict.storage_key), verdict.record);
		}
		let answer = Runtime::subject(subject);
		assert_eq!(stored(&answer.subject.storage_key), answer.subject.record);
		assert_eq!(answer.subject.record.expect("it is held").holder, holder);
		assert_eq!(answer.live[0].0, id);
		let endorsements = Runtime::endorsements(id);
		assert_eq!(stored(&endorsements.storage_key), endorsements.record);
	});
}

#[test]
fn those_who_are_accredited_see_their_work() {
	with_acme(|| {
		let page = Runtime::accredited(Office::Endorser, 0);
		let accounts: Vec<AccountId> =
			page.items.iter().map(|(account, _)| account.clone()).collect();
		assert_eq!(accounts, [account(Dave), account(Eve)]);
		for (account, located) in page.items {
			let record = Runtime::accreditation(Office::Endorser, account).record;
			assert_eq!(stored(&located.storage_key), record);
			assert_eq!(record.expect("it is on the list").state, AccreditationState::Active);
		}
		let id = CertificateId::of(apply(request(Subject::Organisation(acme()), Level::Ev)));
		assert_eq!(Runtime::pending_endorsements(account(Dave), 0).items, [id]);
		endorse(Dave, id);
		assert_eq!(Runtime::pending_endorsements(account(Dave), 0).items, []);
		assert_eq!(Runtime::pending_endorsements(account(Eve), 0).items, [id]);
	});
}

#[test]
fn the_terms_are_those_of_the_genesis_until_the_council_sets_others() {
	chain(LOCAL_PRESET).execute_with(|| {
		let terms = Runtime::certificate_terms();
		assert_eq!((terms.policy, terms.fees), (CertificatePolicy::default(), DEFAULT_FEES));
		for key in [&terms.policy_key, &terms.fees_key] {
			assert_eq!(sp_io::storage::get(key), None);
		}
		by_council(pallet_certificates::Call::set_policy { policy: POLICY }.into());
		let fees = pallet_certificates::FeeSchedule { feeless: true, ..DEFAULT_FEES };
		by_council(pallet_certificates::Call::set_fees { fees }.into());
		let terms = Runtime::certificate_terms();
		assert_eq!((terms.policy, terms.fees.feeless), (POLICY, true));
		assert_eq!(stored(&terms.policy_key), Some(POLICY));
		assert_eq!(stored(&terms.fees_key), Some(fees));
	});
}

/// Lets three of four trustees carry a motion.
fn by_council(call: RuntimeCall) {
	assert_ok!(Motions::propose(
		origin(Alice),
		Electorate::Council,
		Box::new(call),
		MinPeriod::get(),
		Default::default(),
	));
	let motion = pallet_motions::NextMotion::<Runtime>::get() - 1;
	let (length, weight) = Motions::call_bounds(motion).expect("it was proposed");
	for who in [Bob, Charlie] {
		assert_ok!(Motions::vote(origin(who), motion, true, Default::default(), length, weight));
	}
}

#[test]
fn the_council_accredits_and_revokes_and_nobody_else_does() {
	chain(LOCAL_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		create(Alice, "acme");
		let (office, level) = (Office::Endorser, Level::Ev);
		assert_noop!(
			Certificates::accredit(origin(Alice), office, account(Ferdie), acme(), level),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(Certificates::bond(origin(Ferdie), MINIMUM_BOND));
		let (account, organisation) = (account(Ferdie), acme());
		let call = pallet_certificates::Call::accredit { office, account, organisation, level };
		by_council(call.into());
		let accreditation = Runtime::accreditation(office, crate::common::account(Ferdie)).record;
		assert!(accreditation.is_some_and(|it| it.may_act()));

		let id = CertificateId::of(apply(request(Subject::Organisation(acme()), Level::Dv)));
		let reason = RevocationReason::PrivilegeWithdrawn;
		assert_noop!(Certificates::revoke(origin(Ferdie), id, reason), Error::NotHolder);
		by_council(pallet_certificates::Call::revoke { certificate: id, reason }.into());
		let revocation = Revocation { reason, at: NOW };
		assert_eq!(Runtime::certificate(id).certificate.status, Status::Revoked(revocation));
	});
}

#[test]
fn a_bond_is_slashed_by_the_council_and_by_nobody_else() {
	chain(LOCAL_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(NOW);
		create(Alice, "acme");
		let (office, who) = (Office::Endorser, account(Ferdie));
		let accredit = pallet_certificates::Call::accredit {
			office,
			account: who.clone(),
			organisation: acme(),
			level: Level::Ev,
		};
		// Without a bond the motion is carried, and its call fails.
		by_council(accredit.clone().into());
		assert_eq!(Runtime::accreditation(office, who.clone()).record, None);
		assert_ok!(Certificates::bond(origin(Ferdie), 3 * MINIMUM_BOND));
		by_council(accredit.into());
		let state = || Runtime::accreditation(office, who.clone()).record.map(|it| it.state);
		assert_eq!(state(), Some(AccreditationState::Active));

		assert_ok!(Certificates::unbond(origin(Ferdie), MINIMUM_BOND));
		let (amount, reason) = (MINIMUM_BOND + 1, SlashReason::FalseStatement);
		let bad = sp_runtime::DispatchError::BadOrigin;
		let slash = |by| Certificates::slash(by, who.clone(), amount, reason, [7; 32]);
		assert_noop!(slash(origin(Alice)), bad);
		let issuance = Balances::total_issuance();
		let evidence = [7; 32];
		let account = who.clone();
		by_council(pallet_certificates::Call::slash { account, amount, reason, evidence }.into());
		assert_eq!(state(), Some(AccreditationState::Suspended));
		assert_eq!(Balances::total_issuance(), issuance - amount);
		let bond: Bond<Balance> = stored(&storage_keys::bond(who.as_ref())).expect("it is stored");
		assert_eq!(bond.active, MINIMUM_BOND - 1);
		assert_eq!(bond.unbonding[0].amount, MINIMUM_BOND);
		let slash: SlashRecord<Balance> =
			stored(&storage_keys::slash(who.as_ref(), 0)).expect("it is on record");
		assert_eq!((slash.amount, slash.reason, slash.at), (amount, reason, NOW));
		assert_eq!(stored(&storage_keys::slash_count(who.as_ref())), Some(1u32));
	});
}

/// What is taken out when a motion against it has just begun is there until the motion is decided.
#[test]
fn no_bond_leaves_while_the_longest_motion_against_it_is_open() {
	chain(LOCAL_PRESET).execute_with(|| {
		assert_ok!(Certificates::bond(origin(Ferdie), MINIMUM_BOND));
		assert_ok!(Certificates::unbond(origin(Ferdie), MINIMUM_BOND));
		let end = System::block_number() + 2 * MaxPeriod::get();
		for late in [end - MaxPeriod::get(), end] {
			System::set_block_number(late);
			assert_noop!(Certificates::withdraw_bond(origin(Ferdie)), Error::UnbondingNotDue);
		}
		System::set_block_number(end + 1);
		assert_ok!(Certificates::withdraw_bond(origin(Ferdie)));
	});
}

#[test]
fn every_preset_asks_for_a_bond_and_the_council_can_ask_for_none() {
	for preset in preset_names() {
		chain(preset.as_ref()).execute_with(|| {
			assert_eq!(stored(&storage_keys::minimum_bond()), Some(MINIMUM_BOND), "{preset:?}");
		});
	}
	chain(LOCAL_PRESET).execute_with(|| {
		create(Alice, "acme");
		by_council(pallet_certificates::Call::set_minimum_bond { minimum: 0 }.into());
		let (office, account) = (Office::Endorser, account(Ferdie));
		let (organisation, level) = (acme(), Level::Ev);
		let call = pallet_certificates::Call::accredit { office, account, organisation, level };
		by_council(call.into());
		let record = Runtime::accreditation(office, crate::common::account(Ferdie)).record;
		assert!(record.is_some_and(|it| it.may_act()));
	});
}

#[test]
fn what_was_never_certified_is_unknown_and_its_absence_can_be_proven() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		let (certificate, application) = (CertificateId([1; 32]), ApplicationId([1; 32]));
		let answer = Runtime::certificate(certificate);
		assert_eq!((answer.certificate.status, answer.digest), (Status::Unknown, None));
		let assessment = Runtime::assessment(certificate);
		assert_eq!(assessment.assessment, None);
		let application = Runtime::application(application);
		assert_eq!((application.challenge, application.certificate), (None, None));
		let subject = Runtime::subject(dns().id());
		assert!(subject.live.is_empty());
		let nothing = [
			answer.certificate.storage_key,
			application.application.storage_key,
			application.votes.storage_key,
			subject.subject.storage_key,
			Runtime::endorsements(certificate).storage_key,
			Runtime::accreditation(Office::Observer, account(Bob)).storage_key,
		];
		for key in nothing.into_iter().chain(assessment.depends_on) {
			assert_eq!(sp_io::storage::get(&key), None);
		}
	});
}
