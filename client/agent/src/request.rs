//! Asking a CA for certificates: the keys are made on the device and stay there.
//!
//! | file in the state directory | content |
//! |---|---|
//! | `tls/NAME/0.key` | the private key of the service NAME, P-256 in PKCS#8 PEM |
//! | `made-user-keys/LOGIN/0.key` | the private key of the user LOGIN, see [`made`] |
//!
//! The certificate comes back in a delivery: a host certificate is put in force with the host key that is there, and so is a
//! TLS identity without a private key, and a user certificate. The service, or the place where the user looks for its key, has to
//! stand in the configuration, or nothing could come back for it.
//!
//! The request goes over the chain (see [`crate::filing`]), or [as a text](request) that somebody carries to the CA. [`plain`]
//! asks those who know nothing of the chain: another CA, or peers who are given a certificate that no CA has signed.

use crate::{
	appliers::{
		settings::user_ids,
		tls::keys_of,
		user_key::made::{self, MadeError},
	},
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
	primitives::{Moment, context::MAX_SIGNATURE_LIFETIME, revocation::Withdrawal},
	view::ReadError,
};
use rcgen::{
	CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
	KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use std::{io::ErrorKind, path::PathBuf, time::Duration};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// The longest common name that X.509 knows.
const MAX_COMMON_NAME: usize = 64;

/// Why there is no request.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
	/// The keys of the device cannot be used.
	#[error(transparent)]
	Keys(#[from] KeyError),
	/// The configuration does not name the service.
	#[error("the configuration has no [apply.tls.{0}]: add it")]
	NoService(String),
	/// The configuration names no place for the key of the user.
	#[error("the configuration names no path for `{0}` under [apply.user-keys]: add it")]
	NoUserKey(String),
	/// The device has no such user.
	#[error("the device has no account {0}: make it, or ask for another one")]
	NoAccount(String),
	/// The key of a user cannot be made.
	#[error(transparent)]
	UserKey(#[from] MadeError),
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
	/// The device is on hold.
	#[error("the device is on hold and asks for nothing: have the organisation release it")]
	OnHold,
	/// The host key is of a type that the chain does not know.
	#[error("the chain has no keys of the type of the host key: use an Ed25519 or P-256 key")]
	HostKey,
	/// A name breaks its rule.
	#[error(transparent)]
	Name(#[from] InvalidName),
	/// The request (PKCS#10), or the certificate that no CA has signed, cannot be made.
	#[error("what is to be certified for TLS cannot be written ({0}): check the names")]
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
	/// A certificate with which a user of the device proves itself elsewhere.
	SshUser {
		/// Which account of the device.
		login: String,
		/// For whom it is to stand.
		principals: Vec<String>,
	},
}

impl Ask {
	/// Refuses what could not be put in force if it came back.
	pub(crate) fn check(&self, config: &Config) -> Result<(), RequestError> {
		match self {
			Ask::SshHost(names) => {
				Ok(names.iter().try_for_each(|name| NameKind::HostPattern.check(name))?)
			},
			Ask::Tls { service, .. } => check_service(config, service),
			Ask::SshUser { login, principals } => {
				check_user(config, login)?;
				Ok(principals.iter().try_for_each(|name| NameKind::Principal.check(name))?)
			},
		}
	}
}

/// What somebody is given who knows nothing of the chain.
pub enum Form {
	/// PKCS#10, for a CA.
	Request,
	/// A certificate that no CA has signed, which peers can believe one by one.
	SelfSigned {
		/// The time, in milliseconds since the Unix epoch.
		now: Moment,
		/// How many days it is valid.
		days: u32,
	},
}

/// What a CA, or a peer, is given.
#[derive(Debug)]
pub struct Plain {
	/// In PEM.
	pub pem: String,
	/// Where the private key lies.
	pub key: PathBuf,
}

/// Signs a request that is good for `lifetime` milliseconds.
pub async fn request(
	config: &Config,
	ask: Ask,
	lifetime: Moment,
	timeout: Duration,
) -> Result<DeviceRequest, RequestError> {
	ask.check(config)?;
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
	let device = config.device_id();
	let (wanted, keys) = prepare(config, chain, ask).await?;
	let now = chain.head().time;
	let expires_at = now.checked_add(lifetime).ok_or(RequestError::TooLong)?;
	let genesis = config.chain.genesis;
	Ok(DeviceRequest::sign(genesis, device, wanted, expires_at, &keys.signing)?)
}

/// What is asked for, with the keys that sign: the device is enrolled, and its keys are there.
pub(crate) async fn prepare(
	config: &Config,
	chain: &impl Chain,
	ask: Ask,
) -> Result<(Wanted, DeviceKeys), RequestError> {
	ask.check(config)?;
	let keys = DeviceKeys::load(&Vault::of(config).await.map_err(KeyError::from)?)?;
	let record = chain.device(config.device_id()).await?.ok_or(RequestError::NotEnrolled)?;
	match record.withdrawal {
		Withdrawal::None => {},
		Withdrawal::Revoked(_) => return Err(RequestError::NotEnrolled),
		Withdrawal::OnHold(_) => return Err(RequestError::OnHold),
	}
	// Whoever edited the configuration may have taken a user out of it.
	made::keep_named(&config.state, config.apply.user_keys.keys())?;
	let wanted = match ask {
		Ask::SshHost(names) => {
			Wanted::SshHost { key: keys.host_public().ok_or(RequestError::HostKey)?, names }
		},
		Ask::SshUser { login, principals } => {
			let (user, _) = user_ids(&login)?;
			let key = made::make(&config.state, &login, user)?;
			let (genesis, device) = (config.chain.genesis, config.device_id());
			Wanted::ssh_user(genesis, device, login, principals, &key)?
		},
		Ask::Tls { service, names } => {
			let (key, params) = subject(config, &service, names)?;
			let csr = params.serialize_request(&key)?.der().to_vec();
			Wanted::Tls { service, csr }
		},
	};
	Ok((wanted, keys))
}

/// Has the key of a service certified by somebody who knows nothing of the chain.
pub fn plain(
	config: &Config,
	service: &str,
	names: Vec<String>,
	form: Form,
) -> Result<Plain, RequestError> {
	let (key, mut params) = subject(config, service, names)?;
	let pem = match form {
		Form::Request => params.serialize_request(&key)?.pem()?,
		Form::SelfSigned { now, days } => {
			let now = i64::try_from(now / 1000).unwrap_or(i64::MAX);
			let now =
				OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
			// A clock that is a little behind takes it too.
			params.not_before = now.saturating_sub(time::Duration::HOUR);
			params.not_after = now.saturating_add(time::Duration::days(days.into()));
			params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
			params.extended_key_usages =
				vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
			params.self_signed(&key)?.pem()
		},
	};
	Ok(Plain { pem, key: service_key_path(config, service) })
}

/// Where the private key of a service lies.
pub fn service_key_path(config: &Config, service: &str) -> PathBuf {
	keys_of(&config.state, service).join("0.key")
}

/// Whether a certificate for this service could be put in force.
pub(crate) fn check_service(config: &Config, service: &str) -> Result<(), RequestError> {
	NameKind::Label.check(service)?;
	if !config.apply.tls.contains_key(service) {
		return Err(RequestError::NoService(service.into()));
	}
	Ok(())
}

/// Whether a certificate for this user could be put in force.
pub(crate) fn check_user(config: &Config, login: &str) -> Result<(), RequestError> {
	NameKind::Login.check(login)?;
	if !config.apply.user_keys.contains_key(login) {
		return Err(RequestError::NoUserKey(login.into()));
	}
	match user_ids(login) {
		Ok(_) => Ok(()),
		Err(error) if error.source.kind() == ErrorKind::NotFound => {
			Err(RequestError::NoAccount(login.into()))
		},
		Err(error) => Err(error.into()),
	}
}

/// What is to be certified: the private key of a service, which is made if there is none, and its names.
fn subject(
	config: &Config,
	service: &str,
	names: Vec<String>,
) -> Result<(KeyPair, CertificateParams), RequestError> {
	check_service(config, service)?;
	// Peers that believe certificates one by one tell them apart by the subject, so it is not the same on all devices.
	let name = names.first().filter(|name| name.len() <= MAX_COMMON_NAME);
	let name = name.map_or(service, String::as_str).to_owned();
	let mut params = CertificateParams::new(names)?;
	params.distinguished_name = DistinguishedName::new();
	params.distinguished_name.push(DnType::CommonName, name);
	Ok((service_key(config, service)?, params))
}

fn service_key(config: &Config, service: &str) -> Result<KeyPair, RequestError> {
	let path = service_key_path(config, service);
	// Whoever asked before may have been ended before the key had its name.
	path.parent().map_or(Ok(()), files::sweep)?;
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
