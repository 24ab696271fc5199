//! Revoking a key of the device by its own word: the signing key ends itself, or a key that does not sign.
//!
//! What this cannot do, the chain refuses: end another signing key, or a key whose successor is announced for another reason
//! than its compromise. A device that has revoked its signing key says nothing any more, so its agent asks whether that is
//! meant.

use crate::{
	config::Config,
	connect::{ConnectError, Connection, glance, head_within},
	keys::{DeviceKeys, KeyError},
	seal::Vault,
};
use dpki_client::{
	Head, SubmitError, calls,
	possession::{OwnRevocation, PossessionError, SigningKey},
	primitives::{Moment, ids::KeyId, key::KeyPurpose, revocation::RevocationReason},
	view::ReadError,
};
use std::time::Duration;

/// How long the word of the device is good for.
const LIFETIME: Moment = 15 * 60 * 1000;

/// Why no key was revoked.
#[derive(Debug, thiserror::Error)]
pub enum RenunciationError {
	/// The keys of the device cannot be used.
	#[error(transparent)]
	Keys(#[from] KeyError),
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
	/// The key is not one of this device.
	#[error("the chain knows no key {0} of this device: `dpki device show` lists its keys")]
	NotOurs(KeyId),
	/// It would leave the device without a voice, and nobody said that this is meant.
	#[error(
		"the key {0} speaks for this device, which says nothing any more once it is revoked: give --last if that is meant"
	)]
	LastVoice(KeyId),
	/// The word cannot be signed.
	#[error(transparent)]
	Possession(#[from] PossessionError),
	/// The chain did not take it.
	#[error("the chain did not revoke the key: {0}")]
	Submit(#[from] SubmitError),
}

/// What was revoked.
#[derive(Debug)]
pub struct Renounced {
	/// Which key.
	pub key: KeyId,
	/// What it was for.
	pub purpose: KeyPurpose,
}

/// Revokes a key of the device. The key that signs is revoked only if `is_last_meant`.
pub async fn renounce(
	config: &Config,
	key: KeyId,
	reason: RevocationReason,
	is_last_meant: bool,
	timeout: Duration,
) -> Result<Renounced, RenunciationError> {
	// Without keys there is nothing to connect for.
	let keys = DeviceKeys::load(&Vault::of(config).await.map_err(KeyError::from)?)?;
	if key == KeyId::of(&keys.signing.public()) && !is_last_meant {
		return Err(RenunciationError::LastVoice(key));
	}
	// The checkpoint in the state directory belongs to the agent, which may be running.
	let Connection { client, .. } = &glance(config).await?;
	let fresh = |head: &Head| config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	let view = client.at(head.ok_or(RenunciationError::NoHead(timeout.as_secs()))?);
	let device = config.device_id();
	let record = view.key(key).await?.filter(|record| record.device == device);
	let record = record.ok_or(RenunciationError::NotOurs(key))?;
	let expires_at = view.now().saturating_add(LIFETIME);
	let genesis = config.chain.genesis;
	let word = OwnRevocation { genesis, device, key, reason, expires_at }.sign(&keys.signing)?;
	client
		.submit_general(&calls::revoke_own_key(key, reason, word, expires_at))
		.await?;
	Ok(Renounced { key, purpose: record.purpose })
}
