// SPDX-License-Identifier: Apache-2.0

//! Certification requests that the `openssl` command makes, and what of them is accepted.

use crate::common::{account, chain, origin};
use dpki_primitives::{
	application::{CertificateRequest, Possession, RequestVerifier, request_challenge},
	assurance::Level,
	certificate::Holder,
	context::{Action, SigningContext},
	ids::{ApplicationId, CertificateId, OrganisationId},
	key::{KeyType, PublicKey},
	organisation::OrganisationKind,
	status::Status,
	subject::Subject,
};
use dpki_runtime::{Certificates, Organisations, Runtime, requests::Pkcs10};
use frame_support::{assert_noop, assert_ok};
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

const CHALLENGE: [u8; 32] = [0xab; 32];

/// A folder with a key of OpenSSL's.
pub struct Applicant {
	folder: TempDir,
	/// Its public half.
	pub key: PublicKey,
}

impl Applicant {
	/// One with a new key.
	pub fn new(key_type: KeyType) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let (make, show) = match key_type {
			KeyType::Ed25519 => ("genpkey -algorithm ED25519", "pkey"),
			_ => ("ecparam -name prime256v1 -genkey -noout", "ec -conv_form compressed"),
		};
		openssl(folder.path(), &format!("{make} -out key.pem"));
		let info = openssl(folder.path(), &format!("{show} -in key.pem -pubout -outform DER"));
		let bytes = &info[info.len() - key_type.public_lens().start()..];
		let key = PublicKey::new(key_type, bytes).unwrap();
		Self { folder, key }
	}

	/// A request with these lines of configuration: name, attributes, extensions.
	pub fn request(&self, name: &str, attributes: &str, extensions: &str) -> Vec<u8> {
		let wanted = if extensions.is_empty() { "" } else { "req_extensions = extensions" };
		let configuration = format!(
			"[req]\nprompt = no\ndistinguished_name = name\nattributes = attributes\n{wanted}\n\
			 [name]\n{name}\n[attributes]\n{attributes}\n[extensions]\n{extensions}\n"
		);
		fs::write(self.folder.path().join("request.cnf"), configuration).unwrap();
		openssl(
			self.folder.path(),
			"req -new -key key.pem -config request.cnf -outform DER -sha256",
		)
	}

	/// A request as it has to be, but for its name and extensions.
	fn challenged(&self, name: &str, extensions: &str) -> Vec<u8> {
		self.request(name, &challenge(&CHALLENGE), extensions)
	}

	fn is_valid(&self, request: &[u8], subject: &Subject) -> bool {
		Pkcs10::is_valid(request, &self.key, subject, &CHALLENGE)
	}
}

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
	let output = Command::new("openssl")
		.args(arguments.split(' '))
		.current_dir(folder)
		.output()
		.expect("openssl is installed: scripts/setup sees to it");
	assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
	output.stdout
}

/// The attribute by which a request is made for one occasion.
pub fn challenge(challenge: &[u8; 32]) -> String {
	let digits: String = challenge.iter().map(|byte| format!("{byte:02x}")).collect();
	format!("challengePassword = {digits}")
}

fn dns(name: &str) -> Subject {
	Subject::Dns(name.as_bytes().to_vec().try_into().unwrap())
}

#[test]
fn requests_by_openssl_are_accepted_by_either_type_of_key() {
	for key_type in [KeyType::Ed25519, KeyType::P256] {
		let applicant = Applicant::new(key_type);
		let subject = dns("drone.example");
		for (name, extensions) in [
			("CN = drone.example", ""),
			("CN = drone.example", "subjectAltName = DNS:drone.example"),
			("CN = drone.example", "subjectAltName = DNS:Drone.example"),
			("CN = drone.example", "keyUsage = digitalSignature"),
		] {
			let request = applicant.challenged(name, extensions);
			assert!(applicant.is_valid(&request, &subject), "{key_type:?} {name} {extensions}");
		}
	}
}

#[test]
fn a_subject_of_any_kind_has_its_name_in_a_request() {
	let applicant = Applicant::new(KeyType::Ed25519);
	let acme = OrganisationId::from_name(b"acme");
	let long = dns(&format!("{}.example", "x".repeat(63)));
	let alternative = format!("subjectAltName = DNS:{}.example", "x".repeat(63));
	for (subject, extensions) in [
		(Subject::Ipv4([9, 9, 9, 9]), "subjectAltName = IP:9.9.9.9"),
		(Subject::Ipv6([0x26; 16]), ""),
		(Subject::Uuid([0x8b; 16]), ""),
		(Subject::Person([7; 32]), ""),
		(Subject::Organisation(acme), ""),
		(long, &alternative),
	] {
		let name = format!("CN = {}", subject.common_name());
		let request = applicant.challenged(&name, extensions);
		assert!(applicant.is_valid(&request, &subject), "{name}");
		assert!(!applicant.is_valid(&request, &dns("other.example")), "{name}");
	}
}

