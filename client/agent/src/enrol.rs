//! Spends a voucher on the keys of the device, and waits for the proof that the chain knows them.

use crate::{
	config::Config,
	connect::{ConnectError, Connection, connect, head_within},
	keys::{DeviceKeys, KeyError, read_host_key},
	lock::{LockError, StateLock},
	seal::Vault,
};
use dpki_client::{
	Client, Head, SubmitError, View, Voucher,
	calls::{self, CallError},
	possession::{PossessionError, Registration},
	primitives::{
		Moment,
		context::Registrant,
		ids::{DeviceId, KeyId},
		key::{KeyPurpose, NewKey},
		refusal::Refusal,
		voucher::VoucherStanding,
	},
	view::ReadError,
	voucher::VoucherError,
};
use futures::StreamExt;
use std::time::Duration;
use tokio::time::Instant;

/// How long the signatures are good for: an enrolment that gets lost cannot lie in wait for long.
const LIFETIME: Moment = 60 * 60 * 1000;

/// How often a transaction that got lost is sent.
const ATTEMPTS: u32 = 3;

/// How long the record may take to appear after the chain has said that the transaction was good.
const PROOF_TIME: Duration = Duration::from_secs(60);

/// Why the device is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
	/// The text is no voucher.
	#[error(transparent)]
	Voucher(#[from] VoucherError),
	/// The voucher is for another chain, organisation or device. Nothing was sent.
	#[error(
		"the voucher is for the {what} {voucher}, the configuration says {configured}: ask the organisation for the right one"
	)]
	OtherVoucher {
		/// What differs.
		what: &'static str,
		/// In the voucher.
		voucher: String,
		/// In the configuration.
		configured: String,
	},
	/// The voucher is worth nothing on the chain. Nothing was sent.
	#[error("{0}")]
	Worthless(Refusal),
	/// The keys cannot be used.
	#[error(transparent)]
	Keys(#[from] KeyError),
	/// Another agent uses the keys.
	#[error(transparent)]
	Lock(#[from] LockError),
	/// The keys cannot sign.
	#[error(transparent)]
	Possession(#[from] PossessionError),
	/// No light client.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// The enrolment cannot be written.
	#[error(transparent)]
	Call(#[from] CallError),
	/// It was sent, and did not succeed.
	#[error(transparent)]
	Submit(#[from] SubmitError),
	/// No fresh block came in time.
	#[error(
		"no fresh finalised block came within {0} s: check the peers, the network and the clock"
	)]
	NoHead(u64),
	/// A device of this name has other keys.
	#[error(
		"a device of this name is enrolled with other keys: enrol under another name, or bring its state directory back"
	)]
	OtherKeys,
	/// The device is revoked.
	#[error("the device is revoked and cannot come back: enrol under another name with new keys")]
	Revoked,
	/// The chain said yes, and no proof came.
	#[error(
		"the enrolment is final, but the record was not proven within {0} s: run the command again"
	)]
	NotProven(u64),
}

/// The proof that the device is enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolled {
	/// The device.
	pub device: DeviceId,
	/// The finalised block in which the record and its three keys were proven.
	pub block: u32,
	/// Whether they were there before.
	pub already: bool,
}

/// Whether the voucher is for this chain and this device.
pub fn check_voucher(config: &Config, voucher: &Voucher) -> Result<(), EnrolError> {
	let pairs = [
		(
			"chain",
			format!("0x{}", hex::encode(voucher.genesis())),
			format!("0x{}", hex::encode(config.chain.genesis)),
		),
		("organisation", voucher.organisation().into(), config.organisation.clone()),
		("device", voucher.device().into(), config.device.clone()),
	];
	for (what, voucher, configured) in pairs {
		if voucher != configured {
			return Err(EnrolError::OtherVoucher { what, voucher, configured });
		}
	}
	Ok(())
}

