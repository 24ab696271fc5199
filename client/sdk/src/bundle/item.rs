//! The parts of a desired state, and what each may hold.
//!
//! | kind | item | secret |
//! |---|---|---|
//! | 0 | [`Item::SshUserCa`] | |
//! | 1 | [`Item::SshHostCertificate`] | |
//! | 2 | [`Item::SshKnownHostCa`] | |
//! | 3 | [`Item::SshPrincipals`] | |
//! | 4 | [`Item::SshHostKey`] | private key |
//! | 5 | [`Item::SshUserKey`] | private key |
//! | 6 | [`Item::SshAuthorizedKeys`] | |
//! | 7 | [`Item::TlsIdentity`] | private key, if one is delivered |
//! | 8 | [`Item::TrustBundle`] | |
//! | 9 | [`Item::Psk`] | key |
//! | 10 | [`Item::Opaque`] | perhaps |
//! | 11 | [`Item::RevocationLists`] | |
//! | 12 | [`Item::SshUserCertificate`] | |
//! | 16 | [`Item::SshTemporaryAccess`] | |
//! | 17 | [`Item::SshTemporaryKey`] | |

use super::{
	BundleError, MAX_CERTIFICATE_LEN, MAX_CERTIFICATES, MAX_NAMES, MAX_SECRET_LEN,
	wire::{
		at_most, check_line, check_names, put, put_slice, take, take_count, take_names, take_slice,
		take_text,
	},
};
use crate::names::{MAX_TEXT_LEN, NameKind};
use dpki_primitives::{
	Moment,
	ids::{AnchorId, CertificateId},
};
use std::fmt;
use zeroize::Zeroizing;

/// The flag of an item without which the rest makes sense.
const OPTIONAL: u8 = 1;

/// Fewest and most bytes of a pre-shared key: 128 bits, and what mosquitto and OpenSSL take.
const PSK_LENS: std::ops::RangeInclusive<usize> = 16..=64;

/// Bytes that are wiped when they are dropped and never shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
	/// Takes the bytes over.
	pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
		Self(bytes)
	}

	/// The bytes.
	pub fn expose(&self) -> &[u8] {
		&self.0
	}
}

impl From<&[u8]> for Secret {
	fn from(bytes: &[u8]) -> Self {
		Self(Zeroizing::new(bytes.to_vec()))
	}
}

impl fmt::Debug for Secret {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} secret bytes", self.0.len())
	}
}

/// A public key that opens a login, without any CA.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizedKey {
	/// The key as a line of text, as in a `.pub` file, without options.
	pub key: String,
	/// Last moment at which it opens the login; `None` means no end but the next delivery.
	pub until: Option<Moment>,
}

