//! A long run of [`dpki_fuzz::client::carried`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::client::carried(data));
