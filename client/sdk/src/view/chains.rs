//! Certificates below an anchor that are not on the chain themselves.

use super::{ReadError, View};
use codec::Encode;
use dpki_primitives::{
	anchor::{ChainVerdict, Profile},
	ids::AnchorId,
};

impl View {
	/// The verdict of the runtime about the first of these certificates in DER, each of which was issued by the next, and the
	/// last by the anchor: under the profile of the anchor and this one, with all that the chain knows of the keys in them.
	pub async fn check_certificate(
		&self,
		anchor: AnchorId,
		chain: &[Vec<u8>],
		profile: Profile,
	) -> Result<ChainVerdict, ReadError> {
		let arguments = (anchor, chain, profile).encode();
		self.call("the verdict about the certificate", "DpkiApi_check_certificate", &arguments)
			.await
	}
}
