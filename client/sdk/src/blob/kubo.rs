//! A daemon with the RPC of Kubo (<https://docs.ipfs.tech/reference/kubo/rpc/>): four of its commands.
//!
//! Whoever can reach that RPC governs the daemon, so it listens on the loopback interface, and so should the address here.

use super::{
	ATTEMPTS, Attempt, BlobError, BlobKeeper, BlobStore, PATIENCE, cid, digest, persist, verify,
};
use crate::http::{HttpError, Server};
use async_trait::async_trait;
use dpki_primitives::ids::BlobDigest;
use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes, header};
use std::time::Duration;

/// Longest answer to a command that gives no block, in bytes.
const MAX_ANSWER_LEN: usize = 16 * 1024;

/// What daemons say about a pin that is not there, in their different sentences.
const NOT_PINNED: &str = "not pinned";

/// Blobs in a daemon with the RPC of Kubo.
#[derive(Clone, Debug)]
pub struct KuboBlobs {
	server: Server,
	patience: Duration,
}

/// Why a command was not carried out.
enum CallError {
	/// There is no answer.
	Http(HttpError),
	/// The answer is no.
	Refused(String),
}

impl CallError {
	fn reason(&self, server: &Server) -> String {
		match self {
			Self::Http(error) => format!("{} {error}", server.base()),
			Self::Refused(said) => format!("{} says: {said}", server.base()),
		}
	}

	fn into_attempt(self, error: BlobError) -> Attempt {
		match self {
			// Of a refusal nobody can tell whether it is for good: daemons answer 500 to everything.
			Self::Http(cause) if cause.is_temporary() => Attempt::Again(error),
			_ => Attempt::Final(error),
		}
	}
}

impl KuboBlobs {
	/// The daemon at this address, such as `http://127.0.0.1:5001`; or what is wrong with the address.
	pub fn new(address: &str) -> Result<Self, String> {
		Ok(Self { server: Server::new(address)?, patience: PATIENCE })
	}

	/// Waits this long for each attempt instead of [`PATIENCE`].
	pub fn with_patience(self, patience: Duration) -> Self {
		Self { patience, ..self }
	}

	/// Has the daemon keep a block, which it has or can find.
	pub async fn pin(&self, digest: BlobDigest) -> Result<(), BlobError> {
		let name = cid(digest);
		let failed = |reason| self.not_stored(&name, reason);
		let command = format!("pin/add?arg={name}");
		let said = persist(ATTEMPTS, || self.call(&command, None, MAX_ANSWER_LEN, failed)).await?;
		match is_among(digest, &names(&said, "Pins")) {
			true => Ok(()),
			false => Err(failed(format!("{} did not pin it", self.server.base()))),
		}
	}

	/// Has the daemon keep a block no longer. Whether it then forgets it is up to its own collection of garbage.
	pub async fn unpin(&self, digest: BlobDigest) -> Result<(), BlobError> {
		let name = cid(digest);
		let failed = |reason| BlobError::NotReleased {
			store: format!("kubo={}", self.server.base()),
			cid: name.clone(),
			reason,
		};
		let command = format!("pin/rm?arg={name}");
		match persist(ATTEMPTS, || self.call(&command, None, MAX_ANSWER_LEN, failed)).await {
			Ok(said) if is_among(digest, &names(&said, "Pins")) => Ok(()),
			Ok(_) => Err(failed(format!("{} did not unpin it", self.server.base()))),
			Err(error) if error.reason().contains(NOT_PINNED) => Ok(()),
			Err(error) => Err(error),
		}
	}

	async fn put_block(&self, digest: BlobDigest, blob: &[u8]) -> Result<(), BlobError> {
		let name = cid(digest);
		let failed = |reason| self.not_stored(&name, reason);
		// `format` is how daemons before Kubo 0.12 call what is now `cid-codec`; later ones take both if they agree.
		let command = "block/put?cid-codec=raw&format=raw&mhtype=sha2-256&mhlen=32&pin=true";
		let form = Form::of(blob);
		let said =
			persist(ATTEMPTS, || self.call(command, Some(&form), MAX_ANSWER_LEN, failed)).await?;
		match names(&said, "Key").as_slice() {
			key if is_among(digest, key) => Ok(()),
			[key] => Err(failed(format!(
				"{} stored it as {}",
				self.server.base(),
				crate::http::sentence(key)
			))),
			_ => Err(failed(format!("{} did not say as what it stored it", self.server.base()))),
		}
	}

	fn not_stored(&self, name: &str, reason: String) -> BlobError {
		BlobError::NotStored {
			store: format!("kubo={}", self.server.base()),
			cid: name.to_owned(),
			reason,
		}
	}

