//! Private keys in PEM files, as OpenSSL writes them.

use super::{PossessionError, malformed};
use pkcs8::{EncryptedPrivateKeyInfo, SecretDocument};

/// What every block begins with.
pub(super) const BEGIN: &str = "-----BEGIN ";

/// The DER of a private key by its form. It is wiped when it is dropped.
pub(super) enum PrivateDer {
	/// Any algorithm: PKCS#8 (RFC 5958).
	Pkcs8(SecretDocument),
	/// RSA: PKCS#1 (RFC 8017 appendix A.1.2).
	Pkcs1(SecretDocument),
	/// An elliptic curve: SEC 1 (RFC 5915).
	Sec1(SecretDocument),
}

impl PrivateDer {
	/// The private key in this file; the passphrase counts only where the file is encrypted.
	pub(super) fn read(file: &str, passphrase: Option<&str>) -> Result<Self, PossessionError> {
		let block =
			private_block(file).ok_or_else(|| malformed("it has no PEM block of a private key"))?;
		// The form before PKCS#8 (RFC 1421), whose key derivation is weak.
		if block.contains("Proc-Type:") {
			return Err(PossessionError::UnsupportedEncryption);
		}
		let (label, der) = SecretDocument::from_pem(block).map_err(malformed)?;
		match (label, passphrase) {
			("PRIVATE KEY", _) => Ok(Self::Pkcs8(der)),
			("RSA PRIVATE KEY", _) => Ok(Self::Pkcs1(der)),
			("EC PRIVATE KEY", _) => Ok(Self::Sec1(der)),
			("ENCRYPTED PRIVATE KEY", None) => Err(PossessionError::PassphraseNeeded),
			("ENCRYPTED PRIVATE KEY", Some(passphrase)) => {
				EncryptedPrivateKeyInfo::try_from(der.as_bytes())
					.map_err(|_| PossessionError::UnsupportedEncryption)?
					.decrypt(passphrase)
					.map(Self::Pkcs8)
					.map_err(undecryptable)
			},
			_ => Err(malformed(format!("its label is {label}, not PRIVATE KEY"))),
		}
	}
}

/// A wrong passphrase shows in the padding or, where that fits by chance, in what comes out.
fn undecryptable(error: pkcs8::Error) -> PossessionError {
	use pkcs8::pkcs5::Error;
	match error {
		pkcs8::Error::EncryptedPrivateKey(
			Error::NoPbes1CryptSupport | Error::UnsupportedAlgorithm { .. },
		) => PossessionError::UnsupportedEncryption,
		_ => PossessionError::PassphraseWrong,
	}
}

/// The first block whose label ends in `PRIVATE KEY`. OpenSSL writes the parameters of a curve into a block of their own
/// before the key.
fn private_block(file: &str) -> Option<&str> {
	const END: &str = "-----END ";
	const DASHES: &str = "-----";
	let block = file.match_indices(BEGIN).map(|(start, _)| &file[start..]).find(|block| {
		let first = block.lines().next().unwrap_or_default();
		first.trim_end().ends_with("PRIVATE KEY-----")
	})?;
	let label = block.find(END)? + END.len();
	let end = label + block[label..].find(DASHES)? + DASHES.len();
	Some(&block[..end])
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_private_block_is_found_among_others() {
		let key = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----";
		let parameters = "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----";
		let file = format!("{parameters}\n{key}\n{parameters}\n");
		assert_eq!(private_block(&file), Some(key));
		for none in ["", "hello", parameters, &key[..40]] {
			assert_eq!(private_block(none), None, "{none}");
		}
	}
}
