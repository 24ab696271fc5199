//! A long run of [`dpki_fuzz::verifier::proof`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::verifier::proof(data));
