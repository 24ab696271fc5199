//! A long run of [`dpki_fuzz::chain::ssh_key`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::chain::ssh_key(data));
