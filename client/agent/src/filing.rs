//! Asking for a certificate over the chain: nobody carries anything.
//!
//! The device files the request in one of its slots, in the place of the one before it for the same service, and waits until
//! its organisation has answered. What it is told is proven, as everything else. The certificate comes back in a delivery,
//! which the agent that runs puts in force.

use crate::{
	config::Config,
	connect::{ConnectError, Connection, glance, head_within},
	keys::{DeviceKeys, KeyError},
	request::{Ask, RequestError, check_service, check_user, prepare},
	seal::Vault,
};
use dpki_client::{
	Client, Finalized, Head, SubmitError, View,
	calls::{self, CallError},
	device_request::{self, Filed, sign_withdrawal},
	possession::{PossessionError, SigningKey},
	primitives::{
		Moment,
		channel::ChannelId,
		filing::{
			FILING_LIFETIME, Filing, FilingKind, FilingPlace, FilingStanding, Objection, slot_for,
		},
		ids::{DeviceId, KeyId, Login, Name},
		refusal::Refusal,
	},
	view::ReadError,
};
use dpki_light::AnchorError;
use futures::StreamExt;
use std::time::Duration;

/// How long the signature is good for: longer than any finality delay that one would wait through.
const LIFETIME: Moment = 15 * 60 * 1000;

