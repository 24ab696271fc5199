//! Applying for a certificate, and observing who applies: what is signed, what is looked for, what is hidden.

use crate::{
	AccountId,
	possession::{PossessionError, SigningKey},
};
use codec::{Decode, DecodeAll, Encode};
use dpki_primitives::{
	Moment,
	application::{
		CertificateRequest, MAX_REQUEST_LEN, Observation, Possession, RequestDer, commitment,
		request_challenge,
	},
	assurance::Level,
	context::{Action, SigningContext},
	ids::{ApplicationId, CertificateId, OrganisationId},
	key::{KeyType, PublicKey},
	subject::Subject,
};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rand_core::{OsRng, RngCore};
use std::{fmt, net::Ipv4Addr, net::Ipv6Addr, str::FromStr};
use zeroize::Zeroizing;

/// Where observers look for a challenge about a DNS name: in a TXT record of this label below the name, whose text is
/// the challenge in lower-case hexadecimal digits.
pub const CHALLENGE_LABEL: &str = "_dpki-challenge";

/// Where observers look for a challenge about an address: behind this path, by HTTP on port 80, for the same text.
pub const CHALLENGE_PATH: &str = "/.well-known/dpki-challenge";

/// Opens the text of a [`Draft`].
const DRAFT_PREFIX: &str = "dpki-draft1:";

/// Opens the text of a [`HiddenVote`].
const VOTE_PREFIX: &str = "dpki-vote1:";

/// Why an application or a vote cannot be read or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
	/// The text is not what this program has written.
	#[error("this is no {what} ({reason}): give the file that `{made_by}` made")]
	Malformed {
		/// What it should have been.
		what: &'static str,
		/// What is wrong with it.
		reason: String,
		/// The command that makes one.
		made_by: &'static str,
	},
	/// The file holds no public key that can be certified.
	#[error(
		"this is no public key that can be certified: give one of Ed25519 or P-256, as `openssl pkey -pubout` writes it"
	)]
	NotAPublicKey,
	/// A certification request is too long.
	#[error(
		"the certification request has {len} bytes, {MAX_REQUEST_LEN} are allowed: leave out what it does not need"
	)]
	RequestTooLong {
		/// How long it is.
		len: usize,
	},
}

/// An application before it is made: everything that the key agrees to.
///
/// The number of applications of the payer is part of it, so another application of the same account in between makes it
/// worthless.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Draft {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// Who applies and pays.
	pub payer: AccountId,
	/// How many applications it has made before, see [`View::application_nonce`](crate::View::application_nonce).
	pub nonce: u64,
	/// Last moment at which the proof is accepted, a day from now at most.
	pub expires_at: Moment,
	/// What is applied for.
	pub request: CertificateRequest,
}

impl Draft {
	/// The id of the application, once it is made.
	pub fn application(&self) -> ApplicationId {
		ApplicationId::of(&self.payer, self.nonce)
	}

	/// The id of the certificate, if it is granted.
	pub fn certificate(&self) -> CertificateId {
		CertificateId::of(self.application())
	}

	/// The proof by the key itself, which has to be the one in the request.
	pub fn sign(&self, key: &dyn SigningKey) -> Result<Possession, PossessionError> {
		key.sign(&self.payload()).map(Possession::Signature)
	}

	/// The proof by a PKCS#10 request in DER, which has to carry [`Self::challenge`]. The chain verifies it.
	pub fn with_request(&self, der: &[u8]) -> Result<Possession, CertificateError> {
		RequestDer::try_from(der.to_vec())
			.map(Possession::Request)
			.map_err(|_| CertificateError::RequestTooLong { len: der.len() })
	}

	/// The `challengePassword` of a PKCS#10 request that stands for a signature.
	pub fn challenge(&self) -> String {
		hex::encode(request_challenge(&self.payload()))
	}

