//! Messages on a stream: each has its length before it, as an unsigned varint.

use crate::Message;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use prost::Message as _;
use std::io;

/// How many digits of seven bits a length of 64 bits has.
const MAX_LENGTH_DIGITS: usize = 10;

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
	/// The stream is broken.
	#[error(transparent)]
	Io(#[from] io::Error),
	/// The message is announced to be longer than it may be. It was not read.
	#[error("a message of {0} bytes")]
	TooLong(usize),
	/// It is no message.
	#[error("{0}")]
	Malformed(String),
}

/// Sends a message.
pub async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &Message) -> io::Result<()> {
	stream.write_all(&message.encode_length_delimited_to_vec()).await?;
	stream.flush().await
}

/// The next message, of at most `limit` bytes; `None` at the end of the stream.
pub async fn read(
	stream: &mut (impl AsyncRead + Unpin),
	limit: usize,
) -> Result<Option<Message>, FrameError> {
	let Some(length) = read_length(stream).await? else { return Ok(None) };
	if length > limit {
		return Err(FrameError::TooLong(length));
	}
	// What is announced and never sent costs no memory.
	let mut bytes = Vec::new();
	stream.take(length as u64).read_to_end(&mut bytes).await?;
	if bytes.len() < length {
		return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
	}
	let message = Message::decode(&bytes[..]);
	message.map(Some).map_err(|error| FrameError::Malformed(error.to_string()))
}

/// The length of the next message; `None` at the end of the stream.
async fn read_length(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<usize>, FrameError> {
	let mut digits = Vec::new();
	loop {
		let mut digit = [0];
		if stream.read(&mut digit).await? == 0 {
			return match digits.is_empty() {
				true => Ok(None),
				false => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
			};
		}
		digits.push(digit[0]);
		// The last digit is the one without the highest bit.
		if digit[0] < 0x80 || digits.len() == MAX_LENGTH_DIGITS {
			let length = prost::decode_length_delimiter(&digits[..]);
			return length.map(Some).map_err(|error| FrameError::Malformed(error.to_string()));
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use futures::{executor::block_on, io::Cursor};

	fn framed(message: &Message) -> Vec<u8> {
		let mut bytes = Cursor::new(Vec::new());
		block_on(write(&mut bytes, message)).unwrap();
		bytes.into_inner()
	}

	#[test]
	fn messages_are_read_as_they_were_written() {
		let wanted = Message::want(&crate::cid([1; 32]));
		let mut bytes = framed(&wanted);
		bytes.extend(framed(&Message::default()));
		let mut stream = Cursor::new(bytes);
		let mut next = || block_on(read(&mut stream, 100)).unwrap();
		assert_eq!(next(), Some(wanted));
		assert_eq!(next(), Some(Message::default()));
		assert_eq!(next(), None);
	}

	#[test]
	fn a_message_is_refused_by_its_length_before_it_is_read() {
		let bytes = framed(&Message { blocks: vec![vec![0; 100]], ..Message::default() });
		let mut stream = Cursor::new(bytes);
		assert!(matches!(block_on(read(&mut stream, 101)), Err(FrameError::TooLong(102))));
		assert_eq!(stream.position(), 1);
	}

	#[test]
	fn a_message_that_breaks_off_is_refused() {
		let mut bytes = framed(&Message::want(&crate::cid([1; 32])));
		bytes.pop();
		for bytes in [bytes, vec![0x80]] {
			let refused = block_on(read(&mut Cursor::new(bytes), 100));
			assert!(matches!(refused, Err(FrameError::Io(_))), "{refused:?}");
		}
	}

	#[test]
	fn what_is_no_message_is_refused() {
		let refused = block_on(read(&mut Cursor::new(vec![2, 0x0a, 0xff]), 100));
		assert!(matches!(refused, Err(FrameError::Malformed(_))), "{refused:?}");
		let refused = block_on(read(&mut Cursor::new(vec![0xff; 20]), 100));
		assert!(matches!(refused, Err(FrameError::Malformed(_))), "{refused:?}");
	}
}
