//! What a device asks a CA for, signed by the device.
//!
//! A device makes its keys itself and asks for certificates about them. The request carries no secret: it names the device
//! that the chain knows, and the CA believes the signature because it finds the signing key on the chain. What comes back
//! is delivered like everything else.
//!
//! A device [files](Filed) it on the chain, or somebody carries it as a text: `dpki-request1:` and base64 (RFC 4648
//! section 5, without padding) of the fields in SCALE.

mod filed;
mod user;

pub use filed::{Filed, filing_word, sign_withdrawal};

use crate::{
	names::{InvalidName, NameKind},
	possession::{PossessionError, SigningKey},
};
use codec::{Decode, DecodeAll, Encode};
use data_encoding::BASE64URL_NOPAD;
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext, is_expiry_acceptable},
	ids::{DeviceId, KeyId},
	key::{KeyType, PublicKey, Signature},
};
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

const PREFIX: &str = "dpki-request1:";

/// Most names of a host, and most principals of a user.
const MAX_NAMES: usize = 32;

/// Longest request for a TLS certificate (PKCS#10) in bytes.
const MAX_CSR_LEN: usize = 8 * 1024;

/// Why a text is no request, or one that nobody should answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
	/// It does not begin like one.
	#[error(
		"this is no request of a device: one begins with `{PREFIX}`, as `dpki-agent request` makes it"
	)]
	Prefix,
	/// It does not read as one.
	#[error("the request was copied wrongly: copy it again from `{PREFIX}` to its end")]
	Malformed,
	/// The chain would not take it.
	#[error(
		"the request is too long for the chain: ask for fewer names, or have it carried with --print"
	)]
	TooLong,
	/// A name in it breaks the rule for its kind.
	#[error(transparent)]
	Name(#[from] InvalidName),
	/// It was made for another chain.
	#[error("the request was made for another chain: give --url and --genesis of that one")]
	OtherChain,
	/// Its time is over, or it was to be good for too long.
	#[error("the time of the request is over: have the device make it again")]
	Expired,
	/// It was not signed by this key.
	#[error(
		"the request is not signed by the signing key that the chain knows of the device: do not answer it"
	)]
	Signature,
	/// The key that is to be certified has not signed that it agrees.
	#[error(
		"the key of the user has not signed this request, so the device may not have it: do not answer it, and have the \
		 device ask again"
	)]
	Possession,
}

/// Which certificate.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Wanted {
	/// An SSH host certificate for the host key that the chain knows.
	#[codec(index = 0)]
	SshHost {
		/// The host key as the chain knows it.
		key: PublicKey,
		/// The names by which the host is reached.
		names: Vec<String>,
	},
	/// An X.509 certificate for a service of the device.
	#[codec(index = 1)]
	Tls {
		/// Which service.
		service: String,
		/// The request (PKCS#10) in DER, signed by the key of the service.
		csr: Vec<u8>,
	},
	/// An SSH certificate with which a user of the device proves itself elsewhere.
	#[codec(index = 2)]
	SshUser {
		/// Which account of the device.
		login: String,
		/// The key that the device has made for it.
		key: PublicKey,
		/// For whom it is to stand.
		principals: Vec<String>,
		/// The signature of the key, see [`Wanted::ssh_user`].
		possession: Signature,
	},
}

impl Wanted {
	fn check(&self) -> Result<(), RequestError> {
		match self {
			Wanted::SshHost { names, .. } if (1..=MAX_NAMES).contains(&names.len()) => {
				Ok(names.iter().try_for_each(|name| NameKind::HostPattern.check(name))?)
			},
			Wanted::Tls { service, csr } if (1..=MAX_CSR_LEN).contains(&csr.len()) => {
				Ok(NameKind::Label.check(service)?)
			},
			Wanted::SshUser { login, principals, .. }
				if (1..=MAX_NAMES).contains(&principals.len()) =>
			{
				NameKind::Login.check(login)?;
				Ok(principals.iter().try_for_each(|name| NameKind::Principal.check(name))?)
			},
			_ => Err(RequestError::Malformed),
		}
	}
}

/// A request with the signature of the device.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct DeviceRequest {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// Which device asks.
	pub device: DeviceId,
	/// For what.
	pub wanted: Wanted,
	/// Last moment at which it is to be answered, a day from its making at most.
	pub expires_at: Moment,
	/// The signing key of the device.
	pub key: KeyId,
	signature: Signature,
}

impl DeviceRequest {
	/// Asks for something, with the signing key of the device.
	pub fn sign(
		genesis: [u8; 32],
		device: DeviceId,
		wanted: Wanted,
		expires_at: Moment,
		by: &dyn SigningKey,
	) -> Result<Self, PossessionError> {
		let key = KeyId::of(&by.public());
		let signature = by.sign(&payload(genesis, device, &wanted, expires_at))?;
		Ok(Self { genesis, device, wanted, expires_at, key, signature })
	}

	/// Refuses a request that was not made by the holder of this key, which has to be a valid signing key of the device, for
	/// this chain and time.
	pub fn verify(
		&self,
		genesis: [u8; 32],
		by: &PublicKey,
		now: Moment,
	) -> Result<(), RequestError> {
		if self.genesis != genesis {
			return Err(RequestError::OtherChain);
		}
		if !is_expiry_acceptable(self.expires_at, now) {
			return Err(RequestError::Expired);
		}
		let payload = payload(genesis, self.device, &self.wanted, self.expires_at);
		if KeyId::of(by) != self.key || !verifies(by, &payload, &self.signature) {
			return Err(RequestError::Signature);
		}
		self.wanted.check_possession(genesis, self.device)
	}
}

