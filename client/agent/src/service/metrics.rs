//! Figures for Prometheus and a health check, on a loopback address: they need no secret, and nobody else needs them.
//!
//! | path | what |
//! |---|---|
//! | `/metrics` | the figures, in the text format of Prometheus |
//! | `/healthz` | 200 while the agent is at work, 503 with the reason while it is not |

use crate::{
	config::ChainSettings,
	http::{answer, refusal},
	inspection::{Inspection, Time},
	lock::Presence,
	service::Told,
	status::Status,
};
use http_body_util::Full;
use hyper::{
	Request, Response, StatusCode,
	body::{Body, Bytes},
};
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

const TEXT: &str = "text/plain; charset=utf-8";
const FIGURES: &str = "text/plain; version=0.0.4";

/// Where the figures are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MetricsSettings {
	/// The address and port, which has to be of the loopback interface; with port 0 the system chooses one.
	pub listen: SocketAddr,
}

impl MetricsSettings {
	pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
		let problem = "is not an address of this machine alone: use 127.0.0.1 or [::1], and a proxy for others";
		(!self.listen.ip().is_loopback()).then_some(("service.metrics.listen", problem))
	}
}

/// The figures.
pub struct Figures {
	registry: Registry,
	block: IntGauge,
	block_time: IntGauge,
	deliveries: IntGaugeVec,
	generation: IntGauge,
	user_cas: IntGauge,
	device_valid: IntGauge,
	logins_closed: IntGauge,
	peers_closed: IntGauge,
	working: IntGauge,
	refusals: IntCounterVec,
	problems: IntCounter,
}

impl Figures {
	/// All at zero.
	pub fn new() -> Self {
		let registry = Registry::new();
		let sound = "the names are constants, and different";
		let gauge = |name: &str, help: &str| {
			let gauge = IntGauge::new(format!("dpki_agent_{name}"), help).expect(sound);
			registry.register(Box::new(gauge.clone())).expect(sound);
			gauge
		};
		let (block, block_time) = (
			gauge("block_number", "Newest finalised block that was acted on"),
			gauge("block_time_seconds", "Chain time in that block, in seconds since 1970"),
		);
		let (generation, user_cas) = (
			gauge("ssh_generation", "Generation that sshd reads"),
			gauge("ssh_user_cas", "User CAs that sshd believes"),
		);
		let (device_valid, logins_closed, peers_closed, working) = (
			gauge("device_valid", "1 if the chain says that the device is valid"),
			gauge("logins_closed", "1 if no user CA is believed, because the chain was not heard"),
			gauge("peers_closed", "1 if no TLS peer is believed, because the chain was not heard"),
			gauge("working", "1 if the agent does what it is for, as /healthz says"),
		);
		let deliveries = IntGaugeVec::new(
			Opts::new(
				"dpki_agent_delivery_sequence",
				"Highest number of a delivery, by channel and state",
			),
			&["channel", "state"],
		)
		.expect(sound);
		let refusals = IntCounterVec::new(
			Opts::new("dpki_agent_refusals_total", "Deliveries that were not taken, by reason"),
			&["reason"],
		)
		.expect(sound);
		let problems = IntCounter::new(
			"dpki_agent_problems_total",
			"Times that something new hindered the agent",
		)
		.expect(sound);
		registry.register(Box::new(deliveries.clone())).expect(sound);
		registry.register(Box::new(refusals.clone())).expect(sound);
		registry.register(Box::new(problems.clone())).expect(sound);
		Self {
			registry,
			block,
			block_time,
			deliveries,
			generation,
			user_cas,
			device_valid,
			logins_closed,
			peers_closed,
			working,
			refusals,
			problems,
		}
	}

	/// Counts what has happened between two words of the agent.
	pub(super) fn count(&self, before: &Status, now: &Status) {
		if let Some(refusal) = &now.last_refusal
			&& before.last_refusal.as_ref() != Some(refusal)
		{
			self.refusals.with_label_values(&[refusal.reason.as_str()]).inc();
		}
		if now.error.is_some() && now.error != before.error {
			self.problems.inc();
		}
	}

