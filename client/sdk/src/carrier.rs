//! Carriers of proof bundles: a node, a gateway over HTTP, a file, retained messages of MQTT.
//!
//! A proof bundle is a finalised header, its justification and a storage proof, see `dpki-verifier`; it is no
//! [`Bundle`](crate::Bundle), which is what a delivery holds. No carrier is trusted and none is asked to judge: whatever
//! way the bytes came, the same [`Verifier`] takes or refuses them. What a carrier can do is to be silent, and to hold
//! news back; against the first there are others to ask ([`Carriers`]), against the second the [`Freshness`] that the
//! caller demands.
//!
//! | carrier | address | module |
//! |---|---|---|
//! | a node | `ws://HOST:PORT`, `wss://..` | [`node`] |
//! | a gateway, or a cache before one | `http://HOST:PORT`, `https://..` | [`http`] |
//! | retained messages | `mqtt://HOST:PORT`, `mqtt://USER:PASSWORD@HOST:PORT` | [`mqtt`] |
//! | a file | `file:PATH` | [`file`] |
//!
//! Everything that comes in is bounded by [`MAX_CARRIED_LEN`] and [`PATIENCE`] before it is looked at.
//!
//! ```no_run
//! # async fn example(stored: &[u8], device: dpki_client::primitives::ids::DeviceId, now: u64)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use dpki_client::carrier::Carriers;
//! use dpki_verifier::{Checkpoint, Freshness, Query, Verifier, Zebra};
//! use std::time::Duration;
//!
//! let carriers = Carriers::parse(["https://pki.acme.example", "mqtt://broker.local:1883"])?;
//! let mut verifier = Verifier::new(Checkpoint::decode(stored)?, Zebra);
//! let query = Query::new().device(device);
//! let freshness = Freshness::at_most(Duration::from_secs(60), now);
//! let answer = carriers.ask(&mut verifier, &query, freshness, |it| it.device_status(device)).await?;
//! // Store `verifier.checkpoint()` before anything is done with `answer.value`.
//! # Ok(())
//! # }
//! ```

pub mod file;
pub mod http;
pub mod mqtt;
pub mod node;

use crate::http::sentence;
use async_trait::async_trait;
use dpki_verifier::{
	Checkpoint, Ed25519, Error as Unproven, Freshness, Query, Verified, Verifier, limits,
};
use std::{
	fmt,
	path::{Path, PathBuf},
	time::Duration,
};

/// Longest bundle or list of changes that is taken from a carrier, in bytes: what the verifier looks at.
pub const MAX_CARRIED_LEN: usize = limits::MAX_BUNDLE_LEN;

/// How long a carrier may take for one answer. A bundle is small; who needs longer does not want to answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How long one carrier may take for everything that an answer needs, the changes of the authority set included. Each
/// answer in time, a liar could otherwise keep a device from the others for [`MAX_ROUNDS`] times as long.
pub const PATIENCE_IN_ALL: Duration = PATIENCE.saturating_mul(3);

/// Most lists of changes, one after the other, that bring the device no further, from a carrier that is told where the
/// device stands. A list may begin before the set that it knows; whoever brings more of that kind repeats itself.
pub const MAX_IDLE_ROUNDS: u32 = 2;

/// Most lists of changes that one carrier may bring forward in one go. Each holds 64 changes as nodes serve them.
pub const MAX_ROUNDS: u32 = 64;

/// Most questions, one after the other, to one carrier, by which an answer about certificates gets whole: the second one
/// asks for what the first one has found, and another one only if somebody has endorsed in between.
pub const MAX_QUESTIONS: u32 = 4;

