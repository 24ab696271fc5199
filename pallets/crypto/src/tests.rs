//! What OpenSSL signed, verifies.

use crate::{Hash, Pure, Verifier, ed25519, fixtures::*};

#[test]
fn signatures_of_openssl_verify() {
	assert!(ed25519::verify(&Pure, &ED25519_KEY, &MESSAGE, &ED25519));
	assert!(Pure.p256(&P256_KEY, Hash::Sha256, &MESSAGE, &P256));
	assert!(Pure.p384(&P384_KEY, Hash::Sha384, &MESSAGE, &P384));
	assert!(Pure.rsa_pkcs1(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048));
	assert!(Pure.rsa_pss(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048_PSS));
	assert!(Pure.rsa_pkcs1(&RSA3072_KEY, Hash::Sha256, &MESSAGE, &RSA3072));
	assert!(Pure.rsa_pkcs1(&RSA4096_KEY, Hash::Sha512, &MESSAGE, &RSA4096));
	assert!(Pure.rsa_pss(&RSA4096_PSS_KEY, Hash::Sha512, &MESSAGE, &RSA4096_PSS));
}

#[test]
fn they_verify_for_nothing_else() {
	let other = [0x5b; 256];
	assert!(!ed25519::verify(&Pure, &ED25519_KEY, &other, &ED25519));
	assert!(!Pure.p256(&P256_KEY, Hash::Sha256, &other, &P256));
	assert!(!Pure.p256(&P256_KEY, Hash::Sha384, &MESSAGE, &P256));
	assert!(!Pure.p256(&P384_KEY, Hash::Sha256, &MESSAGE, &P256));
	assert!(!Pure.p384(&P384_KEY, Hash::Sha384, &other, &P384));
	assert!(!Pure.p384(&P256_KEY, Hash::Sha384, &MESSAGE, &P384));
	assert!(!Pure.rsa_pkcs1(&RSA2048_KEY, Hash::Sha256, &other, &RSA2048));
	assert!(!Pure.rsa_pkcs1(&RSA2048_KEY, Hash::Sha512, &MESSAGE, &RSA2048));
	assert!(!Pure.rsa_pkcs1(&RSA2048_KEY, Hash::Sha256, &MESSAGE, &RSA2048_PSS));
	assert!(!Pure.rsa_pss(&RSA2048_KEY, Hash::Sha256, &other, &RSA2048_PSS));
	assert!(!Pure.rsa_pkcs1(&RSA3072_KEY, Hash::Sha256, &other, &RSA3072));
	assert!(!Pure.rsa_pkcs1(&RSA4096_KEY, Hash::Sha512, &other, &RSA4096));
	assert!(!Pure.rsa_pss(&RSA4096_PSS_KEY, Hash::Sha512, &other, &RSA4096_PSS));
	assert!(!Pure.rsa_pss(&RSA4096_PSS_KEY, Hash::Sha256, &MESSAGE, &RSA4096_PSS));
}

#[cfg(feature = "host")]
#[test]
fn doing_without_the_host_ends_with_its_scope() {
	use crate::host::{is_without_host, without_host};
	assert!(!is_without_host());
	assert!(without_host(|| without_host(is_without_host) && is_without_host()));
	assert!(!is_without_host());
}
