//! Benchmarks: every call at its longest path and with its largest arguments.
//!
//! Signatures are made by the keystore, which knows no P-256, whose verification is the dearest. So applications are
//! signed with Ed25519, and a P-256 signature is verified beside them: the sum is above any single one. Fees are set and
//! owed wherever somebody can be paid.

use crate::*;
use alloc::{vec, vec::Vec};
use core::hint::black_box;
use dpki_primitives::{
	Moment,
	application::{
		CertificateRequest, MAX_VOTES, Observation, Outcome, Phase, Possession, Renewal,
		RequestVerifier, commitment, request_challenge,
	},
	assurance::{EndorsementRecord, Level, MAX_ENDORSEMENTS, Quorum, WithdrawalReason},
	bond::{MAX_UNBONDING, SlashReason},
	certificate::{
		CertificatePolicy, CertificateRecord, DisplayName, Holder, MAX_LIVE_CERTIFICATES, Office,
		SubjectRecord,
	},
	context::MAX_SIGNATURE_LIFETIME,
	economy::Economy,
	ids::{ApplicationId, CertificateDigest, CertificateId, OrganisationId},
	key::{KeyType, PublicKey, Signature},
	organisation::Organisations,
	registry::Registry,
	revocation::RevocationReason,
	status::Validity,
	subject::Subject,
};
use frame_benchmarking::v2::*;
use frame_support::{
	BoundedVec,
	traits::{
		EnsureOrigin, Get,
		fungible::{Inspect, Mutate},
	},
};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::crypto::KeyTypeId;
use sp_runtime::traits::{Bounded, SaturatedConversion};

/// Under which the keystore keeps the keys of these benchmarks.
const BENCHMARK_KEYS: KeyTypeId = KeyTypeId(*b"cert");
const DAY: Moment = 24 * 60 * 60 * 1000;
const SALT: [u8; 32] = [5; 32];

/// The key, the message and the signature of RFC 6979 section A.2.5 (P-256, SHA-256, "sample").
const P256_PUBLIC: [u8; 33] =
	sp_core::hex2array!("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6");
const P256_MESSAGE: &[u8] = b"sample";
const P256_SIGNATURE: [u8; 64] = sp_core::hex2array!(
	"efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
);

fn price<T: Config>(factor: u32) -> Price<BalanceOf<T>>
where
	T::Currency: Mutate<T::AccountId>,
{
	// Enough for an account that does not exist yet, after it is divided among all observers.
	let unit = T::Currency::minimum_balance() * factor.into();
	Price { network: unit, observation: unit * MAX_VOTES.into(), endorsement: unit }
}

/// A payer with funds, an organisation of its own, and fees for everything.
fn payer<T: Config>() -> (T::AccountId, OrganisationId)
where
	T::Currency: Mutate<T::AccountId>,
{
	let payer: T::AccountId = whitelisted_caller();
	let organisation = T::Organisations::create_for_benchmark(b"acme", &payer);
	T::Economy::endow_for_benchmark(&payer);
	let funds = BalanceOf::<T>::max_value() / 1_000_000u32.into();
	T::Currency::set_balance(&payer, funds);
	let prices = LevelPrices { dv: price::<T>(2), ov: price::<T>(2), ev: price::<T>(2) };
	let fees = FeeSchedule {
		feeless: false,
		deposit: T::Currency::minimum_balance(),
		issue: prices,
		control: prices,
		endorsement: prices,
	};
	Fees::<T>::put(fees);
	(payer, organisation)
}

/// The longest name, so that its records are the longest.
fn longest_name() -> Subject {
	let mut name = Vec::new();
	for _ in 0..3 {
		name.extend([b'x'; 63]);
		name.push(b'.');
	}
	name.extend([b'y'; 61]);
	Subject::Dns(BoundedVec::truncate_from(name))
}

fn signing_key() -> (sp_core::ed25519::Public, PublicKey) {
	let public = sp_io::crypto::ed25519_generate(BENCHMARK_KEYS, None);
	let key = PublicKey::new(KeyType::Ed25519, &public.0).expect("it is 32 bytes");
	(public, key)
}

