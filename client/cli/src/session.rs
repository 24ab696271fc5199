//! What the commands that talk to the chain have in common: the node, the account, and the way of a transaction.

use crate::{
	cli::Global,
	error::{Error, Result},
	output::Progress,
	secrets,
};
use dpki_client::{Account, Call, Client, Finalized, View, client::ClientError};
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};

/// A computer that has not accepted a connection by then is taken for absent.
const KNOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A finalised block is at most seconds away on a chain that is alive; reads take milliseconds.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The node and the account that a command was given.
pub struct Session {
	url: String,
	account: Option<String>,
}

impl Session {
	/// From the global options.
	pub fn new(global: Global) -> Self {
		Self { url: global.url, account: global.account }
	}

	/// A connection to the node.
	pub async fn connect(&self) -> Result<Client> {
		let _progress = Progress::start(format!("connecting to {}", self.url));
		self.knock().await?;
		Client::connect(&self.url).await.map_err(|error| match error {
			ClientError::Unreachable { url, .. } => Error::NodeUnreachable { url },
			error => error.into(),
		})
	}

	/// Fails at once where nobody listens. The client behind [`Client::connect`] would try again for many seconds,
	/// which is right for a daemon and wrong for a person who mistyped an address.
	async fn knock(&self) -> Result<()> {
		let Some(address) = socket_address(&self.url) else { return Ok(()) };
		match timeout(KNOCK_TIMEOUT, TcpStream::connect(address)).await {
			Ok(Ok(_)) => Ok(()),
			Ok(Err(_)) | Err(_) => Err(Error::NodeUnreachable { url: self.url.clone() }),
		}
	}

	/// A connection, and the state at the newest finalised block.
	pub async fn view(&self) -> Result<(Client, View)> {
		let client = self.connect().await?;
		let view = timeout(READ_TIMEOUT, client.at_finalized())
			.await
			.map_err(|_| Error::NodeSilent { waited: READ_TIMEOUT })??;
		Ok((client, view))
	}

	/// The account that signs. Asks for its passphrase if it has one.
	pub fn account(&self) -> Result<Account> {
		secrets::account(self.account.as_deref().ok_or(Error::AccountMissing)?)
	}

	/// Sends a transaction and waits until it is final.
	pub async fn submit(
		&self,
		client: &Client,
		account: &Account,
		call: &impl Call,
		doing: &str,
	) -> Result<Finalized> {
		let _progress = Progress::start(format!("{doing}: waiting until it is final"));
		Ok(client.submit(account, call).await?)
	}
}

/// `host:port` of a WebSocket address; `None` if it is none, which the client then says better.
fn socket_address(url: &str) -> Option<String> {
	let (rest, port) = match url.strip_prefix("wss://") {
		Some(rest) => (rest, 443),
		None => (url.strip_prefix("ws://")?, 80),
	};
	let authority = rest.split(['/', '?']).next()?;
	let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
	let has_port = host
		.rsplit_once(':')
		.is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()));
	Some(if has_port { host.to_owned() } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_address_of_a_node_is_found_in_its_url() {
		for (url, address) in [
			("ws://127.0.0.1:9944", "127.0.0.1:9944"),
			("wss://node.acme.example/rpc", "node.acme.example:443"),
			("ws://node", "node:80"),
			("ws://[::1]:9944/", "[::1]:9944"),
			("ws://[::1]", "[::1]:80"),
			("wss://user:word@node:1", "node:1"),
		] {
			assert_eq!(socket_address(url).as_deref(), Some(address), "{url}");
		}
		assert_eq!(socket_address("http://node"), None);
	}
}
