//! How the calls of the chain are encoded: the one module that knows the metadata.

use subxt::{
	transactions::{Payload, dynamic},
	utils::Static,
};

/// The shape of accounts, hashes and headers: Substrate's defaults.
pub(crate) type ChainConfig = subxt::config::SubstrateConfig;

macro_rules! call {
	($pallet:literal, $name:literal $(, $argument:expr)* $(,)?) => {
		$crate::api::payload($pallet, $name, ($($crate::api::argument($argument),)*))
	};
}
pub(crate) use call;

pub(crate) fn payload<A: subxt::ext::scale_encode::EncodeAsFields>(
	pallet: &'static str,
	name: &'static str,
	arguments: A,
) -> impl Payload {
	dynamic(pallet, name, arguments)
}

pub(crate) fn argument<T: codec::Encode>(value: T) -> Static<T> {
	Static(value)
}