/// One part of the desired state.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Item {
	/// Logins are allowed with certificates of this SSH user CA.
	SshUserCa {
		/// The anchor.
		anchor: AnchorId,
	},
	/// The device proves itself with this host certificate.
	SshHostCertificate {
		/// The certificate as a line of text, as in a `-cert.pub` file.
		certificate: String,
	},
	/// Hosts of these patterns prove themselves with certificates of this SSH host CA.
	SshKnownHostCa {
		/// The anchor.
		anchor: AnchorId,
		/// Host patterns, as in `known_hosts`.
		hosts: Vec<String>,
	},
	/// Certificates with one of these principals may log in as this user.
	SshPrincipals {
		/// The user of the device.
		login: String,
		/// The principals.
		principals: Vec<String>,
	},
	/// The device proves itself with this host key, which somebody else has made.
	SshHostKey {
		/// The private key in OpenSSH's text form, without passphrase.
		private: Secret,
	},
	/// A user of the device proves itself elsewhere with this key, which somebody else has made.
	SshUserKey {
		/// The user of the device.
		login: String,
		/// The private key in OpenSSH's text form, without passphrase.
		private: Secret,
		/// A certificate for it as a line of text.
		certificate: Option<String>,
	},
	/// A user of the device proves itself elsewhere with this certificate, by a key that the device has made for it.
	SshUserCertificate {
		/// The user of the device.
		login: String,
		/// The certificate as a line of text.
		certificate: String,
	},
	/// These keys may log in as this user.
	SshAuthorizedKeys {
		/// The user of the device.
		login: String,
		/// The keys.
		keys: Vec<AuthorizedKey>,
	},
	/// A service of the device proves itself with these certificates.
	TlsIdentity {
		/// Which service: the device's configuration says where its files lie, and how it is told.
		name: String,
		/// The certificates in DER, the service's own first.
		chain: Vec<Vec<u8>>,
		/// The private key in PKCS#8 DER; `None` if the device made it itself, as it should.
		key: Option<Secret>,
	},
	/// A service of the device believes these certificates.
	TrustBundle {
		/// Which service.
		name: String,
		/// The certificates in DER.
		certificates: Vec<Vec<u8>>,
	},
	/// A key that the device shares with others.
	Psk {
		/// By which name the others know it.
		identity: String,
		/// The key.
		key: Secret,
	},
	/// Anything else. The device's configuration says which program takes what has this name; a bundle names no program.
	Opaque {
		/// Its name.
		name: String,
		/// What the program reads.
		data: Secret,
	},
	/// Certificates for this principal may log in as this user, until a fixed time and no longer. See [`crate::access`].
	SshTemporaryAccess {
		/// The user of the device.
		login: String,
		/// The principal.
		principal: String,
		/// The certificate on the chain that says so too: when it ends or is revoked, so does the access.
		grant: CertificateId,
		/// Last moment at which it opens the login.
		until: Moment,
	},
	/// The key of this grant may log in as this user without a certificate, until a fixed time and no longer. The key stands
	/// on the chain only. See [`crate::access`].
	SshTemporaryKey {
		/// The user of the device.
		login: String,
		/// The certificate on the chain that names the key: when it ends or is revoked, so does the access.
		grant: CertificateId,
		/// Last moment at which the key opens the login.
		until: Moment,
	},
	/// A service of the device does not believe what is on these lists.
	RevocationLists {
		/// Which service.
		name: String,
		/// The lists in DER, each of an authority in the trust bundle of the service.
		lists: Vec<Vec<u8>>,
	},
	/// A part that a device may leave out if it does not know its kind, or has nothing to put it in force with. Every other
	/// part such a device refuses, and the bundle with it.
	Optional(Box<Item>),
}

impl Item {
	/// Marks the part as one that a device may leave out.
	pub fn optional(self) -> Self {
		match self {
			Item::Optional(_) => self,
			part => Item::Optional(Box::new(part)),
		}
	}

	/// The part itself, whether it may be left out or not.
	pub fn part(&self) -> &Item {
		match self {
			Item::Optional(part) => part,
			part => part,
		}
	}