/// How often it is signed anew, when another statement of the device was on its way.
const ATTEMPTS: u32 = 3;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum FilingError {
	/// There is no request.
	#[error(transparent)]
	Request(#[from] RequestError),
	/// What is asked for cannot be filed.
	#[error(transparent)]
	Unfit(#[from] device_request::RequestError),
	/// It cannot be written.
	#[error(transparent)]
	Call(#[from] CallError),
	/// The signing key cannot sign.
	#[error(transparent)]
	Possession(#[from] PossessionError),
	/// No light client.
	#[error(transparent)]
	Connect(#[from] ConnectError),
	/// The chain gave no answer.
	#[error(transparent)]
	Read(#[from] ReadError),
	/// It was sent, and did not succeed.
	#[error(transparent)]
	Submit(#[from] SubmitError),
	/// The light client is not believed any more.
	#[error("{0}")]
	Lost(#[from] AnchorError),
	/// All slots hold something that waits.
	#[error(
		"the device waits for as many certificates as it may ask for at once: wait until one of these requests is answered"
	)]
	SlotsFull,
	/// There is nothing to take back.
	#[error(
		"no such request of the device waits: it was answered, its time is over, or there was none"
	)]
	NothingFiled,
	/// The organisation said no.
	#[error("the request was refused: {}", .0.sentence())]
	Refused(Objection),
	/// Nobody answered in time.
	#[error("nobody answered the request in time: tell the organisation, and ask again")]
	Unanswered,
	/// Another request is in its place, or it was taken back.
	#[error("the request was replaced or taken back: ask again if the certificate is still needed")]
	Replaced,
	/// The finalised blocks ended.
	#[error("the finalised blocks ended: run the command again, the request is filed")]
	Ended,
}

/// A request on the chain.
#[derive(Clone, Copy, Debug)]
pub struct OnChain {
	/// Where it is.
	pub place: FilingPlace,
	/// Its number.
	pub number: u64,
	/// The finalised block in which it is.
	pub block: u32,
	/// Until when the chain keeps it waiting.
	pub expires_at: Moment,
}

/// A request on the chain, and the way to look at it.
pub struct Waiting {
	connection: Connection,
	/// The request.
	pub filed: OnChain,
}

/// What is proven to have become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
	/// It waits yet.
	Waits,
	/// The certificate is in the delivery of this number on this channel.
	Answered(ChannelId, u64),
	/// There is none.
	Refused(Objection),
	/// Its time is over.
	Over,
	/// Something else is in its place.
	Replaced,
}

/// What is asked for a service of the configuration.
pub fn for_service(config: &Config, service: &str) -> Result<FilingKind, FilingError> {
	check_service(config, service)?;
	let service = Name::try_from(service.as_bytes().to_vec());
	Ok(FilingKind::Tls { service: service.map_err(|_| FilingError::NothingFiled)? })
}

/// What is asked for a user of the device, whose key the configuration names.
pub fn for_user(config: &Config, login: &str) -> Result<FilingKind, FilingError> {
	check_user(config, login)?;
	let login = Login::try_from(login.as_bytes().to_vec());
	Ok(FilingKind::SshUser { login: login.map_err(|_| FilingError::NothingFiled)? })
}

/// Takes back what was asked for, and gives the block in which that is final.
pub async fn withdraw(
	config: &Config,
	kind: FilingKind,
	timeout: Duration,
) -> Result<u32, FilingError> {
	let connection = glance(config).await?;
	let client = &connection.client;
	let vault = Vault::of(config).await.map_err(KeyError::from).map_err(RequestError::from)?;
	let keys = DeviceKeys::load(&vault).map_err(RequestError::from)?;
	let device = config.device_id();
	let mut after = 0;
	for attempt in 1.. {
		let view = client.at(fresh_head(config, client, after, timeout).await?);
		let filings = view.filings_of(device).await?;
		let waiting = filings
			.iter()
			.filter(|(_, filing)| filing.kind == kind && filing.is_waiting(view.now()))
			.max_by_key(|(_, filing)| filing.number);
		let (slot, filing) = waiting.ok_or(FilingError::NothingFiled)?;
		let (place, content) = ((device, *slot), filing.content);
		let number = view.filer(device).await?.next;
		let (genesis, expires_at) = (config.chain.genesis, view.now().saturating_add(LIFETIME));
		let signature =
			sign_withdrawal(genesis, place, content, number, expires_at, &keys.signing)?;
		let key = KeyId::of(&keys.signing.public());
		let call = calls::withdraw_request(place, content, number, key, expires_at, signature);
		match client.submit_general(&call).await {
			Ok(Finalized { number: block, .. }) => return Ok(block),
			Err(error) if is_overtaken(&error) && attempt < ATTEMPTS => after = view.head().number,
			Err(error) => return Err(error.into()),
		}
	}
	Err(FilingError::Ended)
}

/// Whether another statement of the device is in a block that is not final yet.
fn is_overtaken(error: &SubmitError) -> bool {
	matches!(error, SubmitError::Refused(Refusal::RequestNumberWrong))
}

/// The next fresh head after block `after`.
async fn fresh_head(
	config: &Config,
	client: &Client,
	after: u32,
	timeout: Duration,
) -> Result<Head, FilingError> {
	let fresh = |head: &Head| head.number > after && config.check_freshness(head.time).is_ok();
	let head = head_within(client, timeout, fresh).await;
	Ok(head.ok_or(RequestError::NoHead(timeout.as_secs()))?)
}

/// Files a request, and gives it when it is final.
pub async fn file(config: &Config, ask: Ask, timeout: Duration) -> Result<Waiting, FilingError> {
	ask.check(config)?;
	let connection = glance(config).await?;
	let client = &connection.client;
	let head = fresh_head(config, client, 0, timeout).await?;
	let (wanted, keys) = prepare(config, &client.at(head), ask).await?;
	let filed = submit(config, client, head, &wanted.filing()?, &keys, timeout).await?;
	Ok(Waiting { filed, connection })
}

/// Files what is wanted, as it was at this head.
pub(crate) async fn submit(
	config: &Config,
	client: &Client,
	mut head: Head,
	wanted: &(FilingKind, Vec<u8>),
	keys: &DeviceKeys,
	timeout: Duration,
) -> Result<OnChain, FilingError> {
	let (genesis, device) = (config.chain.genesis, config.device_id());
	for attempt in 1.. {
		let view = client.at(head);
		let place = place_for(device, &wanted.0, &view.filings_of(device).await?, view.now())?;
		let number = view.filer(device).await?.next;
		let expires_at = view.now().saturating_add(LIFETIME);
		let filed = Filed::sign(genesis, place, wanted.clone(), number, expires_at, &keys.signing)?;
		match client.submit_general(&calls::file_request(&filed)?).await {
			Ok(Finalized { number: block, .. }) => {
				let expires_at = view.now().saturating_add(FILING_LIFETIME);
				return Ok(OnChain { place, number, block, expires_at });
			},
			Err(error) if is_overtaken(&error) && attempt < ATTEMPTS => {
				head = fresh_head(config, client, head.number, timeout).await?;
			},
			Err(error) => return Err(error.into()),
		}
	}
	Err(FilingError::Ended)
}

/// Where a request of this kind goes.
fn place_for(
	device: DeviceId,
	kind: &FilingKind,
	filings: &[(u8, Filing)],
	now: Moment,
) -> Result<FilingPlace, FilingError> {
	Ok((device, slot_for(kind, filings, now).ok_or(FilingError::SlotsFull)?))
}

impl Waiting {
	/// Waits for the answer: the channel and the number of the delivery with the certificate.
	pub async fn answer(&self) -> Result<(ChannelId, u64), FilingError> {
		tokio::select! {
			answer = self.follow() => answer,
			lost = self.connection.lost() => Err(lost.into()),
		}
	}

	async fn follow(&self) -> Result<(ChannelId, u64), FilingError> {
		let client: &Client = &self.connection.client;
		let mut heads = client.finalized_heads();
		while let Some(head) = heads.next().await {
			// An interrupted stream is being set up again.
			let Ok(head) = head else { continue };
			if head.number < self.filed.block {
				continue;
			}
			match self.look(&client.at(head)).await {
				Ok(Seen::Waits) => {},
				Ok(Seen::Answered(channel, sequence)) => return Ok((channel, sequence)),
				Ok(Seen::Refused(objection)) => return Err(FilingError::Refused(objection)),
				Ok(Seen::Over) => return Err(FilingError::Unanswered),
				Ok(Seen::Replaced) => return Err(FilingError::Replaced),
				Err(error) => tracing::debug!(%error, "asking again at the next block"),
			}
		}
		Err(FilingError::Ended)
	}

	async fn look(&self, view: &View) -> Result<Seen, ReadError> {
		let (device, slot) = self.filed.place;
		let filing = view.filing(device, slot).await?;
		Ok(seen(filing.as_ref(), self.filed.number, self.filed.expires_at, view.now()))
	}
}

/// What became of the request with this number, by what is in its slot now.
fn seen(filing: Option<&Filing>, number: u64, expires_at: Moment, now: Moment) -> Seen {
	let Some(filing) = filing.filter(|filing| filing.number == number) else {
		return if now > expires_at { Seen::Over } else { Seen::Replaced };
	};
	match filing.standing {
		FilingStanding::Waiting { .. } if filing.is_waiting(now) => Seen::Waits,
		FilingStanding::Waiting { .. } => Seen::Over,
		FilingStanding::Answered { channel, sequence, .. } => Seen::Answered(channel, sequence),
		FilingStanding::Refused { objection, .. } => Seen::Refused(objection),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::primitives::{
		filing::{MAX_FILINGS_PER_DEVICE, slots},
		ids::OrganisationId,
	};

	const NOW: Moment = 1_700_000_000_000;

	fn filing(standing: FilingStanding) -> Filing {
		Filing {
			organisation: OrganisationId([1; 32]),
			kind: FilingKind::SshHost,
			content: [1; 32],
			number: 3,
			key: KeyId([2; 32]),
			filed_at: NOW,
			expires_at: NOW + 100,
			standing,
		}
	}

	#[test]
	fn what_is_told_is_what_became_of_exactly_this_request() {
		let objection = Objection::NamesNotAllowed;
		let waiting = FilingStanding::Waiting { position: 0 };
		let channel = ChannelId::new(2).unwrap();
		let answered = FilingStanding::Answered { channel, sequence: 7, at: NOW };
		let refused = FilingStanding::Refused { objection, at: NOW };
		for (standing, number, now, expected) in [
			(Some(waiting), 3, NOW + 100, Seen::Waits),
			(Some(waiting), 3, NOW + 101, Seen::Over),
			(Some(answered), 3, NOW + 101, Seen::Answered(channel, 7)),
			(Some(refused), 3, NOW, Seen::Refused(objection)),
			(Some(answered), 4, NOW, Seen::Replaced),
			(None, 3, NOW, Seen::Replaced),
			(None, 3, NOW + 101, Seen::Over),
		] {
			let filing = standing.map(filing);
			assert_eq!(seen(filing.as_ref(), number, NOW + 100, now), expected);
		}
	}

	#[test]
	fn a_device_that_waits_for_as_many_as_it_may_asks_for_nothing_more() {
		let device = DeviceId([9; 32]);
		let tls = |number: u8| {
			let service = Name::try_from(format!("web-{number}").into_bytes()).unwrap();
			FilingKind::Tls { service }
		};
		let waiting = filing(FilingStanding::Waiting { position: 0 });
		let mut filings: Vec<_> = slots()
			.map(|slot| (slot, Filing { kind: tls(slot), ..waiting.clone() }))
			.collect();
		let another = tls(MAX_FILINGS_PER_DEVICE);
		let refused = place_for(device, &another, &filings, NOW).unwrap_err();
		assert!(matches!(refused, FilingError::SlotsFull));
		assert!(refused.to_string().contains("as many certificates as it may"), "{refused}");
		// What is asked for again takes the place of its like; and one that was answered makes room.
		assert_eq!(place_for(device, &tls(1), &filings, NOW).unwrap(), (device, 1));
		filings[2].1.standing =
			FilingStanding::Refused { objection: Objection::NamesNotAllowed, at: NOW };
		assert_eq!(place_for(device, &another, &filings, NOW).unwrap(), (device, 2));
	}

	#[test]
	fn a_refusal_is_one_sentence_with_its_reason() {
		let said = FilingError::Refused(Objection::NamesNotAllowed).to_string();
		assert!(said.contains("refused") && said.contains("these names"), "{said}");
		assert!(!said.contains(". "), "{said}");
	}
}