fn request<T: Config>(subject: Subject, holder: Holder, level: Level) -> CertificateRequest {
	let display_name = (subject.may_have_display_name() && level > Level::Dv)
		.then(|| DisplayName::truncate_from(vec![b'A'; 64]));
	let not_after = Pallet::<T>::now() + DAY;
	CertificateRequest { subject, holder, level, key: signing_key().1, display_name, not_after }
}

/// Applies with a good signature.
fn applied<T: Config>(payer: &T::AccountId, mut request: CertificateRequest) -> ApplicationId {
	let (public, key) = signing_key();
	request.key = key;
	let (possession, expires_at) = possession::<T>(payer, &request, &public);
	let id = ApplicationId::of(&payer.clone().into(), ApplicationNonce::<T>::get(payer));
	Pallet::<T>::apply(RawOrigin::Signed(payer.clone()).into(), request, possession, expires_at)
		.expect("the request is good and the payer has funds");
	id
}

fn possession<T: Config>(
	payer: &T::AccountId,
	request: &CertificateRequest,
	public: &sp_core::ed25519::Public,
) -> (Possession, Moment) {
	let expires_at = Pallet::<T>::now() + MAX_SIGNATURE_LIFETIME;
	let payload = Pallet::<T>::application_payload(payer, request, expires_at);
	let signature = sp_io::crypto::ed25519_sign(BENCHMARK_KEYS, public, &payload)
		.expect("the keystore holds the key that it has just made");
	(Possession::Signature(Signature::truncate_from(signature.0.to_vec())), expires_at)
}

/// Certificates of the organisation about itself, but one as many as there can be.
fn crowded_subject<T: Config>(payer: &T::AccountId, organisation: OrganisationId) {
	for _ in 1..MAX_LIVE_CERTIFICATES {
		let holder = Holder::Organisation(organisation);
		let request = request::<T>(Subject::Organisation(organisation), holder, Level::Dv);
		applied::<T>(payer, request);
	}
}

fn accredited<T: Config>(office: Office, index: u32, level: Level) -> T::AccountId {
	// Who is to have a bond gets it from `bonded`.
	MinimumBond::<T>::kill();
	let who: T::AccountId = account("accredited", index, office as u32);
	let name = alloc::format!("org-{}-{index}", office as u32);
	let organisation = T::Organisations::create_for_benchmark(name.as_bytes(), &who);
	Pallet::<T>::do_accredit(office, who.clone(), organisation, level)
		.expect("the organisation exists");
	who
}

/// Bonds a hundred units of the account beside as many as there are `parts`, takes these out one by one, and asks endorsers
/// for the hundred. Gives the unit.
fn bonded<T: Config>(account: &T::AccountId, parts: u32) -> BalanceOf<T>
where
	T::Currency: Mutate<T::AccountId>,
{
	let unit = T::Currency::minimum_balance();
	T::Currency::set_balance(account, unit * 1_000u32.into());
	Pallet::<T>::do_bond(account.clone(), unit * (100 + parts).into()).expect("it has that much");
	for _ in 0..parts {
		Pallet::<T>::do_unbond(account.clone(), unit).expect("there is room and a bond");
	}
	MinimumBond::<T>::put(unit * 100u32.into());
	unit
}

/// Live certificates of the holder about the subject, but one as many as there can be, each with a key of its own: all of them
/// are judged when another one is granted.
fn fill_subject<T: Config>(subject: &Subject, holder: Holder) {
	let now = Pallet::<T>::now();
	let certificates = (1..MAX_LIVE_CERTIFICATES).map(|n| {
		let id = CertificateId([n as u8; 32]);
		let record = CertificateRecord {
			subject: subject.clone(),
			holder,
			requested: Level::Dv,
			key: signing_key().1,
			display_name: None,
			validity: Validity { not_before: now, not_after: Some(now + DAY) },
			control_until: Some(now + DAY),
			suspension: None,
			revocation: None,
		};
		Certificates::<T>::insert(id, record);
		id
	});
	let live = BoundedVec::truncate_from(certificates.collect());
	Subjects::<T>::insert(subject.id(), SubjectRecord { holder, live });
}

