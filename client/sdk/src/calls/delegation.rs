//! Accounts that act for others.

use super::{Call, EncodedCall};
use crate::{
	AccountId,
	api::{ProxyType, tx},
	submit::{Finalized, SubmitError, signed},
};
use subxt::{
	config::substrate::H256,
	utils::{AccountId32, MultiAddress, Static},
};

/// What an account may do for the one that appointed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyRight {
	/// Everything.
	Any,
	/// Move a membership to a new account, register and revoke keys of devices, set session keys.
	KeyRotation,
	/// Publish deliveries.
	Publishing,
	/// Observe and endorse.
	Attesting,
}

impl From<ProxyRight> for ProxyType {
	fn from(right: ProxyRight) -> Self {
		match right {
			ProxyRight::Any => Self::Any,
			ProxyRight::KeyRotation => Self::KeyRotation,
			ProxyRight::Publishing => Self::Publishing,
			ProxyRight::Attesting => Self::Attesting,
		}
	}
}

fn address(account: &AccountId) -> MultiAddress<AccountId32, ()> {
	MultiAddress::Id(AccountId32(*account))
}

/// Lets an account act for the signer: at once if `delay` is 0, else so many blocks after it has announced a call with
/// [`announce`].
pub fn add_proxy(delegate: &AccountId, right: ProxyRight, delay: u32) -> impl Call + use<> {
	tx().proxy().add_proxy(address(delegate), right.into(), delay)
}

/// Ends what [`add_proxy`] began with these very terms.
pub fn remove_proxy(delegate: &AccountId, right: ProxyRight, delay: u32) -> impl Call + use<> {
	tx().proxy().remove_proxy(address(delegate), right.into(), delay)
}

/// Ends what [`add_proxy`] began, for every proxy of the signer.
pub fn remove_proxies() -> impl Call + use<> {
	tx().proxy().remove_proxies()
}

/// Makes a call for another account, whose proxy the signer is. The transaction succeeds whatever becomes of the call,
/// which [`proxied`] tells.
pub fn through_proxy(real: &AccountId, call: EncodedCall) -> impl Call + use<> {
	tx().proxy().proxy(address(real), None, Static(call))
}

/// Announces the call with this BLAKE2-256 as a proxy of `real`, who can [`reject_announcement`] as long as the delay lasts.
pub fn announce(real: &AccountId, call_hash: [u8; 32]) -> impl Call + use<> {
	tx().proxy().announce(address(real), H256(call_hash))
}

/// Takes back what the signer announced.
pub fn remove_announcement(real: &AccountId, call_hash: [u8; 32]) -> impl Call + use<> {
	tx().proxy().remove_announcement(address(real), H256(call_hash))
}

/// Refuses what a proxy of the signer announced.
pub fn reject_announcement(delegate: &AccountId, call_hash: [u8; 32]) -> impl Call + use<> {
	tx().proxy().reject_announcement(address(delegate), H256(call_hash))
}

/// Makes a call for `real` that its proxy `delegate` announced long enough ago; by anybody. The transaction succeeds
/// whatever becomes of the call, which [`proxied`] tells.
pub fn announced(delegate: &AccountId, real: &AccountId, call: EncodedCall) -> impl Call + use<> {
	tx().proxy()
		.proxy_announced(address(delegate), address(real), None, Static(call))
}

/// What became of the call in a transaction [`through_proxy`], or in that of a call that was [`announced`].
pub fn proxied(transaction: &Finalized) -> Result<(), SubmitError> {
	let mut events = transaction.events.iter().rev();
	let executed = events.find(|event| event.pallet == "Proxy" && event.name == "ProxyExecuted");
	let result = executed.and_then(|event| signed::dispatch_result(&mut &event.fields[..]));
	result.unwrap_or_else(|| {
		Err(SubmitError::ResultUnreadable {
			extrinsic: hex::encode(transaction.extrinsic),
			block: hex::encode(transaction.hash),
			reason: "it does not say what became of the call".into(),
		})
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		Event,
		calls::{encode, revoke_key, tests::assert_encodes},
	};
	use dpki_primitives::{ids::KeyId, revocation::RevocationReason};

	const ACCOUNT: AccountId = [3; 32];

	#[test]
	fn calls_of_proxies_encode() {
		for (index, right) in (0u8..).zip([
			ProxyRight::Any,
			ProxyRight::KeyRotation,
			ProxyRight::Publishing,
			ProxyRight::Attesting,
		]) {
			let arguments = (0u8, ACCOUNT, index, 7u32);
			assert_encodes(&add_proxy(&ACCOUNT, right, 7), (19, 1), arguments);
			assert_encodes(&remove_proxy(&ACCOUNT, right, 7), (19, 2), arguments);
		}
		assert_encodes(&remove_proxies(), (19, 3), ());
		let call = encode(&revoke_key(KeyId([7; 32]), RevocationReason::KeyCompromise)).unwrap();
		let through = through_proxy(&ACCOUNT, call.clone());
		assert_encodes(&through, (19, 0), (0u8, ACCOUNT, None::<u8>, call));
	}

	#[test]
	fn calls_about_announcements_encode() {
		let delegate = [4; 32];
		let call = encode(&revoke_key(KeyId([7; 32]), RevocationReason::KeyCompromise)).unwrap();
		let hash = call.hash();
		assert_encodes(&announce(&ACCOUNT, hash), (19, 6), (0u8, ACCOUNT, hash));
		assert_encodes(&remove_announcement(&ACCOUNT, hash), (19, 7), (0u8, ACCOUNT, hash));
		assert_encodes(&reject_announcement(&delegate, hash), (19, 8), (0u8, delegate, hash));
		let made = announced(&delegate, &ACCOUNT, call.clone());
		let arguments = (0u8, delegate, 0u8, ACCOUNT, None::<u8>, call);
		assert_encodes(&made, (19, 9), arguments);
	}

	#[test]
	fn a_transaction_through_a_proxy_succeeds_only_with_its_call() {
		let told = |name: &str, fields: &[u8]| {
			let event = Event {
				pallet: "Proxy".into(),
				name: name.into(),
				fields: fields.to_vec(),
				text: String::new(),
			};
			let (hash, extrinsic) = ([1; 32], [2; 32]);
			proxied(&Finalized {
				number: 1,
				hash,
				extrinsic,
				events: vec![event],
				proven: false,
				is_final: true,
			})
		};
		assert!(told("ProxyExecuted", &[0]).is_ok());
		// `DispatchError::BadOrigin`.
		let refused = told("ProxyExecuted", &[1, 2]).unwrap_err().to_string();
		assert!(refused.contains("may not make this call"), "{refused}");
		let silent = told("ProxyAdded", &[0]).unwrap_err();
		assert!(matches!(silent, SubmitError::ResultUnreadable { .. }), "{silent}");
	}
}