	/// A configuration by which `openssl req -new -config` makes that request.
	pub fn openssl_config(&self) -> String {
		let alternative = match &self.request.subject {
			Subject::Dns(name) => Some(format!("DNS:{}", String::from_utf8_lossy(name))),
			Subject::Ipv4(address) => Some(format!("IP:{}", Ipv4Addr::from(*address))),
			Subject::Ipv6(address) => Some(format!("IP:{}", Ipv6Addr::from(*address))),
			_ => None,
		};
		let (wanted, extensions) = match alternative {
			Some(name) => (
				"req_extensions = extensions\n",
				format!("\n[extensions]\nsubjectAltName = {name}\n"),
			),
			None => ("", String::new()),
		};
		format!(
			"[req]\nprompt = no\nstring_mask = utf8only\ndistinguished_name = name\n\
			 attributes = attributes\n{wanted}\n[name]\ncommonName = {}\n\n\
			 [attributes]\nchallengePassword = {}\n{extensions}",
			self.request.subject.common_name(),
			self.challenge(),
		)
	}

	fn payload(&self) -> Vec<u8> {
		let Self { genesis, payer, nonce, expires_at, .. } = *self;
		let action = Action::ApplyForCertificate { payer, request: self.request.digest() };
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}
}

impl fmt::Display for Draft {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{DRAFT_PREFIX}{}", hex::encode(self.encode()))
	}
}

impl FromStr for Draft {
	type Err = CertificateError;

	fn from_str(text: &str) -> Result<Self, CertificateError> {
		read(text, DRAFT_PREFIX, "draft of an application", "dpki certificate draft")
	}
}

/// What an observer saw, with the salt that hides it until it is revealed.
#[derive(Encode, Decode)]
pub struct HiddenVote {
	genesis: [u8; 32],
	/// On which application.
	pub application: ApplicationId,
	/// Who observed.
	pub observer: AccountId,
	/// What it saw.
	pub observation: Observation,
	salt: [u8; 32],
}

impl Drop for HiddenVote {
	fn drop(&mut self) {
		zeroize::Zeroize::zeroize(&mut self.salt);
	}
}

impl HiddenVote {
	/// A vote with a new salt.
	pub fn new(
		genesis: [u8; 32],
		application: ApplicationId,
		observer: AccountId,
		observation: Observation,
	) -> Self {
		let mut salt = [0; 32];
		OsRng.fill_bytes(&mut salt);
		Self { genesis, application, observer, observation, salt }
	}

	/// Whether it was made for this chain.
	pub fn is_of(&self, genesis: &[u8; 32]) -> bool {
		self.genesis == *genesis
	}

	/// What goes to the chain first.
	pub fn commitment(&self) -> [u8; 32] {
		commitment(self.application, &self.observer, self.observation, &self.salt)
	}

	/// What goes to the chain when nobody can commit any more.
	pub fn salt(&self) -> [u8; 32] {
		self.salt
	}

	/// The vote as it is kept in between: a secret until it is revealed.
	pub fn to_text(&self) -> Zeroizing<String> {
		let bytes = Zeroizing::new(self.encode());
		Zeroizing::new(format!("{VOTE_PREFIX}{}", *Zeroizing::new(hex::encode(&*bytes))))
	}
}

impl FromStr for HiddenVote {
	type Err = CertificateError;

	fn from_str(text: &str) -> Result<Self, CertificateError> {
		read(text, VOTE_PREFIX, "vote of an observer", "dpki observer commit")
	}
}

fn read<T: Decode>(
	text: &str,
	prefix: &str,
	what: &'static str,
	made_by: &'static str,
) -> Result<T, CertificateError> {
	let malformed = |reason: String| CertificateError::Malformed { what, reason, made_by };
	let digits = text
		.trim()
		.strip_prefix(prefix)
		.ok_or_else(|| malformed(format!("it does not begin with {prefix}")))?;
	let bytes = hex::decode(digits).map_err(|error| malformed(error.to_string()))?;
	let bytes = Zeroizing::new(bytes);
	T::decode_all(&mut &bytes[..]).map_err(|error| malformed(error.to_string()))
}