/// An application of the payer's organisation about a name that has all the other certificates that it can have, on which
/// `votes` observers have committed themselves, and all but the last one revealed what they saw. At DV, where the decision also
/// closes it: at the other levels that comes with the last endorsement. Another one is open, which takes its place in the list.
fn voted<T: Config>(payer: &T::AccountId, votes: u32) -> (ApplicationId, T::AccountId) {
	Policy::<T>::put(CertificatePolicy { observers: votes, ..CertificatePolicy::default() });
	let holder = Holder::Organisation(OrganisationId::from_name(b"acme"));
	fill_subject::<T>(&longest_name(), holder);
	let id = applied::<T>(payer, request::<T>(longest_name(), holder, Level::Dv));
	let other = Subject::Dns(BoundedVec::truncate_from(b"other.example".to_vec()));
	applied::<T>(payer, request::<T>(other, holder, Level::Dv));
	let observers: Vec<T::AccountId> =
		(0..votes).map(|n| accredited::<T>(Office::Observer, n, Level::Dv)).collect();
	for observer in &observers {
		let hash = commitment(id, &observer.clone().into(), Observation::Controlled, &SALT);
		Pallet::<T>::do_commit(observer.clone(), id, hash).expect("the window is open");
	}
	skip::<T>(CertificatePolicy::default().commit_blocks + 1);
	let (last, others) = observers.split_last().expect("there is a vote");
	for observer in others {
		Pallet::<T>::do_reveal(observer.clone(), id, Observation::Controlled, &SALT)
			.expect("the window is open");
	}
	(id, last.clone())
}

/// What became of an application that is closed.
fn closed<T: Config>(id: ApplicationId) -> Option<Outcome> {
	match Applications::<T>::get(id)?.phase {
		Phase::Closed { outcome, .. } => Some(outcome),
		_ => None,
	}
}

fn skip<T: Config>(blocks: u32) {
	let now: u32 = frame_system::Pallet::<T>::block_number().saturated_into();
	let then: BlockNumberFor<T> = now.saturating_add(blocks).into();
	frame_system::Pallet::<T>::set_block_number(then);
}

/// A certificate of the organisation at EV.
fn certificate<T: Config>(payer: &T::AccountId, organisation: OrganisationId) -> CertificateId {
	let holder = Holder::Organisation(organisation);
	let request = request::<T>(Subject::Organisation(organisation), holder, Level::Ev);
	CertificateId::of(applied::<T>(payer, request))
}

