//! Answers to others on the machine over a Unix socket, from proven state only.
//!
//! ```sh
//! curl -s --unix-socket /run/dpki-agent/agent.sock http://agent/v1/devices/acme/drone-8/keys?purpose=tls
//! curl -sN --unix-socket /run/dpki-agent/agent.sock http://agent/v1/watch/devices/acme/drone-8
//! ```
//!
//! | path | answer |
//! |---|---|
//! | `/v1/agent` | what the agent says of itself, as `dpki-agent status --json` does |
//! | `/v1/devices/ORGANISATION/NAME` | the status of the device |
//! | `/v1/devices/ORGANISATION/NAME/keys` | its status, and the keys that are good now; with `?purpose=` those for one purpose |
//! | `/v1/keys/ID` | the status of a key, the key, and whose it is |
//! | `/v1/anchors/ID` | the status of a trust anchor |
//! | `/v1/certificates/ID` | the status of a certificate, its level now, the level that was asked for, and which endorsements count |
//! | `/v1/watch/..` | any of the last five, one line of JSON now and one whenever it changes, or is too old to be said |
//!
//! Every answer names the block at which it was proven. Where the newest block is too old (`chain.max-head-age`), by the
//! device's clock or by what has passed since the newest chain time was heard, or none was proven yet, the answer is 503: no answer is no permission. What the chain does not know is `unknown`, which is never valid.
//!
//! The file mode 0660 and the group say who may connect; `users` narrows that to some of them, by what the kernel says of
//! whoever connected. There is nothing secret in the answers; the rules are there so that nobody else uses up the device.
//! For the same reason a user has no more than [`MAX_CONNECTIONS_PER_USER`] connections: one that has them is told so (429).

use super::{ServiceError, Told, metrics::inspect};
use crate::{
	config::ChainSettings,
	files,
	http::{self, Limits, Share, answer},
	inspection::rfc3339,
	run::clock,
};
use async_trait::async_trait;
use dpki_client::{
	Head, View, account,
	primitives::{
		Moment,
		assessment::Assessed,
		assurance::{Explanation, Level},
		ids::{AnchorId, CertificateId, DeviceId, KeyId, OrganisationId, is_valid_name},
		key::{KeyPurpose, KeyRecord},
		status::Status,
	},
	subject,
	view::ReadError,
};
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
	Request, Response, StatusCode, Uri,
	body::{Bytes, Frame, Incoming},
	header::{CONNECTION, HeaderValue},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
	convert::Infallible,
	fs::{self, Permissions},
	io,
	os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tokio::{
	net::{UnixListener, UnixStream},
	sync::watch,
};

/// Most connections at a time. Whoever comes then waits until one ends.
pub const MAX_CONNECTIONS: usize = 64;
/// Most connections of one user at a time: no single one can keep all others from asking.
pub const MAX_CONNECTIONS_PER_USER: usize = 16;
/// After so long a connection takes no further request and a watch ends soon.
pub const CONNECTION_AGE: Duration = Duration::from_secs(6 * 3600);

/// How often it is looked whether what a watch has said is too old by now.
const WATCH_CHECK: Duration = Duration::from_secs(30);

const MODE: u32 = 0o660;
const STAGED: &str = ".new";
const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";

/// Who may ask, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiSettings {
	/// The socket; its directory has to exist.
	pub socket: PathBuf,
	/// The group that may connect; by default the agent's own.
	#[serde(default, skip_serializing_if = "Option::is_none")]
	pub group: Option<String>,
	/// The numbers of the users who are answered, beside root and the agent's own user; by default all who can connect.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub users: Vec<u32>,
}

impl ApiSettings {
	pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
		// The address of a socket is a path of 108 bytes at most, the end included.
		if !self.socket.is_absolute() || self.socket.as_os_str().len() + STAGED.len() > 107 {
			let problem =
				"is not an absolute path of 103 bytes at most: try /run/dpki-agent/agent.sock";
			return Some(("service.api.socket", problem));
		}
		None
	}
}

