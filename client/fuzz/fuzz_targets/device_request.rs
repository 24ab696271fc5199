//! A long run of [`dpki_fuzz::exchange::device_request`].

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dpki_fuzz::exchange::device_request(data));
