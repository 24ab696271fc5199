//! The certificates of a service: its identity, whom it believes, and what is revoked. All of them are one generation.
//!
//! | file | content | mode |
//! |---|---|---|
//! | `chain.pem` | the certificates by which the service proves itself, its own first | 0644 |
//! | `key.pem` | the private key of the first one, PKCS#8 | 0600, or 0640 for the configured group |
//! | `trust.pem` | the certificates that the service believes | 0644 |
//! | `crl.pem` | the revocation lists of those | 0644 |
//!
//! While the chain is not heard for too long (`freshness.tls`) `trust.pem` holds one certificate, see [`nobody`]: the service
//! starts with it, proves itself as before, and takes nobody for a peer.
//!
//! The private key is delivered, or was made here by `dpki-agent request tls`: then it lies in the state directory, and
//! that one is taken whose public half the certificate has.

pub mod nobody;

use super::{
	ApplyError, Files, Wanted, generational::Content, settings::TlsSettings, settings::argv,
};
use crate::{
	files::{self, FileError},
	ssh::check::run,
};
use async_trait::async_trait;
use dpki_client::{Item, Use, bundle::Secret, primitives::Moment};
use dpki_x509::{Certificate, Pure, crl::RevocationList};
use nobody::Nobody;
use pkcs8::{LineEnding, SecretDocument, der::pem};
use rustls::{
	RootCertStore,
	crypto::ring::sign::any_supported_type,
	pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
	sign::CertifiedKey,
};
use std::{
	ffi::OsString,
	fs,
	path::{Path, PathBuf},
	time::Duration,
};
use zeroize::Zeroizing;

/// The certificates by which the service proves itself.
pub const CHAIN: &str = "chain.pem";
/// The private key of the first one.
pub const KEY: &str = "key.pem";
/// The certificates that the service believes.
pub const TRUST: &str = "trust.pem";
/// What is revoked of what those have issued.
pub const REVOKED: &str = "crl.pem";

const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";
const REVOCATION_LIST: &str = "X509 CRL";

/// The certificates of one service.
pub(super) struct Tls {
	service: String,
	name: String,
	keys: PathBuf,
	nobody: Nobody,
	commands: Vec<Vec<OsString>>,
	timeout: Duration,
}

impl Tls {
	pub(super) fn new(service: &str, settings: &TlsSettings, state: &Path) -> Self {
		let commands = [&settings.test, &settings.reload];
		Self {
			service: service.into(),
			name: format!("tls {service}"),
			keys: keys_of(state, service),
			nobody: Nobody::new(state),
			commands: commands.into_iter().filter(|it| !it.is_empty()).map(|it| argv(it)).collect(),
			timeout: Duration::from_secs(settings.timeout),
		}
	}

	/// The key that the first certificate is for, of those that are here.
	fn find_key(&self, certificate: &[u8], current: Option<&Files>) -> Result<Pem, String> {
		let mut candidates = read_keys(&self.keys).map_err(|error| error.to_string())?;
		candidates.extend(current.and_then(|files| files.get(KEY)).cloned());
		candidates
			.into_iter()
			.filter_map(|text| {
				let text = std::str::from_utf8(&text).ok()?;
				SecretDocument::from_pem(text).ok().map(|(_, key)| key)
			})
			.find(|key| check_key(certificate, key.as_bytes()).is_ok())
			.ok_or_else(|| {
				"the certificate is for a private key that is neither here nor delivered: make one with \
				 `dpki-agent request tls` and have that certified"
					.into()
			})
			.and_then(|key| key_to_pem(key.as_bytes()))
	}

	fn identity(
		&self,
		files: &mut Files,
		chain: &[Vec<u8>],
		key: Option<&Secret>,
		new_at: Option<Moment>,
		current: Option<&Files>,
	) -> Result<(), String> {
		let certificates = read_all(chain)?;
		let [first, ..] = chain else { return Err("there is no certificate".into()) };
		for pair in certificates.windows(2) {
			let [below, above] = pair else { continue };
			let is_issuer = below.issuer() == above.subject()
				&& above.check_authority().is_ok()
				&& below.is_signed_by(&Pure, above);
			if !is_issuer {
				return Err("a certificate is not issued by the one that follows it".into());
			}
		}
		// Once in force it stays so: a service that goes on with an expired certificate is told by its peers, one without
		// any does not start again.
		if let Some(now) = new_at {
			check_times(&certificates, now)?;
		}
		let text = match key {
			Some(key) => {
				check_key(first, key.expose())?;
				key_to_pem(key.expose())?
			},
			None => self.find_key(first, current)?,
		};
		files.insert(KEY, text);
		files.insert(CHAIN, to_pem(CERTIFICATE, chain)?);
		Ok(())
	}
}

type Pem = Zeroizing<Vec<u8>>;

#[async_trait]
impl Content for Tls {
	fn name(&self) -> &str {
		&self.name
	}

