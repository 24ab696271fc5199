//! The client against peers of all kinds, over TCP. The peers are rust-libp2p; Helia and the chain's own nodes are asked in
//! `client/e2e/tests/e2e/blobs.rs`.

use dpki_bitswap::{Block, BlockPresence, FetchError, Message, PROTOCOL, Peer, Wantlist, cid};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, channel::mpsc};
use libp2p::{Stream, StreamProtocol, Swarm, SwarmBuilder, noise, swarm::SwarmEvent, tcp, yamux};
use prost::Message as _;
use sha2::{Digest, Sha256};
use std::time::Duration;

const BLOCK: &[u8] = b"a block that somebody has sealed";

/// Long enough for everything that is answered at all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a peer does with a wish.
#[derive(Clone)]
enum Manner {
	/// Sends these bytes, each on a stream of its own.
	Answers(Vec<Vec<u8>>),
	/// Reads, and says nothing.
	Silent,
	/// Ends the connection.
	HangsUp,
}

/// A peer, and what it was asked.
struct FakePeer {
	address: String,
	asked: mpsc::UnboundedReceiver<Message>,
}

async fn start(manner: Manner) -> FakePeer {
	start_with(PROTOCOL, manner).await
}

async fn start_with(protocol: StreamProtocol, manner: Manner) -> FakePeer {
	let mut swarm = SwarmBuilder::with_new_identity()
		.with_tokio()
		.with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
		.unwrap()
		.with_behaviour(|_| libp2p_stream::Behaviour::new())
		.unwrap()
		.with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
		.build();
	swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
	let address = loop {
		if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
			break format!("{address}/p2p/{}", swarm.local_peer_id());
		}
	};
	let (told, asked) = mpsc::unbounded();
	tokio::spawn(serve(swarm, protocol, manner, told));
	FakePeer { address, asked }
}

async fn serve(
	mut swarm: Swarm<libp2p_stream::Behaviour>,
	protocol: StreamProtocol,
	manner: Manner,
	told: mpsc::UnboundedSender<Message>,
) {
	let mut control = swarm.behaviour().new_control();
	let mut incoming = control.accept(protocol).unwrap();
	let (hang_up, mut hanging_up) = mpsc::unbounded();
	loop {
		tokio::select! {
			_ = swarm.select_next_some() => {},
			Some((peer, mut stream)) = incoming.next() => {
				let (mut control, manner, told, hang_up) =
					(control.clone(), manner.clone(), told.clone(), hang_up.clone());
				tokio::spawn(async move {
					let wish = read(&mut stream).await;
					told.unbounded_send(wish).unwrap();
					match manner {
						Manner::Answers(answers) => {
							let mut open = Vec::new();
							for answer in answers {
								let mut stream = control.open_stream(peer, PROTOCOL).await.unwrap();
								stream.write_all(&answer).await.unwrap();
								stream.flush().await.unwrap();
								open.push(stream);
							}
							futures::future::pending::<()>().await;
						},
						Manner::Silent => futures::future::pending().await,
						Manner::HangsUp => hang_up.unbounded_send(peer).unwrap(),
					}
				});
			},
			Some(peer) = hanging_up.next() => swarm.disconnect_peer_id(peer).unwrap(),
		}
	}
}

async fn read(stream: &mut Stream) -> Message {
	// A wish for one block is shorter than 128 bytes.
	let mut length = [0];
	stream.read_exact(&mut length).await.unwrap();
	let mut bytes = vec![0; length[0].into()];
	stream.read_exact(&mut bytes).await.unwrap();
	Message::decode(&bytes[..]).unwrap()
}

fn framed(message: &Message) -> Vec<u8> {
	message.encode_length_delimited_to_vec()
}

fn digest(block: &[u8]) -> [u8; 32] {
	Sha256::digest(block).into()
}

fn holding(block: &[u8]) -> Message {
	let prefix = vec![1, 0x55, 0x12, 32];
	Message { payload: vec![Block { prefix, data: block.to_vec() }], ..Message::default() }
}

fn presence(of: [u8; 32], presence: i32) -> Message {
	let cid = cid(of).to_bytes();
	Message { block_presences: vec![BlockPresence { cid, presence }], ..Message::default() }
}

async fn fetch(peer: &FakePeer, max_len: usize) -> Result<Vec<u8>, FetchError> {
	let peer = Peer::new(&peer.address).unwrap().with_patience(PATIENCE);
	peer.fetch(digest(BLOCK), max_len).await
}

async fn refused_by(answer: Vec<u8>, max_len: usize) -> FetchError {
	let peer = start(Manner::Answers(vec![answer])).await;
	let error = fetch(&peer, max_len).await.unwrap_err();
	let sentence = error.to_string();
	assert!(sentence.starts_with(&peer.address) && !sentence.contains('\n'), "{sentence}");
	error
}

#[tokio::test]
async fn a_block_is_asked_for_by_its_cid_and_comes() {
	let mut peer = start(Manner::Answers(vec![framed(&holding(BLOCK))])).await;
	assert_eq!(fetch(&peer, BLOCK.len()).await.unwrap(), BLOCK);
	let asked = peer.asked.next().await.unwrap().wantlist.unwrap();
	assert!(asked.full);
	let [entry] = &asked.entries[..] else { panic!("{asked:?}") };
	assert_eq!(entry.block, cid(digest(BLOCK)).to_bytes());
	assert!(entry.send_dont_have && !entry.cancel);
}

