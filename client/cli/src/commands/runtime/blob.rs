//! The blob of a runtime: what its build makes, and what the council votes on by its hash.

use crate::{
	error::{Error, Result},
	files,
};
use dpki_client::{RuntimeVersion, upgrade::MAX_CODE_LEN};
use sp_crypto_hashing::blake2_256;
use sp_maybe_compressed_blob::{CODE_BLOB_BOMB_LIMIT, decompress};
use std::path::Path;
use wasmparser::{Parser, Payload};

/// The section in which a build writes what the runtime calls itself, and where nodes look for it first.
const VERSION_SECTION: &str = "runtime_version";

/// A runtime as it is in its file: compressed, mostly.
pub struct Blob {
	/// The bytes of the file, which become those of the chain.
	pub code: Vec<u8>,
	/// Their BLAKE2-256.
	pub hash: [u8; 32],
	/// What the runtime calls itself.
	pub version: RuntimeVersion,
}

impl Blob {
	/// Reads one.
	///
	/// Refused are files that hold no runtime with a version, and those that fit into no block.
	pub fn read(path: &Path) -> Result<Self> {
		let code = files::read_blob(path, MAX_CODE_LEN)?;
		let expected = "the blob of a runtime, such as dpki_runtime.compact.compressed.wasm";
		let wrong = || Error::WrongFile { path: path.to_owned(), expected: expected.to_owned() };
		let version = version(&code).ok_or_else(wrong)?;
		Ok(Self { hash: blake2_256(&code), code, version })
	}
}

/// What a blob calls itself.
fn version(code: &[u8]) -> Option<RuntimeVersion> {
	let wasm = decompress(code, CODE_BLOB_BOMB_LIMIT).ok()?;
	let mut sections = Parser::new(0).parse_all(&wasm).map_while(|payload| payload.ok());
	let section = sections.find_map(|payload| match payload {
		Payload::CustomSection(section) if section.name() == VERSION_SECTION => {
			Some(section.data())
		},
		_ => None,
	})?;
	RuntimeVersion::from_scale(section).ok()
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use sp_maybe_compressed_blob::{CODE_BLOB_BOMB_LIMIT, compress_weakly};

	/// A module with nothing in it but this section.
	fn module(name: &str, data: &[u8]) -> Vec<u8> {
		let mut wasm = b"\0asm\x01\0\0\0".to_vec();
		let length = u8::try_from(1 + name.len() + data.len()).unwrap();
		assert!(length < 128, "one byte of LEB128");
		wasm.extend([0, length, name.len() as u8]);
		wasm.extend(name.as_bytes());
		wasm.extend(data);
		wasm
	}

	fn scale() -> Vec<u8> {
		let apis = Vec::<([u8; 8], u32)>::new();
		("dpki", "dpki", 1u32, 7u32, 1u32, apis, 4u32, 1u8).encode()
	}

	#[test]
	fn a_blob_tells_its_version_compressed_or_not() {
		let known = RuntimeVersion { name: "dpki".into(), spec: 7, transactions: 4 };
		let wasm = module(VERSION_SECTION, &scale());
		assert_eq!(version(&wasm), Some(known.clone()));
		let compressed = compress_weakly(&wasm, CODE_BLOB_BOMB_LIMIT).unwrap();
		assert_eq!(version(&compressed), Some(known));
	}

	#[test]
	fn what_is_no_runtime_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("blob");
		for bytes in [
			b"no wasm".to_vec(),
			module("another", &scale()),
			module(VERSION_SECTION, &scale()[..9]),
			module(VERSION_SECTION, &scale())[..20].to_vec(),
		] {
			std::fs::write(&path, bytes).unwrap();
			assert!(matches!(Blob::read(&path), Err(Error::WrongFile { .. })));
		}
		std::fs::write(&path, vec![0; MAX_CODE_LEN + 1]).unwrap();
		assert!(matches!(Blob::read(&path), Err(Error::WrongFile { .. })));
	}

	#[test]
	fn the_hash_is_that_of_the_file() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("blob");
		let wasm = module(VERSION_SECTION, &scale());
		std::fs::write(&path, &wasm).unwrap();
		assert_eq!(Blob::read(&path).unwrap().hash, blake2_256(&wasm));
	}
}