	/// The kind in words.
	pub fn name(&self) -> &'static str {
		match self.part() {
			Item::SshUserCa { .. } => "SSH user CA",
			Item::SshHostCertificate { .. } => "SSH host certificate",
			Item::SshKnownHostCa { .. } => "SSH host CA",
			Item::SshPrincipals { .. } => "SSH principals",
			Item::SshHostKey { .. } => "SSH host key",
			Item::SshUserKey { .. } => "SSH user key",
			Item::SshUserCertificate { .. } => "SSH user certificate",
			Item::SshAuthorizedKeys { .. } => "SSH authorized keys",
			Item::TlsIdentity { .. } => "TLS identity",
			Item::TrustBundle { .. } => "trust bundle",
			Item::Psk { .. } => "pre-shared key",
			Item::Opaque { .. } => "opaque data",
			Item::RevocationLists { .. } => "revocation lists",
			Item::SshTemporaryAccess { .. } => "temporary SSH access",
			Item::SshTemporaryKey { .. } => "temporary SSH key",
			Item::Optional(_) => "optional part",
		}
	}

	/// Whether somebody other than the device knows a private key that is in it. A device should make its keys itself.
	pub fn is_escrow(&self) -> bool {
		match self.part() {
			Item::SshHostKey { .. } | Item::SshUserKey { .. } => true,
			Item::TlsIdentity { key, .. } => key.is_some(),
			_ => false,
		}
	}

	/// Whether the parts are about the same, so that one can take the place of the other.
	pub fn is_like(&self, other: &Item) -> bool {
		self.subject() == other.subject()
	}

	/// What the part is about, in words: no two of a bundle may be about the same.
	pub fn subject(&self) -> String {
		match self.part() {
			Item::SshUserCa { anchor } => format!("the user CA {anchor}"),
			// A device has one host key, and proves itself with one certificate for it.
			Item::SshHostCertificate { .. } => "the host certificate".into(),
			Item::SshKnownHostCa { anchor, .. } => format!("the host CA {anchor}"),
			Item::SshPrincipals { login, .. } => format!("the login {login}"),
			Item::SshHostKey { .. } => "the host key".into(),
			// With the one that was delivered, or with the one that the device has made.
			Item::SshUserKey { login, .. } | Item::SshUserCertificate { login, .. } => {
				format!("the key of the user {login}")
			},
			Item::SshAuthorizedKeys { login, .. } => format!("the keys of the login {login}"),
			Item::TlsIdentity { name, .. } => format!("the TLS identity {name}"),
			Item::TrustBundle { name, .. } => format!("the trust bundle {name}"),
			Item::Psk { identity, .. } => format!("the pre-shared key {identity}"),
			Item::Opaque { name, .. } => format!("the data {name}"),
			Item::RevocationLists { name, .. } => format!("the revocation lists {name}"),
			// Once as a certificate, or once as a plain key: one grant opens one login.
			Item::SshTemporaryAccess { grant, .. } | Item::SshTemporaryKey { grant, .. } => {
				format!("the temporary access {grant}")
			},
			Item::Optional(_) => "an optional part in an optional part".into(),
		}
	}

	pub(super) fn check(&self) -> Result<(), BundleError> {
		match self.part() {
			Item::SshUserCa { .. } => Ok(()),
			Item::SshHostCertificate { certificate } => {
				check_line("a certificate", certificate, MAX_CERTIFICATE_LEN)
			},
			Item::SshKnownHostCa { hosts, .. } => {
				check_names(NameKind::HostPattern, "host patterns", hosts)?;
				if hosts.is_empty() { Err(BundleError::NoHosts) } else { Ok(()) }
			},
			Item::SshPrincipals { login, principals } => {
				NameKind::Login.check(login)?;
				check_names(NameKind::Principal, "principals", principals)
			},
			Item::SshHostKey { private } => check_secret("a private key", private),
			Item::SshUserKey { login, private, certificate } => {
				NameKind::Login.check(login)?;
				check_secret("a private key", private)?;
				certificate.as_ref().map_or(Ok(()), |certificate| {
					check_line("a certificate", certificate, MAX_CERTIFICATE_LEN)
				})
			},
			Item::SshUserCertificate { login, certificate } => {
				NameKind::Login.check(login)?;
				check_line("a certificate", certificate, MAX_CERTIFICATE_LEN)
			},
			Item::SshAuthorizedKeys { login, keys } => {
				NameKind::Login.check(login)?;
				at_most("keys", keys.len(), MAX_NAMES)?;
				keys.iter().try_for_each(check_authorized_key)
			},
			Item::TlsIdentity { name, chain, key } => {
				NameKind::Label.check(name)?;
				check_certificates(chain)?;
				key.as_ref().map_or(Ok(()), |key| check_secret("a private key", key))
			},
			Item::TrustBundle { name, certificates } => {
				NameKind::Label.check(name)?;
				check_certificates(certificates)
			},
			Item::Psk { identity, key } => {
				NameKind::PskIdentity.check(identity)?;
				if PSK_LENS.contains(&key.expose().len()) {
					Ok(())
				} else {
					Err(BundleError::PskLength)
				}
			},
			Item::Opaque { name, data } => {
				NameKind::Label.check(name)?;
				at_most("data", data.expose().len(), MAX_SECRET_LEN)
			},
			Item::SshTemporaryAccess { login, principal, .. } => {
				NameKind::Login.check(login)?;
				Ok(NameKind::Principal.check(principal)?)
			},
			Item::SshTemporaryKey { login, .. } => Ok(NameKind::Login.check(login)?),
			Item::RevocationLists { name, lists } => {
				NameKind::Label.check(name)?;
				check_certificates(lists)
			},
			Item::Optional(_) => Err(BundleError::Malformed("an optional part is in another one")),
		}
	}

	/// Kind, flags, length and content: what does not know the kind can pass over it.
	pub(super) fn write(&self, output: &mut Zeroizing<Vec<u8>>) {
		let flags = if matches!(self, Item::Optional(_)) { OPTIONAL } else { 0 };
		let mut body = Zeroizing::new(Vec::new());
		let kind = self.part().write_body(&mut body);
		put(output, &kind);
		put(output, &flags);
		put_slice(output, &body);
	}

	fn write_body(&self, body: &mut Zeroizing<Vec<u8>>) -> u8 {
		match self {
			Item::SshUserCa { anchor } => {
				put(body, anchor);
				0
			},
			Item::SshHostCertificate { certificate } => {
				put(body, certificate);
				1
			},
			Item::SshKnownHostCa { anchor, hosts } => {
				put(body, anchor);
				put(body, hosts);
				2
			},
			Item::SshPrincipals { login, principals } => {
				put(body, login);
				put(body, principals);
				3
			},
			Item::SshHostKey { private } => {
				put_slice(body, private.expose());
				4
			},
			Item::SshUserKey { login, private, certificate } => {
				put(body, login);
				put_slice(body, private.expose());
				put(body, certificate);
				5
			},
			Item::SshAuthorizedKeys { login, keys } => {
				put(body, login);
				let keys: Vec<_> = keys.iter().map(|key| (&key.key, key.until)).collect();
				put(body, &keys);
				6
			},
			Item::TlsIdentity { name, chain, key } => {
				put(body, name);
				put(body, chain);
				put(body, &key.is_some());
				if let Some(key) = key {
					put_slice(body, key.expose());
				}
				7
			},
			Item::TrustBundle { name, certificates } => {
				put(body, name);
				put(body, certificates);
				8
			},
			Item::Psk { identity, key } => {
				put(body, identity);
				put_slice(body, key.expose());
				9
			},
			Item::Opaque { name, data } => {
				put(body, name);
				put_slice(body, data.expose());
				10
			},
			Item::SshTemporaryAccess { login, principal, grant, until } => {
				put(body, login);
				put(body, principal);
				put(body, grant);
				put(body, until);
				16
			},
			Item::SshTemporaryKey { login, grant, until } => {
				put(body, login);
				put(body, grant);
				put(body, until);
				17
			},
			Item::RevocationLists { name, lists } => {
				put(body, name);
				put(body, lists);
				11
			},
			Item::SshUserCertificate { login, certificate } => {
				put(body, login);
				put(body, certificate);
				12
			},
			Item::Optional(part) => part.write_body(body),
		}
	}

	/// The next part; `Err` with its kind if it is unknown and may be left out.
	pub(super) fn read(input: &mut &[u8]) -> Result<Result<Self, u8>, BundleError> {
		let kind: u8 = take(input, "an item")?;
		let flags: u8 = take(input, "the flags of an item")?;
		if flags & !OPTIONAL != 0 {
			return Err(BundleError::UnknownFlags { kind, flags });
		}
		let is_optional = flags & OPTIONAL != 0;
		let mut body = take_slice(input, "an item", crate::envelope::MAX_PLAINTEXT_LEN)?;
		let part = match Self::read_body(kind, &mut body)? {
			Some(part) => part,
			None if is_optional => return Ok(Err(kind)),
			None => return Err(BundleError::UnknownItem(kind)),
		};
		if !body.is_empty() {
			return Err(BundleError::Malformed("an item has something behind its end"));
		}
		Ok(Ok(if is_optional { part.optional() } else { part }))
	}

	/// The part of this kind; `None` if the kind is unknown.
	fn read_body(kind: u8, body: &mut &[u8]) -> Result<Option<Self>, BundleError> {
		let login = |body: &mut &[u8]| take_text(body, "a login name", MAX_TEXT_LEN);
		let name = |body: &mut &[u8]| take_text(body, "a name", MAX_TEXT_LEN);
		let line = |body: &mut &[u8]| take_text(body, "a certificate", MAX_CERTIFICATE_LEN);
		Ok(Some(match kind {
			0 => Item::SshUserCa { anchor: take(body, "an anchor")? },
			1 => Item::SshHostCertificate { certificate: line(body)? },
			2 => Item::SshKnownHostCa {
				anchor: take(body, "an anchor")?,
				hosts: take_names(body, "host patterns")?,
			},
			3 => Item::SshPrincipals {
				login: login(body)?,
				principals: take_names(body, "principals")?,
			},
			4 => Item::SshHostKey { private: take_secret(body)? },
			5 => Item::SshUserKey {
				login: login(body)?,
				private: take_secret(body)?,
				certificate: take::<bool>(body, "a certificate")?
					.then(|| line(body))
					.transpose()?,
			},
			6 => Item::SshAuthorizedKeys {
				login: login(body)?,
				keys: (0..take_count(body, "keys", MAX_NAMES)?)
					.map(|_| {
						let key = take_text(body, "a key", MAX_CERTIFICATE_LEN)?;
						Ok(AuthorizedKey { key, until: take(body, "the end of a key")? })
					})
					.collect::<Result<_, BundleError>>()?,
			},
			7 => Item::TlsIdentity {
				name: name(body)?,
				chain: take_certificates(body)?,
				key: take::<bool>(body, "a private key")?.then(|| take_secret(body)).transpose()?,
			},
			8 => Item::TrustBundle { name: name(body)?, certificates: take_certificates(body)? },
			9 => Item::Psk { identity: name(body)?, key: take_secret(body)? },
			10 => Item::Opaque { name: name(body)?, data: take_secret(body)? },
			11 => Item::RevocationLists { name: name(body)?, lists: take_certificates(body)? },
			12 => Item::SshUserCertificate { login: login(body)?, certificate: line(body)? },
			16 => Item::SshTemporaryAccess {
				login: login(body)?,
				principal: take_text(body, "a principal", MAX_TEXT_LEN)?,
				grant: take(body, "a grant")?,
				until: take(body, "the end of the access")?,
			},
			17 => Item::SshTemporaryKey {
				login: login(body)?,
				grant: take(body, "a grant")?,
				until: take(body, "the end of the access")?,
			},
			_ => return Ok(None),
		}))
	}
}

