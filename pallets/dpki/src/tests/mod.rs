//! Tests, by concept. The organisations are mocked by a table of roles; everything else is the real thing: the
//! clock, the pipeline of a general transaction, certificates from `rcgen` and OpenSSL, keys of every type.

mod anchors;
mod authorities;
mod belongings;
mod cascade;
mod certificates;
mod chains;
mod consent;
mod consortium;
mod crl;
mod enrolment;
mod errors;
mod holds;
mod keys;
mod migrations;
pub(crate) mod mock;
mod openssl;
mod pki;
mod property;
mod revocation;
mod rollover;
mod schemes;
mod status;
mod storage_keys;
mod vouchers;
mod xeddsa;