/// The public key in PEM (`SubjectPublicKeyInfo`), in the form that the chain gives it.
pub fn public_key_from_pem(pem: &str) -> Result<PublicKey, CertificateError> {
	use p256::pkcs8::DecodePublicKey;
	if let Ok(key) = p256::PublicKey::from_public_key_pem(pem) {
		let point = key.to_encoded_point(true);
		return PublicKey::new(KeyType::P256, point.as_bytes())
			.ok_or(CertificateError::NotAPublicKey);
	}
	let key = {
		use ed25519_dalek::pkcs8::DecodePublicKey;
		ed25519_dalek::VerifyingKey::from_public_key_pem(pem)
			.map_err(|_| CertificateError::NotAPublicKey)?
	};
	PublicKey::new(KeyType::Ed25519, key.as_bytes()).ok_or(CertificateError::NotAPublicKey)
}

/// The public key of a `SubjectPublicKeyInfo` in DER, in the form that the chain gives it; `None` for keys that it does
/// not know in this form.
pub fn public_key_from_spki(der: &[u8]) -> Option<PublicKey> {
	use p256::pkcs8::DecodePublicKey as _;
	if let Ok(key) = p256::PublicKey::from_public_key_der(der) {
		return PublicKey::new(KeyType::P256, key.to_encoded_point(true).as_bytes());
	}
	let key = {
		use ed25519_dalek::pkcs8::DecodePublicKey as _;
		ed25519_dalek::VerifyingKey::from_public_key_der(der).ok()?
	};
	PublicKey::new(KeyType::Ed25519, key.as_bytes())
}

/// The price of one application, in the smallest unit. Parts that an application has no need of are not charged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Price {
	/// For the validators, earned when the application is granted.
	pub network: u128,
	/// For the observers together.
	pub observation: u128,
	/// For each of the endorsers that the policy asks for.
	pub endorsement: u128,
}

/// A price for each level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct LevelPrices {
	/// For DV.
	pub dv: Price,
	/// For OV.
	pub ov: Price,
	/// For EV.
	pub ev: Price,
}

impl LevelPrices {
	/// The price at a level.
	pub fn at(&self, level: Level) -> &Price {
		match level {
			Level::Dv => &self.dv,
			Level::Ov => &self.ov,
			Level::Ev => &self.ev,
		}
	}

	/// The price at a level, to be changed.
	pub fn at_mut(&mut self, level: Level) -> &mut Price {
		match level {
			Level::Dv => &mut self.dv,
			Level::Ov => &mut self.ov,
			Level::Ev => &mut self.ev,
		}
	}
}

/// What everything costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct FeeSchedule {
	/// Whether everything below counts as zero, for strangers too. On a feeless chain it does for trustees and members of
	/// organisations, whatever this says.
	pub feeless: bool,
	/// On hold while an application is open.
	pub deposit: u128,
	/// For a new certificate.
	pub issue: LevelPrices,
	/// For proving control again.
	pub control: LevelPrices,
	/// For being endorsed again.
	pub endorsement: LevelPrices,
}

