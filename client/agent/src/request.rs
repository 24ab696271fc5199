//! Asking a CA for certificates: the keys are made on the device and stay there.
//!
//! | file in the state directory | content |
//! |---|---|
//! | `tls/NAME/0.key` | the private key of the service NAME, P-256 in PKCS#8 PEM |
//!
//! The certificate comes back in a delivery: a host certificate is put in force with the host key that is there, and so is a
//! TLS identity without a private key.

use crate::{
	chain::Chain,
	config::Config,
	connect::{ConnectError, Connection, glance, head_within},
	files::{self, FileError, SECRET, SECRET_DIR},
	keys::{DeviceKeys, KeyError},
	seal::Vault,
};
use dpki_client::{
	Head,
	device_request::{DeviceRequest, Wanted},
	names::{InvalidName, NameKind},
	possession::PossessionError,
	primitives::{Moment, context::MAX_SIGNATURE_LIFETIME},
	view::ReadError,
};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::{path::PathBuf, time::Duration};
use zeroize::Zeroizing;

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
	/// The keys of the device cannot be used.
	#[error(transparent)]
	Keys(#[from] KeyError),
	/// A key of a service cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// A key of a service is no key.
	#[error("{} is damaged: remove it, and a new key is made", .0.display())]
	Damaged(PathBuf),
	/// The signing key cannot sign.
	#[error(transparent)]
	Possession(#[from] PossessionError),
	/// No light client.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// No fresh block came in time.
	#[error(
		"no fresh finalised block came within {0} s: check the peers, the network and the clock"
	)]
	NoHead(u64),
	/// The device is not enrolled, or revoked.
	#[error("the chain knows no valid device of this name: enrol it with `dpki-agent enrol`")]
	NotEnrolled,
	/// The host key is of a type that the chain does not know.
	#[error("the chain has no keys of the type of the host key: use an Ed25519 or P-256 key")]
	HostKey,
	/// A name breaks its rule.
	#[error(transparent)]
	Name(#[from] InvalidName),
	/// The request (PKCS#10) cannot be made.
	#[error("the request for the TLS certificate cannot be made ({0}): check the names")]
	Csr(#[from] rcgen::Error),
	/// A request is good for a day at most.
	#[error("a request is good for a day at most: give a shorter time")]
	TooLong,
}

/// What is asked for.
pub enum Ask {
	/// A certificate for the SSH host key, under these names.
	SshHost(Vec<String>),
	/// A certificate for a service, under these names and addresses.
	Tls {
		/// Which service.
		service: String,
		/// DNS names and addresses.
		names: Vec<String>,
	},
}

/// Signs a request that is good for `lifetime` milliseconds.
pub async fn request(
	config: &Config,
	ask: Ask,
	lifetime: Moment,
	timeout: Duration,
) -> Result<DeviceRequest, RequestError> {
	let Connection { client, .. } = &glance(config).await?;
	let fresh = |head: &Head| config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	let view = client.at(head.ok_or(RequestError::NoHead(timeout.as_secs()))?);
	sign(config, &view, ask, lifetime).await
}

/// Signs what is asked for, at one finalised block.
pub async fn sign(
	config: &Config,
	chain: &impl Chain,
	ask: Ask,
	lifetime: Moment,
) -> Result<DeviceRequest, RequestError> {
	if lifetime > MAX_SIGNATURE_LIFETIME {
		return Err(RequestError::TooLong);
	}
	let keys = DeviceKeys::load(&Vault::of(config).await.map_err(KeyError::from)?)?;
	let device = config.device_id();
	let record = chain.device(device).await?.ok_or(RequestError::NotEnrolled)?;
	if record.revocation.is_some() {
		return Err(RequestError::NotEnrolled);
	}
	let wanted = match ask {
		Ask::SshHost(names) => {
			names.iter().try_for_each(|name| NameKind::HostPattern.check(name))?;
			Wanted::SshHost { key: keys.host_public().ok_or(RequestError::HostKey)?, names }
		},
		Ask::Tls { service, names } => {
			NameKind::Label.check(&service)?;
			let csr = certification_request(&service_key(config, &service)?, &service, names)?;
			Wanted::Tls { service, csr }
		},
	};
	let now = chain.head().time;
	let expires_at = now.checked_add(lifetime).ok_or(RequestError::TooLong)?;
	let genesis = config.chain.genesis;
	Ok(DeviceRequest::sign(genesis, device, wanted, expires_at, &keys.signing)?)
}

/// Where the private key of a service lies.
pub fn service_key_path(config: &Config, service: &str) -> PathBuf {
	config.state.join("tls").join(service).join("0.key")
}

/// The private key of a service, which is made if there is none.
fn service_key(config: &Config, service: &str) -> Result<KeyPair, RequestError> {
	let path = service_key_path(config, service);
	if let Some(bytes) = files::read_if_there(&path)?.map(Zeroizing::new) {
		let pem = std::str::from_utf8(&bytes).ok();
		let key = pem.and_then(|pem| KeyPair::from_pem(pem).ok());
		return key.ok_or(RequestError::Damaged(path));
	}
	for directory in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
		files::create_dir(directory, SECRET_DIR)?;
	}
	let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
	let pem = Zeroizing::new(key.serialize_pem());
	files::create_whole(&path, pem.as_bytes(), SECRET)?;
	Ok(key)
}

fn certification_request(
	key: &KeyPair,
	service: &str,
	names: Vec<String>,
) -> Result<Vec<u8>, RequestError> {
	let mut params = CertificateParams::new(names)?;
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, service);
	Ok(params.serialize_request(key)?.der().to_vec())
}
