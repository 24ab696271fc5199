//! Tests, by concept. The organisations are mocked by a table of roles; everything else is the real thing: the
//! clock, the pipeline of a general transaction, certificates from `rcgen` and OpenSSL, keys of every type.

mod anchors;
mod authorities;
mod batches;
mod belongings;
mod cascade;
mod certificates;
mod chains;
mod children;
mod compromise;
mod consent;
mod consortium;
mod crl;
mod enrolment;
mod errors;
mod holds;
mod key_policy;
mod key_types;
mod keys;
mod kit;
mod migrations;
pub(crate) mod mock;
mod next_keys;
mod openssl;
mod pki;
mod properties;
mod property;
mod requests;
mod revocation;
mod rollover;
mod schemes;
mod self_service;
mod sponsoring;
mod status;
mod storage_keys;
mod vouchers;
mod xeddsa;