#[tokio::test]
async fn a_block_without_a_prefix_is_taken_by_its_hash() {
	let message = Message { blocks: vec![BLOCK.to_vec()], ..Message::default() };
	let peer = start(Manner::Answers(vec![framed(&message)])).await;
	assert_eq!(fetch(&peer, BLOCK.len()).await.unwrap(), BLOCK);
}

#[tokio::test]
async fn what_the_peer_wants_itself_is_passed_over() {
	let wish = Message { wantlist: Some(Wantlist::default()), ..Message::default() };
	let have = presence(digest(BLOCK), BlockPresence::HAVE);
	let other = presence([9; 32], BlockPresence::DONT_HAVE);
	let mut stream = framed(&wish);
	stream.extend(framed(&have));
	stream.extend(framed(&other));
	stream.extend(framed(&holding(BLOCK)));
	let peer = start(Manner::Answers(vec![framed(&wish), stream])).await;
	assert_eq!(fetch(&peer, BLOCK.len()).await.unwrap(), BLOCK);
}

#[tokio::test]
async fn a_peer_that_does_not_have_it_is_taken_at_its_word() {
	let answer = framed(&presence(digest(BLOCK), BlockPresence::DONT_HAVE));
	let error = refused_by(answer, BLOCK.len()).await;
	assert!(matches!(error, FetchError::DontHave { .. }) && !error.is_temporary(), "{error}");
}

#[tokio::test]
async fn another_block_is_refused() {
	let error = refused_by(framed(&holding(b"another block")), BLOCK.len()).await;
	assert!(matches!(error, FetchError::OtherBlock { .. }) && !error.is_temporary(), "{error}");
}

#[tokio::test]
async fn a_block_that_is_too_long_is_refused() {
	let error = refused_by(framed(&holding(BLOCK)), BLOCK.len() - 1).await;
	assert!(matches!(error, FetchError::TooLong { allowed: 31, .. }), "{error}");
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused_before_it_comes() {
	// Only its length is ever sent.
	let mut length = Vec::new();
	prost::encode_length_delimiter(1 << 30, &mut length).unwrap();
	let error = refused_by(length, BLOCK.len()).await;
	assert!(matches!(error, FetchError::TooLong { allowed: 32, .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
	let error = refused_by(vec![2, 0x0a, 0xff], BLOCK.len()).await;
	assert!(matches!(error, FetchError::Malformed { .. }) && !error.is_temporary(), "{error}");
}

#[tokio::test]
async fn a_peer_that_never_answers_is_left_after_a_time() {
	let mut peer = start(Manner::Silent).await;
	let patience = Duration::from_millis(500);
	let asking = Peer::new(&peer.address).unwrap().with_patience(patience);
	let error = asking.fetch(digest(BLOCK), 100).await.unwrap_err();
	assert!(matches!(error, FetchError::Silent { waited, .. } if waited == patience), "{error}");
	assert!(peer.asked.next().await.is_some(), "it was asked");
}

#[tokio::test]
async fn a_connection_that_is_lost_is_not_waited_for() {
	let peer = start(Manner::HangsUp).await;
	let error = fetch(&peer, 100).await.unwrap_err();
	assert!(matches!(error, FetchError::Interrupted { .. }) && error.is_temporary(), "{error}");
}

#[tokio::test]
async fn a_peer_without_bitswap_is_refused() {
	let protocol = StreamProtocol::new("/ipfs/bitswap/9.9.9");
	let peer = start_with(protocol, Manner::Silent).await;
	let error = fetch(&peer, 100).await.unwrap_err();
	assert!(matches!(error, FetchError::NoBitswap { .. }) && !error.is_temporary(), "{error}");
}

#[tokio::test]
async fn a_peer_with_another_key_than_that_of_its_address_is_not_asked() {
	let mut peer = start(Manner::Answers(vec![framed(&holding(BLOCK))])).await;
	let (place, _) = peer.address.split_once("/p2p/").unwrap();
	let other = libp2p::identity::Keypair::generate_ed25519().public().to_peer_id();
	let asking = Peer::new(&format!("{place}/p2p/{other}")).unwrap().with_patience(PATIENCE);
	let error = asking.fetch(digest(BLOCK), 100).await.unwrap_err();
	assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
	assert!(error.to_string().contains("is there instead"), "{error}");
	assert!(peer.asked.try_recv().is_err(), "nothing was asked");
}

#[tokio::test]
async fn where_nobody_listens_the_peer_is_unreachable() {
	// A port that was free a moment ago, and that nobody else is given on this address.
	let socket = std::net::TcpListener::bind("127.77.0.1:0").unwrap();
	let port = socket.local_addr().unwrap().port();
	drop(socket);
	let id = libp2p::identity::Keypair::generate_ed25519().public().to_peer_id();
	let peer = Peer::new(&format!("/ip4/127.77.0.1/tcp/{port}/p2p/{id}")).unwrap();
	let error = peer.fetch(digest(BLOCK), 100).await.unwrap_err();
	assert!(matches!(error, FetchError::Unreachable { .. }) && error.is_temporary(), "{error}");
	assert!(error.to_string().contains("refused"), "{error}");
}
