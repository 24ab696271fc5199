//! A long run of [`dpki_fuzz::exchange::archive`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::exchange::archive(data));
