//! SSH certificates and CA keys.
//!
//! Certificates are those of OpenSSH (`PROTOCOL.certkeys`). Each gets a random serial number, so that one can be revoked
//! without telling how many there are, and never the number 0, which unnumbered certificates carry.

use dpki_primitives::key::KeyType;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rand_core::{OsRng, RngCore};
use ssh_key::{
	Certificate, HashAlg, PrivateKey, PublicKey,
	certificate::{Builder, CertType},
	public::{EcdsaPublicKey, Ed25519PublicKey, KeyData},
};

/// Why a key or a certificate is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SshError {
	/// It is no public key.
	#[error("this is no SSH public key ({0}): give the line of a .pub file")]
	PublicKey(String),
	/// It is no private key.
	#[error("this is no SSH private key ({0}): give an OpenSSH private key file")]
	PrivateKey(String),
	/// It is encrypted.
	#[error("the SSH private key is encrypted: give its passphrase")]
	PassphraseNeeded,
	/// It does not open.
	#[error("the SSH private key does not open with this passphrase: try again")]
	PassphraseWrong,
	/// The certificate would be good for everybody.
	#[error("a certificate without principals is good for every name: name at least one principal")]
	NoPrincipals,
	/// The certificate would never be valid.
	#[error("the certificate would end before it begins: check the times, they are in seconds")]
	Validity,
	/// The serial number is that of unnumbered certificates.
	#[error(
		"0 is the serial number of unnumbered certificates, which cannot be revoked: use another one"
	)]
	SerialZero,
	/// The certificate could not be signed.
	#[error("the certificate could not be signed ({0}): use an Ed25519 or P-256 CA key")]
	Signing(String),
}

/// The public key of a CA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaKey {
	/// Its wire encoding (RFC 4253 section 6.6), which is the material of the anchor.
	pub material: Vec<u8>,
	/// The key.
	pub key: PublicKey,
}

/// The CA key in a line of a `.pub` file.
pub fn parse_ca(openssh_public_key: &str) -> Result<CaKey, SshError> {
	let key = PublicKey::from_openssh(openssh_public_key.trim())
		.map_err(|error| SshError::PublicKey(error.to_string()))?;
	let material = key.to_bytes().map_err(|error| SshError::PublicKey(error.to_string()))?;
	Ok(CaKey { material, key })
}

/// The key that is the material of an anchor.
pub fn key_from_material(material: &[u8]) -> Result<PublicKey, SshError> {
	PublicKey::from_bytes(material).map_err(|error| SshError::PublicKey(error.to_string()))
}

/// The SSH form of a key on the chain: Ed25519, or P-256 with its point uncompressed.
pub fn from_public_key(key: &dpki_primitives::key::PublicKey) -> Result<PublicKey, SshError> {
	let refused = |reason: String| SshError::PublicKey(reason);
	let data = match key.key_type {
		KeyType::Ed25519 => <[u8; 32]>::try_from(&key.bytes[..])
			.map(|bytes| KeyData::Ed25519(Ed25519PublicKey(bytes)))
			.map_err(|error| refused(error.to_string()))?,
		KeyType::P256 => {
			let point = p256::PublicKey::from_sec1_bytes(&key.bytes)
				.map_err(|error| refused(error.to_string()))?
				.to_encoded_point(false);
			KeyData::Ecdsa(EcdsaPublicKey::NistP256(point))
		},
		other => return Err(refused(format!("OpenSSH has no {other:?} keys"))),
	};
	Ok(PublicKey::new(data, ""))
}

/// The form on the chain of an SSH key: the inverse of [`from_public_key`], P-256 with its point compressed. `None` for
/// algorithms that devices have no keys of, and for a point that is not on its curve.
pub fn to_public_key(key: &PublicKey) -> Option<dpki_primitives::key::PublicKey> {
	let (key_type, bytes) = match key.key_data() {
		KeyData::Ed25519(key) => (KeyType::Ed25519, key.0.to_vec()),
		KeyData::Ecdsa(key @ EcdsaPublicKey::NistP256(_)) => {
			let point = p256::PublicKey::from_sec1_bytes(key.as_sec1_bytes()).ok()?;
			(KeyType::P256, point.to_encoded_point(true).as_bytes().to_vec())
		},
		_ => return None,
	};
	dpki_primitives::key::PublicKey::new(key_type, &bytes)
}

