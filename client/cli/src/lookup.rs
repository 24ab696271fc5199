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
	ids::{AnchorId, KeyId, OrganisationId, name_to_string},
	key::{KeyPurpose, KeyRecord},
	revocation::{Hold, Withdrawal},
	status::{Standing, Status},
};
use serde_json::{Value, json};
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
		let verdict = anchor_verdict(self.status, &self.record);
		Err(Error::NotAllowed {
			why: format!("the {kind} {} is {verdict}", self.id),
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
	let fits = |kind: &&AnchorKind| kind.is_x509() == is_x509;
	let ids: Vec<_> =
		kinds.iter().filter(fits).map(|kind| AnchorId::of(*kind, &material)).collect();
	if ids.is_empty() {
		return Err(Error::WrongFile {
			path: path.clone(),
			expected: format!("the public half of an anchor of kind {}", kind_names(kinds)),
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
			return Err(of_another_kind(&id.to_string(), record.kind, kinds));
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
	if let Some(known) = find_anchor(view, anchor, kinds).await? {
		return Ok(known);
	}
	// A key file names no kind: it may be that of an anchor of another one. Standard input was read already.
	if let AnchorRef::File(path) = anchor
		&& path != Path::new("-")
	{
		for id in anchor_candidates(anchor, ANY_KIND)? {
			if let Some(record) = view.anchor(id).await? {
				return Err(of_another_kind(&path.display().to_string(), record.kind, kinds));
			}
		}
	}
	Err(Error::Unknown { what: "anchor", name: anchor.to_string() })
}

/// What an anchor is made of: a certificate in DER, or an SSH key in wire encoding.
pub async fn material(view: &View, id: AnchorId) -> Result<Vec<u8>> {
	view.anchor_material(id)
		.await?
		.ok_or_else(|| Error::Unknown { what: "material of the anchor", name: id.to_string() })
}

/// The error for a key that the chain knows as an anchor of a kind that does not help here.
pub fn of_another_kind(what: &str, found: AnchorKind, wanted: &[AnchorKind]) -> Error {
	let (found, wanted) = (found.name(), kind_names(wanted));
	Error::NotAllowed {
		why: format!("{what} is registered as an {found}, not as an {wanted}"),
		next: format!("give an {wanted}; `dpki anchor list` shows the kinds"),
	}
}

fn kind_names(kinds: &[AnchorKind]) -> String {
	let words: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
	words.join(" or ")
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
		// Nobody can use a key of which the chain holds only the hash.
		let is_usable = record.is_proven() && record.purpose == purpose && is_newer;
		if is_usable && view.key_status(id).await?.is_valid() {
			newest = Some((id, record));
		}
	}
	Ok(newest)
}

/// The name of an organisation as people know it; its id if the chain does not know it any more, or the node tells a name
/// that is another's.
pub async fn organisation_name(view: &View, id: OrganisationId) -> Result<String> {
	let record = view.organisation(id).await?;
	let record = record.filter(|record| OrganisationId::from_name(&record.name) == id);
	Ok(record.map_or_else(|| id.to_string(), |record| name_to_string(&record.name)))
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

/// A verdict about an anchor: one that was superseded is one that its organisation has retired.
pub fn anchor_verdict(status: Status, record: &AnchorRecord) -> String {
	match (status, record.retired_at) {
		(Status::Superseded, Some(at)) => format!("retired (superseded) since {}", rfc3339(at)),
		_ => verdict(status, &record.standing()),
	}
}

/// Since when the verdict holds (for [`Status::NotYetValid`]: until when), where the record tells.
pub fn since(status: Status, standing: &Standing) -> Option<Moment> {
	match status {
		Status::Valid | Status::NotYetValid => Some(standing.validity.not_before),
		Status::Expired => standing.validity.not_after,
		Status::Revoked(revocation) | Status::IssuerRevoked(revocation) => Some(revocation.at),
		Status::Superseded => standing.superseded_at,
		Status::Unknown | Status::Suspended => None,
	}
}

/// What a record says of its hold, for programs: since when, on whose authority, and what is suspected.
pub fn hold(withdrawal: Withdrawal) -> Option<Value> {
	let Hold { reason, at, by } = withdrawal.hold()?;
	Some(json!({ "since": rfc3339(at), "by": by.name(), "reason": reason.rfc5280_name() }))
}

/// The same for people.
pub fn hold_words(withdrawal: Withdrawal) -> Option<String> {
	let Hold { reason, at, by } = withdrawal.hold()?;
	Some(format!("since {} by {}: {}", rfc3339(at), by.name(), reason.rfc5280_name()))
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
		superseded_at: None,
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
	fn a_retired_anchor_is_called_retired() {
		let (owner, key_id) = (OrganisationId([1; 32]), KeyId([4; 32]));
		let kind = AnchorKind::SshUserCa;
		let mut record = AnchorRecord::new(owner, kind, None, key_id, STANDING.validity, 1_000);
		record.retired_at = Some(3_000);
		let text = "retired (superseded) since 1970-01-01T00:00:03Z";
		assert_eq!(anchor_verdict(Status::Superseded, &record), text);
		// A graver verdict is told as it is.
		assert_eq!(anchor_verdict(Status::Expired, &record), verdict(Status::Expired, &STANDING));
		record.retired_at = None;
		assert_eq!(anchor_verdict(Status::Valid, &record), verdict(Status::Valid, &STANDING));
	}

	#[test]
	fn a_ca_of_another_kind_is_told_what_it_is() {
		let error = of_another_kind("ca.pub", AnchorKind::SshHostCa, &[AnchorKind::SshUserCa]);
		let sentence = "ca.pub is registered as an ssh-host-ca, not as an ssh-user-ca";
		assert_eq!(error.to_string(), sentence);
		assert!(error.next_step().unwrap().contains("give an ssh-user-ca"));
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
