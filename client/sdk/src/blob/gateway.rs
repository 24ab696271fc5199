//! Trustless gateways of IPFS (<https://specs.ipfs.tech/http-gateways/trustless-gateway/>): one block for a request, as it is
//! or in an archive.

use super::{ATTEMPTS, Attempt, BlobError, BlobStore, PATIENCE, car, cid, persist, verify};
use crate::http::{HttpError, Server};
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;
use http_body_util::Full;
use hyper::{Request, StatusCode, header};
use std::time::Duration;

/// In which form a gateway gives a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
	/// As it is.
	Raw,
	/// In an archive of blocks, see [`car`].
	Car,
}

impl Form {
	/// The media type.
	fn media_type(self) -> &'static str {
		match self {
			Self::Raw => "application/vnd.ipld.raw",
			Self::Car => "application/vnd.ipld.car",
		}
	}

	/// What is asked behind the CID. Of an archive only the block itself is wanted.
	fn query(self) -> &'static str {
		match self {
			Self::Raw => "format=raw",
			Self::Car => "format=car&dag-scope=block",
		}
	}
}

/// Blobs from a trustless gateway.
#[derive(Clone, Debug)]
pub struct GatewayBlobs {
	server: Server,
	form: Form,
	patience: Duration,
}

impl GatewayBlobs {
	/// The gateway at this address, under which `/ipfs/CID` is found; or what is wrong with the address.
	pub fn new(address: &str, form: Form) -> Result<Self, String> {
		Ok(Self { server: Server::new(address)?, form, patience: PATIENCE })
	}

	/// Waits this long for each attempt instead of [`PATIENCE`].
	pub fn with_patience(self, patience: Duration) -> Self {
		Self { patience, ..self }
	}

	async fn attempt(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, Attempt> {
		let cid = cid(digest);
		let unavailable = |reason: String| BlobError::Unavailable {
			cid: cid.clone(),
			reason: format!("{} {reason}", self.server.base()),
		};
		let (media_type, query) = (self.form.media_type(), self.form.query());
		let request = Request::get(format!("{}/ipfs/{cid}?{query}", self.server.base()))
			.header(header::ACCEPT, media_type)
			.body(Full::default())
			.map_err(|error| Attempt::Final(unavailable(error.to_string())))?;
		let limit = match self.form {
			Form::Raw => max_len as usize,
			Form::Car => (max_len as usize).saturating_add(car::OVERHEAD),
		};
		let answer = self.server.send(request, limit, self.patience).await;
		let answer = answer.map_err(|error| match error {
			HttpError::TooLarge => Attempt::Final(BlobError::TooLong { cid: cid.clone(), max_len }),
			error if error.is_temporary() => Attempt::Again(unavailable(error.to_string())),
			error => Attempt::Final(unavailable(error.to_string())),
		})?;
		if answer.status != StatusCode::OK {
			let said = format!("answers {}", answer.status.as_u16());
			let error = unavailable(match answer.sentence() {
				sentence if answer.content_type == "text/plain" => format!("{said}: {sentence}"),
				_ => said,
			});
			return Err(match is_temporary(answer.status) {
				true => Attempt::Again(error),
				false => Attempt::Final(error),
			});
		}
		if answer.content_type != media_type {
			let found = match &answer.content_type[..] {
				"" => "something without a type",
				found => found,
			};
			let reason = format!("answers with {found}, so it is no trustless gateway");
			return Err(Attempt::Final(unavailable(reason)));
		}
		let blob = match self.form {
			Form::Raw => answer.body.into(),
			Form::Car => car::block(digest, &answer.body)
				.map_err(|error| Attempt::Final(unavailable(format!("sent {error}"))))?
				.to_vec(),
		};
		verify(digest, max_len, &blob).map_err(Attempt::Final)?;
		Ok(blob)
	}
}

#[async_trait]
impl BlobStore for GatewayBlobs {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		persist(ATTEMPTS, || self.attempt(digest, max_len)).await
	}
}

/// Whether the same request may get another answer soon.
fn is_temporary(status: StatusCode) -> bool {
	status.is_server_error()
		|| matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}