/// What the payer of an open application has on hold for it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Escrow {
	/// Held for the state.
	pub deposit: u128,
	/// The validators' share.
	pub network: u128,
	/// The observers' share.
	pub observation: u128,
	/// The share of each endorser.
	pub endorsement: u128,
	/// How many endorsers can still be paid.
	pub endorsements_left: u32,
	/// The organisations whose endorsement was paid.
	pub paid: Vec<OrganisationId>,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::SoftwareKey;
	use dpki_primitives::certificate::Holder;

	fn draft(subject: Subject, key: &SoftwareKey) -> Draft {
		let request = CertificateRequest {
			subject,
			holder: Holder::Account([2; 32]),
			level: Level::Dv,
			key: key.public(),
			display_name: None,
			not_after: 9,
		};
		Draft { genesis: [1; 32], payer: [2; 32], nonce: 3, expires_at: 4, request }
	}

	fn key() -> SoftwareKey {
		SoftwareKey::generate(KeyType::Ed25519).unwrap()
	}

	fn dns(name: &str) -> Subject {
		Subject::Dns(name.as_bytes().to_vec().try_into().unwrap())
	}

	#[test]
	fn a_draft_is_read_as_it_was_written() {
		let draft = draft(dns("drone.example"), &key());
		assert_eq!(draft.to_string().parse(), Ok(draft.clone()));
		assert_eq!(format!("{draft}\n").parse(), Ok(draft.clone()));
		let text = draft.to_string();
		for wrong in ["", "dpki-draft1:", &text[1..], &text[..text.len() - 2], &format!("{text}00")]
		{
			let error = wrong.parse::<Draft>().unwrap_err();
			assert!(error.to_string().contains("dpki certificate draft"), "{error}");
		}
	}

	#[test]
	fn the_key_signs_everything_that_is_applied_for() {
		let key = key();
		let first = draft(dns("drone.example"), &key);
		let Ok(Possession::Signature(signature)) = first.sign(&key) else { panic!("it signs") };
		let public = ed25519_dalek::VerifyingKey::try_from(&key.public().bytes[..]).unwrap();
		let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
		let verifies = |draft: &Draft| public.verify_strict(&draft.payload(), &signature).is_ok();
		assert!(verifies(&first));
		let mut others = vec![first.clone(); 5];
		others[0].genesis = [9; 32];
		others[1].payer = [9; 32];
		others[2].nonce = 9;
		others[3].expires_at = 9;
		others[4].request.not_after = 10;
		for other in others {
			assert!(!verifies(&other));
			assert_ne!(other.challenge(), first.challenge());
		}
	}

	#[test]
	fn openssl_is_told_name_and_challenge() {
		let key = key();
		let config = draft(dns("drone.example"), &key).openssl_config();
		for line in
			["commonName = drone.example", "subjectAltName = DNS:drone.example", "prompt = no"]
		{
			assert!(config.lines().any(|it| it == line), "no {line} in {config}");
		}
		let draft = draft(Subject::Person([7; 32]), &key);
		let config = draft.openssl_config();
		let line = format!("challengePassword = {}", draft.challenge());
		assert!(config.contains(&line) && !config.contains("subjectAltName"), "{config}");
	}

	#[test]
	fn a_hidden_vote_is_kept_and_opens_its_commitment() {
		let seen = Observation::NotControlled;
		let vote = HiddenVote::new([1; 32], ApplicationId([2; 32]), [3; 32], seen);
		let kept: HiddenVote = vote.to_text().parse().unwrap();
		assert_eq!(kept.commitment(), vote.commitment());
		assert!(kept.is_of(&[1; 32]) && !kept.is_of(&[9; 32]));
		let again = HiddenVote::new([1; 32], ApplicationId([2; 32]), [3; 32], seen);
		assert_ne!(again.commitment(), vote.commitment());
		assert!("dpki-vote1:00".parse::<HiddenVote>().is_err());
	}

	#[test]
	fn public_keys_are_read_from_pem() {
		use p256::pkcs8::EncodePublicKey;
		let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
		let pem = secret.public_key().to_public_key_pem(Default::default()).unwrap();
		let key = public_key_from_pem(&pem).unwrap();
		assert_eq!((key.key_type, key.bytes.len()), (KeyType::P256, 33));
		let pem = "-----BEGIN PUBLIC KEY-----\n\
			MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
		assert_eq!(public_key_from_pem(pem).unwrap().key_type, KeyType::Ed25519);
		assert_eq!(public_key_from_pem("nothing"), Err(CertificateError::NotAPublicKey));
	}
}
