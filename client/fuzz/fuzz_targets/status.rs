//! A long run of [`dpki_fuzz::primitives::status`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::primitives::status(data));
