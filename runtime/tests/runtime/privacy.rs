// SPDX-License-Identifier: Apache-2.0

//! What is known of people and machines off the chain does not come onto it.

use crate::{
	common::{account, build_block, chain, origin, signed},
	requests::{Applicant, challenge},
};
use codec::Encode;
use dpki_primitives::{
	Moment,
	application::{CertificateRequest, Possession, request_challenge},
	assurance::Level,
	certificate::{Holder, Office},
	context::{Action, Registrant, SigningContext},
	device::NewDevice,
	ids::{ApplicationId, CertificateId, DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, KeyType, NewKey, PublicKey, Signature},
	organisation::OrganisationKind,
	revocation::RevocationReason,
	status::Status,
	subject::Subject,
};
use dpki_runtime::{
	Certificates, Runtime, RuntimeCall, RuntimeOrigin, System,
	dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
	genesis_config_presets::{LOCAL_PRESET, MINIMUM_BOND},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::{Pair as _, ed25519};
use sp_io::hashing::{blake2_256, sha2_256};
use sp_keyring::Sr25519Keyring::{self, Dave, Eve, Ferdie};

/// What an applicant shows an endorser, and what a maker has on file of a machine.
const KNOWN: [&str; 5] = [
	"Erika Mustermann",
	"erika@mustermann.example",
	"born 1964-08-12",
	"passport T22000129",
	"airframe 0042-7781",
];
/// What keeps anybody from finding out by trying.
const SALT: [u8; 32] = [0x5a; 32];
const DAY: Moment = 24 * 60 * 60 * 1000;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

fn unit() -> DeviceId {
	DeviceId::from_name(acme(), b"unit-1")
}

fn now() -> Moment {
	pallet_timestamp::Now::<Runtime>::get()
}

/// The last moment of signatures that are made now.
fn expires_at() -> Moment {
	now() + 60_000
}

/// By what the chain knows something that it is not to know: a hash over a salt, as `dpki subject person` makes it.
fn salted(known: &str) -> [u8; 32] {
	blake2_256(&(b"dpki/person/1".as_slice(), SALT, known).encode())
}

fn pair(seed: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
	PublicKey::new(KeyType::Ed25519, &pair(seed).public().0).unwrap()
}

fn payload(action: Action, nonce: u64) -> Vec<u8> {
	let genesis = System::block_hash(0).into();
	SigningContext { genesis, action, nonce, expires_at: expires_at() }.payload()
}

fn request(subject: Subject, holder: Holder, level: Level, key: PublicKey) -> CertificateRequest {
	let not_after = now() + 60 * DAY;
	CertificateRequest { subject, holder, level, key, display_name: None, not_after }
}

/// What the key of a request signs for this payer.
fn application(payer: Sr25519Keyring, request: &CertificateRequest) -> Vec<u8> {
	let action =
		Action::ApplyForCertificate { payer: account(payer).into(), request: request.digest() };
	payload(action, Runtime::application_nonce(account(payer)))
}

/// A request by OpenSSL for the person, whose name in it has these parts.
fn certification_request(
	applicant: &Applicant,
	request: &CertificateRequest,
	parts: &str,
) -> Possession {
	let challenge = challenge(&request_challenge(&application(Ferdie, request)));
	let name = format!("CN = {}{parts}", request.subject.common_name());
	Possession::Request(applicant.request(&name, &challenge, "").try_into().unwrap())
}

/// What anybody has seen who has read every block.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Seen {
	/// Has a call of this account carried out in a block.
	fn send(&mut self, who: Sr25519Keyring, call: impl Into<RuntimeCall>) {
		let transaction = signed(who, call.into());
		self.0.extend(transaction.encode());
		build_block([transaction]);
		self.0.extend(System::events().encode());
	}

	fn found(&mut self, who: Sr25519Keyring, name: &[u8]) {
		let (name, kind) = (name.to_vec().try_into().unwrap(), OrganisationKind::TestLab);
		self.send(who, pallet_organisations::Call::create { name, kind });
	}

	/// Applies for what is granted at once.
	fn apply(
		&mut self,
		payer: Sr25519Keyring,
		request: CertificateRequest,
		possession: Possession,
	) -> CertificateId {
		let nonce = Runtime::application_nonce(account(payer));
		let expires_at = expires_at();
		let call = pallet_certificates::Call::apply { request, possession, expires_at };
		self.send(payer, call);
		let id = CertificateId::of(ApplicationId::of(&account(payer).into(), nonce));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
		id
	}

	fn apply_by_signature(
		&mut self,
		payer: Sr25519Keyring,
		request: CertificateRequest,
		seed: u8,
	) -> CertificateId {
		let signature = pair(seed).sign(&application(payer, &request)).0.to_vec();
		let possession = Possession::Signature(Signature::truncate_from(signature));
		self.apply(payer, request, possession)
	}

	/// Registers the device `unit-1`.
	fn register_unit(&mut self, seed: u8) {
		let (purpose, key) = (KeyPurpose::Sign, KeyId::of(&public(seed)));
		let registrant = Registrant::Account(account(Eve).into());
		let action =
			Action::PossessKey { registrant, device: unit(), purpose, key, not_after: None };
		let possession = pair(seed).sign(&payload(action, 0)).0.to_vec().try_into().unwrap();
		let key = NewKey { purpose, public: public(seed), not_after: None, possession };
		let name = b"unit-1".to_vec().try_into().unwrap();
		let device = NewDevice { name, keys: vec![key].try_into().unwrap() };
		let (organisation, expires_at) = (acme(), expires_at());
		let devices = vec![device].try_into().unwrap();
		self.send(Eve, pallet_dpki::Call::register_batch { organisation, devices, expires_at });
	}

	/// All of this, and every key and every value of the state.
	fn with_state(self) -> Vec<u8> {
		let (mut all, mut last) = (self.0, Vec::new());
		while let Some(key) = sp_io::storage::next_key(&last) {
			all.extend(&key);
			all.extend(sp_io::storage::get(&key).expect("the key has a value"));
			last = key;
		}
		all
	}
}

