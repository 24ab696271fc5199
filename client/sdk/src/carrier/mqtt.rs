//! Retained messages of MQTT 3.1.1 as carrier: a publisher leaves bundles with a broker, devices find the newest there.
//!
//! | topic | retained message |
//! |---|---|
//! | `dpki/v1/GENESIS/bundle/QUESTION` | a bundle that answers the question, with every change of the authority set that fits |
//! | `dpki/v1/GENESIS/changes/N` | the `N`th list of changes of the authority set since the first block of the chain |
//!
//! GENESIS is the genesis hash, QUESTION the BLAKE2b-256 of the SCALE list of the storage keys with the chain time, both
//! in 64 hexadecimal digits; N counts from 0, and each list holds at most 64 changes. So a device that knows set `i`
//! finds the change after it in a list from `i / 64` on, and passes over what it knows.
//!
//! The broker may be anybody. What it keeps is public and proves itself; what it can do is in [`super`].
//!
//! The connection is not encrypted: a password of a publisher is for a broker on the same computer or behind a tunnel.

use super::{
	Carrier, CarrierError, MAX_CARRIED_LEN, MAX_QUESTIONS, PATIENCE, Pursuit, node::NodeCarrier,
	sentence,
};
use async_trait::async_trait;
use codec::Encode;
use dpki_verifier::{Checkpoint, Query};
use futures::FutureExt;
use rumqttc::{
	AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS, StateError,
	SubscribeReasonCode, mqttbytes,
};
use sp_crypto_hashing::blake2_256;
use std::{
	panic::AssertUnwindSafe,
	sync::atomic::{AtomicU32, Ordering},
	time::Duration,
};

/// The port of MQTT without TLS.
const DEFAULT_PORT: u16 = 1883;

/// How long a broker has to deliver what it has retained, once it has acknowledged the subscription. The protocol has no
/// word for "there is nothing".
pub const RETAINED_WAIT: Duration = Duration::from_secs(3);

/// Changes of the authority set in one list, at most: what a node serves at once.
const CHANGES_PER_LIST: u64 = 64;

/// What a packet has besides its payload: two length fields, the topic, an identifier.
const PACKET_OVERHEAD: usize = 1024;

/// Most packets that are looked at for one answer; a broker sends two or three.
const MAX_PACKETS: usize = 64;

/// A broker.
pub struct MqttCarrier {
	/// As it is called: without user and password.
	name: String,
	host: String,
	port: u16,
	credentials: Option<(String, String)>,
	limit: usize,
	patience: Duration,
	wait: Duration,
}

impl MqttCarrier {
	/// The broker at this address: `mqtt://HOST`, with `:PORT` if it is not 1883, and `USER:PASSWORD@` before the host
	/// if the broker asks for them.
	pub fn new(address: &str) -> Result<Self, CarrierError> {
		let refused = |reason: &str| CarrierError::Address {
			// What comes before the host may be a password.
			address: match address.rsplit_once('@') {
				Some((_, host)) => format!("mqtt://..@{host}"),
				None => address.into(),
			},
			reason: reason.into(),
		};
		let rest = address
			.strip_prefix("mqtt://")
			.ok_or_else(|| refused("it does not begin with mqtt://"))?;
		let (credentials, place) = match rest.rsplit_once('@') {
			None => (None, rest),
			Some((words, place)) => {
				let (user, password) =
					words.split_once(':').ok_or_else(|| refused("a user has a password"))?;
				(Some((user.to_owned(), password.to_owned())), place)
			},
		};
		let place = place.strip_suffix('/').unwrap_or(place);
		// An IPv6 address stands in brackets, because it has colons itself.
		let (host, port) = match place.strip_prefix('[') {
			Some(rest) => {
				let (host, port) =
					rest.split_once(']').ok_or_else(|| refused("a bracket is missing"))?;
				let port = match port {
					"" => None,
					port => Some(
						port.strip_prefix(':').ok_or_else(|| refused("its port is malformed"))?,
					),
				};
				(host, port)
			},
			None => match place.split_once(':') {
				Some((host, port)) => (host, Some(port)),
				None => (place, None),
			},
		};
		let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
		if host.is_empty() || !host.chars().all(is_host) {
			return Err(refused("it names no host"));
		}
		let port = match port {
			None => DEFAULT_PORT,
			Some(port) => port.parse().map_err(|_| refused("its port is no number up to 65535"))?,
		};
		Ok(Self {
			name: format!("mqtt://{place}"),
			// The library puts a port behind it.
			host: if host.contains(':') { format!("[{host}]") } else { host.into() },
			port,
			credentials,
			limit: MAX_CARRIED_LEN,
			patience: PATIENCE,
			wait: RETAINED_WAIT,
		})
	}

