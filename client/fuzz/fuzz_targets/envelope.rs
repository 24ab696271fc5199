//! A long run of [`dpki_fuzz::client::envelope`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::client::envelope(data));