/// Why a carrier brought nothing. What it brings and the verifier refuses is an [`Unproven`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarrierError {
	/// The address is not that of a carrier.
	#[error(
		"`{address}` is no address of a carrier ({reason}): write http://HOST:PORT, mqtt://HOST:PORT, \
		 ws://HOST:PORT or file:PATH"
	)]
	Address {
		/// What was given.
		address: String,
		/// What is wrong with it.
		reason: String,
	},
	/// Nobody answers there.
	#[error("nobody answers at {carrier} ({reason}): check that it runs, or ask another carrier")]
	Unreachable {
		/// Which carrier.
		carrier: String,
		/// What the transport says.
		reason: String,
	},
	/// It did not finish in time.
	#[error("{carrier} did not answer within {} s: ask another carrier", .waited.as_secs_f32())]
	TimedOut {
		/// Which carrier.
		carrier: String,
		/// How long was waited.
		waited: Duration,
	},
	/// It broke off.
	#[error("{carrier} broke off in its answer ({reason}): ask again, or another carrier")]
	Interrupted {
		/// Which carrier.
		carrier: String,
		/// What the transport says.
		reason: String,
	},
	/// It sends more than any bundle has.
	#[error("{carrier} sends more than {allowed} bytes, which no bundle has: ask another carrier")]
	TooLarge {
		/// Which carrier.
		carrier: String,
		/// How much one may send.
		allowed: usize,
	},
	/// It has nothing for this question.
	#[error(
		"{carrier} holds no answer to this question: have it published there, or ask another carrier"
	)]
	Missing {
		/// Which carrier.
		carrier: String,
	},
	/// More changes of the authority set lie between than a bundle holds.
	#[error(
		"{carrier} wants the device to follow the changes of the authority set first ({sentence}): ask it for them"
	)]
	Behind {
		/// Which carrier.
		carrier: String,
		/// What it says.
		sentence: String,
	},
	/// It refuses the question.
	#[error(
		"{carrier} refuses, with the code {code} ({sentence}): ask another carrier if that does not help"
	)]
	Refused {
		/// Which carrier.
		carrier: String,
		/// The status of HTTP, the code of the node, or the return code of MQTT.
		code: i32,
		/// What it says. Nobody vouches for that.
		sentence: String,
	},
	/// The file is none of this kind, or is damaged.
	#[error("{} is no file of proof bundles ({reason}): have it exported again with `dpki bundle export`", path.display())]
	NotAFile {
		/// Which file.
		path: PathBuf,
		/// What is wrong with it.
		reason: &'static str,
	},
	/// The file is of a later version.
	#[error("{} is of version {found}, which this program does not know: update it", path.display())]
	FileVersion {
		/// Which file.
		path: PathBuf,
		/// Its version.
		found: u8,
	},
	/// What is held there is about another chain.
	#[error(
		"{carrier} holds an answer about another chain: get one for the chain of the checkpoint"
	)]
	OtherChain {
		/// Which carrier.
		carrier: String,
	},
	/// What is held there answers another question.
	#[error(
		"{carrier} holds an answer for other keys than those asked for: have it exported with the same question"
	)]
	OtherQuestion {
		/// Which carrier.
		carrier: String,
	},
	/// It does not follow its protocol.
	#[error(
		"{carrier} does not keep to its protocol ({reason}): check the address, or ask another carrier"
	)]
	Protocol {
		/// Which carrier.
		carrier: String,
		/// How.
		reason: String,
	},
}

/// Why one carrier did not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
	/// It brought nothing.
	#[error(transparent)]
	Carrier(#[from] CarrierError),
	/// It brought what does not prove what was asked.
	#[error("what {carrier} brought is refused: {error}")]
	Unproven {
		/// Which carrier.
		carrier: String,
		/// Why.
		error: Unproven,
	},
}

impl Failure {
	/// What the verifier says, if it was asked.
	pub fn unproven(&self) -> Option<&Unproven> {
		match self {
			Self::Unproven { error, .. } => Some(error),
			Self::Carrier(_) => None,
		}
	}
}

/// No carrier helped. What each did is told in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted(pub Vec<Failure>);

impl fmt::Display for Exhausted {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		// One carrier has the best sentence itself.
		match self.0.as_slice() {
			[] => f.write_str("no carrier is named: name at least one"),
			[one] => one.fmt(f),
			all => {
				f.write_str("no carrier brought a bundle that proves the answer (")?;
				for (index, failure) in all.iter().enumerate() {
					write!(f, "{}{failure}", if index == 0 { "" } else { "; " })?;
				}
				f.write_str("): check the network and the checkpoint, or name another carrier")
			},
		}
	}
}

impl std::error::Error for Exhausted {}

