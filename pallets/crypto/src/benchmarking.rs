//! What a verification costs in the runtime, by the host and without it. They are no calls, so no weights come of them:
//! `scripts/weights crypto` prints what they take.

use crate::{Hash, Host, MAX_BATCH_LEN, Pure, Signed, Verifier, fixtures::*};
use alloc::vec;
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint, edwards::CompressedEdwardsY};
use frame_benchmarking::v2::*;
use sp_core::crypto::KeyTypeId;
use sp_io::crypto;

/// The chain on which this is measured. It stands for a pallet, which the framework wants for a benchmark.
pub struct Pallet<T: Config>(frame_system::Pallet<T>);

/// What the benchmarks need of the chain: nothing.
pub trait Config: frame_system::Config {}

const SIGNED: Signed = Signed { key: &ED25519_KEY, message: &MESSAGE, signature: &ED25519 };

/// The longest batch that is measured.
const BATCH: u32 = 128;
const _: () = assert!(BATCH as usize <= MAX_BATCH_LEN);

/// Under which the keystore keeps the keys of these benchmarks.
const KEYS: KeyTypeId = KeyTypeId(*b"cryp");

/// The Montgomery form of the Ed25519 key: what an X25519 key of the same device would be.
fn x25519_key() -> Result<MontgomeryPoint, BenchmarkError> {
	let point = CompressedEdwardsY(ED25519_KEY).decompress();
	point
		.as_ref()
		.map(EdwardsPoint::to_montgomery)
		.ok_or(BenchmarkError::Stop("the key is no point"))
}

/// What is done for a signature of an X25519 key: its Edwards form, in the runtime, and the signature under that. The sign
/// of the form is not looked at, as the fixture is a signature of Ed25519.
fn xeddsa(verifier: &impl Verifier, key: MontgomeryPoint) -> bool {
	let form = key.to_edwards(0).map(|point| point.compress().to_bytes());
	form.is_some_and(|form| form[..31] == ED25519_KEY[..31])
		&& verifier.ed25519(&ED25519_KEY, &MESSAGE, &ED25519)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark(extra)]
	fn ed25519_host() {
		#[block]
		{
			assert!(Host.ed25519(&ED25519_KEY, &MESSAGE, &ED25519));
		}
	}

	#[benchmark(extra)]
	fn ed25519_pure() {
		#[block]
		{
			assert!(Pure.ed25519(&ED25519_KEY, &MESSAGE, &ED25519));
		}
	}

	#[benchmark(extra)]
	fn ed25519_batch_host(n: Linear<1, BATCH>) {
		let batch = vec![SIGNED; n as usize];

		#[block]
		{
			assert!(Host.ed25519_batch(&batch));
		}
	}

	#[benchmark(extra)]
	fn ed25519_batch_pure(n: Linear<1, BATCH>) {
		let batch = vec![SIGNED; n as usize];

		#[block]
		{
			assert!(Pure.ed25519_batch(&batch));
		}
	}

	#[benchmark(extra)]
	fn xeddsa_host() -> Result<(), BenchmarkError> {
		let key = x25519_key()?;

		#[block]
		{
			assert!(xeddsa(&Host, key));
		}
		Ok(())
	}

	#[benchmark(extra)]
	fn xeddsa_pure() -> Result<(), BenchmarkError> {
		let key = x25519_key()?;

		#[block]
		{
			assert!(xeddsa(&Pure, key));
		}
		Ok(())
	}

	// The host's own functions have no reference in the runtime: sr25519, and secp256k1 with the hash of it.
	#[benchmark(extra)]
	fn sr25519_host() -> Result<(), BenchmarkError> {
		let key = crypto::sr25519_generate(KEYS, None);
		let signature = crypto::sr25519_sign(KEYS, &key, &MESSAGE)
			.ok_or(BenchmarkError::Stop("the key is not there"))?;

		#[block]
		{
			assert!(crypto::sr25519_verify(&signature, &MESSAGE, &key));
		}
		Ok(())
	}

	#[benchmark(extra)]
	fn secp256k1_host() -> Result<(), BenchmarkError> {
		let key = crypto::ecdsa_generate(KEYS, None);
		let digest = sp_io::hashing::sha2_256(&MESSAGE);
		let signature = crypto::ecdsa_sign_prehashed(KEYS, &key, &digest)
			.ok_or(BenchmarkError::Stop("the key is not there"))?;

		#[block]
		{
			let digest = sp_io::hashing::sha2_256(&MESSAGE);
			assert!(crypto::ecdsa_verify_prehashed(&signature, &digest, &key));
		}
		Ok(())
	}

	#[benchmark(extra)]
	fn p256_host() {
		#[block]
		{
			assert!(Host.p256(&P256_KEY, Hash::Sha256, &MESSAGE, &P256));
		}
	}

	#[benchmark(extra)]
	fn p256_pure() {
		#[block]
		{
			assert!(Pure.p256(&P256_KEY, Hash::Sha256, &MESSAGE, &P256));
		}
	}

	#[benchmark(extra)]
	fn p384_host() {
		#[block]
		{
			assert!(Host.p384(&P384_KEY, Hash::Sha384, &MESSAGE, &P384));
		}
	}

	#[benchmark(extra)]
	fn p384_pure() {
		#[block]
		{
			assert!(Pure.p384(&P384_KEY, Hash::Sha384, &MESSAGE, &P384));
		}
	}

	#[benchmark(extra)]
	fn rsa2048_host() {
		#[block]
		{
			assert!(Host.rsa_pkcs1(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048));
		}
	}

	#[benchmark(extra)]
	fn rsa2048_pure() {
		#[block]
		{
			assert!(Pure.rsa_pkcs1(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048));
		}
	}

	#[benchmark(extra)]
	fn rsa2048_pss_host() {
		#[block]
		{
			assert!(Host.rsa_pss(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048_PSS));
		}
	}

	#[benchmark(extra)]
	fn rsa2048_pss_pure() {
		#[block]
		{
			assert!(Pure.rsa_pss(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048_PSS));
		}
	}

	#[benchmark(extra)]
	fn rsa3072_host() {
		#[block]
		{
			assert!(Host.rsa_pkcs1(&RSA3072_KEY, Hash::Sha256, &MESSAGE, &RSA3072));
		}
	}

	#[benchmark(extra)]
	fn rsa3072_pure() {
		#[block]
		{
			assert!(Pure.rsa_pkcs1(&RSA3072_KEY, Hash::Sha256, &MESSAGE, &RSA3072));
		}
	}

	#[benchmark(extra)]
	fn rsa4096_host() {
		#[block]
		{
			assert!(Host.rsa_pkcs1(&RSA4096_KEY, Hash::Sha512, &MESSAGE, &RSA4096));
		}
	}

	#[benchmark(extra)]
	fn rsa4096_pure() {
		#[block]
		{
			assert!(Pure.rsa_pkcs1(&RSA4096_KEY, Hash::Sha512, &MESSAGE, &RSA4096));
		}
	}

	#[benchmark(extra)]
	fn rsa4096_pss_host() {
		#[block]
		{
			assert!(Host.rsa_pss(&RSA4096_PSS_KEY, Hash::Sha512, &MESSAGE, &RSA4096_PSS));
		}
	}

	#[benchmark(extra)]
	fn rsa4096_pss_pure() {
		#[block]
		{
			assert!(Pure.rsa_pss(&RSA4096_PSS_KEY, Hash::Sha512, &MESSAGE, &RSA4096_PSS));
		}
	}
}
