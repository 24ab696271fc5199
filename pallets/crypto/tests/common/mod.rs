//! The ways in which a signature can be judged, for tests that hold them against each other.
// Each test takes what it needs.
#![allow(dead_code)]

use codec::Encode;
use dpki_crypto::{
	Hash, Pure, Signed, Verifier,
	host::{self, Host, HostFunctions},
};
use sp_wasm_interface::{FunctionContext, HostFunctions as _, Pointer, Result, Value, WordSize};

/// The functions that a node registers, called by their names with pointers into a memory, as a runtime in WebAssembly
/// calls them. What is left out is the executor between the two.
pub struct Registered;

/// The memory of a runtime that has laid out the arguments of one call and asks for no more.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Memory {
	fn thin(&mut self, bytes: &[u8]) -> Value {
		let at = self.0.len();
		self.0.extend(bytes);
		Value::I32(at as i32)
	}

	fn fat(&mut self, bytes: &[u8]) -> Value {
		let Value::I32(at) = self.thin(bytes) else { unreachable!() };
		Value::I64(((bytes.len() as i64) << 32) | i64::from(at))
	}
}

impl FunctionContext for Memory {
	fn read_memory_into(&mut self, address: Pointer<u8>, dest: &mut [u8]) -> Result<()> {
		let at = u32::from(address) as usize;
		dest.copy_from_slice(self.0.get(at..at + dest.len()).ok_or("out of bounds")?);
		Ok(())
	}

	fn write_memory(&mut self, _: Pointer<u8>, _: &[u8]) -> Result<()> {
		Err("nothing is written into the runtime".into())
	}

	fn allocate_memory(&mut self, _: WordSize) -> Result<Pointer<u8>> {
		Err("nothing is allocated for the runtime".into())
	}

	fn deallocate_memory(&mut self, _: Pointer<u8>) -> Result<()> {
		Err("nothing is allocated for the runtime".into())
	}

	fn register_panic_error_message(&mut self, message: &str) {
		panic!("{message}")
	}
}

/// Calls the function of the host of this name.
fn call(name: &str, mut memory: Memory, arguments: Vec<Value>) -> bool {
	let functions = HostFunctions::host_functions();
	let function = functions
		.iter()
		.find(|it| it.name() == name)
		.unwrap_or_else(|| panic!("there is a function {name}"));
	match function.execute(&mut memory, &mut arguments.into_iter()) {
		Ok(Some(Value::I32(0))) => false,
		Ok(Some(Value::I32(1))) => true,
		other => panic!("{name} answers {other:?}"),
	}
}

/// Calls a function of this form; the signature is a thin pointer where its length is fixed.
fn call_with_hash(
	name: &str,
	key: &[u8],
	hash: i32,
	message: &[u8],
	signature: (&[u8], bool),
) -> bool {
	let mut memory = Memory::default();
	let arguments = vec![
		memory.fat(key),
		Value::I32(hash),
		memory.fat(message),
		match signature {
			(bytes, true) => memory.thin(bytes),
			(bytes, false) => memory.fat(bytes),
		},
	];
	call(name, memory, arguments)
}

/// Calls the P-256 function with any number for the hash.
pub fn p256_by_number(key: &[u8], hash: i32, message: &[u8], signature: &[u8; 64]) -> bool {
	call_with_hash("ext_dpki_crypto_p256_verify_version_1", key, hash, message, (signature, true))
}

/// Calls the batch function with any bytes for the batch.
pub fn batch_by_bytes(bytes: &[u8]) -> bool {
	let mut memory = Memory::default();
	let arguments = vec![memory.fat(bytes)];
	call("ext_dpki_crypto_ed25519_batch_verify_version_1", memory, arguments)
}

impl Verifier for Registered {
	fn ed25519(&self, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
		Host.ed25519(key, message, signature)
	}

	fn ed25519_batch(&self, batch: &[Signed<'_>]) -> bool {
		let items: Vec<_> =
			batch.iter().map(|it| (*it.key, *it.signature, it.message.to_vec())).collect();
		batch_by_bytes(&items.encode())
	}

	fn p256(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 64]) -> bool {
		p256_by_number(key, hash.number().into(), message, signature)
	}

	fn p384(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8; 96]) -> bool {
		let name = "ext_dpki_crypto_p384_verify_version_1";
		call_with_hash(name, key, hash.number().into(), message, (signature, true))
	}

	fn rsa_pkcs1(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		let name = "ext_dpki_crypto_rsa_pkcs1_verify_version_1";
		call_with_hash(name, key, hash.number().into(), message, (signature, false))
	}

	fn rsa_pss(&self, key: &[u8], hash: Hash, message: &[u8], signature: &[u8]) -> bool {
		let name = "ext_dpki_crypto_rsa_pss_verify_version_1";
		call_with_hash(name, key, hash.number().into(), message, (signature, false))
	}
}

/// The verdict that every way of judging gives.
pub fn agreed(name: &str, judge: impl Fn(&dyn Verifier) -> bool) -> bool {
	let reference = judge(&Pure);
	assert_eq!(judge(&Host), reference, "{name} by the host");
	assert_eq!(judge(&Registered), reference, "{name} by the registered functions");
	let without = host::without_host(|| judge(&Host));
	assert_eq!(without, reference, "{name} without the host");
	reference
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Random(pub u64);

impl Random {
	/// The next number.
	pub fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// A number below `end`.
	pub fn below(&mut self, end: usize) -> usize {
		(self.next() % end as u64) as usize
	}

	/// So many bytes.
	pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
		core::array::from_fn(|_| self.next() as u8)
	}

	/// Changes some bytes: one to three of them flip a bit, take an extreme value or any value.
	pub fn mutate(&mut self, bytes: &mut [u8]) {
		if bytes.is_empty() {
			return;
		}
		for _ in 0..=self.below(3) {
			let at = self.below(bytes.len());
			bytes[at] = match self.below(4) {
				0 => bytes[at] ^ (1 << self.below(8)),
				1 => 0,
				2 => 0xff,
				_ => self.next() as u8,
			};
		}
	}
}
