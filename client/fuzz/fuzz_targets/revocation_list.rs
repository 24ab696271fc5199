//! A long run of [`dpki_fuzz::x509::revocation_list`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::x509::revocation_list(data));