	/// The text for Prometheus.
	fn text(&self, status: &Status, is_working: bool) -> Result<String, prometheus::Error> {
		let number = |number: Option<u64>| i64::try_from(number.unwrap_or(0)).unwrap_or(i64::MAX);
		let head = status.head.as_ref();
		self.block.set(number(head.map(|head| head.number.into())));
		self.block_time.set(number(head.map(|head| head.time / 1000)));
		for it in &status.channels {
			let channel = it.channel.to_string();
			for (state, sequence) in [
				("seen", it.highest_sequence),
				("applied", it.sequence),
				("acknowledged", it.acknowledged),
			] {
				let labels = [channel.as_str(), state];
				self.deliveries.with_label_values(&labels).set(number(sequence));
			}
		}
		self.generation.set(number(status.ssh.generation));
		self.user_cas.set(number(u64::try_from(status.ssh.user_cas.len()).ok()));
		self.device_valid.set(i64::from(status.device_status == "valid"));
		self.logins_closed.set(i64::from(status.ssh.closed));
		self.peers_closed.set(i64::from(status.peers_closed));
		self.working.set(i64::from(is_working));
		TextEncoder::new().encode_to_string(&self.registry.gather())
	}
}

impl Default for Figures {
	fn default() -> Self {
		Self::new()
	}
}

/// The agent that answers, judged by the time by which it works.
pub(super) fn inspect(told: &Told, chain: &ChainSettings) -> Inspection {
	let now = told.time_at_work();
	// The word is not read from a file: it is as young as the agent that answers.
	let status = Status { updated_at: now, ..told.status.clone() };
	let presence = Presence::Running { pid: Some(std::process::id()) };
	Inspection::new(status, presence, chain, Time { shown: now, of_blocks: now })
}