/// What can be asked about proven state.
#[async_trait]
pub trait Registry: Send + Sync {
	/// The block.
	fn head(&self) -> Head;
	/// The verdict about a device.
	async fn device_status(&self, id: DeviceId) -> Result<Status, ReadError>;
	/// The unrevoked keys of a device.
	async fn keys_of(&self, id: DeviceId) -> Result<Vec<(KeyId, KeyRecord)>, ReadError>;
	/// A key as stored.
	async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError>;
	/// The verdict about a key, its device included.
	async fn key_status(&self, id: KeyId) -> Result<Status, ReadError>;
	/// The verdict about an anchor, everything above it included.
	async fn anchor_status(&self, id: AnchorId) -> Result<Status, ReadError>;
	/// A certificate and what it is worth, by the records of the block.
	async fn assessed(&self, id: CertificateId) -> Result<Option<Assessed>, ReadError>;
}

#[async_trait]
impl Registry for View {
	fn head(&self) -> Head {
		self.head()
	}

	async fn device_status(&self, id: DeviceId) -> Result<Status, ReadError> {
		self.device_status(id).await
	}

	async fn keys_of(&self, id: DeviceId) -> Result<Vec<(KeyId, KeyRecord)>, ReadError> {
		self.keys_of(id).await
	}

	async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError> {
		self.key(id).await
	}

	async fn key_status(&self, id: KeyId) -> Result<Status, ReadError> {
		self.key_status(id).await
	}

	async fn anchor_status(&self, id: AnchorId) -> Result<Status, ReadError> {
		self.anchor_status(id).await
	}

	async fn assessed(&self, id: CertificateId) -> Result<Option<Assessed>, ReadError> {
		self.assessed(id).await
	}
}

/// The file of a socket, which goes with this.
pub(super) struct Socket(PathBuf);

impl Socket {
	/// Listens. A socket that a killed agent has left is removed; anything else that lies there is not.
	pub(super) fn bind(settings: &ApiSettings) -> Result<(Self, UnixListener), ServiceError> {
		let path = &settings.socket;
		let group = settings.group.as_deref().map(group_id).transpose()?;
		let failed = |reason| ServiceError::Listen {
			place: path.display().to_string(),
			reason,
			setting: "service.api.socket",
		};
		if fs::symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
			return Err(failed(io::ErrorKind::AlreadyExists.into()));
		}
		// Under its own name it appears with its mode: until then the umask would have decided who can connect.
		let mut staged = path.clone().into_os_string();
		staged.push(STAGED);
		let staged = PathBuf::from(staged);
		files::remove_if_there(&staged)?;
		let listener = UnixListener::bind(&staged).map_err(failed)?;
		let prepare = || {
			fs::set_permissions(&staged, Permissions::from_mode(MODE))?;
			if group.is_some() {
				chown(&staged, None, group)?;
			}
			fs::rename(&staged, path)
		};
		prepare().map_err(files::failed("make", path))?;
		Ok((Self(path.clone()), listener))
	}
}

impl Drop for Socket {
	fn drop(&mut self) {
		if let Err(error) = files::remove_if_there(&self.0) {
			tracing::debug!(%error, "the socket is left behind");
		}
	}
}

/// The number of a group, as `/etc/group` has it.
fn group_id(name: &str) -> Result<u32, ServiceError> {
	let path = Path::new("/etc/group");
	let text = fs::read_to_string(path).map_err(files::failed("read", path))?;
	let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
	let found = lines.find(|fields| fields.first() == Some(&name));
	let number = found.and_then(|fields| fields.get(2)?.parse().ok());
	number.ok_or_else(|| ServiceError::Group(name.into()))
}

/// Answers from what the agent has told last.
#[derive(Clone)]
pub(super) struct Api {
	users: Arc<[u32]>,
	chain: ChainSettings,
	told: watch::Receiver<Told>,
}

