//! A long run of [`dpki_fuzz::x509::certificate`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::x509::certificate(data));
