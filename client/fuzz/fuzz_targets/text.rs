//! A long run of [`dpki_fuzz::client::text`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::client::text(data));