	fn names(&self) -> &'static [(&'static str, bool)] {
		&[(CHAIN, false), (KEY, true), (TRUST, false), (REVOKED, false)]
	}

	fn takes(&self, part: &Item) -> bool {
		match part {
			Item::TlsIdentity { name, .. }
			| Item::TrustBundle { name, .. }
			| Item::RevocationLists { name, .. } => *name == self.service,
			_ => false,
		}
	}

	fn files(&self, wanted: &Wanted<'_>, current: Option<&Files>) -> Result<Files, String> {
		let mut files = Files::new();
		let (mut trusted, mut lists) = (Vec::new(), None);
		let new_at = |part| wanted.is_new(part).then_some(wanted.now);
		for part in wanted.state.parts.iter().filter(|part| self.takes(part)) {
			match part {
				Item::TlsIdentity { chain, key, .. } => {
					self.identity(&mut files, chain, key.as_ref(), new_at(part), current)?;
				},
				Item::TrustBundle { certificates, .. } => {
					trusted = read_all(certificates)?;
					let mut roots = RootCertStore::empty();
					for certificate in certificates {
						roots
							.add(CertificateDer::from(certificate.as_slice()))
							.map_err(|error| format!("a trusted certificate is no use: {error}"))?;
					}
					files.insert(TRUST, to_pem(CERTIFICATE, certificates)?);
				},
				Item::RevocationLists { lists: found, .. } => lists = Some((found, new_at(part))),
				_ => {},
			}
		}
		if let Some((lists, new_at)) = lists {
			for list in lists {
				check_list(list, &trusted, new_at)?;
			}
			files.insert(REVOKED, to_pem(REVOCATION_LIST, lists)?);
		}
		Ok(if wanted.state.peers_closed { self.closed(Some(&files)) } else { files })
	}

	fn serves(&self) -> Option<Use> {
		Some(Use::Tls)
	}

	fn closed(&self, files: Option<&Files>) -> Files {
		let mut closed = files.cloned().unwrap_or_default();
		// What cannot be read may have believed somebody.
		if files.is_none_or(|files| files.contains_key(TRUST)) {
			match self.nobody.pem() {
				Ok(pem) => closed.insert(TRUST, Zeroizing::new(pem.into())),
				Err(error) => {
					tracing::warn!(%error, "whom nobody can be is not known: no file says whom to believe");
					closed.remove(TRUST)
				},
			};
		}
		closed
	}

	async fn tell(&self, _: &Files, _: Option<&Files>) -> Result<(), ApplyError> {
		for command in &self.commands {
			run(command, self.timeout)
				.await
				.map_err(|source| ApplyError::Told { applier: self.name.clone(), source })?;
		}
		Ok(())
	}
}

/// Where the keys of a service lie that were made here.
pub(crate) fn keys_of(state: &Path, service: &str) -> PathBuf {
	state.join("tls").join(service)
}

fn read_keys(directory: &Path) -> Result<Vec<Pem>, FileError> {
	if !directory.is_dir() {
		return Ok(Vec::new());
	}
	let entries = fs::read_dir(directory).map_err(files::failed("list", directory))?;
	let mut keys = Vec::new();
	for entry in entries {
		let path = entry.map_err(files::failed("list", directory))?.path();
		if path.extension().is_some_and(|it| it == "key") {
			keys.push(Zeroizing::new(fs::read(&path).map_err(files::failed("read", &path))?));
		}
	}
	Ok(keys)
}

fn read_all(certificates: &[Vec<u8>]) -> Result<Vec<Certificate>, String> {
	certificates
		.iter()
		.map(|der| {
			Certificate::from_der_tolerant(der)
				.map_err(|error| format!("a certificate cannot be read: {error}"))
		})
		.collect()
}

fn check_times(certificates: &[Certificate], now: Moment) -> Result<(), String> {
	certificates.iter().try_for_each(|certificate| {
		certificate.validity().check(now / 1000).map_err(|error| error.to_string())
	})
}

/// A list has to be that of a CA that is believed: one of anybody else would say nothing.
fn check_list(der: &[u8], trusted: &[Certificate], new_at: Option<Moment>) -> Result<(), String> {
	let list = RevocationList::from_der(der)
		.map_err(|error| format!("a revocation list cannot be read: {error}"))?;
	// A list that is out of date by now was good when it came, and a peer that is on it stays refused.
	let at = new_at.map_or(list.validity().not_before, |now| now / 1000);
	let mut why = "its issuer is not in the trust bundle".to_owned();
	for issuer in trusted.iter().filter(|it| it.subject() == list.issuer()) {
		match list.check_usable(&Pure, issuer, at) {
			Ok(()) => return Ok(()),
			Err(error) => why = error.to_string(),
		}
	}
	Err(format!("a revocation list is no use: {why}"))
}

/// Whether the certificate is for this private key, and rustls can sign with it.
fn check_key(certificate: &[u8], key: &[u8]) -> Result<(), String> {
	let signer = any_supported_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)))
		.map_err(|_| "the private key cannot be used: give it as unencrypted PKCS#8".to_owned())?;
	let certificate = CertificateDer::from(certificate.to_vec());
	CertifiedKey::new(vec![certificate], signer)
		.keys_match()
		.map_err(|error| format!("certificate and private key do not belong together: {error}"))
}

fn key_to_pem(der: &[u8]) -> Result<Pem, String> {
	let text = pem::encode_string(PRIVATE_KEY, LineEnding::LF, der);
	text.map(|text| Zeroizing::new(text.into_bytes()))
		.map_err(|error| format!("a private key cannot be written: {error}"))
}

fn to_pem(label: &str, all: &[Vec<u8>]) -> Result<Pem, String> {
	let mut text = String::new();
	for der in all {
		text += &pem::encode_string(label, LineEnding::LF, der)
			.map_err(|error| format!("what is to be written is no PEM: {error}"))?;
	}
	Ok(Zeroizing::new(text.into_bytes()))
}
