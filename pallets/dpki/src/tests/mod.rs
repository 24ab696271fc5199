//! Tests, by concept. The organisations are mocked by a table of roles; everything else is the real thing: the
//! clock, the pipeline of a general transaction, certificates from `rcgen` and OpenSSL, keys of every type.

mod anchors;
mod batches;
mod belongings;
mod certificates;
mod compromise;
mod consent;
mod enrolment;
mod errors;
mod key_policy;
mod key_types;
mod keys;
mod kit;
pub(crate) mod mock;
mod next_keys;
mod properties;
mod requests;
mod revocation;
mod schemes;
mod self_service;
mod sponsoring;
mod status;
mod storage_keys;
mod vouchers;
mod xeddsa;
