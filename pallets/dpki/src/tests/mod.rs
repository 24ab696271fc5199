//! Tests, by concept. The organisations are mocked by a table of roles; everything else is the real thing: the
//! clock, the pipeline of a general transaction, certificates from `rcgen` and OpenSSL, keys of every type.

mod anchors;
mod belongings;
mod certificates;
mod consent;
mod enrolment;
mod errors;
mod keys;
pub(crate) mod mock;
mod revocation;
mod schemes;
mod status;
mod storage_keys;
mod vouchers;
mod xeddsa;
