//! What a device asks for over the chain: the same as in a text, under a number of its own, in one of its slots.
//!
//! The chain has verified the signature. Whoever certifies a key does so again: then it is the word of the device that
//! counts, and not that of a node.

use super::{RequestError, Wanted, verifies};
use crate::possession::{PossessionError, SigningKey};
use codec::{DecodeAll, Encode};
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext},
	filing::{Filing, FilingContent, FilingKind, FilingPlace, MAX_FILING_LEN},
	ids::{DeviceId, KeyId, Login, Name},
	key::{PublicKey, Signature},
};

/// A request with the signature of the device, as the chain has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filed {
	/// Which device asks.
	pub device: DeviceId,
	/// In which of its slots.
	pub slot: u8,
	/// Which certificate.
	pub kind: FilingKind,
	/// What it is about, see [`Wanted::filing`].
	pub body: Vec<u8>,
	/// The number of the statement.
	pub number: u64,
	/// The signing key of the device.
	pub key: KeyId,
	/// Last moment at which the chain takes the signature.
	pub expires_at: Moment,
	/// The signature.
	pub signature: Signature,
}

impl Filed {
	/// Asks for something in a slot of the device, as its statement `number`, with its signing key.
	pub fn sign(
		genesis: [u8; 32],
		(device, slot): FilingPlace,
		(kind, body): (FilingKind, Vec<u8>),
		number: u64,
		expires_at: Moment,
		by: &dyn SigningKey,
	) -> Result<Self, PossessionError> {
		let content = kind.content(&body);
		let action = Action::FileRequest { device, slot, content };
		let signature =
			by.sign(&SigningContext { genesis, action, nonce: number, expires_at }.payload())?;
		let key = KeyId::of(&by.public());
		Ok(Self { device, slot, kind, body, number, key, expires_at, signature })
	}

	/// What lies in a slot of a device.
	pub fn stored((device, slot): FilingPlace, filing: &Filing, content: FilingContent) -> Self {
		let FilingContent { body, signature, signed_until } = content;
		Self {
			device,
			slot,
			kind: filing.kind.clone(),
			body: body.into(),
			number: filing.number,
			key: filing.key,
			expires_at: signed_until,
			signature,
		}
	}

	/// What it is named by.
	pub fn content(&self) -> [u8; 32] {
		self.kind.content(&self.body)
	}

	/// What the device asks for; refuses what was not signed by the holder of this key, which has to be a valid signing key
	/// of the device, for this chain. How long it waits is for the chain to say.
	pub fn open(&self, genesis: [u8; 32], by: &PublicKey) -> Result<Wanted, RequestError> {
		let (device, slot, content) = (self.device, self.slot, self.content());
		let action = Action::FileRequest { device, slot, content };
		let (nonce, expires_at) = (self.number, self.expires_at);
		let payload = SigningContext { genesis, action, nonce, expires_at }.payload();
		if KeyId::of(by) != self.key || !verifies(by, &payload, &self.signature) {
			return Err(RequestError::Signature);
		}
		let wanted = Wanted::from_filing(&self.kind, &self.body)?;
		wanted.check_possession(genesis, device)?;
		Ok(wanted)
	}
}

impl Wanted {
	/// As it is filed: a kind, and what it is about.
	pub fn filing(&self) -> Result<(FilingKind, Vec<u8>), RequestError> {
		self.check()?;
		let (kind, body) = match self {
			Self::SshHost { key, names } => (FilingKind::SshHost, (key, names).encode()),
			Self::Tls { service, csr } => {
				let service = Name::try_from(service.clone().into_bytes());
				let service = service.map_err(|_| RequestError::Malformed)?;
				(FilingKind::Tls { service }, csr.clone())
			},
			Self::SshUser { login, key, principals, possession } => {
				let login = Login::try_from(login.clone().into_bytes());
				let login = login.map_err(|_| RequestError::Malformed)?;
				(FilingKind::SshUser { login }, (key, principals, possession).encode())
			},
		};
		if body.len() > MAX_FILING_LEN as usize {
			return Err(RequestError::TooLong);
		}
		Ok((kind, body))
	}

	/// What was filed.
	pub fn from_filing(kind: &FilingKind, body: &[u8]) -> Result<Self, RequestError> {
		let malformed = |_| RequestError::Malformed;
		let wanted = match kind {
			FilingKind::SshHost => {
				let read = <(PublicKey, Vec<String>)>::decode_all(&mut &body[..]);
				let (key, names) = read.map_err(malformed)?;
				Self::SshHost { key, names }
			},
			FilingKind::Tls { service } => {
				let service = String::from_utf8(service.to_vec());
				let service = service.map_err(|_| RequestError::Malformed)?;
				Self::Tls { service, csr: body.to_vec() }
			},
			FilingKind::SshUser { login } => {
				let read = <(PublicKey, Vec<String>, Signature)>::decode_all(&mut &body[..]);
				let (key, principals, possession) = read.map_err(malformed)?;
				let login = String::from_utf8(login.to_vec());
				let login = login.map_err(|_| RequestError::Malformed)?;
				Self::SshUser { login, key, principals, possession }
			},
		};
		wanted.check()?;
		Ok(wanted)
	}
}

/// What is asked for, in one word: `ssh-host`, `tls:` and the service, or `ssh-user:` and the account. It is shown on terminals,
/// and the chain takes only names that can be.
pub fn filing_word(kind: &FilingKind) -> String {
	match kind {
		FilingKind::SshHost => "ssh-host".to_owned(),
		FilingKind::Tls { service } => {
			format!("tls:{}", dpki_primitives::ids::name_to_string(service))
		},
		FilingKind::SshUser { login } => {
			format!("ssh-user:{}", dpki_primitives::ids::name_to_string(login))
		},
	}
}

