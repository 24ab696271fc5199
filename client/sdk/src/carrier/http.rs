//! A gateway over HTTP as carrier, or a cache before one. `dpki-agent gateway` is the other side.
//!
//! What is asked is in the path ([`route`]), so that any cache can answer it. TLS keeps strangers from seeing which
//! device asks for what; for the truth of the answer it is not needed.

pub mod route;

use super::{Carrier, CarrierError, MAX_CARRIED_LEN, PATIENCE, Pursuit, asked, sentence};
use async_trait::async_trait;
use dpki_verifier::{Checkpoint, Query};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
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
use route::Route;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::time::Duration;

/// Longest explanation of a refusal that is read, in bytes.
const MAX_EXPLANATION_LEN: usize = 4 * 1024;

/// The list of no changes, by which a gateway says that there are no more.
const NO_CHANGES: &[u8] = &[0];

/// A gateway.
pub struct HttpCarrier {
	base: String,
	limit: usize,
	patience: Duration,
	client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl HttpCarrier {
	/// The gateway at this address, with the path under which it is found, if there is one.
	pub fn new(address: &str) -> Result<Self, CarrierError> {
		let refused = |reason: &str| CarrierError::Address {
			// Of an address with a password in it nothing is repeated.
			address: if address.contains('@') { "http://..".into() } else { address.into() },
			reason: reason.into(),
		};
		let uri: Uri = address.parse().map_err(|_| refused("it is malformed"))?;
		let authority = uri.authority().ok_or_else(|| refused("it names no host"))?;
		if authority.as_str().contains('@') {
			return Err(refused("a gateway takes no password"));
		}
		if uri.query().is_some() {
			return Err(refused("the question is not part of it"));
		}
		let is_secure = match uri.scheme_str() {
			Some("http") => false,
			Some("https") => true,
			_ => return Err(refused("it begins neither with http:// nor with https://")),
		};
		let connector = connector(is_secure).map_err(|error| refused(&error.to_string()))?;
		let client = Client::builder(TokioExecutor::new())
			.pool_max_idle_per_host(1)
			.http1_max_headers(64)
			.build(connector);
		let base = address.trim_end_matches('/').to_owned();
		Ok(Self { base, limit: MAX_CARRIED_LEN, patience: PATIENCE, client })
	}

	/// Takes at most so many bytes instead of [`MAX_CARRIED_LEN`]: for devices with little memory.
	pub fn with_limit(self, limit: usize) -> Self {
		Self { limit: limit.min(MAX_CARRIED_LEN), ..self }
	}

	/// Waits this long for an answer instead of [`PATIENCE`].
	pub fn with_patience(self, patience: Duration) -> Self {
		Self { patience, ..self }
	}

	async fn get(&self, route: &Route) -> Result<Vec<u8>, CarrierError> {
		let getting = tokio::time::timeout(self.patience, self.try_get(route)).await;
		getting.unwrap_or_else(|_| {
			Err(CarrierError::TimedOut { carrier: self.base.clone(), waited: self.patience })
		})
	}

	async fn try_get(&self, route: &Route) -> Result<Vec<u8>, CarrierError> {
		let carrier = || self.base.clone();
		let request = Request::get(format!("{}{route}", self.base))
			.header(header::ACCEPT, route::CONTENT_TYPE)
			.body(Empty::new())
			.map_err(|error| CarrierError::Protocol {
				carrier: carrier(),
				reason: error.to_string(),
			})?;
		let answer = self.client.request(request).await.map_err(|error| {
			let reason = causes(&error);
			match error.is_connect() {
				true => CarrierError::Unreachable { carrier: carrier(), reason },
				false => CarrierError::Interrupted { carrier: carrier(), reason },
			}
		})?;
		let (head, body) = answer.into_parts();
		match head.status {
			StatusCode::OK => self.read(body, self.limit).await,
			status => {
				let said = self.read(body, MAX_EXPLANATION_LEN).await.unwrap_or_default();
				let sentence = sentence(&String::from_utf8_lossy(&said));
				Err(match status {
					StatusCode::CONFLICT => CarrierError::Behind { carrier: carrier(), sentence },
					_ => CarrierError::Refused {
						carrier: carrier(),
						code: status.as_u16().into(),
						sentence,
					},
				})
			},
		}
	}

	async fn read(&self, body: Incoming, limit: usize) -> Result<Vec<u8>, CarrierError> {
		let too_large = || CarrierError::TooLarge { carrier: self.base.clone(), allowed: limit };
		// What is announced to be too long is not begun.
		if body.size_hint().lower() > limit as u64 {
			return Err(too_large());
		}
		match Limited::new(body, limit).collect().await {
			Ok(body) => Ok(body.to_bytes().into()),
			Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
			Err(error) => Err(CarrierError::Interrupted {
				carrier: self.base.clone(),
				reason: causes(&*error),
			}),
		}
	}
}

#[async_trait]
impl Carrier for HttpCarrier {
	fn name(&self) -> String {
		self.base.clone()
	}

	async fn bundle(
		&self,
		query: &Query,
		checkpoint: &Checkpoint,
	) -> Result<Vec<u8>, CarrierError> {
		self.get(&Route::Bundle {
			keys: asked(query).map(<[u8]>::to_vec).collect(),
			// Before the first change of the set all devices ask with the same words, for the caches' sake.
			checkpoint: (checkpoint.set.id() > 0).then_some(checkpoint.hash),
		})
		.await
	}

	async fn changes(&self, pursuit: Pursuit<'_>) -> Result<Option<Vec<u8>>, CarrierError> {
		let changes = self.get(&Route::Changes { from: pursuit.now.hash }).await?;
		Ok((changes != NO_CHANGES).then_some(changes))
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
