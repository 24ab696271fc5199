//! The embedded light client: the agent's only way to the chain.

use crate::{
	config::Config,
	files::{self, FileError},
	pin::{self, Keeper, PinError},
};
use dpki_client::{Client, Head, client::ClientError};
use dpki_light::{AnchorError, LightClient, LightError};
use std::path::PathBuf;

/// Why there is no light client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
	/// The chain specification cannot be read.
	#[error("{0}: give the raw specification of the chain")]
	Spec(#[from] FileError),
	/// The light client does not start.
	#[error("{0}")]
	Light(LightError),
	/// The specification is that of another chain.
	#[error(
		"{} describes the chain {found}, but the configuration pins {expected}: \
		 ask the organisation which one is right, and trust no other",
		path.display()
	)]
	WrongGenesis {
		/// The specification.
		path: PathBuf,
		/// Its genesis hash.
		found: String,
		/// The one that the agent believes in.
		expected: String,
	},
	/// There is no checkpoint to begin with.
	#[error(transparent)]
	Pin(#[from] PinError),
	/// It starts and does not answer.
	#[error(transparent)]
	Client(#[from] ClientError),
}

/// A running light client. It stops when this is dropped.
pub struct Connection {
	/// Reads and submits through it.
	pub client: Client,
	light: LightClient,
	keeper: Option<Keeper>,
}

impl Connection {
	/// Waits until the light client will never be believed again, and tells why. Only another start can help.
	pub fn lost(&self) -> impl Future<Output = AnchorError> + use<> {
		let light = self.light.clone();
		async move { light.lost().await }
	}
}

/// Starts the light client of this configuration, from the newest checkpoint, and keeps those to which it comes. For
/// whoever holds the lock of the state directory.
pub async fn connect(config: &Config) -> Result<Connection, ConnectError> {
	let mut connection = glance(config).await?;
	pin::note_named(config)?;
	let kept = pin::load(&config.state)?;
	connection.keeper = Some(Keeper::start(&config.state, &connection.light, kept));
	Ok(connection)
}

/// The same without writing anything: another agent may be running.
pub async fn glance(config: &Config) -> Result<Connection, ConnectError> {
	let light = start(config).await?;
	let client = Client::from_rpc(light.rpc()).await?;
	Ok(Connection { client, light, keeper: None })
}

/// Whether the chain specification can be used and has the genesis of the configuration. Asks nobody.
pub async fn check_genesis(config: &Config) -> Result<(), ConnectError> {
	start(config).await.map(drop)
}

async fn start(config: &Config) -> Result<LightClient, ConnectError> {
	let path = &config.chain.spec;
	let spec = std::fs::read_to_string(path).map_err(files::failed("read", path))?;
	let started = match pin::newest(config)? {
		Some(checkpoint) => LightClient::start_from(spec, &config.chain.peers, checkpoint).await,
		None => LightClient::start(spec, &config.chain.peers, config.chain.genesis).await,
	};
	started.map_err(|error| match error {
		LightError::WrongGenesis { expected, found } => {
			ConnectError::WrongGenesis { path: path.clone(), found, expected }
		},
		error => ConnectError::Light(error),
	})
}

/// The next head that satisfies `good`, or `None` when the time is over. Interruptions are waited out.
pub async fn head_within(
	client: &Client,
	timeout: std::time::Duration,
	good: impl Fn(&Head) -> bool,
) -> Option<Head> {
	use futures::StreamExt;
	let mut heads = client.finalized_heads();
	let waiting = async {
		loop {
			match heads.next().await? {
				Ok(head) if good(&head) => return Some(head),
				Ok(head) => tracing::debug!(block = head.number, "not there yet"),
				Err(error) => tracing::debug!(%error, "waiting for finalised blocks"),
			}
		}
	};
	tokio::time::timeout(timeout, waiting).await.ok().flatten()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::config::tests::sample;

	#[tokio::test]
	async fn a_specification_of_no_chain_starts_no_light_client() {
		let dir = tempfile::tempdir().unwrap();
		let mut config = sample();
		config.state = dir.path().join("state");
		config.chain.spec = dir.path().join("chain.json");
		assert!(matches!(glance(&config).await, Err(ConnectError::Spec(_))));
		for text in ["", "{}", "[]", "no JSON"] {
			std::fs::write(&config.chain.spec, text).unwrap();
			let refused = glance(&config).await.err().unwrap();
			assert!(matches!(refused, ConnectError::Light(_)), "{text}: {refused}");
			let said = refused.to_string();
			assert!(said.contains("chain specification") && !said.contains('\n'), "{said}");
		}
		assert!(!config.state.exists(), "nothing is written");
	}
}