fn contains(all: &[u8], part: &[u8]) -> bool {
	all.windows(part.len()).any(|window| window == part)
}

/// What would tell a text to whoever has it or guesses it: itself, its hexadecimal digits, and its hashes without a salt.
fn traces(text: &str) -> Vec<Vec<u8>> {
	let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
	let hashes = [blake2_256(text.as_bytes()), sha2_256(text.as_bytes())];
	[text.to_owned(), text.to_lowercase(), text.to_uppercase(), digits]
		.map(String::into_bytes)
		.into_iter()
		.chain(hashes.map(Vec::from))
		.collect()
}

/// A pseudonym, a person whose papers an endorser has seen, and a machine with a file at its maker.
#[test]
fn nothing_that_is_known_of_people_and_machines_is_in_the_state() {
	chain(LOCAL_PRESET).execute_with(|| {
		let mut seen = Seen::default();
		seen.found(Eve, b"acme");
		seen.found(Dave, b"notary");
		seen.send(Dave, pallet_certificates::Call::bond { amount: MINIMUM_BOND });
		let notary = OrganisationId::from_name(b"notary");
		let (office, root) = (Office::Endorser, RuntimeOrigin::root());
		assert_ok!(Certificates::accredit(root, office, account(Dave), notary, Level::Ov));
		let ferdie = Holder::Account(account(Ferdie).into());

		let subject = Subject::Pseudonym(KeyId::of(&public(1)));
		seen.apply_by_signature(Ferdie, request(subject, ferdie, Level::Dv, public(1)), 1);

		let person = salted(&KNOWN[..4].join(", "));
		let applicant = Applicant::new(KeyType::P256);
		let key = applicant.key.clone();
		let wanted = request(Subject::Person(person), ferdie, Level::Ov, key);
		// A block holds whatever somebody puts into it. Of this, nothing but that block would.
		let told = format!("\nemailAddress = {}", KNOWN[1]);
		let telling = certification_request(&applicant, &wanted, &told);
		assert_noop!(
			Certificates::apply(origin(Ferdie), wanted.clone(), telling, expires_at()),
			pallet_certificates::Error::<Runtime>::RequestInvalid
		);
		let possession = certification_request(&applicant, &wanted, "");
		let certificate = seen.apply(Ferdie, wanted, possession);
		let papers = salted(KNOWN[3]);
		seen.send(
			Dave,
			pallet_certificates::Call::endorse {
				certificate,
				level: Level::Ov,
				digest: Runtime::certificate(certificate).digest.expect("it was granted"),
				evidence: Some(papers),
				expires_at: now() + 30 * DAY,
			},
		);

		seen.register_unit(2);
		let of_acme = Holder::Organisation(acme());
		let machine = request(Subject::Device(unit()), of_acme, Level::Dv, public(3));
		seen.apply_by_signature(Eve, machine, 3);
		let reason = RevocationReason::PrivilegeWithdrawn;
		seen.send(Ferdie, pallet_certificates::Call::revoke { certificate, reason });

		let all = seen.with_state();
		// It would be found if it were there.
		for part in [&b"notary"[..], b"unit-1", &person, &papers, &public(1).bytes] {
			assert!(contains(&all, part), "{part:?}");
		}
		for text in KNOWN {
			for trace in traces(text) {
				assert!(!contains(&all, &trace), "{text}: {trace:?}");
			}
		}
		assert!(!contains(&all, &SALT), "the salt is for those who are to know the person");
	});
}
