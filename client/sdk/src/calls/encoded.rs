//! Calls inside of calls.

use super::{Call, CallError};
use crate::submit::signed;
use codec::{Decode, Encode, EncodeLike, Input, Output};
use std::fmt::{self, Write};
use subxt::{
	ext::scale_value::{Composite, Value, ValueDef, scale, stringify},
	transactions,
};

/// A call in SCALE, for what carries another call: a motion, the council's mandate, a proxy.
///
/// It was encoded by what this crate knows of the chain, or reads as a call of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncodedCall(Vec<u8>);

/// The call in SCALE, by what this crate knows of the chain.
pub fn encode(call: &impl Call) -> Result<EncodedCall, CallError> {
	let bytes = signed::encode_call(call).map_err(|reason| CallError::NotACall { reason })?;
	Ok(EncodedCall(bytes))
}

impl EncodedCall {
	/// The call that these bytes encode.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, CallError> {
		decode(bytes).map(|_| Self(bytes.to_vec()))
	}

	/// The bytes.
	pub fn bytes(&self) -> &[u8] {
		&self.0
	}

	/// Its BLAKE2-256, by which pallet-multisig knows it.
	pub fn hash(&self) -> [u8; 32] {
		sp_crypto_hashing::blake2_256(&self.0)
	}

	/// The call by itself, for a transaction that makes it and carries nothing else.
	pub fn into_transaction(self) -> Result<impl Call + use<>, CallError> {
		let unlike = || CallError::NotACall { reason: "it encodes otherwise".into() };
		let (pallet, inside) = variant(decode(&self.0)?).ok_or_else(unlike)?;
		let inside = inside.into_values().next().and_then(variant);
		let (name, arguments) = inside.ok_or_else(unlike)?;
		let call = transactions::dynamic(pallet, name, arguments);
		match encode(&call)? == self {
			true => Ok(call),
			false => Err(unlike()),
		}
	}

	/// The call in words: pallet, call and arguments, byte strings in hexadecimal digits.
	pub fn describe(&self) -> Result<String, CallError> {
		let value = decode(&self.0)?;
		let mut text = String::new();
		stringify::to_writer_custom()
			.compact()
			.add_custom_formatter(format_bytes)
			.write(&value, &mut text)
			.map_err(|error| CallError::NotACall { reason: error.to_string() })?;
		Ok(text)
	}
}

/// Byte strings as they are written everywhere else: in small letters.
fn format_bytes(value: &Value<u32>, out: &mut &mut String) -> Option<fmt::Result> {
	let mut digits = String::new();
	let written = stringify::custom_formatters::format_hex(value, &mut digits)?;
	Some(written.and_then(|()| out.write_str(&digits.to_lowercase())))
}

/// The name of a variant, and what is in it.
fn variant(value: Value<u32>) -> Option<(String, Composite<u32>)> {
	match value.value {
		ValueDef::Variant(variant) => Some((variant.name, variant.values)),
		_ => None,
	}
}

fn decode(bytes: &[u8]) -> Result<Value<u32>, CallError> {
	let not_a_call = |reason: String| CallError::NotACall { reason };
	let metadata = signed::committed_metadata();
	let mut rest = bytes;
	let value =
		scale::decode_as_type(&mut rest, metadata.outer_enums().call_enum_ty(), metadata.types())
			.map_err(|error| not_a_call(error.to_string()))?;
	if !rest.is_empty() {
		return Err(not_a_call(format!("{} bytes are left over", rest.len())));
	}
	Ok(value)
}

impl Encode for EncodedCall {
	fn size_hint(&self) -> usize {
		self.0.len()
	}

	fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
		out.write(&self.0);
	}
}

impl EncodeLike for EncodedCall {}

/// The generated types ask for it. Nothing here reads a call with it: how long one is, only the metadata can tell.
impl Decode for EncodedCall {
	fn decode<I: Input>(_: &mut I) -> Result<Self, codec::Error> {
		Err("a call is read with EncodedCall::from_bytes".into())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{api::offline, calls};
	use dpki_primitives::{ids::KeyId, revocation::RevocationReason};

	fn revoke() -> impl Call {
		calls::revoke_key(KeyId([0x7a; 32]), RevocationReason::KeyCompromise)
	}

	#[test]
	fn an_encoded_call_is_what_a_transaction_would_hold() {
		let call = encode(&revoke()).unwrap();
		assert_eq!(call.bytes(), offline().tx().call_data(&revoke()).unwrap());
		assert_eq!(call.encode(), call.bytes());
		assert_eq!(EncodedCall::from_bytes(call.bytes()), Ok(call));
	}

	#[test]
	fn a_call_is_told_in_words() {
		let text = encode(&revoke()).unwrap().describe().unwrap();
		for part in ["Dpki", "revoke_key", "KeyCompromise", &format!("0x{}", "7a".repeat(32))] {
			assert!(text.contains(part), "no {part} in {text}");
		}
		let inside = calls::as_root(encode(&revoke()).unwrap());
		let text = encode(&inside).unwrap().describe().unwrap();
		assert!(text.contains("dispatch_as_root") && text.contains("revoke_key"), "{text}");
	}

	#[test]
	fn a_call_from_elsewhere_becomes_a_transaction_of_the_same_bytes() {
		let nested = encode(&calls::as_root(encode(&revoke()).unwrap())).unwrap();
		for call in [encode(&revoke()).unwrap(), nested] {
			let transaction = call.clone().into_transaction().unwrap();
			assert_eq!(encode(&transaction), Ok(call));
		}
	}

	#[test]
	fn bytes_that_are_no_call_are_refused() {
		let call = encode(&revoke()).unwrap();
		let too_long = [call.bytes(), &[0]].concat();
		let too_short = &call.bytes()[..call.bytes().len() - 1];
		for wrong in [&[][..], &[255, 255], &too_long, too_short] {
			let refused = EncodedCall::from_bytes(wrong);
			assert!(matches!(refused, Err(CallError::NotACall { .. })), "{wrong:?}");
		}
	}
}