	async fn call(
		&self,
		command: &str,
		form: Option<&Form>,
		limit: usize,
		failed: impl Fn(String) -> BlobError,
	) -> Result<Bytes, Attempt> {
		self.try_call(command, form, limit).await.map_err(|error| {
			let told = failed(error.reason(&self.server));
			error.into_attempt(told)
		})
	}

	async fn try_call(
		&self,
		command: &str,
		form: Option<&Form>,
		limit: usize,
	) -> Result<Bytes, CallError> {
		let mut request = Request::post(format!("{}/api/v0/{command}", self.server.base()));
		if let Some(form) = form {
			request = request.header(header::CONTENT_TYPE, &form.content_type);
		}
		let body = form.map_or_else(Bytes::new, |form| form.body.clone());
		let request = request
			.body(Full::new(body))
			.map_err(|error| CallError::Refused(error.to_string()))?;
		let answer = self.server.send(request, limit, self.patience).await;
		let answer = answer.map_err(CallError::Http)?;
		match answer.status {
			StatusCode::OK if answer.content_type == "text/html" => Err(CallError::Refused(
				"a page for people, so it is no daemon with the RPC of Kubo".into(),
			)),
			StatusCode::OK => Ok(answer.body),
			status => Err(CallError::Refused(match message(&answer.body) {
				Some(said) => crate::http::sentence(&said),
				None => format!("status {}", status.as_u16()),
			})),
		}
	}
}

#[async_trait]
impl BlobStore for KuboBlobs {
	async fn get(&self, digest: BlobDigest, max_len: u32) -> Result<Vec<u8>, BlobError> {
		let name = cid(digest);
		// The daemon looks for it elsewhere, for as long as it is waited for.
		let command = format!("block/get?arg={name}&timeout={}ms", self.patience.as_millis());
		persist(ATTEMPTS, || async {
			let got = self.try_call(&command, None, max_len as usize).await;
			let blob = got.map_err(|error| match error {
				CallError::Http(HttpError::TooLarge) => {
					Attempt::Final(BlobError::TooLong { cid: name.clone(), max_len })
				},
				error => {
					let reason = error.reason(&self.server);
					error.into_attempt(BlobError::Unavailable { cid: name.clone(), reason })
				},
			})?;
			verify(digest, max_len, &blob).map_err(Attempt::Final)?;
			Ok(blob.into())
		})
		.await
	}
}

#[async_trait]
impl BlobKeeper for KuboBlobs {
	async fn put(&self, blob: &[u8]) -> Result<(), BlobError> {
		let digest = BlobDigest::of(blob);
		self.put_block(digest, blob).await?;
		// Old daemons pass over `pin=true`, and what is not pinned is gone some day.
		self.pin(digest).await
	}

	async fn release(&self, digest: BlobDigest) -> Result<(), BlobError> {
		self.unpin(digest).await
	}
}

/// A form with one file, as browsers send it (RFC 7578).
struct Form {
	content_type: String,
	body: Bytes,
}

impl Form {
	fn of(blob: &[u8]) -> Self {
		// Nobody can write a blob that contains what it hashes to.
		let boundary = format!("dpki-{}", hex::encode(BlobDigest::of(blob).0));
		let head = format!(
			"--{boundary}\r\nContent-Disposition: form-data; name=\"data\"; filename=\"blob\"\r\n\
			 Content-Type: application/octet-stream\r\n\r\n"
		);
		let tail = format!("\r\n--{boundary}--\r\n");
		Self {
			content_type: format!("multipart/form-data; boundary={boundary}"),
			body: [head.as_bytes(), blob, tail.as_bytes()].concat().into(),
		}
	}
}

/// The text, or the texts, in this field of an answer.
fn names(said: &[u8], field: &str) -> Vec<String> {
	let said: serde_json::Value = serde_json::from_slice(said).unwrap_or_default();
	match &said[field] {
		serde_json::Value::String(name) => vec![name.clone()],
		serde_json::Value::Array(list) => {
			list.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
		},
		_ => Vec::new(),
	}
}

/// Whether one of these is the CID of this blob. Daemons write it in the base that they like.
fn is_among(blob: BlobDigest, names: &[String]) -> bool {
	names.iter().any(|name| digest(name) == Some(blob))
}

/// What a daemon says about an error.
fn message(said: &[u8]) -> Option<String> {
	let said: serde_json::Value = serde_json::from_slice(said).ok()?;
	said["Message"].as_str().map(str::to_owned)
}
