//! Requests to a node over HTTP, one connection each: nothing is kept that could be lost with the node.

use crate::{hex, history::Block};
use serde_json::{Value, json};
use std::{
	io::{Read, Write},
	net::{SocketAddr, TcpStream},
	time::Duration,
};

/// How long a node may take to answer. One that is stopped or cut off takes for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
	/// The node has answered with an error.
	Said {
		/// Its code in JSON-RPC.
		code: i64,
		/// Its sentence, and what it adds.
		message: String,
	},
	/// It is not there, or too slow, or does not speak JSON-RPC: what the connection says.
	Silent(String),
}

impl std::fmt::Display for Refusal {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Refusal::Said { code, message } => write!(f, "{message} ({code})"),
			Refusal::Silent(reason) => write!(f, "no answer: {reason}"),
		}
	}
}

/// Where a node serves JSON-RPC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rpc(pub SocketAddr);

impl Rpc {
	/// A request.
	pub fn call(&self, method: &str, params: Value) -> Result<Value, Refusal> {
		let request = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
		let (_, body) = self.post(request.to_string().as_bytes())?;
		answer(parse(&body)?)
	}

	/// Requests of one method in a batch; their answers are in the same order.
	pub fn batch(
		&self,
		method: &str,
		params: &[Value],
	) -> Result<Vec<Result<Value, Refusal>>, Refusal> {
		let request = |(id, params): (usize, &Value)| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
		let requests = Value::Array(params.iter().enumerate().map(request).collect());
		let (_, body) = self.post(requests.to_string().as_bytes())?;
		let Value::Array(mut answers) = parse(&body)? else {
			return Err(answer(parse(&body)?).err().unwrap_or(Refusal::Silent("no batch".into())));
		};
		answers.sort_by_key(|answer| answer["id"].as_u64());
		Ok(answers.into_iter().map(answer).collect())
	}

	/// Sends these bytes, whatever they are, and gives the status of the answer in HTTP, and its body.
	pub fn post(&self, body: &[u8]) -> Result<(u16, String), Refusal> {
		let silent = |error: std::io::Error| Refusal::Silent(error.to_string());
		let mut stream = TcpStream::connect_timeout(&self.0, ANSWER_TIMEOUT).map_err(silent)?;
		stream.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(silent)?;
		stream.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(silent)?;
		let head = format!(
			"POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
			 Connection: close\r\n\r\n",
			self.0,
			body.len()
		);
		// Who refuses a body for its length may close before all of it was sent; what it says counts.
		let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
		let mut answer = Vec::new();
		let read = stream.read_to_end(&mut answer);
		let text = String::from_utf8_lossy(&answer);
		let (head, body) = match text.split_once("\r\n\r\n") {
			Some(parts) => parts,
			None => {
				let error = sent.and(read.map(|_| ())).err();
				let reason = error.map_or("it hung up".into(), |error| error.to_string());
				return Err(Refusal::Silent(reason));
			},
		};
		let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
		Ok((status.ok_or(Refusal::Silent("no HTTP".into()))?, body.to_string()))
	}

	/// The newest finalised block.
	pub fn finalized(&self) -> Result<Block, Refusal> {
		let hash = self.call("chain_getFinalizedHead", json!([]))?;
		let header = self.call("chain_getHeader", json!([hash]))?;
		Ok(Block { number: number(&header["number"])?, hash: bytes32(&hash)? })
	}

	/// The number of the best block.
	pub fn best(&self) -> Result<u32, Refusal> {
		number(&self.call("chain_getHeader", json!([]))?["number"])
	}

	/// The block of this number on the node's best chain.
	pub fn block_of(&self, number: u32) -> Result<Option<Block>, Refusal> {
		let hash = self.call("chain_getBlockHash", json!([number]))?;
		if hash.is_null() {
			return Ok(None);
		}
		Ok(Some(Block { number, hash: bytes32(&hash)? }))
	}

	/// The hashes of the transactions of a block.
	pub fn transactions(&self, block: Block) -> Result<Vec<[u8; 32]>, Refusal> {
		let found = self.call("chain_getBlock", json!([hex(&block.hash)]))?;
		let list = found["block"]["extrinsics"].as_array();
		let list = list.ok_or(Refusal::Silent("the block is missing".into()))?;
		list.iter()
			.map(|text| Ok(sp_crypto_hashing::blake2_256(&bytes(text)?)))
			.collect()
	}

	/// What stands in the state of a block under a key.
	pub fn storage(&self, key: &[u8], block: Block) -> Result<Option<Vec<u8>>, Refusal> {
		let value = self.call("state_getStorage", json!([hex(key), hex(&block.hash)]))?;
		if value.is_null() { Ok(None) } else { bytes(&value).map(Some) }
	}
}

fn parse(body: &str) -> Result<Value, Refusal> {
	serde_json::from_str(body).map_err(|_| Refusal::Silent(format!("no JSON: {body}")))
}

fn answer(mut answer: Value) -> Result<Value, Refusal> {
	let error = &answer["error"];
	if error.is_null() {
		return Ok(answer["result"].take());
	}
	let said = error["message"].as_str().unwrap_or_default();
	let data = error["data"].as_str().map(|data| format!(": {data}")).unwrap_or_default();
	let code = error["code"].as_i64().unwrap_or_default();
	Err(Refusal::Said { code, message: format!("{said}{data}") })
}

fn bytes(value: &Value) -> Result<Vec<u8>, Refusal> {
	let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
	let bytes = digits.and_then(|digits| hex::decode(digits).ok());
	bytes.ok_or_else(|| Refusal::Silent(format!("no bytes: {value}")))
}

fn bytes32(value: &Value) -> Result<[u8; 32], Refusal> {
	let bytes = bytes(value)?;
	bytes.try_into().map_err(|_| Refusal::Silent(format!("not 32 bytes: {value}")))
}

/// A number as Substrate writes it in headers: hexadecimal digits.
fn number(value: &Value) -> Result<u32, Refusal> {
	let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
	let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
	number.ok_or_else(|| Refusal::Silent(format!("no number: {value}")))
}
