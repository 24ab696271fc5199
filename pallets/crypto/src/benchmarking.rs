//! What a verification costs in the runtime, by the host and without it. They are no calls, so no weights come of them:
//! `scripts/weights crypto` prints what they take.

use crate::{Hash, Host, MAX_BATCH_LEN, Pure, Signed, Verifier, fixtures::*};
use alloc::vec;
use frame_benchmarking::v2::*;

/// The chain on which this is measured. It stands for a pallet, which the framework wants for a benchmark.
pub struct Pallet<T: Config>(frame_system::Pallet<T>);

/// What the benchmarks need of the chain: nothing.
pub trait Config: frame_system::Config {}

const SIGNED: Signed = Signed { key: &ED25519_KEY, message: &MESSAGE, signature: &ED25519 };

/// The longest batch that is measured.
const BATCH: u32 = 128;
const _: () = assert!(BATCH as usize <= MAX_BATCH_LEN);

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
}