pub(super) async fn serve(listener: UnixListener, api: Api) {
	let share = Share { seats: MAX_CONNECTIONS_PER_USER, refusal: (JSON, TOO_MANY) };
	let limits = Limits { seats: MAX_CONNECTIONS, per_user: Some(share), age: CONNECTION_AGE };
	http::serve(listener, limits, std::future::pending(), |stream: &UnixStream| {
		let is_welcome = stream.peer_cred().is_ok_and(|peer| api.admits(peer.uid()));
		let api = api.clone();
		move |request: Request<Incoming>| {
			let api = api.clone();
			let refused = if is_welcome { http::refusal(&request) } else { Some(NOT_WELCOME) };
			let uri = request.uri().clone();
			async move {
				match refused {
					Some(refused) => {
						let mut answer = refuse(refused);
						// Who is not welcome takes no seat from who is.
						answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
						answer
					},
					None => api.respond(&uri).await,
				}
			}
		}
	})
	.await;
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;
type Refused = (StatusCode, &'static str);

const NOT_WELCOME: Refused =
	(StatusCode::FORBIDDEN, "this user is not answered: have `service.api.users` name it");
const NO_SUCH_PATH: Refused = (
	StatusCode::NOT_FOUND,
	"there is no such path: ask for /v1/agent, /v1/devices/ORGANISATION/NAME, the same with /keys, /v1/keys/ID, \
	 /v1/anchors/ID or /v1/certificates/ID",
);
/// As a whole, because it is told before anything is asked.
const TOO_MANY: &str = "{\"error\":\"this user has 16 connections, and no user gets more: close one, or ask about several things over it\"}\n";
const NOTHING_PROVEN: Refused =
	(StatusCode::SERVICE_UNAVAILABLE, "no block was proven yet: ask again in a minute");

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
	Device(DeviceId),
	Keys(DeviceId, Option<KeyPurpose>),
	Key(KeyId),
	Anchor(AnchorId),
	Certificate(CertificateId),
}

impl Question {
	fn parse(path: &str, query: Option<&str>) -> Option<Self> {
		let parts: Vec<&str> = path.split('/').collect();
		match (&parts[..], query) {
			(["devices", organisation, name], None) => {
				Some(Self::Device(device(organisation, name)?))
			},
			(["devices", organisation, name, "keys"], query) => {
				let purpose = match query {
					None => None,
					Some(query) => Some(purpose(query.strip_prefix("purpose=")?)?),
				};
				Some(Self::Keys(device(organisation, name)?, purpose))
			},
			(["keys", id], None) => Some(Self::Key(id.parse().ok()?)),
			(["anchors", id], None) => Some(Self::Anchor(id.parse().ok()?)),
			(["certificates", id], None) => Some(Self::Certificate(id.parse().ok()?)),
			_ => None,
		}
	}

	async fn ask(self, registry: &dyn Registry) -> Result<Value, ReadError> {
		Ok(match self {
			Self::Device(id) => {
				let status = registry.device_status(id).await?;
				json!({ "device_id": id.to_string(), "status": status.name() })
			},
			Self::Keys(id, purpose) => {
				let status = registry.device_status(id).await?;
				let mut good = Vec::new();
				// Of a device that is not valid nothing can be relied on.
				let keys = if status.is_valid() { registry.keys_of(id).await? } else { Vec::new() };
				for (key, record) in keys {
					let is_asked = purpose.is_none_or(|purpose| purpose == record.purpose);
					if is_asked && registry.key_status(key).await?.is_valid() {
						good.push(shown(key, &record));
					}
				}
				json!({ "device_id": id.to_string(), "status": status.name(), "keys": good })
			},
			Self::Key(id) => {
				let status = registry.key_status(id).await?;
				let record = registry.key(id).await?;
				let key = record.as_ref().map(|record| shown(id, record));
				let device = record.map(|record| record.device.to_string());
				json!({ "key_id": id.to_string(), "status": status.name(), "device_id": device, "key": key })
			},
			Self::Anchor(id) => {
				let status = registry.anchor_status(id).await?;
				json!({ "anchor_id": id.to_string(), "status": status.name() })
			},
			Self::Certificate(id) => worth(id, registry.assessed(id).await?.as_ref()),
		})
	}
}

fn worth(id: CertificateId, found: Option<&Assessed>) -> Value {
	let status = found.map_or(Status::Unknown, |it| it.assessment.status);
	let endorsement = |it: &Explanation| {
		json!({
			"endorser": account::address(&it.endorser),
			"organisation_id": it.organisation.map(|id| id.to_string()),
			"level": it.level.name(),
			"finding": it.finding.name(),
		})
	};
	let endorsements = found.map(|it| it.assessment.explanations.iter().map(endorsement));
	json!({
		"certificate_id": id.to_string(),
		"status": status.name(),
		"level": found.and_then(|it| it.assessment.level).map(Level::name),
		"requested_level": found.map(|it| it.assessment.requested.name()),
		"subject": found.map(|it| subject::to_text(&it.record.subject)),
		"key_id": found.map(|it| KeyId::of(&it.record.key).to_string()),
		"endorsements": endorsements.map(Iterator::collect::<Vec<_>>).unwrap_or_default(),
	})
}

fn device(organisation: &str, name: &str) -> Option<DeviceId> {
	let are_names = is_valid_name(organisation.as_bytes()) && is_valid_name(name.as_bytes());
	let organisation = OrganisationId::from_name(organisation.as_bytes());
	are_names.then(|| DeviceId::from_name(organisation, name.as_bytes()))
}

fn purpose(name: &str) -> Option<KeyPurpose> {
	KeyPurpose::ALL.into_iter().find(|purpose| purpose.name() == name)
}

fn shown(id: KeyId, record: &KeyRecord) -> Value {
	json!({
		"id": id.to_string(),
		"purpose": record.purpose.name(),
		"algorithm": record.public.key_type.name(),
		"public": format!("0x{}", hex::encode(&record.public.bytes)),
	})
}

impl Api {
	pub(super) fn new(
		settings: &ApiSettings,
		chain: ChainSettings,
		told: watch::Receiver<Told>,
	) -> Self {
		Self { users: settings.users.clone().into(), chain, told }
	}

	fn admits(&self, user: u32) -> bool {
		self.users.is_empty() || self.users.contains(&user) || user == 0 || own_user() == Some(user)
	}

	async fn respond(&self, uri: &Uri) -> Answer {
		let (path, query) = (uri.path(), uri.query());
		if path == "/v1/agent" {
			return said(StatusCode::OK, &self.agent());
		}
		let Some(rest) = path.strip_prefix("/v1/") else { return refuse(NO_SUCH_PATH) };
		let (rest, is_watch) = match rest.strip_prefix("watch/") {
			Some(rest) => (rest, true),
			None => (rest, false),
		};
		match Question::parse(rest, query) {
			Some(question) if is_watch => self.watch(question),
			Some(question) => {
				let registry = self.told.borrow().registry.clone();
				match self.answer(question, registry).await {
					Ok((block, answer)) => said(StatusCode::OK, &with_block(block, answer)),
					Err(error) => said(StatusCode::SERVICE_UNAVAILABLE, &error),
				}
			},
			None => refuse(NO_SUCH_PATH),
		}
	}

	fn agent(&self) -> Value {
		let found = inspect(&self.told.borrow(), &self.chain);
		serde_json::to_value(found).unwrap_or_default()
	}

	/// The answer and the block at which it was proven, or why there is none.
	async fn answer(
		&self,
		question: Question,
		registry: Option<Arc<dyn Registry>>,
	) -> Result<(Head, Value), Value> {
		let Some(registry) = registry else { return Err(json!({ "error": NOTHING_PROVEN.1 })) };
		let head = registry.head();
		self.check_freshness(&head)?;
		let answer = question.ask(&*registry).await;
		let answer = answer.map_err(|error| json!({ "error": error.to_string() }))?;
		// The proof may have been long in coming.
		self.check_freshness(&head)?;
		Ok((head, answer))
	}

	/// What the device's clock shows, or the newest chain time and what has passed since, if it shows less.
	fn now(&self) -> Moment {
		self.told.borrow().heard.now(clock())
	}

	fn check_freshness(&self, head: &Head) -> Result<(), Value> {
		let fresh = self.chain.check_freshness_at(head.time, self.now());
		fresh.map_err(|stale| json!({ "error": stale.to_string() }))
	}

	/// For how long an answer from this block is good, as far as can be told now: while a device sleeps, timers stand still.
	fn remaining(&self, head: &Head) -> Duration {
		let end = head.time.saturating_add(self.chain.max_head_age.saturating_mul(1000));
		let left = end.saturating_sub(self.now()).saturating_add(1);
		Duration::from_millis(left).min(WATCH_CHECK)
	}

	/// Waits until there is something else to say than what was said from the registry before, and gives the answer; `None`
	/// when the agent has ended.
	async fn next_answer(
		&self,
		question: Question,
		told: &mut watch::Receiver<Told>,
		said: Option<Head>,
	) -> Option<Result<(Head, Value), Value>> {
		if let Some(head) = said {
			loop {
				match tokio::time::timeout(self.remaining(&head), told.changed()).await {
					Ok(changed) => {
						changed.ok()?;
						break;
					},
					// Nothing is heard, so what was said is not true for ever.
					Err(_) => {
						if let Err(stale) = self.check_freshness(&head) {
							return Some(Err(stale));
						}
					},
				}
			}
		} else {
			told.changed().await.ok()?;
		}
		let registry = told.borrow_and_update().registry.clone();
		Some(self.answer(question, registry).await)
	}

	/// A line now, and one whenever the answer changes. That there is none is an answer, too.
	fn watch(&self, question: Question) -> Answer {
		let (api, mut told) = (self.clone(), self.told.clone());
		told.mark_changed();
		let state = (api, told, None::<Value>, None::<Head>);
		let lines = stream::unfold(state, move |(api, mut told, last, mut said)| async move {
			loop {
				let answered = api.next_answer(question, &mut told, said).await?;
				said = answered.as_ref().ok().map(|(block, _)| *block);
				let (substance, line) = match answered {
					Ok((block, answer)) => (answer.clone(), with_block(block, answer)),
					// The age in the sentence grows; that is nothing new.
					Err(error) => (Value::Null, error),
				};
				if last.as_ref() != Some(&substance) {
					let frame = Frame::data(Bytes::from(format!("{line}\n")));
					return Some((Ok(frame), (api, told, Some(substance), said)));
				}
			}
		});
		let body = BodyExt::boxed_unsync(StreamBody::new(lines.boxed()));
		let mut response = Response::new(body);
		response.headers_mut().insert("content-type", HeaderValue::from_static(LINES));
		response
	}
}

/// The user whose files the agent can make: its own.
fn own_user() -> Option<u32> {
	fs::metadata("/proc/self").ok().map(|own| own.uid())
}

fn with_block(block: Head, answer: Value) -> Value {
	let mut answer = answer;
	answer["block"] = json!({
		"number": block.number,
		"hash": format!("0x{}", hex::encode(block.hash)),
		"time": rfc3339(block.time),
	});
	answer
}

fn said(status: StatusCode, value: &Value) -> Answer {
	answer(status, JSON, format!("{value}\n")).map(BodyExt::boxed_unsync)
}

fn refuse((status, sentence): Refused) -> Answer {
	said(status, &json!({ "error": sentence }))
}

#[cfg(test)]
mod tests;
