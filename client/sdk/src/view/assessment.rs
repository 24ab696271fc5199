//! What a certificate is worth, computed here from the records of one block.
//!
//! The rule is [`assessed`], which the runtime and devices run too. Over a light client, and in a view of a
//! [`Prover`](crate::Prover), each record is proven; of a node alone they are believed, and it is asked for nothing but records.

use super::{ReadError, View, decode_bytes};
use codec::Decode;
use dpki_primitives::{
	assessment::{Assessed, StoredRecords, assessed, assessment_keys},
	assurance::Endorsements,
	certificate::CertificateRecord,
	ids::CertificateId,
	storage_keys,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;

const ITEM: &str = "what the certificate depends on";

/// How many records are asked for at the same time.
const AT_ONCE: usize = 8;

/// Records that were read, or found absent, at one block.
struct Records {
	block: u32,
	values: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl StoredRecords for Records {
	type Error = ReadError;

	fn stored<Record: Decode>(&self, key: &[u8]) -> Result<Option<Record>, ReadError> {
		let block = self.block;
		let unread = || ReadError::Malformed {
			item: ITEM,
			block,
			reason: "it depends on more than it was expected to".into(),
		};
		let value = self.values.get(key).ok_or_else(unread)?;
		value.as_ref().map(|bytes| decode_bytes(ITEM, block, bytes)).transpose()
	}
}

impl View {
	/// The certificate, the verdict about it, its effective level and what became of each endorsement, of storage alone and
	/// without asking the runtime; `None` if there is no such certificate.
	pub async fn assessed(&self, id: CertificateId) -> Result<Option<Assessed>, ReadError> {
		Ok(self.assessed_by(id).await?.0)
	}

	/// The same, and the storage keys that it was read from.
	pub async fn assessed_by(
		&self,
		id: CertificateId,
	) -> Result<(Option<Assessed>, Vec<Vec<u8>>), ReadError> {
		let record: Option<CertificateRecord> =
			self.read("the certificate", storage_keys::certificate(id)).await?;
		let endorsements: Option<Endorsements> =
			self.read("the endorsements", storage_keys::endorsements(id)).await?;
		let keys = assessment_keys(id, record.as_ref(), &endorsements.unwrap_or_default());
		let reading = keys.iter().cloned().map(|key| async move {
			let value = self.value(ITEM, &key).await?;
			Ok::<_, ReadError>((key, value))
		});
		let values = stream::iter(reading).buffer_unordered(AT_ONCE).try_collect().await?;
		let records = Records { block: self.head.number, values };
		Ok((assessed(&records, id, self.now())?, keys))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_was_not_read_is_never_taken_for_absent() {
		let id = CertificateId([1; 32]);
		let mut records = Records { block: 7, values: BTreeMap::new() };
		assert!(matches!(assessed(&records, id, 1), Err(ReadError::Malformed { block: 7, .. })));
		records.values.insert(storage_keys::certificate(id), None);
		assert!(assessed(&records, id, 1).is_ok_and(|found| found.is_none()));
		records.values.insert(storage_keys::certificate(id), Some(vec![0xff; 3]));
		assert!(matches!(assessed(&records, id, 1), Err(ReadError::Malformed { block: 7, .. })));
	}
}
