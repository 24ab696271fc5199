//! A node that answers what it is told to, and a wire that may hold up what a node says. Both are on real sockets; the
//! protocol is spoken by the library that nodes speak it with.

use jsonrpsee::{
	RpcModule,
	server::{Server, ServerHandle},
	types::ErrorObjectOwned,
};
use serde_json::Value;
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};

/// What a node answers: a value, or a code with a sentence.
pub type Said = Result<Value, ErrorObjectOwned>;

/// The methods that it knows: those by which carriers ask, and those by which state is read. It takes no transactions.
const METHODS: [&str; 9] = [
	"dpki_bundle",
	"dpki_warpFragments",
	"chain_getBlock",
	"chain_getBlockHash",
	"chain_getFinalizedHead",
	"chain_getHeader",
	"state_getStorage",
	"state_getReadProof",
	"state_call",
];

/// Longest answer that this node sends, in bytes. Longer than anybody should take.
const MAX_ANSWER_LEN: u32 = 64 * 1024 * 1024;

/// A node, for as long as this is kept.
pub struct Liar {
	/// Where it listens.
	pub address: SocketAddr,
	_handle: ServerHandle,
}

impl Liar {
	/// Answers with what `answer` makes of a method and its parameters.
	pub async fn start<A>(
		answer: impl Fn(&'static str, Vec<Value>) -> A + Send + Sync + 'static,
	) -> Self
	where
		A: Future<Output = Said> + Send + 'static,
	{
		let mut module = RpcModule::new(answer);
		for method in METHODS {
			module
				.register_async_method(method, move |parameters, answer, _| {
					let parameters = parameters.parse().unwrap_or_default();
					answer(method, parameters)
				})
				.expect("each method is there once");
		}
		let server = Server::builder()
			.max_response_body_size(MAX_ANSWER_LEN)
			.build("127.0.0.1:0")
			.await
			.expect("a port is free");
		let address = server.local_addr().expect("it listens");
		Self { address, _handle: server.start(module) }
	}

	/// Its address as a carrier.
	pub fn url(&self) -> String {
		format!("ws://{}", self.address)
	}
}

/// What becomes of what a node says, after the connection is made and so many bytes have come through.
#[derive(Clone, Copy)]
pub enum Wire {
	/// The connection is closed.
	Cut(usize),
	/// One byte comes through in this time.
	Drip(usize, Duration),
}

impl Wire {
	/// Lays such a wire to a node and gives the address of its end, for as long as the runtime lives.
	pub async fn to(self, node: SocketAddr) -> String {
		let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
		let address = listener.local_addr().expect("it listens");
		tokio::spawn(async move {
			while let Ok((asking, _)) = listener.accept().await {
				if let Ok(node) = TcpStream::connect(node).await {
					tokio::spawn(self.carry(asking, node));
				}
			}
		});
		format!("ws://{address}")
	}

	async fn carry(self, asking: TcpStream, node: TcpStream) -> std::io::Result<()> {
		let (mut question, mut answer) = asking.into_split();
		let (mut from_node, mut to_node) = node.into_split();
		let asked = tokio::spawn(async move { tokio::io::copy(&mut question, &mut to_node).await });
		// What opens the connection ends with an empty line, and comes through whole.
		let mut opening = Vec::new();
		while !opening.ends_with(b"\r\n\r\n") {
			opening.push(from_node.read_u8().await?);
		}
		answer.write_all(&opening).await?;
		let (Self::Cut(whole) | Self::Drip(whole, _)) = self;
		tokio::io::copy(&mut (&mut from_node).take(whole as u64), &mut answer).await?;
		if let Self::Drip(_, pause) = self {
			loop {
				let byte = from_node.read_u8().await?;
				answer.write_u8(byte).await?;
				tokio::time::sleep(pause).await;
			}
		}
		// Both directions have to end, or the connection stays half open.
		asked.abort();
		Ok(())
	}
}