fn payload(genesis: [u8; 32], device: DeviceId, wanted: &Wanted, expires_at: Moment) -> Vec<u8> {
	let content = Sha256::digest(wanted.encode()).into();
	let action = Action::RequestCertificate { device, content };
	SigningContext { genesis, action, nonce: 0, expires_at }.payload()
}

/// Whether a signature of a device verifies, of the two kinds of keys that agents sign with.
fn verifies(key: &PublicKey, payload: &[u8], signature: &[u8]) -> bool {
	match key.key_type {
		KeyType::Ed25519 => {
			let key = ed25519_dalek::VerifyingKey::try_from(&key.bytes[..]);
			let signature = ed25519_dalek::Signature::from_slice(signature);
			key.ok()
				.zip(signature.ok())
				.is_some_and(|(key, signature)| key.verify_strict(payload, &signature).is_ok())
		},
		KeyType::P256 => {
			let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&key.bytes);
			let signature = p256::ecdsa::Signature::from_slice(signature);
			key.ok()
				.zip(signature.ok())
				.is_some_and(|(key, signature)| key.verify(payload, &signature).is_ok())
		},
		_ => false,
	}
}

impl fmt::Display for DeviceRequest {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&self.encode()))
	}
}

impl FromStr for DeviceRequest {
	type Err = RequestError;

	fn from_str(text: &str) -> Result<Self, RequestError> {
		let digits = text.trim().strip_prefix(PREFIX).ok_or(RequestError::Prefix)?;
		let bytes =
			BASE64URL_NOPAD.decode(digits.as_bytes()).map_err(|_| RequestError::Malformed)?;
		let request = Self::decode_all(&mut &bytes[..]).map_err(|_| RequestError::Malformed)?;
		request.wanted.check()?;
		Ok(request)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::SoftwareKey;

	const NOW: Moment = 1_700_000_000_000;

	fn request(by: &SoftwareKey) -> DeviceRequest {
		let names = vec!["drone-7.acme.example".to_owned()];
		let wanted = Wanted::SshHost { key: by.public(), names };
		DeviceRequest::sign([1; 32], DeviceId([2; 32]), wanted, NOW + 1000, by).unwrap()
	}

	#[test]
	fn a_request_verifies_for_its_chain_key_and_time_and_nothing_else() {
		for key_type in [KeyType::Ed25519, KeyType::P256] {
			let key = SoftwareKey::generate(key_type).unwrap();
			let good = request(&key);
			let public = key.public();
			assert_eq!(good.verify([1; 32], &public, NOW), Ok(()));
			assert_eq!(good.verify([9; 32], &public, NOW), Err(RequestError::OtherChain));
			assert_eq!(good.verify([1; 32], &public, NOW + 1001), Err(RequestError::Expired));
			let early = good.verify([1; 32], &public, NOW - 25 * 3_600_000);
			assert_eq!(early, Err(RequestError::Expired));
			let other = SoftwareKey::generate(key_type).unwrap().public();
			assert_eq!(good.verify([1; 32], &other, NOW), Err(RequestError::Signature));
			let mut changed = [good.clone(), good.clone(), good.clone()];
			changed[0].device = DeviceId([9; 32]);
			changed[1].expires_at += 1;
			changed[2].wanted = Wanted::Tls { service: "web".into(), csr: vec![1] };
			for other in changed {
				assert_eq!(other.verify([1; 32], &public, NOW), Err(RequestError::Signature));
			}
		}
	}

	#[test]
	fn a_request_is_read_as_it_was_written_and_nothing_else_is() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let good = request(&key);
		let text = good.to_string();
		assert_eq!(format!("{text}\n").parse(), Ok(good.clone()));
		assert_eq!(text[1..].parse::<DeviceRequest>(), Err(RequestError::Prefix));
		for wrong in [&text[..text.len() - 4], &format!("{text}AAAA")] {
			assert_eq!(wrong.parse::<DeviceRequest>(), Err(RequestError::Malformed));
		}
		let named = |names: &[&str]| Wanted::SshHost {
			key: key.public(),
			names: names.iter().map(ToString::to_string).collect(),
		};
		let many = vec!["a"; MAX_NAMES + 1];
		let tls = |service: &str, csr| Wanted::Tls { service: service.into(), csr };
		let user = |login: &str, names: &[&str]| Wanted::SshUser {
			login: login.into(),
			key: key.public(),
			principals: names.iter().map(ToString::to_string).collect(),
			possession: good.signature.clone(),
		};
		let asked = DeviceRequest { wanted: user("ops", &["crew@acme", "pilots"]), ..good.clone() };
		assert_eq!(asked.to_string().parse(), Ok(asked));
		for wanted in [
			user("../ops", &["crew"]),
			user("ops", &["a b"]),
			user("ops", &[]),
			user("ops", &many),
			named(&[]),
			named(&many),
			named(&["a b"]),
			tls("../x", vec![1]),
			tls("web", vec![]),
			tls("web", vec![1; MAX_CSR_LEN + 1]),
		] {
			let other = DeviceRequest { wanted, ..good.clone() };
			assert!(other.to_string().parse::<DeviceRequest>().is_err(), "{:?}", other.wanted);
		}
	}
}
