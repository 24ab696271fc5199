//! That the key of a user agrees to be certified for this account of this device.
//!
//! The device vouches for what it asks. Were that all, a device could ask for a certificate for the key of somebody else,
//! whose public half everybody can read, and have that key revoked together with its own certificate.

use super::{RequestError, Wanted, verifies};
use crate::possession::{PossessionError, SigningKey};
use codec::Encode;
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext},
	ids::DeviceId,
	key::PublicKey,
};
use sha2::{Digest, Sha256};

/// In front of what the key signs, so that it is never the content of a request that a device signs.
const TAG: &[u8] = b"dpki user key";

/// The proof is good as long as the request that carries it: the device signs that one, with number and expiry.
const NO_EXPIRY: Moment = Moment::MAX;

impl Wanted {
	/// An SSH certificate for this key, which shows that it agrees.
	pub fn ssh_user(
		genesis: [u8; 32],
		device: DeviceId,
		login: String,
		principals: Vec<String>,
		key: &dyn SigningKey,
	) -> Result<Self, PossessionError> {
		let public = key.public();
		let possession = key.sign(&payload(genesis, device, (&login, &principals, &public)))?;
		Ok(Self::SshUser { login, key: public, principals, possession })
	}

	/// Refuses a request about the key of a user that has not agreed to it. Requests for services have a proof inside of
	/// them, and the host key is on the chain.
	pub(super) fn check_possession(
		&self,
		genesis: [u8; 32],
		device: DeviceId,
	) -> Result<(), RequestError> {
		let Self::SshUser { login, key, principals, possession } = self else { return Ok(()) };
		let payload = payload(genesis, device, (login, principals, key));
		match verifies(key, &payload, possession) {
			true => Ok(()),
			false => Err(RequestError::Possession),
		}
	}
}

fn payload(
	genesis: [u8; 32],
	device: DeviceId,
	(login, principals, key): (&str, &[String], &PublicKey),
) -> Vec<u8> {
	let content = Sha256::digest((TAG, login, principals, key).encode()).into();
	let action = Action::RequestCertificate { device, content };
	SigningContext { genesis, action, nonce: 0, expires_at: NO_EXPIRY }.payload()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		device_request::{DeviceRequest, Filed},
		possession::SoftwareKey,
	};
	use dpki_primitives::key::KeyType;

	const GENESIS: [u8; 32] = [1; 32];
	const DEVICE: DeviceId = DeviceId([2; 32]);
	const NOW: Moment = 1_700_000_000_000;

	#[test]
	fn a_key_of_a_user_is_certified_only_as_it_has_agreed_to() {
		let new = || SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let (device_key, key, other) = (new(), new(), new());
		let principals = || vec!["crew".to_owned()];
		let wanted = |device, key| {
			Wanted::ssh_user(GENESIS, device, "ops".into(), principals(), key).unwrap()
		};
		let good = wanted(DEVICE, &key);
		let Wanted::SshUser { possession, .. } = good.clone() else { panic!("it asks for a user") };
		let changed = |login: &str, principals: &[&str], key: &SoftwareKey| Wanted::SshUser {
			login: login.into(),
			key: key.public(),
			principals: principals.iter().map(ToString::to_string).collect(),
			possession: possession.clone(),
		};
		let bad = [
			wanted(DeviceId([9; 32]), &key),
			changed("root", &["crew"], &key),
			changed("ops", &["crew", "pilots"], &key),
			changed("ops", &["crew"], &other),
			Wanted::ssh_user([9; 32], DEVICE, "ops".into(), principals(), &key).unwrap(),
		];
		// Each way in which a device asks, signed by the device as it should be.
		let carried = |wanted: Wanted| {
			let request = DeviceRequest::sign(GENESIS, DEVICE, wanted, NOW + 1000, &device_key);
			request.unwrap().verify(GENESIS, &device_key.public(), NOW)
		};
		let filed = |wanted: Wanted| {
			let filing = wanted.filing().unwrap();
			let filed = Filed::sign(GENESIS, (DEVICE, 1), filing, 5, NOW, &device_key).unwrap();
			filed.open(GENESIS, &device_key.public())
		};
		assert_eq!((carried(good.clone()), filed(good.clone())), (Ok(()), Ok(good)));
		for wanted in bad {
			assert_eq!(carried(wanted.clone()), Err(RequestError::Possession), "{wanted:?}");
			assert_eq!(filed(wanted), Err(RequestError::Possession));
		}
	}

	#[test]
	fn what_a_device_signs_is_no_proof_of_its_key() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let names = vec!["drone-7.acme.example".to_owned()];
		let host = Wanted::SshHost { key: key.public(), names };
		let request = DeviceRequest::sign(GENESIS, DEVICE, host, NO_EXPIRY, &key).unwrap();
		let (login, principals) = ("ops".to_owned(), vec!["crew".to_owned()]);
		let possession = request.signature;
		let wanted = Wanted::SshUser { login, key: key.public(), principals, possession };
		assert_eq!(wanted.check_possession(GENESIS, DEVICE), Err(RequestError::Possession));
	}
}
