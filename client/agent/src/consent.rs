//! Consents to further keys: the device signs, so that its signing key never leaves it.
//!
//! Nothing is written but what the caller writes, and nothing is sent: this may be done while the agent runs.

use crate::{
	chain::Chain,
	config::Config,
	connect::{ConnectError, Connection, glance, head_within},
	keys::{DeviceKeys, KeyError},
	seal::Vault,
};
use dpki_client::{
	AccountId, Head,
	possession::{Admitted, PossessionError, Registration, SignedConsent},
	primitives::{
		Moment,
		context::{MAX_SIGNATURE_LIFETIME, Registrant},
		key::KeyPurpose,
		revocation::Withdrawal,
	},
	view::ReadError,
};
use std::time::Duration;

/// Why there is no consent.
#[derive(Debug, thiserror::Error)]
pub enum ConsentError {
	/// The keys of the device cannot be used.
	#[error(transparent)]
	Keys(#[from] KeyError),
	/// The new key cannot serve, or a key cannot sign.
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
	/// The device is not enrolled.
	#[error("the device is not enrolled: spend its voucher first, with `dpki-agent enrol`")]
	NotEnrolled,
	/// The device is revoked.
	#[error("the device is revoked and gets no further keys: enrol under another name")]
	Revoked,
	/// The device is on hold.
	#[error("the device is on hold and consents to nothing: have the organisation release it")]
	OnHold,
	/// Chain time and the span add up to more than there is, or the signature would be good for too long.
	#[error("a consent is good for a day at most: give a shorter time")]
	TooLong,
}

/// What the device is asked to agree to.
pub struct Request<'a> {
	/// Who is to register the key.
	pub account: AccountId,
	/// What the key is for.
	pub purpose: KeyPurpose,
	/// Which key.
	pub key: Admitted<'a>,
	/// For how long the key may be used, in milliseconds from now; `None` means without end.
	pub valid: Option<Moment>,
	/// For how long the consent is good, in milliseconds from now.
	pub lifetime: Moment,
}

/// Signs what is asked for, with the number of keys that the chain proves.
pub async fn consent(
	config: &Config,
	request: Request<'_>,
	timeout: Duration,
) -> Result<SignedConsent, ConsentError> {
	let keys = DeviceKeys::load(&Vault::of(config).await.map_err(KeyError::from)?)?;
	let Connection { client, .. } = &glance(config).await?;
	let fresh = |head: &Head| config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	let view = client.at(head.ok_or(ConsentError::NoHead(timeout.as_secs()))?);
	sign(config, &keys, &view, request).await
}

/// Signs what is asked for, at one finalised block.
pub async fn sign(
	config: &Config,
	keys: &DeviceKeys,
	chain: &impl Chain,
	request: Request<'_>,
) -> Result<SignedConsent, ConsentError> {
	let Request { account, purpose, key, valid, lifetime } = request;
	if lifetime > MAX_SIGNATURE_LIFETIME {
		return Err(ConsentError::TooLong);
	}
	let device = config.device_id();
	let record = chain.device(device).await?.ok_or(ConsentError::NotEnrolled)?;
	match record.withdrawal {
		Withdrawal::None => {},
		Withdrawal::Revoked(_) => return Err(ConsentError::Revoked),
		Withdrawal::OnHold(_) => return Err(ConsentError::OnHold),
	}
	let now = chain.head().time;
	let after = |span| now.checked_add(span).ok_or(ConsentError::TooLong);
	let registration = Registration {
		genesis: config.chain.genesis,
		registrant: Registrant::Account(account),
		device,
		keys_registered: record.keys_registered,
		expires_at: after(lifetime)?,
	};
	let not_after = valid.map(after).transpose()?;
	Ok(SignedConsent::sign(registration, purpose, key, not_after, &keys.signing)?)
}
