//! Proofs of the hand-overs between authority sets, from peers.
//!
//! They are those of GRANDPA's warp synchronisation, which every node of the chain serves to every peer. smoldot uses the
//! same protocol for itself but keeps nothing of what it gets, so a network service of its own asks for them: only when a
//! device was away while the authorities changed. Nobody who answers is trusted: `dpki-verifier` judges each fragment.

use dpki_verifier::{
	Checkpoint, Error, Fragment, Verifier, Zebra, encode_fragments, thin_justification,
};
use smoldot_light::{
	network_service::{Config, ConfigChain, Event, NetworkService, PeerId},
	platform::DefaultPlatform,
};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// How long it is waited for peers in all, and for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER: Duration = Duration::from_secs(15);

/// How long it is waited for others when a peer was of no use.
const OTHERS: Duration = Duration::from_secs(5);

/// Most answers of one peer. Each has up to 8 MiB of fragments and says whether it is the last.
const MAX_ANSWERS: u32 = 16;

/// Whom to ask about which chain.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
	pub(crate) genesis: [u8; 32],
	pub(crate) fork_id: Option<String>,
	/// `/ip4/../tcp/../p2p/..`
	pub(crate) addresses: Vec<String>,
}

/// The newest checkpoint to which peers prove the way from this one. The error tells why there is none.
pub(crate) async fn follow(peers: &Peers, from: &Checkpoint) -> Result<Checkpoint, String> {
	let nodes: Vec<_> = peers
		.addresses
		.iter()
		.filter_map(|text| {
			let (address, peer) = text.rsplit_once("/p2p/")?;
			Some((peer.parse::<PeerId>().ok()?, [address.parse().ok()?]))
		})
		.collect();
	if nodes.is_empty() {
		return Err("no address of a peer is known".into());
	}
	let platform =
		DefaultPlatform::new(env!("CARGO_PKG_NAME").into(), env!("CARGO_PKG_VERSION").into());
	let service = NetworkService::new(Config {
		platform,
		identify_agent_version: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"))
			.into(),
		chains_capacity: 1,
		connections_open_pool_size: 8,
		connections_open_pool_restore_delay: Duration::from_millis(200),
	});
	let chain = service.add_chain(ConfigChain {
		log_name: "warp".into(),
		num_out_slots: 4,
		genesis_block_hash: peers.genesis,
		best_block: (from.number.into(), from.hash),
		fork_id: peers.fork_id.clone(),
		block_number_bytes: 4,
		grandpa_protocol_finalized_block_height: Some(from.number.into()),
		enable_statement_protocol: false,
		metrics: Default::default(),
	});
	let events = chain.subscribe().await;
	chain.discover(nodes, true).await;

	let mut deadline = Instant::now() + PATIENCE;
	let mut reason = "no peer was reached".to_owned();
	loop {
		let event = match timeout_at(deadline, events.recv()).await {
			Ok(Ok(event)) => event,
			Ok(Err(_)) => return Err("the network has stopped".into()),
			Err(_) => return Err(reason),
		};
		let Event::Connected { peer_id, .. } = event else { continue };
		let mut verifier = Verifier::new(from.clone(), Zebra);
		for _ in 0..MAX_ANSWERS {
			let begin = verifier.checkpoint().hash;
			let request = chain.clone().grandpa_warp_sync_request(peer_id.clone(), begin, ANSWER);
			let answer = match timeout(ANSWER, request).await {
				Ok(Ok(answer)) => answer,
				Ok(Err(error)) => {
					reason = error.to_string();
					break;
				},
				Err(_) => {
					reason = "a peer does not answer".into();
					break;
				},
			};
			let answer = answer.decode();
			let fragments = answer.fragments.iter().map(|fragment| Fragment {
				header: fragment.scale_encoded_header,
				justification: fragment.scale_encoded_justification,
			});
			if let Err(error) = advance(&mut verifier, fragments) {
				reason = error.to_string();
				break;
			}
			if answer.is_finished || verifier.checkpoint().hash == begin {
				break;
			}
		}
		if verifier.checkpoint().set.id() > from.set.id() {
			return Ok(verifier.checkpoint().clone());
		}
		// There may be a better one among those that are being reached.
		deadline = deadline.min(Instant::now() + OTHERS);
	}
}

/// Takes the hand-overs among these fragments. The last fragment of an answer may be none: it proves the newest block.
fn advance<'a>(
	verifier: &mut Verifier<Zebra>,
	fragments: impl ExactSizeIterator<Item = Fragment<'a>>,
) -> Result<(), Error> {
	let last = fragments.len();
	for (index, fragment) in fragments.enumerate() {
		// Nodes keep all votes, also those by which an authority contradicts itself.
		let threshold = verifier.checkpoint().set.threshold();
		let justification = thin_justification(fragment.justification, threshold)?;
		let fragment = Fragment { justification: &justification, ..fragment };
		match verifier.advance(&encode_fragments(&[fragment])) {
			Ok(_) => {},
			Err(Error::ChangeMissing { .. }) if index + 1 == last => {},
			Err(error) => return Err(error),
		}
	}
	Ok(())
}