#[test]
fn a_request_that_names_anything_else_is_refused() {
	let applicant = Applicant::new(KeyType::P256);
	let subject = dns("drone.example");
	for (name, extensions) in [
		("CN = other.example", ""),
		("CN = DRONE.example", ""),
		("O = drone.example", ""),
		("CN = drone.example\nO = Acme", ""),
		("CN = drone.example\n0.CN = other.example", ""),
		("CN = drone.example", "subjectAltName = DNS:other.example"),
		("CN = drone.example", "subjectAltName = DNS:drone.example,DNS:other.example"),
		("CN = drone.example", "subjectAltName = DNS:*.drone.example"),
		("CN = drone.example", "subjectAltName = DNS:drone.example,IP:9.9.9.9"),
		("CN = drone.example", "subjectAltName = email:root@drone.example"),
		("CN = drone.example", "basicConstraints = CA:TRUE"),
	] {
		let request = applicant.challenged(name, extensions);
		assert!(!applicant.is_valid(&request, &subject), "{name} {extensions}");
	}
}

#[test]
fn a_request_for_another_occasion_is_refused() {
	let applicant = Applicant::new(KeyType::Ed25519);
	let (subject, name) = (dns("drone.example"), "CN = drone.example");
	let upper = challenge(&CHALLENGE).replace('a', "A");
	for attributes in [
		challenge(&[0xac; 32]),
		format!("{}0", challenge(&CHALLENGE)),
		upper.replace("chAllengePAssword", "challengePassword"),
		String::new(),
		format!("{}\nunstructuredName = more", challenge(&CHALLENGE)),
	] {
		let request = applicant.request(name, &attributes, "");
		assert!(!applicant.is_valid(&request, &subject), "{attributes}");
	}
}

#[test]
fn a_request_of_another_key_is_refused() {
	let (applicant, other) = (Applicant::new(KeyType::Ed25519), Applicant::new(KeyType::Ed25519));
	let (subject, name) = (dns("drone.example"), "CN = drone.example");
	let request = applicant.challenged(name, "");
	assert!(!other.is_valid(&request, &subject));
	let mut forged = request.clone();
	*forged.last_mut().unwrap() ^= 1;
	assert!(!applicant.is_valid(&forged, &subject));
	assert!(!applicant.is_valid(&[&request[..], &[0]].concat(), &subject));
	assert!(!applicant.is_valid(b"", &subject));
	// Keys of this type have no place in X.509.
	let key = PublicKey::new(KeyType::Sr25519, &applicant.key.bytes).unwrap();
	assert!(!Pkcs10::is_valid(&request, &key, &subject, &CHALLENGE));
}

#[test]
fn an_organisation_is_certified_on_a_request_made_for_this_one_application() {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		let now = 1_800_000_000_000;
		pallet_timestamp::Now::<Runtime>::put(now);
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Alice), name, OrganisationKind::Manufacturer));
		let acme = OrganisationId::from_name(b"acme");
		let applicant = Applicant::new(KeyType::P256);
		let request = CertificateRequest {
			subject: Subject::Organisation(acme),
			holder: Holder::Organisation(acme),
			level: Level::Ov,
			key: applicant.key.clone(),
			display_name: Some(b"Acme Drones".to_vec().try_into().unwrap()),
			not_after: now + 1_000_000,
		};
		let expires_at = now + 60_000;
		let made_by = |payer| {
			let action = Action::ApplyForCertificate { payer, request: request.digest() };
			let genesis = frame_system::BlockHash::<Runtime>::get(0).0;
			let context = SigningContext { genesis, action, nonce: 0, expires_at };
			let challenge = challenge(&request_challenge(&context.payload()));
			let name = format!("CN = {}", request.subject.common_name());
			let der = applicant.request(&name, &challenge, "");
			Possession::Request(der.try_into().unwrap())
		};
		let apply = |possession| {
			Certificates::apply(origin(Alice), request.clone(), possession, expires_at)
		};
		assert_noop!(
			apply(made_by(account(Bob).into())),
			pallet_certificates::Error::<Runtime>::RequestInvalid
		);
		assert_ok!(apply(made_by(account(Alice).into())));
		let id = CertificateId::of(ApplicationId::of(&account(Alice).into(), 0));
		assert_eq!(Certificates::certificate_status(id), Status::Valid);
	});
}