	/// Takes at most so many bytes instead of [`MAX_CARRIED_LEN`]: for devices with little memory.
	pub fn with_limit(self, limit: usize) -> Self {
		Self { limit: limit.min(MAX_CARRIED_LEN), ..self }
	}

	/// Waits this long for an answer instead of [`PATIENCE`], and this long for what is retained instead of
	/// [`RETAINED_WAIT`].
	pub fn with_patience(self, patience: Duration, wait: Duration) -> Self {
		Self { patience, wait, ..self }
	}

	/// Leaves a message with the broker, in place of the one that was there, and waits until it has it.
	pub async fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), CarrierError> {
		self.within(async {
			let (client, mut events) = self.connection();
			client
				.publish(topic, QoS::AtLeastOnce, true, payload)
				.await
				.map_err(|error| self.broken(&error))?;
			for _ in 0..MAX_PACKETS {
				let event = events.poll().await.map_err(|error| self.failure(error))?;
				if matches!(event, Event::Incoming(Packet::PubAck(_))) {
					self.part(client, events).await;
					return Ok(());
				}
			}
			Err(self.protocol("it does not acknowledge what is published"))
		})
		.await
	}

	/// The retained message of a topic; `None` if there is none.
	pub async fn retained(&self, topic: &str) -> Result<Option<Vec<u8>>, CarrierError> {
		self.within(async {
			let (client, mut events) = self.connection();
			client
				.subscribe(topic, QoS::AtLeastOnce)
				.await
				.map_err(|error| self.broken(&error))?;
			let found = self.await_message(&mut events, topic).await?;
			self.part(client, events).await;
			Ok(found)
		})
		.await
	}

	async fn await_message(
		&self,
		events: &mut EventLoop,
		topic: &str,
	) -> Result<Option<Vec<u8>>, CarrierError> {
		let mut is_subscribed = false;
		for _ in 0..MAX_PACKETS {
			let polled = match is_subscribed {
				false => events.poll().await,
				true => match tokio::time::timeout(self.wait, events.poll()).await {
					Ok(polled) => polled,
					Err(_) => return Ok(None),
				},
			};
			match polled.map_err(|error| self.failure(error))? {
				Event::Incoming(Packet::Publish(message)) => {
					if message.topic != topic {
						return Err(self.protocol("it sends what was not asked for"));
					}
					// Old brokers clear a retained message by one without content.
					return Ok((!message.payload.is_empty()).then(|| message.payload.into()));
				},
				Event::Incoming(Packet::SubAck(answer)) => {
					if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
						return Err(CarrierError::Refused {
							carrier: self.name.clone(),
							code: 0x80,
							sentence: format!("it does not allow to read {topic}"),
						});
					}
					is_subscribed = true;
				},
				_ => {},
			}
		}
		Err(self.protocol("it sends everything but an answer"))
	}

	fn connection(&self) -> (AsyncClient, EventLoop) {
		// Two clients of one name would throw each other out.
		static COUNT: AtomicU32 = AtomicU32::new(0);
		let count = COUNT.fetch_add(1, Ordering::Relaxed);
		let name = format!("dpki-{:x}-{count:x}", std::process::id());
		let mut options = MqttOptions::new(name, &self.host, self.port);
		options.set_keep_alive(Duration::from_secs(30));
		let packet = self.limit + PACKET_OVERHEAD;
		options.set_max_packet_size(packet, packet);
		if let Some((user, password)) = &self.credentials {
			options.set_credentials(user, password);
		}
		AsyncClient::new(options, 4)
	}

	/// Says goodbye, so that the broker need not find out.
	async fn part(&self, client: AsyncClient, mut events: EventLoop) {
		if client.disconnect().await.is_ok() {
			let parting = async {
				while let Ok(event) = events.poll().await {
					if matches!(event, Event::Outgoing(rumqttc::Outgoing::Disconnect)) {
						break;
					}
				}
			};
			let _ = tokio::time::timeout(Duration::from_secs(1), parting).await;
		}
	}

	async fn within<T>(
		&self,
		work: impl Future<Output = Result<T, CarrierError>>,
	) -> Result<T, CarrierError> {
		// A packet at which the library panics, should there be one, is an answer that cannot be used, and no more.
		let work = AssertUnwindSafe(work).catch_unwind();
		match tokio::time::timeout(self.patience, work).await {
			Ok(Ok(done)) => done,
			Ok(Err(_)) => Err(self.protocol("it sends what cannot be read")),
			Err(_) => {
				Err(CarrierError::TimedOut { carrier: self.name.clone(), waited: self.patience })
			},
		}
	}

	fn failure(&self, error: ConnectionError) -> CarrierError {
		let carrier = self.name.clone();
		let reason = sentence(&error.to_string());
		match error {
			ConnectionError::MqttState(StateError::Deserialization(
				mqttbytes::Error::PayloadSizeLimitExceeded { .. },
			)) => CarrierError::TooLarge { carrier, allowed: self.limit },
			ConnectionError::MqttState(StateError::Deserialization(error)) => match error {
				mqttbytes::Error::Io(_) => CarrierError::Interrupted { carrier, reason },
				_ => CarrierError::Protocol { carrier, reason },
			},
			ConnectionError::ConnectionRefused(code) => CarrierError::Refused {
				carrier,
				code: code as i32,
				sentence: "it does not let us in".into(),
			},
			ConnectionError::NotConnAck(_) => CarrierError::Protocol { carrier, reason },
			ConnectionError::Io(_) | ConnectionError::NetworkTimeout => {
				CarrierError::Unreachable { carrier, reason }
			},
			_ => CarrierError::Interrupted { carrier, reason },
		}
	}

	fn broken(&self, error: &rumqttc::ClientError) -> CarrierError {
		CarrierError::Interrupted {
			carrier: self.name.clone(),
			reason: sentence(&error.to_string()),
		}
	}

	fn protocol(&self, reason: &str) -> CarrierError {
		CarrierError::Protocol { carrier: self.name.clone(), reason: reason.into() }
	}
}

