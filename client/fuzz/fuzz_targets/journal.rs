//! A long run of [`dpki_fuzz::agent::journal`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::agent::journal(data));
