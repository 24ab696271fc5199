//! Finding on the chain what a person means: anchors by id or file, devices, keys, and how a verdict reads.

use crate::{
	error::{Error, Result, crypto},
	files,
	output::rfc3339,
	secrets,
	values::{AnchorRef, DeviceRef},
};
use dpki_client::{View, ssh};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorRecord},
	device::DeviceRecord,
	ids::{AnchorId, KeyId},
	key::{KeyPurpose, KeyRecord},
	status::{Standing, Status},
};
use std::path::Path;
use x509_parser::{
	pem::Pem,
	prelude::{FromDer, X509Certificate},
};

/// Every kind of anchor.
pub const ANY_KIND: &[AnchorKind] = &AnchorKind::ALL;

/// An anchor that the chain knows.
pub struct KnownAnchor {
	/// Its id.
	pub id: AnchorId,
	/// As stored.
	pub record: AnchorRecord,
	/// The verdict about it.
	pub status: Status,
}

impl KnownAnchor {
	/// Fails, with the reason, unless it may be relied on.
	pub fn require_valid(self) -> Result<Self> {
		if self.status.is_valid() {
			return Ok(self);
		}
		let kind = self.record.kind.name();
		Err(Error::NotAllowed {
			why: format!(
				"the {kind} {} is {}",
				self.id,
				verdict(self.status, &self.record.standing())
			),
			next: "use an anchor that is valid; `dpki anchor list` shows them".to_owned(),
		})
	}
}

/// The ids that this anchor can have: one, or one per kind that a key file can stand for.
pub fn anchor_candidates(anchor: &AnchorRef, kinds: &[AnchorKind]) -> Result<Vec<AnchorId>> {
	let path = match anchor {
		AnchorRef::Id(id) => return Ok(vec![*id]),
		AnchorRef::File(path) => path,
	};
	if !path.exists() && path != Path::new("-") {
		let text = path.display().to_string();
		let source = text.parse::<AnchorId>().expect_err("an id would not have become a file");
		return Err(Error::NotAnId { text, source });
	}
	let (is_x509, material) = public_material(path)?;
	let fits = |kind: &&AnchorKind| (**kind == AnchorKind::X509Root) == is_x509;
	let ids: Vec<_> =
		kinds.iter().filter(fits).map(|kind| AnchorId::of(*kind, &material)).collect();
	if ids.is_empty() {
		let words: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
		return Err(Error::WrongFile {
			path: path.clone(),
			expected: format!("the public half of an anchor of kind {}", words.join(" or ")),
		});
	}
	Ok(ids)
}

/// The anchor as the chain knows it, if it does; `kinds` are those that make sense here.
pub async fn find_anchor(
	view: &View,
	anchor: &AnchorRef,
	kinds: &[AnchorKind],
) -> Result<Option<KnownAnchor>> {
	let mut found = None;
	for id in anchor_candidates(anchor, kinds)? {
		let Some(record) = view.anchor(id).await? else { continue };
		if !kinds.contains(&record.kind) {
			let words: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
			return Err(Error::NotAllowed {
				why: format!("{id} is of kind {}, not {}", record.kind.name(), words.join(" or ")),
				next: "`dpki anchor list` shows the kinds".to_owned(),
			});
		}
		let status = view.anchor_status(id).await?;
		if found.replace(KnownAnchor { id, record, status }).is_some() {
			let AnchorRef::File(path) = anchor else { unreachable!("an id is one candidate") };
			return Err(Error::AnchorAmbiguous(path.clone()));
		}
	}
	Ok(found)
}

/// The anchor as the chain knows it, or an error.
pub async fn anchor(view: &View, anchor: &AnchorRef, kinds: &[AnchorKind]) -> Result<KnownAnchor> {
	find_anchor(view, anchor, kinds)
		.await?
		.ok_or_else(|| Error::Unknown { what: "anchor", name: anchor.to_string() })
}

/// The device as stored, or an error.
pub async fn device(view: &View, device: &DeviceRef) -> Result<DeviceRecord> {
	view.device(device.id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "device", name: device.text.clone() })
}

/// The newest valid key of the device for this purpose.
pub async fn valid_key(
	view: &View,
	device: &DeviceRef,
	purpose: KeyPurpose,
) -> Result<Option<(KeyId, KeyRecord)>> {
	let mut newest: Option<(KeyId, KeyRecord)> = None;
	for (id, record) in view.keys_of(device.id).await? {
		let is_newer = newest
			.as_ref()
			.is_none_or(|(_, best)| record.registered_at >= best.registered_at);
		if record.purpose == purpose && is_newer && view.key_status(id).await?.is_valid() {
			newest = Some((id, record));
		}
	}
	Ok(newest)
}

