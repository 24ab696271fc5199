//! What the agent is for others on the machine: answers over a socket, figures for a monitor, and a unit of systemd.
//!
//! | module | what |
//! |---|---|
//! | [`api`] | the public key of a device, the status of a thing, and when it changes, over a Unix socket |
//! | [`metrics`] | Prometheus figures and health on a loopback address |
//! | [`unit`] | the hardened unit that `dpki-agent install` writes |

pub mod api;
pub mod metrics;
pub mod unit;

use crate::{
	config::Config,
	files::FileError,
	freshness::{Heard, Judged},
	http::{self, Limits},
	run::clock,
	seal::SealSettings,
	status::Status,
};
use api::{ApiSettings, Registry, Socket};
use dpki_client::{Head, View, primitives::Moment};
use hyper::{Request, body::Incoming};
use metrics::{Figures, MetricsSettings};
use serde::{Deserialize, Serialize};
use std::{io, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Most connections to the metrics at a time.
const METRICS_SEATS: usize = 8;
/// How long one may stay.
const METRICS_AGE: Duration = Duration::from_secs(30);

/// What the agent is for others on the machine, and how its state is kept. All of it is off unless it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ServiceSettings {
	/// By what the state is sealed, see [`crate::seal`].
	#[serde(skip_serializing_if = "Option::is_none")]
	pub seal: Option<SealSettings>,
	/// Answers over a Unix socket.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub api: Option<ApiSettings>,
	/// Figures for a monitor.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub metrics: Option<MetricsSettings>,
}

impl ServiceSettings {
	/// Whether nothing is set.
	pub fn is_default(&self) -> bool {
		*self == Self::default()
	}

	/// What is wrong with the settings, if anything is: which setting, and what.
	pub(crate) fn problem(&self, state: &Path) -> Option<(&'static str, &'static str)> {
		let seal = self.seal.as_ref().and_then(|seal| seal.problem(state));
		let api = self.api.as_ref().and_then(ApiSettings::problem);
		let metrics = self.metrics.as_ref().and_then(MetricsSettings::problem);
		seal.or(api).or(metrics)
	}
}

/// Why nobody can ask.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
	/// It cannot listen there.
	#[error("cannot listen on {place} ({reason}): choose another place with `{setting}`")]
	Listen {
		/// Where.
		place: String,
		/// What the system says.
		reason: io::Error,
		/// The setting that names the place.
		setting: &'static str,
	},
	/// The socket cannot be given its mode or group.
	#[error(transparent)]
	File(#[from] FileError),
	/// There is no such group.
	#[error(
		"there is no group `{0}`: make it with `groupadd --system {0}`, or set another one in `service.api.group`"
	)]
	Group(String),
}

/// What the agent has told last.
#[derive(Clone)]
pub struct Told {
	/// What it says of itself.
	pub status: Status,
	/// The newest proven state.
	pub registry: Option<Arc<dyn Registry>>,
	/// The newest chain time, and when it was heard: what is told grows old by that too, whatever the device's clock shows.
	pub heard: Heard,
	/// The newest block, and when the agent judged by the device's clock how old that is.
	pub judged: Option<(Head, Judged)>,
}

impl Told {
	/// What the agent has told before it knew of a block.
	pub(crate) fn at_first(status: Status, heard: Heard) -> Self {
		Self { status, registry: None, heard, judged: None }
	}

	/// The time by which the agent does its work: what it held the newest block against, and what has passed since. A clock
	/// that is set while no block comes makes the agent neither younger nor older; with the next block the agent judges
	/// anew, and what it says of itself with it.
	pub(crate) fn time_at_work(&self) -> Moment {
		match &self.judged {
			Some((_, judged)) => judged.now(),
			None => self.heard.now(clock()),
		}
	}
}

/// Those who answer. They end when this is dropped.
pub struct Services {
	told: watch::Sender<Told>,
	figures: Arc<Figures>,
	metrics: Option<SocketAddr>,
	tasks: Vec<JoinHandle<()>>,
	/// Removed when this is dropped.
	_socket: Option<Socket>,
}

impl Services {
	/// Starts what the configuration asks for.
	pub async fn start(config: &Config, status: Status) -> Result<Self, ServiceError> {
		let heard = Heard::open(&config.state);
		let (told, listener) = watch::channel(Told::at_first(status, heard));
		let figures = Arc::new(Figures::new());
		let mut services = Self { told, figures, metrics: None, tasks: Vec::new(), _socket: None };
		if let Some(settings) = &config.service.api {
			let (socket, accepted) = Socket::bind(settings)?;
			tracing::info!(socket = %settings.socket.display(), "the socket answers");
			let answering = api::Api::new(settings, config.chain.clone(), listener.clone());
			services.tasks.push(tokio::spawn(api::serve(accepted, answering)));
			services._socket = Some(socket);
		}
		if let Some(settings) = &config.service.metrics {
			let failed = |reason| ServiceError::Listen {
				place: settings.listen.to_string(),
				reason,
				setting: "service.metrics.listen",
			};
			let accepted = TcpListener::bind(settings.listen).await.map_err(failed)?;
			let address = accepted.local_addr().map_err(failed)?;
			tracing::info!("metrics are on http://{address}/metrics");
			let (figures, chain) = (services.figures.clone(), config.chain.clone());
			let limits = Limits { seats: METRICS_SEATS, per_user: None, age: METRICS_AGE };
			services.tasks.push(tokio::spawn(async move {
				http::serve(accepted, limits, std::future::pending(), |_| {
					let (figures, chain, listener) =
						(figures.clone(), chain.clone(), listener.clone());
					move |request: Request<Incoming>| {
						let answer =
							metrics::respond(&figures, &chain, &listener.borrow(), &request);
						async move { answer }
					}
				})
				.await;
			}));
			services.metrics = Some(address);
		}
		Ok(services)
	}

	/// Where the metrics are.
	pub fn metrics_address(&self) -> Option<SocketAddr> {
		self.metrics
	}

	/// Tells what there is to tell, from the newest proven state.
	pub fn tell(&self, status: &Status, view: Option<&View>) {
		let registry = view.map(|view| Arc::new(view.clone()) as Arc<dyn Registry>);
		self.tell_of(status, registry);
	}

	/// The same for any registry.
	pub fn tell_of(&self, status: &Status, registry: Option<Arc<dyn Registry>>) {
		self.figures.count(&self.told.borrow().status, status);
		self.told.send_modify(|told| {
			if let Some(head) = registry.as_ref().map(|registry| registry.head()) {
				told.heard.rise(head.time);
				if told.judged.as_ref().is_none_or(|(before, _)| *before != head) {
					let now = told.heard.now(clock());
					told.judged = Some((head, Judged::now_at(now)));
				}
			}
			(told.status, told.registry) = (status.clone(), registry);
		});
	}
}

impl Drop for Services {
	fn drop(&mut self) {
		for task in &self.tasks {
			task.abort();
		}
	}
}