fn digest<T: Config>(id: CertificateId) -> CertificateDigest {
	Certificates::<T>::get(id).expect("it was granted").digest(id)
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn apply() {
		let (payer, organisation) = payer::<T>();
		crowded_subject::<T>(&payer, organisation);
		let (public, key) = signing_key();
		let holder = Holder::Organisation(organisation);
		let mut request = request::<T>(Subject::Organisation(organisation), holder, Level::Ev);
		request.key = key;
		let (possession, expires_at) = possession::<T>(&payer, &request, &public);
		let p256 = PublicKey::new(KeyType::P256, &P256_PUBLIC).expect("it is 33 bytes");
		let id = ApplicationId::of(&payer.clone().into(), ApplicationNonce::<T>::get(&payer));

		#[block]
		{
			black_box(T::Registry::verify(&p256, P256_MESSAGE, &P256_SIGNATURE));
			Pallet::<T>::apply(RawOrigin::Signed(payer).into(), request, possession, expires_at)
				.expect("the request is good");
		}

		assert!(Certificates::<T>::contains_key(CertificateId::of(id)));
	}

	#[benchmark]
	fn apply_with_request() {
		let (payer, organisation) = payer::<T>();
		crowded_subject::<T>(&payer, organisation);
		let holder = Holder::Organisation(organisation);
		let mut request = request::<T>(Subject::Organisation(organisation), holder, Level::Ev);
		request.key = T::Requests::benchmark_key();
		let expires_at = Pallet::<T>::now() + MAX_SIGNATURE_LIFETIME;
		let payload = Pallet::<T>::application_payload(&payer, &request, expires_at);
		let der = T::Requests::benchmark_request(&request.subject, &request_challenge(&payload));
		let id = ApplicationId::of(&payer.clone().into(), ApplicationNonce::<T>::get(&payer));

		#[block]
		{
			Pallet::<T>::apply(
				RawOrigin::Signed(payer).into(),
				request,
				Possession::Request(der),
				expires_at,
			)
			.expect("the request is good");
		}

		assert!(Certificates::<T>::contains_key(CertificateId::of(id)));
	}

	#[benchmark]
	fn renew() {
		let (payer, _) = payer::<T>();
		let (application, observer) = voted::<T>(&payer, 1);
		Pallet::<T>::do_reveal(observer, application, Observation::Controlled, &SALT)
			.expect("the window is open");
		let id = CertificateId::of(application);

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id, Renewal::Control);

		assert!(OpenRenewals::<T>::contains_key(id, Renewal::Control));
	}

	#[benchmark]
	fn withdraw_application() {
		let (payer, _) = payer::<T>();
		let holder = Holder::Account(payer.clone().into());
		let id = applied::<T>(&payer, request::<T>(longest_name(), holder, Level::Ev));
		// Another one takes its place in the list.
		applied::<T>(&payer, request::<T>(longest_name(), holder, Level::Ev));

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id);

		assert!(!Escrows::<T>::contains_key(id));
	}

	#[benchmark]
	fn commit() {
		let (payer, _) = payer::<T>();
		let (first, observer) = voted::<T>(&payer, 1);
		Pallet::<T>::do_reveal(observer, first, Observation::Controlled, &SALT)
			.expect("the window is open");
		// Whose certificate is proven again has to be looked up.
		let id = ApplicationId::of(&payer.clone().into(), ApplicationNonce::<T>::get(&payer));
		Pallet::<T>::do_renew(payer, CertificateId::of(first), Renewal::Control)
			.expect("control can be lost");
		for n in 1..MAX_VOTES {
			let other = accredited::<T>(Office::Observer, n, Level::Dv);
			Pallet::<T>::do_commit(other, id, [0; 32]).expect("the window is open");
		}
		let observer = accredited::<T>(Office::Observer, MAX_VOTES, Level::Dv);

		#[extrinsic_call]
		_(RawOrigin::Signed(observer), id, [0; 32]);

		assert_eq!(ApplicationVotes::<T>::get(id).len() as u32, MAX_VOTES);
	}

	#[benchmark]
	fn reveal(v: Linear<1, MAX_VOTES>) {
		let (payer, _) = payer::<T>();
		let (id, observer) = voted::<T>(&payer, v);

		#[extrinsic_call]
		_(RawOrigin::Signed(observer), id, Observation::Controlled, SALT);

		assert_eq!(closed::<T>(id), Some(Outcome::Granted));
	}

	#[benchmark]
	fn close(v: Linear<1, MAX_VOTES>) {
		let (payer, _) = payer::<T>();
		let (id, observer) = voted::<T>(&payer, v);
		// The last vote is there and counts only now.
		ApplicationVotes::<T>::mutate(id, |votes| {
			let account = observer.clone().into();
			if let Some(vote) = votes.iter_mut().find(|vote| vote.observer == account) {
				vote.revealed = Some(Observation::Controlled);
			}
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id);

		assert_eq!(closed::<T>(id), Some(Outcome::Granted));
	}

	#[benchmark]
	fn endorse() {
		let (payer, organisation) = payer::<T>();
		Policy::<T>::put(CertificatePolicy {
			endorsers: Quorum { ov: 1, ev: 1 },
			..CertificatePolicy::default()
		});
		let id = certificate::<T>(&payer, organisation);
		let now = Pallet::<T>::now();
		for n in 1..=MAX_ENDORSEMENTS {
			let other = accredited::<T>(Office::Endorser, n, Level::Ev);
			let record = EndorsementRecord {
				endorser: other.into(),
				level: Level::Ev,
				digest: digest::<T>(id),
				evidence: Some([0; 32]),
				endorsed_at: now,
				// Only the last one is over, so that all are judged.
				expires_at: if n == MAX_ENDORSEMENTS { 0 } else { now + DAY },
				withdrawn: (n == MAX_ENDORSEMENTS).then_some((WithdrawalReason::FactsChanged, now)),
			};
			Endorsements::<T>::mutate(id, |list| {
				list.try_push(record).expect("there is room");
			});
		}
		let endorser = accredited::<T>(Office::Endorser, 0, Level::Ev);
		bonded::<T>(&endorser, MAX_UNBONDING);

		#[extrinsic_call]
		_(RawOrigin::Signed(endorser), id, Level::Ev, digest::<T>(id), Some([0; 32]), now + DAY);

		assert!(!OpenRenewals::<T>::contains_key(id, Renewal::Endorsement));
	}

	#[benchmark]
	fn withdraw_endorsement() {
		let (payer, organisation) = payer::<T>();
		let id = certificate::<T>(&payer, organisation);
		let endorser = accredited::<T>(Office::Endorser, 0, Level::Ev);
		let end = Pallet::<T>::now() + DAY;
		Pallet::<T>::do_endorse(endorser.clone(), id, Level::Ev, digest::<T>(id), None, end)
			.expect("the certificate is valid");
		Endorsements::<T>::mutate(id, |list| {
			let own = list[0];
			for n in 1..MAX_ENDORSEMENTS {
				let other = EndorsementRecord { endorser: [n as u8; 32], ..own };
				list.try_insert(0, other).expect("there is room");
			}
		});

		#[extrinsic_call]
		_(RawOrigin::Signed(endorser), id, WithdrawalReason::FactsChanged);

		assert!(Endorsements::<T>::get(id).iter().any(|it| it.withdrawn.is_some()));
	}

	#[benchmark]
	fn amend() {
		let (payer, organisation) = payer::<T>();
		let id = certificate::<T>(&payer, organisation);
		let name = DisplayName::truncate_from(vec![b'B'; 64]);

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id, Some(name.clone()));

		assert_eq!(Certificates::<T>::get(id).and_then(|it| it.display_name), Some(name));
	}

	#[benchmark]
	fn revoke() {
		let (payer, organisation) = payer::<T>();
		let id = certificate::<T>(&payer, organisation);

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id, RevocationReason::KeyCompromise);

		assert_eq!(CompromisedKeys::<T>::iter().count(), 1);
	}

	#[benchmark]
	fn suspend() {
		let (payer, organisation) = payer::<T>();
		let id = certificate::<T>(&payer, organisation);

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id);

		assert!(Certificates::<T>::get(id).is_some_and(|it| it.suspension.is_some()));
	}

	#[benchmark]
	fn release() {
		let (payer, organisation) = payer::<T>();
		let id = certificate::<T>(&payer, organisation);
		Pallet::<T>::suspend(RawOrigin::Signed(payer.clone()).into(), id)
			.expect("the payer acts for the holder");

		#[extrinsic_call]
		_(RawOrigin::Signed(payer), id);

		assert!(Certificates::<T>::get(id).is_some_and(|it| it.suspension.is_none()));
	}

	#[benchmark]
	fn accredit() -> Result<(), BenchmarkError> {
		let origin = T::AccreditationOrigin::try_successful_origin()
			.map_err(|_| BenchmarkError::Weightless)?;
		let (payer, organisation) = payer::<T>();
		bonded::<T>(&payer, MAX_UNBONDING);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Office::Endorser, payer.clone(), organisation, Level::Ev);

		assert!(Pallet::<T>::active(Office::Endorser, &payer).is_ok());
		Ok(())
	}

	#[benchmark]
	fn suspend_accreditation() -> Result<(), BenchmarkError> {
		let origin = T::AccreditationOrigin::try_successful_origin()
			.map_err(|_| BenchmarkError::Weightless)?;
		let who = accredited::<T>(Office::Endorser, 0, Level::Ev);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Office::Endorser, who.clone());

		assert!(Pallet::<T>::active(Office::Endorser, &who).is_err());
		Ok(())
	}

	#[benchmark]
	fn release_accreditation() -> Result<(), BenchmarkError> {
		let origin = T::AccreditationOrigin::try_successful_origin()
			.map_err(|_| BenchmarkError::Weightless)?;
		let who = accredited::<T>(Office::Endorser, 0, Level::Ev);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Office::Endorser, who.clone());

		assert!(Pallet::<T>::active(Office::Endorser, &who).is_err());
		Ok(())
	}

	#[benchmark]
	fn mark_compromised() -> Result<(), BenchmarkError> {
		let origin = T::AccreditationOrigin::try_successful_origin()
			.map_err(|_| BenchmarkError::Weightless)?;
		let who = accredited::<T>(Office::Endorser, 0, Level::Ev);
		let (_, organisation) = payer::<T>();
		Pallet::<T>::do_accredit(Office::Observer, who.clone(), organisation, Level::Dv)
			.expect("the organisation exists");

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, Office::Endorser, who.clone(), 0);

		assert!(Pallet::<T>::active(Office::Endorser, &who).is_err());
		assert!(Pallet::<T>::active(Office::Observer, &who).is_err());
		Ok(())
	}

	#[benchmark]
	fn set_policy() -> Result<(), BenchmarkError> {
		let origin =
			T::PolicyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, CertificatePolicy::default());

		assert!(Policy::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn set_fees() -> Result<(), BenchmarkError> {
		let origin =
			T::PolicyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, T::DefaultFees::get());

		assert!(Fees::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn bond() {
		let endorser = accredited::<T>(Office::Endorser, 0, Level::Ev);
		let unit = bonded::<T>(&endorser, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(endorser.clone()), unit);

		assert!(Bonds::<T>::get(&endorser).is_some_and(|it| it.active == unit * 101u32.into()));
	}

	/// The last part that there is room for, which leaves too little for the office.
	#[benchmark]
	fn unbond() {
		let endorser = accredited::<T>(Office::Endorser, 0, Level::Ev);
		let unit = bonded::<T>(&endorser, MAX_UNBONDING - 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(endorser.clone()), unit);

		assert!(Pallet::<T>::active(Office::Endorser, &endorser).is_err());
	}

	#[benchmark]
	fn withdraw_bond() {
		let endorser = accredited::<T>(Office::Endorser, 0, Level::Ev);
		bonded::<T>(&endorser, MAX_UNBONDING);
		skip::<T>(T::UnbondingPeriod::get() + 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(endorser.clone()));

		assert!(Bonds::<T>::get(&endorser).is_some_and(|it| it.unbonding.is_empty()));
	}

	/// All but the last unit: no part is left alone.
	#[benchmark]
	fn slash() -> Result<(), BenchmarkError> {
		let origin = T::AccreditationOrigin::try_successful_origin()
			.map_err(|_| BenchmarkError::Weightless)?;
		let endorser = accredited::<T>(Office::Endorser, 0, Level::Ev);
		let unit = bonded::<T>(&endorser, MAX_UNBONDING);
		let amount = unit * (100 + MAX_UNBONDING).into() - 1u32.into();
		let (reason, evidence) = (SlashReason::FalseStatement, [1; 32]);

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, endorser.clone(), amount, reason, evidence);

		assert!(Pallet::<T>::active(Office::Endorser, &endorser).is_err());
		assert_eq!(Slashes::<T>::get(&endorser, 0).map(|it| it.amount), Some(amount));
		Ok(())
	}

	#[benchmark]
	fn set_minimum_bond() -> Result<(), BenchmarkError> {
		let origin =
			T::PolicyOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		let minimum = T::Currency::minimum_balance();

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, minimum);

		assert_eq!(MinimumBond::<T>::get(), minimum);
		Ok(())
	}

	#[benchmark]
	fn clean_application() {
		let (payer, _) = payer::<T>();
		let (id, _) = voted::<T>(&payer, MAX_VOTES);
		let record = Applications::<T>::get(id).expect("it is open");
		Pallet::<T>::finish(id, record, Outcome::TimedOut).expect("the escrow is held");
		skip::<T>(T::ClosedRetention::get() + 1);

		#[block]
		{
			Pallet::<T>::clean_application();
		}

		assert!(!Applications::<T>::contains_key(id));
	}

	#[benchmark]
	fn clean_ending() {
		let day = 20_000;
		EndingCursor::<T>::put(day);
		EndingCount::<T>::insert(day, 2);
		Ending::<T>::insert(day, 1, CertificateId([0; 32]));

		#[block]
		{
			Pallet::<T>::clean_ending_before(day + 1);
		}

		assert_eq!(EndingCount::<T>::get(day), 1);
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::tests::mock::new_test_ext(),
		crate::tests::mock::Test
	);
}
