//! A long run of [`dpki_fuzz::chain::extrinsic`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::chain::extrinsic(data));