/// The private key in an OpenSSH file.
pub fn load_private(pem: &str, passphrase: Option<&str>) -> Result<PrivateKey, SshError> {
	let key =
		PrivateKey::from_openssh(pem).map_err(|error| SshError::PrivateKey(error.to_string()))?;
	if !key.is_encrypted() {
		return Ok(key);
	}
	let passphrase = passphrase.ok_or(SshError::PassphraseNeeded)?;
	key.decrypt(passphrase).map_err(|error| match error {
		// A wrong passphrase shows in two numbers that are not the same, which `ssh-key` calls a cryptographic error.
		ssh_key::Error::Crypto => SshError::PassphraseWrong,
		error => SshError::PrivateKey(error.to_string()),
	})
}

/// The SHA2-256 of the wire encoding of a key, by which it is revoked.
pub fn fingerprint(key: &PublicKey) -> [u8; 32] {
	key.fingerprint(HashAlg::Sha256)
		.sha256()
		.expect("a SHA2-256 fingerprint was asked for")
}

/// The fingerprint as OpenSSH prints it: `SHA256:` and base64.
pub fn fingerprint_text(key: &PublicKey) -> String {
	key.fingerprint(HashAlg::Sha256).to_string()
}

/// What a user certificate says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserCertificate {
	/// By which it can be revoked; a random one from 1 to 2^63 - 1 if `None`.
	pub serial: Option<u64>,
	/// Appears in the log of the server.
	pub key_id: String,
	/// The names that it is good for.
	pub principals: Vec<String>,
	/// First valid second, since the Unix epoch.
	pub valid_from: u64,
	/// First second after its validity.
	pub valid_until: u64,
	/// What its holder may do, such as `permit-pty`.
	pub extensions: Vec<String>,
}

impl UserCertificate {
	/// The extensions that `ssh-keygen` gives if it is not told otherwise.
	pub const DEFAULT_EXTENSIONS: [&str; 5] = [
		"permit-X11-forwarding",
		"permit-agent-forwarding",
		"permit-port-forwarding",
		"permit-pty",
		"permit-user-rc",
	];
}

/// What a host certificate says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostCertificate {
	/// By which it can be revoked; a random one from 1 to 2^63 - 1 if `None`.
	pub serial: Option<u64>,
	/// Appears in the log of the client.
	pub key_id: String,
	/// The host names that it is good for.
	pub principals: Vec<String>,
	/// First valid second, since the Unix epoch.
	pub valid_from: u64,
	/// First second after its validity.
	pub valid_until: u64,
}

/// Signs a user certificate.
pub fn sign_user(
	ca: &PrivateKey,
	key: &PublicKey,
	content: &UserCertificate,
) -> Result<Certificate, SshError> {
	let common = Common {
		serial: content.serial,
		key_id: &content.key_id,
		principals: &content.principals,
		valid: content.valid_from..content.valid_until,
	};
	sign(ca, common.builder(key, CertType::User)?, &content.extensions)
}

/// Signs a host certificate.
pub fn sign_host(
	ca: &PrivateKey,
	key: &PublicKey,
	content: &HostCertificate,
) -> Result<Certificate, SshError> {
	let common = Common {
		serial: content.serial,
		key_id: &content.key_id,
		principals: &content.principals,
		valid: content.valid_from..content.valid_until,
	};
	sign(ca, common.builder(key, CertType::Host)?, &[])
}

/// What both kinds of certificates say.
struct Common<'a> {
	serial: Option<u64>,
	key_id: &'a str,
	principals: &'a [String],
	/// Seconds since the Unix epoch.
	valid: std::ops::Range<u64>,
}