/// Enrols the device of this configuration. `progress` is told what is being done.
pub async fn enrol(
	config: &Config,
	voucher: &Voucher,
	timeout: Duration,
	progress: impl Fn(&str),
) -> Result<Enrolled, EnrolError> {
	check_voucher(config, voucher)?;
	let vault = Vault::of(config).await.map_err(KeyError::from)?;
	let keys = DeviceKeys::load(&vault)?;
	let _lock = StateLock::acquire(&config.state)?;
	let deadline = Instant::now() + timeout;
	progress("starting the light client");
	let Connection { client, .. } = &connect(config).await?;
	let view = fresh_view(config, client, timeout).await?;
	progress(&format!("caught up with the chain at block {}", view.head().number));
	let device = config.device_id();
	if is_enrolled(&view, device, &keys).await? {
		return Ok(Enrolled { device, block: view.head().number, already: true });
	}
	if let Some(record) = view.voucher(voucher.id()).await?
		&& let Some(refusal) = worthless(record.state_at(view.now()))
	{
		return Err(EnrolError::Worthless(refusal));
	}
	for attempt in 1.. {
		progress("enrolling the signing, the agreement and the host key");
		let sent = send(config, client, voucher, &keys, view.now()).await;
		let left = deadline.saturating_duration_since(Instant::now());
		match sent {
			Ok(()) => break,
			// An earlier attempt may have gone through without our learning of it.
			Err(EnrolError::Submit(SubmitError::Refused(
				refusal @ (Refusal::VoucherRedeemed
				| Refusal::DeviceExists
				| Refusal::KeyAlreadyRegistered),
			))) => {
				let view = fresh_view(config, client, left).await?;
				if is_enrolled(&view, device, &keys).await? {
					break;
				}
				return Err(SubmitError::Refused(refusal).into());
			},
			Err(EnrolError::Submit(error))
				if can_be_sent_again(&error) && attempt < ATTEMPTS && !left.is_zero() =>
			{
				progress(&format!("{error}; trying again"));
			},
			Err(error) => return Err(error),
		}
	}
	progress("waiting for the proof");
	let block = prove(config, client, device, &keys).await?;
	Ok(Enrolled { device, block, already: false })
}

/// Why a voucher cannot be spent; `None` if it can be.
fn worthless(standing: VoucherStanding) -> Option<Refusal> {
	match standing {
		VoucherStanding::Open => None,
		VoucherStanding::Redeemed(_) => Some(Refusal::VoucherRedeemed),
		VoucherStanding::Cancelled(_) => Some(Refusal::VoucherCancelled),
		VoucherStanding::Expired => Some(Refusal::VoucherExpired),
	}
}

fn can_be_sent_again(error: &SubmitError) -> bool {
	!matches!(
		error,
		SubmitError::Refused(_) | SubmitError::Failed { .. } | SubmitError::Invalid { .. }
	)
}

async fn fresh_view(
	config: &Config,
	client: &Client,
	timeout: Duration,
) -> Result<View, EnrolError> {
	let fresh = |head: &Head| config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	Ok(client.at(head.ok_or(EnrolError::NoHead(timeout.as_secs()))?))
}

async fn send(
	config: &Config,
	client: &Client,
	voucher: &Voucher,
	keys: &DeviceKeys,
	now: Moment,
) -> Result<(), EnrolError> {
	let expires_at = now.saturating_add(LIFETIME);
	let list = new_keys(config, voucher, keys, expires_at)?;
	let signature = voucher.sign_enrolment(&list, expires_at);
	let call = calls::enrol(
		voucher.organisation_id(),
		voucher.public(),
		&config.device,
		&list,
		expires_at,
		signature,
	)?;
	client.submit_general(&call).await?;
	Ok(())
}

fn new_keys(
	config: &Config,
	voucher: &Voucher,
	keys: &DeviceKeys,
	expires_at: Moment,
) -> Result<Vec<NewKey>, EnrolError> {
	let (host, _) = read_host_key(&config.ssh.host_key)?;
	let mut registration = Registration {
		genesis: config.chain.genesis,
		registrant: Registrant::Voucher(voucher.id()),
		device: config.device_id(),
		keys_registered: 0,
		expires_at,
	};
	Ok(vec![
		registration.prove(KeyPurpose::Sign, &keys.signing, None)?,
		registration.prove(KeyPurpose::KeyAgreement, &keys.agreement, None)?,
		registration.prove(KeyPurpose::Ssh, &host, None)?,
	])
}