/// Where a device stands that follows changes of the authority set.
#[derive(Clone, Copy, Debug)]
pub struct Pursuit<'a> {
	/// Where it stood at first.
	pub start: &'a Checkpoint,
	/// Where it has come to.
	pub now: &'a Checkpoint,
	/// How many lists of changes it has taken.
	pub round: u32,
}

/// Brings bytes. They are believed by nobody.
#[async_trait]
pub trait Carrier: Send + Sync {
	/// How people call it.
	fn name(&self) -> String;

	/// A bundle for exactly these keys, for a device that stands at this checkpoint.
	async fn bundle(&self, query: &Query, checkpoint: &Checkpoint)
	-> Result<Vec<u8>, CarrierError>;

	/// The next changes of the authority set, as [`Verifier::advance`] takes them; `None` if there are no more.
	async fn changes(&self, pursuit: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError>;

	/// The question to begin with, if only one is answered here and it takes in the one that is asked: who wrote a file has
	/// found out already what a certificate depends on.
	async fn held(&self, _query: &Query) -> Result<Option<Query>, CarrierError> {
		Ok(None)
	}

	/// After how many lists of changes, one after the other, that brought the device no further it asks for no more.
	fn idle_rounds(&self) -> u32 {
		MAX_IDLE_ROUNDS
	}
}

/// The carrier at this address. Nothing is connected to yet.
pub fn parse(address: &str) -> Result<Box<dyn Carrier>, CarrierError> {
	let scheme = address.split(':').next().unwrap_or_default();
	Ok(match scheme {
		"http" | "https" => Box::new(http::HttpCarrier::new(address)?),
		"mqtt" => Box::new(mqtt::MqttCarrier::new(address)?),
		"ws" | "wss" => Box::new(node::NodeCarrier::new(address)),
		"file" => Box::new(file::FileCarrier::new(Path::new(&address["file:".len()..]))),
		_ => {
			return Err(CarrierError::Address {
				address: without_user(address),
				reason: "its beginning names no kind of carrier".into(),
			});
		},
	})
}

/// What was proven, and by whose help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
	/// What was read from the verified bundle.
	pub value: T,
	/// The carrier that brought it.
	pub carrier: String,
	/// What was asked in the end: of certificates, everything that they depend on.
	pub query: Query,
	/// The bundle that answers it, to be kept or handed on.
	pub bundle: Vec<u8>,
	/// Those that did not help before.
	pub failures: Vec<Failure>,
}

/// Carriers, asked one after the other until one brings what is proven.
///
/// They are asked for the hash of the chain's first block too ([`Query::bind_genesis`]), because nothing else in a bundle
/// tells the checkpoint's chain from another one with the same authorities. Who publishes asks with [`Query::bind_genesis`]
/// as well, or devices do not find what is published: it is part of the question.
pub struct Carriers {
	carriers: Vec<Box<dyn Carrier>>,
	binds_genesis: bool,
}

impl Carriers {
	/// These, in this order.
	pub fn new(carriers: Vec<Box<dyn Carrier>>) -> Self {
		Self { carriers, binds_genesis: true }
	}

	/// Asks for nothing but what the query names. It saves up to two kilobytes in each bundle, and has its place only where
	/// the validators have keys of their own on each chain that they run.
	pub fn without_genesis(self) -> Self {
		Self { binds_genesis: false, ..self }
	}

	/// Those at these addresses, in this order.
	pub fn parse<A: AsRef<str>>(
		addresses: impl IntoIterator<Item = A>,
	) -> Result<Self, CarrierError> {
		addresses
			.into_iter()
			.map(|address| parse(address.as_ref()))
			.collect::<Result<_, _>>()
			.map(Self::new)
	}

