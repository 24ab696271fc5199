//! A long run of [`dpki_fuzz::exchange::krl`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::exchange::krl(data));