/// Whether the chain knows the device with exactly our keys; an error if it knows it otherwise.
async fn is_enrolled(view: &View, device: DeviceId, keys: &DeviceKeys) -> Result<bool, EnrolError> {
	let Some(record) = view.device(device).await? else { return Ok(false) };
	if record.withdrawal.is_revoked() {
		return Err(EnrolError::Revoked);
	}
	for ours in keys.fingerprints() {
		let known = view.key(ours.id).await?.is_some_and(|known| {
			known.device == device
				&& known.purpose == ours.purpose
				&& KeyId::of(&known.public) == ours.id
		});
		if !known {
			return Err(EnrolError::OtherKeys);
		}
	}
	Ok(true)
}

/// The first fresh block whose state holds the device with our keys.
async fn prove(
	config: &Config,
	client: &Client,
	device: DeviceId,
	keys: &DeviceKeys,
) -> Result<u32, EnrolError> {
	let mut heads = client.finalized_heads();
	let proving = async {
		while let Some(head) = heads.next().await {
			// The stream sets itself up again after an interruption.
			let Ok(head) = head else { continue };
			if config.check_freshness(head.time).is_ok()
				&& is_enrolled(&client.at(head), device, keys).await?
			{
				return Ok(Some(head.number));
			}
		}
		Ok(None)
	};
	match tokio::time::timeout(PROOF_TIME, proving).await {
		Ok(Ok(Some(block))) => Ok(block),
		Ok(Err(error)) => Err(error),
		Ok(Ok(None)) | Err(_) => Err(EnrolError::NotProven(PROOF_TIME.as_secs())),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::config::{ChainSettings, SshSettings};

	fn config() -> Config {
		Config {
			organisation: "acme".into(),
			device: "drone-7".into(),
			state: "/nonexistent".into(),
			status_file: None,
			channels: None,
			chain: ChainSettings {
				spec: "/nonexistent".into(),
				genesis: [1; 32],
				peers: vec![],
				max_head_age: 600,
				checkpoint: None,
			},
			ssh: SshSettings::default(),
			freshness: Default::default(),
			blobs: Vec::new(),
			apply: Default::default(),
			service: Default::default(),
		}
	}

	#[test]
	fn a_voucher_for_anything_else_is_refused_before_anything_is_sent() {
		let check = |genesis, organisation, device| {
			let voucher = Voucher::generate(genesis, organisation, device, u64::MAX).unwrap();
			check_voucher(&config(), &voucher)
		};
		check([1; 32], "acme", "drone-7").unwrap();
		for (refused, what) in [
			(check([2; 32], "acme", "drone-7"), "chain"),
			(check([1; 32], "acme2", "drone-7"), "organisation"),
			(check([1; 32], "acme", "drone-8"), "device"),
		] {
			match refused {
				Err(EnrolError::OtherVoucher { what: found, .. }) => assert_eq!(found, what),
				other => panic!("{what}: {other:?}"),
			}
		}
	}

	#[test]
	fn a_voucher_that_cannot_be_spent_is_refused_with_its_reason() {
		for (standing, refusal) in [
			(VoucherStanding::Open, None),
			(VoucherStanding::Redeemed(1), Some(Refusal::VoucherRedeemed)),
			(VoucherStanding::Cancelled(1), Some(Refusal::VoucherCancelled)),
			(VoucherStanding::Expired, Some(Refusal::VoucherExpired)),
		] {
			assert_eq!(worthless(standing), refusal);
		}
		let told = EnrolError::Worthless(Refusal::VoucherExpired).to_string();
		assert_eq!(told, Refusal::VoucherExpired.sentence());
	}
}