#[async_trait]
impl Carrier for MqttCarrier {
	fn name(&self) -> String {
		self.name.clone()
	}

	async fn bundle(
		&self,
		query: &Query,
		checkpoint: &Checkpoint,
	) -> Result<Vec<u8>, CarrierError> {
		let found = self.retained(&bundle_topic(checkpoint.genesis, query)).await?;
		found.ok_or_else(|| CarrierError::Missing { carrier: self.name.clone() })
	}

	async fn changes(&self, pursuit: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError> {
		let first = pursuit.start.set.id() / CHANGES_PER_LIST;
		let list = first.saturating_add(pursuit.round.into());
		self.retained(&changes_topic(pursuit.start.genesis, list)).await
	}
}

/// Where the bundle for a query lies.
pub fn bundle_topic(genesis: [u8; 32], query: &Query) -> String {
	let question = blake2_256(&query.keys().encode());
	format!("dpki/v1/{}/bundle/{}", hex::encode(genesis), hex::encode(question))
}

/// Where a list of changes lies.
pub fn changes_topic(genesis: [u8; 32], list: u64) -> String {
	format!("dpki/v1/{}/changes/{list}", hex::encode(genesis))
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
	/// The topic of the bundle.
	pub topic: String,
	/// Number of the block that the bundle is about, as the node says.
	pub number: u32,
	/// Hash of that block.
	pub hash: [u8; 32],
	/// Length of the bundle, in bytes.
	pub len: usize,
	/// How many lists of changes lie with the broker.
	pub lists: u64,
}

/// Brings bundles from a node to a broker.
///
/// Of the changes of the authority set all are published as lists; the bundle has those after the last full list, so it
/// stays short however old the chain is.
pub struct Publisher<'a> {
	node: &'a NodeCarrier,
	broker: &'a MqttCarrier,
	genesis: [u8; 32],
	/// The lists that are full and published, and the block of the last change in them.
	full: (u64, Option<[u8; 32]>),
	/// The last list, which may grow.
	open: Vec<u8>,
}

