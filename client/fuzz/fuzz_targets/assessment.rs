//! A long run of [`dpki_fuzz::primitives::assessment`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::primitives::assessment(data));
