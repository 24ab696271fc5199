//! A connection to one peer, with a key that is made for it: a client has no name of its own to be known by.

use crate::{FetchError, PROTOCOL, Peer};
use futures::StreamExt;
use libp2p::{
	PeerId, Swarm, Transport,
	core::{muxing::StreamMuxerBox, transport::Boxed, upgrade::Version},
	dns, identify,
	identity::Keypair,
	multiaddr::Protocol,
	noise,
	swarm::{self, DialError, NetworkBehaviour, SwarmEvent},
	tcp, yamux,
};
use libp2p_stream::{Control, IncomingStreams};

/// The version of the address book of IPFS peers.
const IDENTIFY_VERSION: &str = "ipfs/0.1.0";

/// What is spoken: Bitswap, and who one is, which some peers ask before they answer.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
	identify: identify::Behaviour,
	streams: libp2p_stream::Behaviour,
}

/// Dials the peer and waits until it has proven that it is the one: what drives the connection, what opens streams, and the
/// streams that the peer opens.
pub async fn open(peer: &Peer) -> Result<(Swarm<Behaviour>, Control, IncomingStreams), FetchError> {
	let unreachable = |reason: String| FetchError::Unreachable {
		peer: peer.address.clone(),
		reason: one_line(&reason),
	};
	let key = Keypair::generate_ed25519();
	let transport = transport(&key, peer).map_err(unreachable)?;
	let identity = identify::Config::new(IDENTIFY_VERSION.into(), key.public())
		.with_agent_version(concat!("dpki-bitswap/", env!("CARGO_PKG_VERSION")).into());
	let behaviour = Behaviour {
		identify: identify::Behaviour::new(identity),
		streams: libp2p_stream::Behaviour::new(),
	};
	let mut control = behaviour.streams.new_control();
	// Before the dialling: a peer may open a stream at once.
	let incoming = control.accept(PROTOCOL).map_err(|error| unreachable(error.to_string()))?;
	let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(peer.patience);
	let mut swarm = Swarm::new(transport, behaviour, PeerId::from(key.public()), config);
	swarm.dial(peer.address.clone()).map_err(|error| unreachable(causes(&error)))?;
	loop {
		match swarm.select_next_some().await {
			SwarmEvent::ConnectionEstablished { .. } => break,
			SwarmEvent::OutgoingConnectionError { error, .. } => {
				return Err(unreachable(causes(&error)));
			},
			_ => {},
		}
	}
	Ok((swarm, control, incoming))
}

/// Drives the connection until it is lost, and says why. Whatever is done over it has to be done beside.
pub async fn lost(swarm: &mut Swarm<Behaviour>) -> String {
	loop {
		if let SwarmEvent::ConnectionClosed { cause, .. } = swarm.select_next_some().await {
			return match cause {
				Some(cause) => one_line(&cause.to_string()),
				None => "the connection was closed".into(),
			};
		}
	}
}

fn transport(key: &Keypair, peer: &Peer) -> Result<Boxed<(PeerId, StreamMuxerBox)>, String> {
	let tcp = tcp::tokio::Transport::new(tcp::Config::new().nodelay(true));
	// Without a name to be looked up nobody has to be asked, and a device without a resolver works.
	let is_number = matches!(peer.address.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
	let base = match is_number {
		true => tcp.boxed(),
		false => dns::tokio::Transport::system(tcp).map_err(|error| error.to_string())?.boxed(),
	};
	let noise = noise::Config::new(key).map_err(|error| error.to_string())?;
	Ok(base
		.upgrade(Version::V1Lazy)
		.authenticate(noise)
		.multiplex(yamux::Config::default())
		.timeout(peer.patience)
		.boxed())
}

/// An error with what it was caused by: of a connection the first alone says nothing.
fn causes(error: &DialError) -> String {
	match error {
		DialError::Transport(attempts) => {
			let said: Vec<_> = attempts.iter().map(|(_, error)| innermost(error)).collect();
			said.join("; ")
		},
		DialError::WrongPeerId { obtained, .. } => format!("{obtained} is there instead"),
		error => error.to_string(),
	}
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
	let causes = std::iter::successors(Some(error), |error| error.source());
	causes.last().map_or_else(String::new, ToString::to_string)
}

fn one_line(text: &str) -> String {
	text.split_whitespace().collect::<Vec<_>>().join(" ")
}