impl<'a> Publisher<'a> {
	/// From this node to this broker.
	pub async fn new(node: &'a NodeCarrier, broker: &'a MqttCarrier) -> Result<Self, CarrierError> {
		let genesis = node.genesis().await?;
		Ok(Self { node, broker, genesis, full: (0, None), open: Vec::new() })
	}

	/// Publishes the newest changes, and the bundle for this query. Devices ask with [`Query::bind_genesis`], unless they are
	/// told not to: ask in the same way for them. What is told is about the bundle for this query; those for the questions
	/// that follow from it ([`Query::next_in`]) are published before it, so that devices find them there.
	pub async fn publish(&mut self, query: &Query) -> Result<Published, CarrierError> {
		self.publish_changes().await?;
		let (full, last) = self.full;
		let mut answers = Vec::new();
		let mut next = Some(query.clone());
		while let Some(query) = next.take_if(|_| answers.len() < MAX_QUESTIONS as usize) {
			let served = self.node.serve(query.keys(), last).await?;
			next = query.next_in(&served.bundle).map_err(|error| self.node.unreadable(&error))?;
			answers.push((bundle_topic(self.genesis, &query), served));
		}
		let lists = full + u64::from(!self.open.is_empty());
		let mut published = None;
		for (topic, served) in answers.into_iter().rev() {
			let len = served.bundle.len();
			self.broker.publish(&topic, served.bundle).await?;
			let (number, hash) = (served.number, served.hash);
			published = Some(Published { topic, number, hash, len, lists });
		}
		published.ok_or_else(|| CarrierError::Missing { carrier: self.node.name() })
	}

	async fn publish_changes(&mut self) -> Result<(), CarrierError> {
		loop {
			let (list, from) = self.full;
			let changes = self.node.serve_changes(from).await?;
			if changes.count == 0 {
				return Ok(());
			}
			// What lies there already need not be sent again with each block.
			if changes.fragments != self.open {
				let topic = changes_topic(self.genesis, list);
				self.broker.publish(&topic, changes.fragments.clone()).await?;
			}
			if changes.is_finished && u64::from(changes.count) < CHANGES_PER_LIST {
				self.open = changes.fragments;
				return Ok(());
			}
			self.full = (list.saturating_add(1), Some(changes.last));
			self.open = Vec::new();
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_address_is_read_in_each_of_its_forms() {
		for (address, host, port, user) in [
			("mqtt://broker.local", "broker.local", 1883, None),
			("mqtt://127.0.0.1:1884/", "127.0.0.1", 1884, None),
			("mqtt://[::1]:1885", "[::1]", 1885, None),
			("mqtt://[::1]", "[::1]", 1883, None),
			("mqtt://u:p@ss@host:1", "host", 1, Some(("u", "p@ss"))),
		] {
			let carrier = MqttCarrier::new(address).unwrap();
			assert_eq!((carrier.host.as_str(), carrier.port), (host, port), "{address}");
			let found = carrier.credentials.as_ref().map(|(u, p)| (u.as_str(), p.as_str()));
			assert_eq!(found, user, "{address}");
		}
	}

	#[test]
	fn an_address_that_is_none_is_refused_without_its_password() {
		for address in ["mqtt://u:secret@", "mqtt://u:secret@h:x", "mqtt://secret@h"] {
			let Err(error) = MqttCarrier::new(address) else { panic!("{address}") };
			assert!(!error.to_string().contains("secret"), "{error}");
		}
	}

	#[test]
	fn a_topic_depends_on_the_chain_and_on_every_key() {
		let query = Query::new().storage_key(vec![1; 32]);
		let topic = bundle_topic([1; 32], &query);
		assert_eq!(topic.len(), "dpki/v1//bundle/".len() + 128);
		assert_ne!(topic, bundle_topic([2; 32], &query));
		assert_ne!(topic, bundle_topic([1; 32], &query.clone().storage_key(vec![2; 32])));
		// Whoever asks in another order asks the same.
		let (one, two) = (vec![1; 32], vec![2; 32]);
		let forth = Query::new().storage_key(one.clone()).storage_key(two.clone());
		let back = Query::new().storage_key(two).storage_key(one);
		assert_eq!(bundle_topic([1; 32], &forth), bundle_topic([1; 32], &back));
		assert_eq!(changes_topic([0xab; 32], 3), format!("dpki/v1/{}/changes/3", "ab".repeat(32)));
	}
}