	/// Asks until the verifier takes an answer, and reads from that with `read`. A block of another chain is refused by
	/// [`Unproven::OtherChain`] even if the same authorities have finalised it.
	///
	/// Of a certificate nobody knows at first what it depends on. As long as an answer tells that there is more to ask
	/// ([`Verified::next_query`]), the same carrier is asked again; `read` gets only the last answer, in which all is.
	///
	/// The verifier has then moved to the block of the answer: its checkpoint is to be stored before anything is done
	/// with what was read. If nobody helped, it stands where it stood.
	pub async fn ask<C: Ed25519 + Clone + Send + Sync, T>(
		&self,
		verifier: &mut Verifier<C>,
		query: &Query,
		freshness: Freshness,
		read: impl Fn(&Verified<'_>) -> T + Send + Sync,
	) -> Result<Answer<T>, Exhausted>
	where
		T: Send,
	{
		let bound = self.binds_genesis.then(|| query.clone().bind_genesis());
		let query = bound.as_ref().unwrap_or(query);
		let mut failures = Vec::new();
		for carrier in &self.carriers {
			let mut device = verifier.clone();
			let asking = ask_one(carrier.as_ref(), &mut device, query, freshness, &read);
			let asked = tokio::time::timeout(PATIENCE_IN_ALL, asking).await;
			let late = |_| {
				let (carrier, waited) = (carrier.name(), PATIENCE_IN_ALL);
				Err(CarrierError::TimedOut { carrier, waited }.into())
			};
			match asked.unwrap_or_else(late) {
				Ok((value, query, bundle)) => {
					*verifier = device;
					return Ok(Answer { value, carrier: carrier.name(), query, bundle, failures });
				},
				Err(failure) => {
					tracing::debug!(carrier = carrier.name(), %failure, "asking the next carrier");
					failures.push(failure);
				},
			}
		}
		Err(Exhausted(failures))
	}
}

impl fmt::Debug for Carriers {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_list()
			.entries(self.carriers.iter().map(|carrier| carrier.name()))
			.finish()
	}
}