/// What an anchor is made of, from a public file or an OpenSSH private key: whether it is X.509, and the material.
fn public_material(path: &Path) -> Result<(bool, Vec<u8>)> {
	let bytes = files::read(path)?;
	let Ok(text) = std::str::from_utf8(&bytes) else {
		return Ok((true, certificate_der(path, &bytes)?));
	};
	if text.contains("-----BEGIN CERTIFICATE-----") {
		return Ok((true, certificate_der(path, &bytes)?));
	}
	if secrets::form(text) == Some(secrets::Form::OpenSsh) {
		let key = secrets::parse_openssh(path, text)?;
		return Ok((false, ssh_material(key.public_key())?));
	}
	match ssh::parse_ca(text.trim()) {
		Ok(ca) => Ok((false, ca.material)),
		Err(_) => Err(Error::WrongFile {
			path: path.to_owned(),
			expected: "an SSH public key or an X.509 certificate".to_owned(),
		}),
	}
}

/// The wire encoding of an SSH public key: the material of an SSH anchor.
pub fn ssh_material(key: &ssh_key::PublicKey) -> Result<Vec<u8>> {
	key.to_bytes().map_err(crypto("encode the public key"))
}

/// The DER of an X.509 certificate in PEM or DER.
pub fn certificate_der(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
	let wrong =
		|| Error::WrongFile { path: path.to_owned(), expected: "an X.509 certificate".into() };
	let der = if bytes.starts_with(b"\x30") {
		bytes.to_vec()
	} else {
		let mut pems = Pem::iter_from_buffer(bytes).filter_map(|pem| pem.ok());
		pems.find(|pem| pem.label == "CERTIFICATE").ok_or_else(wrong)?.contents
	};
	match X509Certificate::from_der(&der) {
		Ok(([], _)) => Ok(der),
		_ => Err(wrong()),
	}
}

/// A verdict with its reason and since when: `revoked (keyCompromise) since 2026-11-21T09:00:00Z`.
pub fn verdict(status: Status, standing: &Standing) -> String {
	let mut text = status.name().to_owned();
	if let Some(reason) = status.reason() {
		text += &format!(" ({})", reason.rfc5280_name());
	}
	match since(status, standing) {
		Some(since) if status == Status::NotYetValid => {
			text += &format!(", only from {}", rfc3339(since))
		},
		Some(since) => text += &format!(" since {}", rfc3339(since)),
		None => {},
	}
	text
}

/// Since when the verdict holds (for [`Status::NotYetValid`]: until when), where the record tells.
pub fn since(status: Status, standing: &Standing) -> Option<Moment> {
	match status {
		Status::Valid | Status::NotYetValid => Some(standing.validity.not_before),
		Status::Expired => standing.validity.not_after,
		Status::Revoked(revocation) | Status::IssuerRevoked(revocation) => Some(revocation.at),
		Status::Unknown | Status::Suspended | Status::Superseded => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::{
		revocation::{Revocation, RevocationReason},
		status::Validity,
	};

	const STANDING: Standing = Standing {
		validity: Validity { not_before: 1_000, not_after: Some(5_000) },
		suspended: false,
		superseded: false,
		revocation: None,
	};

	#[test]
	fn a_verdict_tells_reason_and_time() {
		let revoked =
			Status::Revoked(Revocation { reason: RevocationReason::KeyCompromise, at: 2_000 });
		for (status, text) in [
			(Status::Valid, "valid since 1970-01-01T00:00:01Z"),
			(Status::NotYetValid, "not yet valid, only from 1970-01-01T00:00:01Z"),
			(Status::Expired, "expired since 1970-01-01T00:00:05Z"),
			(revoked, "revoked (keyCompromise) since 1970-01-01T00:00:02Z"),
			(Status::Unknown, "unknown"),
		] {
			assert_eq!(verdict(status, &STANDING), text);
		}
	}

	#[test]
	fn a_key_file_stands_for_an_anchor_of_each_ssh_kind() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("ca.pub");
		let line =
			"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER";
		std::fs::write(&path, line).unwrap();
		let anchor = AnchorRef::File(path);
		assert_eq!(anchor_candidates(&anchor, ANY_KIND).unwrap().len(), 2);
		assert_eq!(anchor_candidates(&anchor, &[AnchorKind::SshUserCa]).unwrap().len(), 1);
		assert!(anchor_candidates(&anchor, &[AnchorKind::X509Root]).is_err());
	}

	#[test]
	fn a_name_that_is_neither_id_nor_file_is_told_apart() {
		let anchor = AnchorRef::File("/nonexistent/ca.pub".into());
		assert!(matches!(anchor_candidates(&anchor, ANY_KIND), Err(Error::NotAnId { .. })));
	}
}