pub(super) fn respond<B: Body>(
	figures: &Figures,
	chain: &ChainSettings,
	told: &Told,
	request: &Request<B>,
) -> Response<Full<Bytes>> {
	if let Some((status, sentence)) = refusal(request) {
		return answer(status, TEXT, format!("{sentence}\n"));
	}
	let found = inspect(told, chain);
	let status = &found.status;
	match request.uri().path() {
		"/metrics" => match figures.text(status, found.working) {
			Ok(text) => answer(StatusCode::OK, FIGURES, text),
			Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
		},
		"/healthz" if found.working => answer(StatusCode::OK, TEXT, "ok\n".into()),
		"/healthz" => {
			let reasons: Vec<String> =
				found.warnings.iter().chain(&status.error).cloned().collect();
			answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{}\n", reasons.join("\n")))
		},
		_ => answer(StatusCode::NOT_FOUND, TEXT, "there are /metrics and /healthz\n".into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		freshness::{Heard, Judged},
		run::clock,
		status::{ChannelStatus, HeadStatus, RefusalStatus},
	};
	use dpki_client::{Head, primitives::Moment};
	use http_body_util::{BodyExt, Empty};

	async fn ask(figures: &Figures, status: &Status, path: &str) -> (u16, String) {
		let told = Told::at_first(status.clone(), Heard::now_at(0));
		asked(figures, &told, path).await
	}

	async fn asked(figures: &Figures, told: &Told, path: &str) -> (u16, String) {
		let chain = crate::config::tests::sample().chain;
		let request = Request::builder().uri(path).body(Empty::<Bytes>::new()).unwrap();
		let response = respond(figures, &chain, told, &request);
		let code = response.status().as_u16();
		let body = response.into_body().collect().await.unwrap().to_bytes();
		(code, String::from_utf8(body.to_vec()).unwrap())
	}

	fn at_work() -> Status {
		Status {
			device_status: "valid".into(),
			head: Some(HeadStatus { number: 9, time: clock(), stale: false }),
			channels: vec![ChannelStatus {
				channel: 3,
				sequence: Some(4),
				highest_sequence: Some(5),
				..ChannelStatus::default()
			}],
			..Status::default()
		}
	}

	#[tokio::test]
	async fn the_figures_are_those_of_the_status() {
		let figures = Figures::new();
		let mut status = at_work();
		let refusal = |sequence| RefusalStatus {
			channel: 3,
			sequence,
			digest: "0x00".into(),
			reason: "bundle invalid".into(),
			sentence: "no".into(),
			at: 1,
		};
		for sequence in [5, 5, 6] {
			let before = status.clone();
			status.last_refusal = Some(refusal(sequence));
			figures.count(&before, &status);
		}
		let (code, text) = ask(&figures, &status, "/metrics").await;
		assert_eq!(code, 200);
		for line in [
			"dpki_agent_block_number 9",
			"dpki_agent_delivery_sequence{channel=\"3\",state=\"applied\"} 4",
			"dpki_agent_delivery_sequence{channel=\"3\",state=\"seen\"} 5",
			"dpki_agent_device_valid 1",
			"dpki_agent_working 1",
			"dpki_agent_refusals_total{reason=\"bundle invalid\"} 2",
		] {
			assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
		}
	}

	#[tokio::test]
	async fn health_says_why_it_is_bad() {
		let figures = Figures::new();
		assert_eq!(ask(&figures, &at_work(), "/healthz").await, (200, "ok\n".into()));
		let (code, text) = ask(&figures, &Status::default(), "/healthz").await;
		assert!(code == 503 && text.contains("no finalised block"), "{code} {text}");
		let hindered = Status { error: Some("the disk is full".into()), ..at_work() };
		assert_eq!(ask(&figures, &hindered, "/healthz").await, (503, "the disk is full\n".into()));
		let closed = Status {
			head: Some(HeadStatus { number: 9, time: clock() - 3_600_000, stale: true }),
			..at_work()
		};
		assert!(ask(&figures, &closed, "/healthz").await.1.contains("max-head-age"));
		assert_eq!(ask(&figures, &at_work(), "/").await.0, 404);
	}

	/// An agent whose newest block has this time, and was held against a clock that showed `shown`.
	fn judged(time: Moment, shown: Moment) -> (Told, Judged) {
		let head = Head { number: 9, hash: [1; 32], time };
		let head_status = HeadStatus { number: 9, time, stale: false };
		let status = Status { head: Some(head_status), ..at_work() };
		let judged = Judged::now_at(shown.max(time));
		let heard = Heard::now_at(time);
		(Told { judged: Some((head, judged.clone())), ..Told::at_first(status, heard) }, judged)
	}

	#[tokio::test]
	async fn a_clock_that_is_set_makes_no_agent_healthy_and_none_sick() {
		const HOUR: Moment = 3_600_000;
		let figures = Figures::new();
		// The clock of this machine was right when the block came, and was set back or forth by an hour since.
		for then in [clock() + HOUR, clock() - HOUR] {
			let (mut told, judged) = judged(then - 5_000, then);
			assert_eq!(asked(&figures, &told, "/healthz").await, (200, "ok\n".into()));
			let head = told.judged.as_ref().unwrap().0;
			for (seconds, code) in [(590, 200), (596, 503)] {
				told.judged = Some((head, judged.clone().later_by(seconds * 1000)));
				let (found, text) = asked(&figures, &told, "/healthz").await;
				assert_eq!(found, code, "{seconds}: {text}");
				let (_, text) = asked(&figures, &told, "/metrics").await;
				let line = format!("dpki_agent_working {}", u8::from(code == 200));
				assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
			}
		}
	}

	#[tokio::test]
	async fn an_agent_that_finds_a_block_old_by_its_clock_says_so() {
		// It takes no delivery from such a block, whether the clock is wrong or the peers hold back what is newer.
		let (told, _) = judged(clock(), clock() + 3_600_000);
		let (code, text) = asked(&Figures::new(), &told, "/healthz").await;
		assert!(code == 503 && text.contains("max-head-age"), "{code} {text}");
	}
}
