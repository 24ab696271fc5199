//! What goes back: status, headers, bytes.

use super::cache::Held;
use dpki_client::carrier::{http::route, node::ServedChanges};
use http_body_util::Full;
use hyper::{
	HeaderMap, Response, StatusCode,
	body::Bytes,
	header::{self, HeaderName, HeaderValue},
};
use std::time::Duration;

/// A year, which is what caches take for ever to be.
const YEAR: u64 = 31_536_000;

/// For how long an answer may be kept by whoever sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
	/// It is one of a refusal.
	Not,
	/// It is the newest for so long.
	For(Duration),
	/// It never changes.
	Forever,
}

impl Keep {
	fn header(self) -> String {
		match self {
			Self::Not => "no-store".into(),
			Self::For(age) => format!("public, max-age={}", age.as_secs()),
			Self::Forever => format!("public, max-age={YEAR}, immutable"),
		}
	}
}

/// An answer, before it is known what the client holds already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
	pub(crate) status: u16,
	pub(crate) body: Bytes,
	content_type: &'static str,
	pub(crate) keep: Keep,
	/// What names the version of the answer.
	pub(crate) tag: Option<String>,
}

impl Answer {
	pub(crate) fn bundle(held: &Held, keep: Keep) -> Self {
		Self {
			status: 200,
			body: held.bundle.clone(),
			content_type: route::CONTENT_TYPE,
			keep,
			tag: Some(tag(&held.hash)),
		}
	}

	pub(crate) fn changes(changes: ServedChanges, keep: Keep) -> Self {
		Self {
			status: 200,
			tag: Some(tag(&changes.last)),
			body: changes.fragments.into(),
			content_type: route::CONTENT_TYPE,
			keep,
		}
	}

	pub(crate) fn chain(genesis: [u8; 32], held: &Held, keep: Keep) -> Self {
		let hex = |hash: &[u8; 32]| format!("0x{}", hex::encode(hash));
		let text = serde_json::json!({
			"genesis": hex(&genesis),
			"block": { "number": held.number, "hash": hex(&held.hash) },
		});
		Self {
			status: 200,
			body: text.to_string().into(),
			content_type: "application/json",
			keep,
			tag: Some(tag(&held.hash)),
		}
	}

	pub(crate) fn refusal(status: u16, sentence: &str) -> Self {
		Self {
			status,
			body: format!("{sentence}\n").into(),
			content_type: "text/plain; charset=utf-8",
			keep: Keep::Not,
			tag: None,
		}
	}

	/// The answer for a client that sent these headers.
	pub(crate) fn respond(self, asked: &HeaderMap) -> Response<Full<Bytes>> {
		let is_known = self.tag.as_deref().is_some_and(|tag| knows(asked, tag));
		let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_GATEWAY);
		let body = if is_known { Bytes::new() } else { self.body };
		let mut response = Response::new(Full::new(body));
		*response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { status };
		let headers = response.headers_mut();
		let mut set = |name: HeaderName, value: &str| {
			if let Ok(value) = HeaderValue::from_str(value) {
				headers.insert(name, value);
			}
		};
		set(header::CACHE_CONTROL, &self.keep.header());
		set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
		if !is_known {
			set(header::CONTENT_TYPE, self.content_type);
		}
		if let Some(tag) = &self.tag {
			set(header::ETAG, tag);
		}
		match status {
			StatusCode::METHOD_NOT_ALLOWED => set(header::ALLOW, "GET, HEAD"),
			StatusCode::SERVICE_UNAVAILABLE => set(header::RETRY_AFTER, "1"),
			_ => {},
		}
		response
	}
}

/// Weak, because nodes may show the same block with votes of different validators.
fn tag(hash: &[u8; 32]) -> String {
	format!("W/\"{}\"", hex::encode(hash))
}

/// Whether one of the versions that the client holds is this one, by the weak comparison of RFC 9110, section 8.8.3.2.
fn knows(asked: &HeaderMap, tag: &str) -> bool {
	let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
	let wanted = opaque(tag);
	asked
		.get_all(header::IF_NONE_MATCH)
		.iter()
		.filter_map(|value| value.to_str().ok())
		.flat_map(|value| value.split(','))
		.any(|held| held.trim() == "*" || opaque(held) == wanted)
}