/// The signature of a device with which it takes back what it asked for.
pub fn sign_withdrawal(
	genesis: [u8; 32],
	(device, slot): FilingPlace,
	content: [u8; 32],
	number: u64,
	expires_at: Moment,
	by: &dyn SigningKey,
) -> Result<Signature, PossessionError> {
	let action = Action::WithdrawRequest { device, slot, content };
	by.sign(&SigningContext { genesis, action, nonce: number, expires_at }.payload())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::possession::SoftwareKey;
	use dpki_primitives::{
		filing::{FilingBody, FilingStanding},
		ids::OrganisationId,
		key::KeyType,
	};

	const NOW: Moment = 1_700_000_000_000;
	const PLACE: FilingPlace = (DeviceId([2; 32]), 1);

	fn host(by: &SoftwareKey) -> Wanted {
		Wanted::SshHost { key: by.public(), names: vec!["drone-7.acme.example".into()] }
	}

	fn tls() -> Wanted {
		Wanted::Tls { service: "web".into(), csr: vec![1, 2, 3] }
	}

	fn user(by: &SoftwareKey) -> Wanted {
		let principals = vec!["crew".into()];
		Wanted::ssh_user([1; 32], PLACE.0, "_Ops".into(), principals, by).unwrap()
	}

	#[test]
	fn what_is_filed_is_what_was_wanted() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let words = ["ssh-host", "tls:web", "ssh-user:_Ops"];
		for (wanted, word) in [host(&key), tls(), user(&key)].into_iter().zip(words) {
			let (kind, body) = wanted.filing().unwrap();
			assert!(kind.is_well_formed(&body));
			assert_eq!(filing_word(&kind), word);
			assert_eq!(Wanted::from_filing(&kind, &body), Ok(wanted));
		}
	}

	#[test]
	fn what_nobody_could_read_or_show_is_neither_filed_nor_opened() {
		let key = SoftwareKey::generate(KeyType::Ed25519).unwrap();
		let long = Wanted::Tls { service: "web".into(), csr: vec![1; MAX_FILING_LEN as usize + 1] };
		assert_eq!(long.filing(), Err(RequestError::TooLong));
		assert!(Wanted::Tls { service: "../x".into(), csr: vec![1] }.filing().is_err());
		let named = |names: &[&str]| {
			let names: Vec<_> = names.iter().map(ToString::to_string).collect();
			Wanted::from_filing(&FilingKind::SshHost, &(key.public(), names).encode())
		};
		assert!(named(&["good.example"]).is_ok());
		assert!(named(&["a\u{1b}[2J"]).is_err() && named(&[]).is_err());
		for wanted in [host(&key), user(&key)] {
			let (kind, mut body) = wanted.filing().unwrap();
			body.push(0);
			assert_eq!(Wanted::from_filing(&kind, &body), Err(RequestError::Malformed));
		}
		let for_login = |login: &str, principal: &str| {
			let login = Login::truncate_from(login.as_bytes().to_vec());
			let body = (key.public(), vec![principal.to_owned()], Signature::default()).encode();
			Wanted::from_filing(&FilingKind::SshUser { login }, &body)
		};
		assert!(for_login("ops", "crew").is_ok());
		assert!(for_login("../ops", "crew").is_err() && for_login("ops", "a b").is_err());
	}

	#[test]
	fn a_filing_is_the_word_of_one_key_about_one_slot_under_one_number() {
		for key_type in [KeyType::Ed25519, KeyType::P256] {
			let key = SoftwareKey::generate(key_type).unwrap();
			let public = key.public();
			let filing = tls().filing().unwrap();
			let good = Filed::sign([1; 32], PLACE, filing, 5, NOW, &key).unwrap();
			assert_eq!(good.open([1; 32], &public), Ok(tls()));
			assert_eq!(good.open([9; 32], &public), Err(RequestError::Signature));
			let other = SoftwareKey::generate(key_type).unwrap().public();
			assert_eq!(good.open([1; 32], &other), Err(RequestError::Signature));
			for other in [
				Filed { device: DeviceId([9; 32]), ..good.clone() },
				Filed { slot: 0, ..good.clone() },
				Filed { kind: FilingKind::SshHost, ..good.clone() },
				Filed { body: vec![9], ..good.clone() },
				Filed { number: 6, ..good.clone() },
				Filed { expires_at: NOW + 1, ..good.clone() },
				Filed { key: KeyId([9; 32]), ..good.clone() },
			] {
				assert_eq!(other.open([1; 32], &public), Err(RequestError::Signature));
			}
			let content = FilingContent {
				body: FilingBody::truncate_from(good.body.clone()),
				signature: good.signature.clone(),
				signed_until: NOW,
			};
			let record = Filing {
				organisation: OrganisationId([1; 32]),
				kind: good.kind.clone(),
				content: good.content(),
				number: 5,
				key: good.key,
				filed_at: NOW,
				expires_at: NOW,
				standing: FilingStanding::Waiting { position: 0 },
			};
			assert_eq!(Filed::stored(PLACE, &record, content), good);
			let withdrawn = sign_withdrawal([1; 32], PLACE, good.content(), 5, NOW, &key).unwrap();
			let withdrawal = Filed { signature: withdrawn, ..good };
			assert_eq!(withdrawal.open([1; 32], &public), Err(RequestError::Signature));
		}
	}
}
