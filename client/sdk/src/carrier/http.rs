//! A gateway over HTTP as carrier, or a cache before one. `dpki-agent gateway` is the other side.
//!
//! What is asked is in the path ([`route`]), so that any cache can answer it. TLS keeps strangers from seeing which
//! device asks for what; for the truth of the answer it is not needed.

pub mod route;

use super::{Carrier, CarrierError, MAX_CARRIED_LEN, PATIENCE, Pursuit, asked};
use crate::http::{HttpError, Server};
use async_trait::async_trait;
use dpki_verifier::{Checkpoint, Query};
use http_body_util::Full;
use hyper::{Request, StatusCode, header};
use route::Route;
use std::time::Duration;

/// The list of no changes, by which a gateway says that there are no more.
const NO_CHANGES: &[u8] = &[0];

/// A gateway.
pub struct HttpCarrier {
	server: Server,
	limit: usize,
	patience: Duration,
}

impl HttpCarrier {
	/// The gateway at this address, with the path under which it is found, if there is one.
	pub fn new(address: &str) -> Result<Self, CarrierError> {
		let server = Server::new(address).map_err(|reason| CarrierError::Address {
			// Of an address with a password in it nothing is repeated.
			address: if address.contains('@') { "http://..".into() } else { address.into() },
			reason,
		})?;
		Ok(Self { server, limit: MAX_CARRIED_LEN, patience: PATIENCE })
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
		let carrier = || self.name();
		let request = Request::get(format!("{}{route}", self.server.base()))
			.header(header::ACCEPT, route::CONTENT_TYPE)
			.body(Full::default())
			.map_err(|error| CarrierError::Protocol {
				carrier: carrier(),
				reason: error.to_string(),
			})?;
		let answer = self.server.send(request, self.limit, self.patience).await;
		let answer = answer.map_err(|error| match error {
			HttpError::Unreachable(reason) => {
				CarrierError::Unreachable { carrier: carrier(), reason }
			},
			HttpError::Interrupted(reason) => {
				CarrierError::Interrupted { carrier: carrier(), reason }
			},
			HttpError::TooLarge => {
				CarrierError::TooLarge { carrier: carrier(), allowed: self.limit }
			},
			HttpError::TimedOut => {
				CarrierError::TimedOut { carrier: carrier(), waited: self.patience }
			},
		})?;
		let sentence = answer.sentence();
		match answer.status {
			StatusCode::OK => Ok(answer.body.into()),
			StatusCode::CONFLICT => Err(CarrierError::Behind { carrier: carrier(), sentence }),
			status => Err(CarrierError::Refused {
				carrier: carrier(),
				code: status.as_u16().into(),
				sentence,
			}),
		}
	}
}

#[async_trait]
impl Carrier for HttpCarrier {
	fn name(&self) -> String {
		self.server.base().to_owned()
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
