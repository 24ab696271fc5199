//! One question to one peer, and what of its messages is an answer.

use crate::{
	FetchError, MESSAGE_OVERHEAD, PROTOCOL, Peer, cid, dial,
	frame::{self, FrameError},
	message::{BlockPresence, Message},
};
use futures::{StreamExt, stream, stream::SelectAll};
use libp2p::Stream;
use libp2p_stream::{Control, IncomingStreams, OpenStreamError};
use sha2::{Digest, Sha256};

/// How many streams of a peer are read at once. It needs one.
const MAX_STREAMS: usize = 4;

/// Dials, asks and hangs up.
pub async fn fetch(peer: &Peer, digest: [u8; 32], max_len: usize) -> Result<Vec<u8>, FetchError> {
	let (mut swarm, control, incoming) = dial::open(peer).await?;
	let question = Question { peer, digest, max_len };
	tokio::select! {
		// What came before the connection was lost counts.
		biased;
		answer = question.ask(control, incoming) => answer,
		reason = dial::lost(&mut swarm) => {
			Err(FetchError::Interrupted { peer: peer.address().clone(), reason })
		},
	}
}

struct Question<'a> {
	peer: &'a Peer,
	digest: [u8; 32],
	max_len: usize,
}

impl Question<'_> {
	async fn ask(
		&self,
		mut control: Control,
		mut incoming: IncomingStreams,
	) -> Result<Vec<u8>, FetchError> {
		let peer = || self.peer.address().clone();
		let interrupted = |reason: String| FetchError::Interrupted { peer: peer(), reason };
		let opened = control.open_stream(self.peer.id, PROTOCOL).await;
		// It stays open to the end: peers take the end of the stream for the end of the interest.
		let mut asked = opened.map_err(|error| match error {
			OpenStreamError::UnsupportedProtocol(_) => FetchError::NoBitswap { peer: peer() },
			error => interrupted(error.to_string()),
		})?;
		let wish = Message::want(&cid(self.digest));
		frame::write(&mut asked, &wish)
			.await
			.map_err(|error| interrupted(error.to_string()))?;

		// Peers answer on streams of their own.
		let limit = self.max_len.saturating_add(MESSAGE_OVERHEAD);
		let mut messages = SelectAll::new();
		loop {
			tokio::select! {
				Some((_, stream)) = incoming.next() => {
					if messages.len() < MAX_STREAMS {
						messages.push(read_all(stream, limit).boxed());
					}
				},
				Some(message) = messages.next(), if !messages.is_empty() => {
					let message = message.map_err(|error| self.refuse(error))?;
					if let Some(block) = self.judge(message)? {
						return Ok(block);
					}
				},
				else => return Err(interrupted("the connection was closed".into())),
			}
		}
	}

	/// The block, if it is in this message; an error, if after this message there is nothing to wait for.
	fn judge(&self, message: Message) -> Result<Option<Vec<u8>>, FetchError> {
		let peer = || self.peer.address().clone();
		let blocks = message.payload.into_iter().map(|block| block.data).chain(message.blocks);
		let mut others = false;
		for block in blocks {
			// The prefix says what the peer takes it for. What counts is what it hashes to.
			if Sha256::digest(&block)[..] != self.digest {
				others = true;
			} else if block.len() > self.max_len {
				return Err(FetchError::TooLong { peer: peer(), allowed: self.max_len });
			} else {
				return Ok(Some(block));
			}
		}
		let name = cid(self.digest).to_bytes();
		let is_missing =
			|it: &BlockPresence| it.presence == BlockPresence::DONT_HAVE && it.cid == name;
		if message.block_presences.iter().any(is_missing) {
			return Err(FetchError::DontHave { peer: peer() });
		}
		match others {
			// Nothing else was asked for.
			true => Err(FetchError::OtherBlock { peer: peer() }),
			false => Ok(None),
		}
	}

	fn refuse(&self, error: FrameError) -> FetchError {
		let peer = self.peer.address().clone();
		match error {
			FrameError::Io(error) => FetchError::Interrupted { peer, reason: error.to_string() },
			FrameError::TooLong(_) => FetchError::TooLong { peer, allowed: self.max_len },
			FrameError::Malformed(reason) => FetchError::Malformed { peer, reason },
		}
	}
}

/// The messages on a stream, up to its end or the first that is wrong.
fn read_all(
	stream: Stream,
	limit: usize,
) -> impl futures::Stream<Item = Result<Message, FrameError>> {
	stream::unfold(Some(stream), move |stream| async move {
		let mut stream = stream?;
		match frame::read(&mut stream, limit).await {
			Ok(Some(message)) => Some((Ok(message), Some(stream))),
			Ok(None) => None,
			Err(error) => Some((Err(error), None)),
		}
	})
}