/// What was read, the question that was answered in the end, and the bundle.
async fn ask_one<C: Ed25519 + Send + Sync, T: Send>(
	carrier: &dyn Carrier,
	device: &mut Verifier<C>,
	query: &Query,
	freshness: Freshness,
	read: &(impl Fn(&Verified<'_>) -> T + Send + Sync),
) -> Result<(T, Query, Vec<u8>), Failure> {
	// What does not decode is left to `read`, which says so.
	let look = |verified: &Verified<'_>| match verified.next_query() {
		Ok(Some(next)) => Err(next),
		Ok(None) | Err(_) => Ok(read(verified)),
	};
	let mut query = carrier.held(query).await?.unwrap_or_else(|| query.clone());
	for _ in 0..MAX_QUESTIONS {
		let (looked, bundle) = ask_once(carrier, device, &query, freshness, &look).await?;
		match looked {
			Ok(value) => return Ok((value, query, bundle)),
			Err(next) => query = next,
		}
	}
	Err(unproven(carrier, Unproven::NotAsked))
}

async fn ask_once<C: Ed25519 + Send + Sync, T>(
	carrier: &dyn Carrier,
	device: &mut Verifier<C>,
	query: &Query,
	freshness: Freshness,
	read: &(impl Fn(&Verified<'_>) -> T + Send + Sync),
) -> Result<(T, Vec<u8>), Failure> {
	let first = match carrier.bundle(query, device.checkpoint()).await {
		Ok(bundle) => match device.verify(&bundle, query, freshness).map(|it| read(&it)) {
			Ok(value) => return Ok((value, bundle)),
			Err(error) if may_be_behind(&error) => unproven(carrier, error),
			Err(error) => return Err(unproven(carrier, error)),
		},
		Err(error @ CarrierError::Behind { .. }) => error.into(),
		Err(error) => return Err(error.into()),
	};
	// What a carrier holds for everybody may begin after the set that this device knows.
	match follow(carrier, device).await {
		Ok(true) => {},
		Ok(false) => return Err(first),
		// Of a bundle that is none of this chain, this says more than that there is no way to it.
		Err(_) if first.unproven().is_some() => return Err(first),
		Err(error) => return Err(error),
	}
	let bundle = carrier.bundle(query, device.checkpoint()).await?;
	let value = device.verify(&bundle, query, freshness).map(|it| read(&it));
	Ok((value.map_err(|error| unproven(carrier, error))?, bundle))
}

/// Follows the changes that a carrier has. Says whether the device has moved.
async fn follow<C: Ed25519 + Send + Sync>(
	carrier: &dyn Carrier,
	device: &mut Verifier<C>,
) -> Result<bool, Failure> {
	let start = device.checkpoint().clone();
	let mut idle = 0;
	for round in 0..MAX_ROUNDS {
		let pursuit = Pursuit { start: &start, now: device.checkpoint(), round };
		let Some(changes) = carrier.changes(pursuit).await? else { break };
		let before = device.checkpoint().number;
		device.advance(&changes).map_err(|error| unproven(carrier, error))?;
		idle = if device.checkpoint().number > before { 0 } else { idle + 1 };
		if idle == carrier.idle_rounds() {
			break;
		}
	}
	Ok(device.checkpoint().number > start.number)
}

fn unproven(carrier: &dyn Carrier, error: Unproven) -> Failure {
	Failure::Unproven { carrier: carrier.name(), error }
}

/// Whether an honest bundle for a later authority set is refused in this way.
fn may_be_behind(error: &Unproven) -> bool {
	matches!(
		error,
		Unproven::UnknownAuthority { .. }
			| Unproven::BadSignature { .. }
			| Unproven::TooFewVotes { .. }
	)
}

/// An address without user and password, fit to be shown and logged. A password may have any sign in it, so that only
/// what follows the last `@` is no part of it for certain.
pub(crate) fn without_user(address: &str) -> String {
	let start = address.find("://").map_or(0, |at| at + "://".len());
	match address[start..].rfind('@') {
		Some(at) => format!("{}{}", &address[..start], &address[start + at + 1..]),
		None => address.into(),
	}
}

/// The storage keys of a query without the chain time, which is always asked for.
fn asked(query: &Query) -> impl Iterator<Item = &[u8]> {
	let now = dpki_primitives::storage_keys::now();
	query.keys().iter().filter(move |key| **key != now).map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_beginning_of_an_address_names_the_carrier() {
		for address in [
			"http://127.0.0.1:8080",
			"https://pki.acme.example/dpki",
			"mqtt://broker.local:1883",
			"mqtt://user:word@[::1]:1884",
			"ws://127.0.0.1:9944",
			"file:/media/stick/drone-7.dpki",
		] {
			assert!(parse(address).is_ok(), "{address}");
		}
		for wrong in
			["", "drone-7.dpki", "ftp://x", "http://", "mqtt://", "mqtt://host:port", "http://a b"]
		{
			let Err(error) = parse(wrong) else { panic!("{wrong}") };
			assert!(matches!(error, CarrierError::Address { .. }), "{wrong}: {error}");
		}
	}

	#[test]
	fn a_password_is_not_in_the_name_of_a_carrier() {
		let carrier = parse("mqtt://user:secret@broker.local:1883").unwrap();
		assert_eq!(carrier.name(), "mqtt://broker.local:1883");
		let carrier = parse("http://user:secret@pki.acme.example/x");
		assert!(carrier.is_err_and(|error| !error.to_string().contains("secret")));
		let carrier = parse("wss://user:secret@node.acme.example:9944/x").unwrap();
		assert_eq!(carrier.name(), "wss://node.acme.example:9944/x");
		for wrong in ["amqp://user:secret@host", "user:secret@host", "mqtts://a:b@secret@host"] {
			let error = parse(wrong).err().expect(wrong).to_string();
			assert!(error.contains("host") && !error.contains("secret"), "{error}");
		}
	}

	#[test]
	fn an_address_without_a_user_stays_as_it_is() {
		for address in ["ws://127.0.0.1:9944", "", "://", "@", "é://é"] {
			assert_eq!(without_user(address), address.trim_end_matches('@'));
		}
	}

	#[test]
	fn one_failure_is_told_in_its_own_words_and_several_as_a_list() {
		let missing = |name: &str| Failure::from(CarrierError::Missing { carrier: name.into() });
		assert_eq!(Exhausted(vec![missing("a")]).to_string(), missing("a").to_string());
		let all = Exhausted(vec![missing("a"), missing("b")]).to_string();
		assert!(all.contains("(a holds no answer") && all.contains("; b holds"), "{all}");
		assert!(all.ends_with("or name another carrier"), "{all}");
	}
}
