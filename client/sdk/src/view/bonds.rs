//! What endorsers have bonded and what they have lost, read from the state: each record is proven where the state is.

use super::{Located, ReadError, View};
use crate::AccountId;
use dpki_primitives::{
	bond::{Bond, SlashRecord},
	certificate::MAX_PAGE,
	storage_keys,
};

impl View {
	/// What the account has bonded, in the smallest unit.
	pub async fn bond(&self, account: &AccountId) -> Result<Located<Bond<u128>>, ReadError> {
		let storage_key = storage_keys::bond(account);
		let record = self.read("the bond", storage_key.clone()).await?;
		Ok(Located { record, storage_key })
	}

	/// What an endorser has to have bonded, in the smallest unit; zero asks for no bond.
	pub async fn minimum_bond(&self) -> Result<u128, ReadError> {
		Ok(self.read("the least bond", storage_keys::minimum_bond()).await?.unwrap_or(0))
	}

	/// How often the account was slashed, and the slashes from number `start` on, oldest first, at most a page of them.
	pub async fn slashes(
		&self,
		account: &AccountId,
		start: u32,
	) -> Result<(u32, Vec<SlashRecord<u128>>), ReadError> {
		let count = self.read("the count of slashes", storage_keys::slash_count(account)).await?;
		let count: u32 = count.unwrap_or(0);
		let mut slashes = Vec::new();
		for index in start..start.saturating_add(MAX_PAGE).min(count) {
			let slash: Option<SlashRecord<u128>> =
				self.read("a slash", storage_keys::slash(account, index)).await?;
			slashes.extend(slash);
		}
		Ok((count, slashes))
	}
}