impl Common<'_> {
	fn builder(&self, key: &PublicKey, cert_type: CertType) -> Result<Builder, SshError> {
		if self.principals.is_empty() {
			return Err(SshError::NoPrincipals);
		}
		if self.valid.is_empty() {
			return Err(SshError::Validity);
		}
		if self.serial == Some(0) {
			return Err(SshError::SerialZero);
		}
		let mut builder = Builder::new_with_random_nonce(
			&mut OsRng,
			key.key_data().clone(),
			self.valid.start,
			self.valid.end,
		)
		.map_err(|_| SshError::Validity)?;
		let mut fill = || -> ssh_key::Result<()> {
			let serial = self.serial.unwrap_or_else(random_serial);
			builder.serial(serial)?.cert_type(cert_type)?.key_id(self.key_id)?;
			for principal in self.principals {
				builder.valid_principal(principal)?;
			}
			Ok(())
		};
		fill().map_err(|error| SshError::Signing(error.to_string()))?;
		Ok(builder)
	}
}

fn sign(
	ca: &PrivateKey,
	mut builder: Builder,
	extensions: &[String],
) -> Result<Certificate, SshError> {
	for extension in extensions {
		builder
			.extension(extension, "")
			.map_err(|error| SshError::Signing(error.to_string()))?;
	}
	builder.sign(ca).map_err(|error| SshError::Signing(error.to_string()))
}

