//! The chain: transactions from strangers, and the keys of SSH authorities.

use codec::{DecodeLimit, Encode};
use dpki_runtime::{RuntimeCall, UncheckedExtrinsic, call_filter::MandateFilter};
use frame_support::{MAX_EXTRINSIC_DEPTH, dispatch::GetDispatchInfo, traits::Contains};

/// Bytes as a transaction and as a call, with the depth that the chain allows; what is declared of a call before it is
/// dispatched: its weight, and whether the council may have it carried out.
pub fn extrinsic(data: &[u8]) {
	let limit = MAX_EXTRINSIC_DEPTH;
	if let Ok(extrinsic) = UncheckedExtrinsic::decode_all_with_depth_limit(limit, &mut &*data) {
		let _ = extrinsic.get_dispatch_info();
		assert_eq!(extrinsic.encode().len(), extrinsic.encoded_size());
	}
	if let Ok(call) = RuntimeCall::decode_all_with_depth_limit(limit, &mut &*data) {
		let _ = call.get_dispatch_info();
		let _ = MandateFilter::contains(&call);
		let again = RuntimeCall::decode_all_with_depth_limit(limit, &mut &call.encode()[..]);
		assert_eq!(again.as_ref(), Ok(&call), "a call that was encoded is another one");
	}
}

/// Bytes as the key of an SSH authority, read by the registry. What it takes, OpenSSH's format as clients know it says
/// too, with the same key and the same bytes: one key has one anchor.
#[cfg(feature = "client")]
pub fn ssh_key(data: &[u8]) {
	let Ok(key) = pallet_dpki::ssh::parse::<dpki_runtime::Runtime>(data) else { return };
	let theirs =
		dpki_client::ssh::key_from_material(data).expect("clients read what the chain takes");
	assert_eq!(dpki_client::ssh::to_public_key(&theirs).as_ref(), Some(&key));
	assert_eq!(theirs.to_bytes().expect("it was read"), data, "one key, two blobs");
}