fn take_secret(body: &mut &[u8]) -> Result<Secret, BundleError> {
	take_slice(body, "a secret", MAX_SECRET_LEN).map(Secret::from)
}

fn take_certificates(body: &mut &[u8]) -> Result<Vec<Vec<u8>>, BundleError> {
	(0..take_count(body, "certificates", MAX_CERTIFICATES)?)
		.map(|_| take_slice(body, "a certificate", MAX_CERTIFICATE_LEN).map(<[u8]>::to_vec))
		.collect()
}

fn check_secret(what: &'static str, secret: &Secret) -> Result<(), BundleError> {
	if secret.expose().is_empty() {
		return Err(BundleError::Malformed("a private key is empty"));
	}
	at_most(what, secret.expose().len(), MAX_SECRET_LEN)
}

fn check_certificates(certificates: &[Vec<u8>]) -> Result<(), BundleError> {
	at_most("certificates", certificates.len(), MAX_CERTIFICATES)?;
	if certificates.is_empty() || certificates.iter().any(Vec::is_empty) {
		return Err(BundleError::Malformed("a list of certificates is empty, or one of them is"));
	}
	certificates.iter().try_for_each(|certificate| {
		at_most("a certificate", certificate.len(), MAX_CERTIFICATE_LEN)
	})
}

/// A plain key: options before it could run commands, or open more than a shell.
fn check_authorized_key(key: &AuthorizedKey) -> Result<(), BundleError> {
	check_line("a key", &key.key, MAX_CERTIFICATE_LEN)?;
	ssh_key::PublicKey::from_openssh(&key.key)
		.map(|_| ())
		.map_err(|_| BundleError::Malformed("an authorized key is no line of a .pub file"))
}