/// A random number from 1 to 2^63 - 1: tools that read serials as signed 64-bit numbers see a positive one.
fn random_serial() -> u64 {
	loop {
		let serial = OsRng.next_u64() >> 1;
		if serial != 0 {
			return serial;
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ssh_key::Algorithm;

	fn key(algorithm: Algorithm) -> PrivateKey {
		PrivateKey::random(&mut OsRng, algorithm).unwrap()
	}

	fn p256() -> Algorithm {
		Algorithm::Ecdsa { curve: ssh_key::EcdsaCurve::NistP256 }
	}

	fn content() -> UserCertificate {
		UserCertificate {
			serial: None,
			key_id: "alice@acme".into(),
			principals: vec!["ops".into(), "root".into()],
			valid_from: 1_000,
			valid_until: 2_000,
			extensions: UserCertificate::DEFAULT_EXTENSIONS.map(Into::into).to_vec(),
		}
	}

	#[test]
	fn a_user_certificate_says_what_was_asked() {
		for algorithm in [Algorithm::Ed25519, p256()] {
			let (ca, user) = (key(algorithm.clone()), key(algorithm));
			let certificate = sign_user(&ca, user.public_key(), &content()).unwrap();
			let certificate =
				Certificate::from_openssh(&certificate.to_openssh().unwrap()).unwrap();
			certificate.verify_signature().unwrap();
			let issuers = [ca.fingerprint(HashAlg::Sha256)];
			certificate.validate_at(1_500, &issuers).unwrap();
			assert!(certificate.validate_at(2_001, &issuers).is_err());
			assert_eq!(certificate.cert_type(), CertType::User);
			assert_eq!(certificate.valid_principals(), ["ops", "root"]);
			assert_eq!(certificate.key_id(), "alice@acme");
			assert_eq!(certificate.extensions().len(), 5);
			assert!((1..=i64::MAX as u64).contains(&certificate.serial()));
		}
	}

	#[test]
	fn a_host_certificate_has_no_extensions() {
		let (ca, host) = (key(Algorithm::Ed25519), key(Algorithm::Ed25519));
		let content = HostCertificate {
			serial: Some(4711),
			key_id: "drone-7".into(),
			principals: vec!["drone-7.acme.example".into()],
			valid_from: 1,
			valid_until: 2,
		};
		let certificate = sign_host(&ca, host.public_key(), &content).unwrap();
		assert_eq!(certificate.cert_type(), CertType::Host);
		assert_eq!(certificate.serial(), 4711);
		assert!(certificate.extensions().is_empty());
	}

	#[test]
	fn a_serial_number_is_the_chosen_one_or_random_and_never_that_of_unnumbered_certificates() {
		let ca = key(Algorithm::Ed25519);
		let serial = |serial| {
			let content = UserCertificate { serial, ..content() };
			sign_user(&ca, ca.public_key(), &content).map(|certificate| certificate.serial())
		};
		for chosen in [1, u64::MAX] {
			assert_eq!(serial(Some(chosen)), Ok(chosen));
		}
		assert_eq!(serial(Some(0)), Err(SshError::SerialZero));
		assert_ne!(serial(None).unwrap(), serial(None).unwrap());
	}

	#[test]
	fn no_certificate_is_good_for_every_name() {
		let ca = key(Algorithm::Ed25519);
		let content = UserCertificate { principals: vec![], ..content() };
		assert_eq!(sign_user(&ca, ca.public_key(), &content), Err(SshError::NoPrincipals));
	}

	#[test]
	fn no_certificate_ends_before_it_begins() {
		let ca = key(Algorithm::Ed25519);
		for valid_until in [0, 999, 1_000] {
			let content = UserCertificate { valid_until, ..content() };
			assert_eq!(sign_user(&ca, ca.public_key(), &content), Err(SshError::Validity));
		}
	}

	#[test]
	fn the_material_of_a_ca_is_its_wire_encoding() {
		let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti alice";
		let ca = parse_ca(line).unwrap();
		assert_eq!(&ca.material[..19], b"\0\0\0\x0bssh-ed25519\0\0\0\x20");
		assert_eq!(key_from_material(&ca.material).unwrap().key_data(), ca.key.key_data());
		assert_eq!(fingerprint(&ca.key), dpki_primitives::ids::BlobDigest::of(&ca.material).0);
		assert!(fingerprint_text(&ca.key).starts_with("SHA256:"));
		for text in ["", "hello", "ssh-ed25519 AAAA"] {
			assert!(matches!(parse_ca(text), Err(SshError::PublicKey(_))), "{text}");
		}
		assert!(key_from_material(&ca.material[1..]).is_err());
	}

	#[test]
	fn a_key_on_the_chain_is_the_key_in_its_file() {
		use crate::possession::{SigningKey, SoftwareKey};
		for key_type in [KeyType::Ed25519, KeyType::P256] {
			let key = SoftwareKey::generate(key_type).unwrap();
			let file = load_private(&key.to_openssh("").unwrap(), None).unwrap();
			let public = from_public_key(&key.public()).unwrap();
			assert_eq!(public.key_data(), file.public_key().key_data());
			assert_eq!(to_public_key(file.public_key()), Some(key.public()));
		}
		let sr25519 = SoftwareKey::generate(KeyType::Sr25519).unwrap().public();
		assert!(matches!(from_public_key(&sr25519), Err(SshError::PublicKey(_))));
	}

	#[test]
	fn a_key_that_no_device_can_have_has_no_form_on_the_chain() {
		// Uncompressed points: one of another curve, and one that lies beside P-256.
		let p384 = EcdsaPublicKey::from_sec1_bytes(&[&[4u8][..], &[1; 96]].concat()).unwrap();
		let beside = EcdsaPublicKey::from_sec1_bytes(&[&[4u8][..], &[1; 64]].concat()).unwrap();
		for key in [p384, beside] {
			let key = PublicKey::new(KeyData::Ecdsa(key), "");
			assert_eq!(to_public_key(&key), None, "{}", key.algorithm());
		}
	}

	#[test]
	fn an_encrypted_key_needs_its_passphrase() {
		let plain = key(Algorithm::Ed25519);
		let encrypted = plain.encrypt(&mut OsRng, "right").unwrap();
		let pem = encrypted.to_openssh(ssh_key::LineEnding::LF).unwrap();
		assert_eq!(load_private(&pem, Some("right")).unwrap(), plain);
		assert_eq!(load_private(&pem, None), Err(SshError::PassphraseNeeded));
		assert_eq!(load_private(&pem, Some("wrong")), Err(SshError::PassphraseWrong));
		assert!(matches!(load_private("hello", None), Err(SshError::PrivateKey(_))));
	}
}
