//! The one HTTP client of this crate, for carriers and stores of blobs: what it is told of and what it reads is bounded, and
//! it goes nowhere but where it was sent.

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
	Request, StatusCode, Uri,
	body::{Body, Bytes, Incoming},
	header,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
	client::legacy::{Client, connect::HttpConnector},
	rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::time::Duration;

/// Longest explanation of a refusal that is read, in bytes.
const MAX_EXPLANATION_LEN: usize = 4 * 1024;

/// Longest sentence of a stranger that is repeated, in characters.
const MAX_SENTENCE: usize = 240;

/// A server.
#[derive(Clone, Debug)]
pub struct Server {
	base: String,
	client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What a server says.
#[derive(Clone, Debug)]
pub struct Answer {
	/// Its status.
	pub status: StatusCode,
	/// The media type of the body, without parameters, in small letters.
	pub content_type: String,
	/// The body; of a refusal the beginning, or nothing.
	pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
	/// Nobody answers there.
	#[error("cannot be reached ({0})")]
	Unreachable(String),
	/// It broke off.
	#[error("broke off ({0})")]
	Interrupted(String),
	/// The answer is longer than it may be.
	#[error("sends more than it may")]
	TooLarge,
	/// It did not come in time.
	#[error("did not answer in time")]
	TimedOut,
}

impl HttpError {
	/// Whether the same question may get an answer soon.
	pub fn is_temporary(&self) -> bool {
		matches!(self, Self::Unreachable(_) | Self::Interrupted(_))
	}
}

impl Server {
	/// The server at this address, with the path under which it is found, if there is one; or what is wrong with it.
	pub fn new(address: &str) -> Result<Self, String> {
		let uri: Uri = address.parse().map_err(|_| "it is malformed")?;
		let authority = uri.authority().ok_or("it names no host")?;
		if authority.as_str().contains('@') {
			return Err("a password is not taken".into());
		}
		if uri.query().is_some() {
			return Err("the question is not part of it".into());
		}
		let is_secure = match uri.scheme_str() {
			Some("http") => false,
			Some("https") => true,
			_ => return Err("it begins neither with http:// nor with https://".into()),
		};
		let client = Client::builder(TokioExecutor::new())
			.pool_max_idle_per_host(1)
			.http1_max_headers(64)
			.build(connector(is_secure).map_err(|error| error.to_string())?);
		Ok(Self { base: address.trim_end_matches('/').to_owned(), client })
	}

	/// Its address, without a slash at the end.
	pub fn base(&self) -> &str {
		&self.base
	}

	/// Sends a request, waits for the answer for so long, and reads at most so many bytes of it. Where a server would lead
	/// elsewhere is not looked at.
	pub async fn send(
		&self,
		request: Request<Full<Bytes>>,
		limit: usize,
		patience: Duration,
	) -> Result<Answer, HttpError> {
		tokio::time::timeout(patience, self.try_send(request, limit))
			.await
			.unwrap_or(Err(HttpError::TimedOut))
	}

	async fn try_send(
		&self,
		request: Request<Full<Bytes>>,
		limit: usize,
	) -> Result<Answer, HttpError> {
		let answer = self.client.request(request).await.map_err(|error| {
			let reason = causes(&error);
			match error.is_connect() {
				true => HttpError::Unreachable(reason),
				false => HttpError::Interrupted(reason),
			}
		})?;
		let (head, body) = answer.into_parts();
		let content_type = head.headers.get(header::CONTENT_TYPE);
		let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
		let essence = content_type.split(';').next().unwrap_or_default();
		let body = match head.status {
			StatusCode::OK => read(body, limit).await?,
			_ => read(body, MAX_EXPLANATION_LEN).await.unwrap_or_default(),
		};
		Ok(Answer {
			status: head.status,
			content_type: sentence(&essence.to_ascii_lowercase()),
			body,
		})
	}
}

impl Answer {
	/// The body as one line that can be shown.
	pub fn sentence(&self) -> String {
		sentence(&String::from_utf8_lossy(&self.body))
	}
}

async fn read(body: Incoming, limit: usize) -> Result<Bytes, HttpError> {
	// What is announced to be too long is not begun.
	if body.size_hint().lower() > limit as u64 {
		return Err(HttpError::TooLarge);
	}
	match Limited::new(body, limit).collect().await {
		Ok(body) => Ok(body.to_bytes()),
		Err(error) if error.is::<LengthLimitError>() => Err(HttpError::TooLarge),
		Err(error) => Err(HttpError::Interrupted(causes(&*error))),
	}
}

/// TLS with the roots of the system; where none is wanted, with none at all.
fn connector(is_secure: bool) -> std::io::Result<HttpsConnector<HttpConnector>> {
	let provider = ring::default_provider();
	let builder = HttpsConnectorBuilder::new();
	let builder = if is_secure {
		builder.with_provider_and_native_roots(provider)?
	} else {
		let settings = ClientConfig::builder_with_provider(provider.into())
			.with_safe_default_protocol_versions()
			.map_err(std::io::Error::other)?
			.with_root_certificates(RootCertStore::empty())
			.with_no_client_auth();
		builder.with_tls_config(settings)
	};
	Ok(builder.https_or_http().enable_http1().build())
}

/// An error with what it was caused by: of a connection the first alone says nothing.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
	let causes = std::iter::successors(Some(error), |error| error.source());
	sentence(&causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// What a stranger says, fit to be shown: one line, so long, and nothing that a terminal would obey.
pub fn sentence(said: &str) -> String {
	let plain = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
	let words: String = said.chars().take(4 * MAX_SENTENCE).map(plain).collect();
	let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
	line.chars()
		.filter(|c| c.is_ascii_graphic() || *c == ' ')
		.take(MAX_SENTENCE)
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_strangers_say_is_one_plain_line() {
		assert_eq!(sentence("a\u{1b}[31m\n  b\u{202e}"), "a [31m b");
		assert_eq!(sentence(&"x".repeat(10_000)).len(), MAX_SENTENCE);
	}
}
