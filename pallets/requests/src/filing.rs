//! What a device has to show to be believed about what it asks for.
//!
//! Nobody signs the extrinsic and nobody pays, so everything is judged before it enters a pool and again in the block, and
//! the call judges the state once more before it writes; only the signature is verified once (see decision 0002). Filings
//! are made scarce by a quota per device that comes back with time, and each statement by its number, so that none can be
//! taken twice and only one at a time lies in a pool.
//!
//! What the device asks for is not looked into. The signature of a CSR by the key that it is about is verified by whoever
//! certifies that key: see decision 0039.

use crate::{Config, Contents, Error, Event, Filers, Filings, Pallet};
use alloc::vec::Vec;
use dpki_primitives::{
	Moment,
	context::{Action, SigningContext, is_expiry_acceptable},
	filing::{
		FILING_LIFETIME, Filer, Filing, FilingBody, FilingContent, FilingKind, FilingStanding,
		MAX_FILINGS_PER_DEVICE,
	},
	ids::{DeviceId, KeyId, OrganisationId},
	key::{KeyPurpose, PublicKey, Signature},
	refusal::Refusal,
	registry::Registry,
	status::Status,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

/// Blocks for which a pool keeps a statement before it judges it again.
const LONGEVITY: TransactionLongevity = 64;

/// What a device says about one of its slots, without the signature.
#[derive(Clone, Copy)]
pub(crate) struct Statement {
	/// Which device.
	pub device: DeviceId,
	/// Which of its slots.
	pub slot: u8,
	/// What is asked for, or not any more.
	pub content: [u8; 32],
	/// The number of the statement.
	pub number: u64,
	/// By which key of the device it is signed.
	pub key: KeyId,
	/// Last moment at which the signature is accepted.
	pub expires_at: Moment,
}

impl Statement {
	/// What the device signs to file.
	pub fn to_file<T: Config>(self) -> Vec<u8> {
		let Self { device, slot, content, .. } = self;
		self.payload::<T>(Action::FileRequest { device, slot, content })
	}

	/// What the device signs to withdraw.
	pub fn to_withdraw<T: Config>(self) -> Vec<u8> {
		let Self { device, slot, content, .. } = self;
		self.payload::<T>(Action::WithdrawRequest { device, slot, content })
	}

	fn payload<T: Config>(&self, action: Action) -> Vec<u8> {
		let genesis = frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero()).into();
		let (nonce, expires_at) = (self.number, self.expires_at);
		SigningContext { genesis, action, nonce, expires_at }.payload()
	}
}

/// What is left to do for a statement that was judged: to verify it, and to write.
struct Judged {
	public: PublicKey,
	organisation: OrganisationId,
	filer: Filer,
}

impl<T: Config> Pallet<T> {
	/// Whether the filing may enter the pool and a block. The signature comes last, as the dearest.
	pub(crate) fn authorize_file(
		statement: Statement,
		kind: &FilingKind,
		body: &[u8],
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		let judged = Self::judge_filing(&statement, kind, body).map_err(invalid)?;
		Self::authorized(&statement, &judged, &statement.to_file::<T>(), signature)
	}

	/// Whether the withdrawal may enter the pool and a block.
	pub(crate) fn authorize_withdraw(
		statement: Statement,
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		let (judged, _) = Self::judge_withdrawal(&statement).map_err(invalid)?;
		Self::authorized(&statement, &judged, &statement.to_withdraw::<T>(), signature)
	}

	/// Notes the filing. The signature is the one that [`Self::authorize_file`] verified in this very extrinsic.
	pub(crate) fn do_file(
		statement: Statement,
		kind: FilingKind,
		body: FilingBody,
		signature: Signature,
	) -> DispatchResult {
		let judged = Self::judge_filing(&statement, &kind, &body).map_err(Self::refused)?;
		let Statement { device, slot, content, number, key, expires_at } = statement;
		let organisation = judged.organisation;
		let before = Filings::<T>::get(device, slot).map(|filing| filing.standing);
		let position = match before {
			Some(FilingStanding::Waiting { position }) => position,
			_ => Self::enlist(organisation, (device, slot)),
		};
		let filed_at = T::Time::now();
		let filing = Filing {
			organisation,
			kind,
			content,
			number,
			key,
			filed_at,
			expires_at: filed_at.saturating_add(FILING_LIFETIME),
			standing: FilingStanding::Waiting { position },
		};
		let until = filing.expires_at;
		Filings::<T>::insert(device, slot, filing);
		let content_of = FilingContent { body, signature, signed_until: expires_at };
		Contents::<T>::insert(device, slot, content_of);
		Filers::<T>::insert(device, judged.filer);
		Self::deposit_event(Event::RequestFiled {
			device,
			slot,
			organisation,
			content,
			expires_at: until,
		});
		Ok(())
	}

	/// Empties the slot. The signature is the one that [`Self::authorize_withdraw`] verified in this very extrinsic.
	pub(crate) fn do_withdraw(statement: Statement) -> DispatchResult {
		let (judged, position) = Self::judge_withdrawal(&statement).map_err(Self::refused)?;
		let Statement { device, slot, content, .. } = statement;
		Self::delist(judged.organisation, position);
		Filings::<T>::remove(device, slot);
		Contents::<T>::remove(device, slot);
		Filers::<T>::insert(device, judged.filer);
		Self::deposit_event(Event::RequestWithdrawn { device, slot, content });
		Ok(())
	}

	/// Everything about a filing that does not need its signature.
	fn judge_filing(
		statement: &Statement,
		kind: &FilingKind,
		body: &[u8],
	) -> Result<Judged, Refusal> {
		let is_possible = statement.slot < MAX_FILINGS_PER_DEVICE && kind.is_well_formed(body);
		ensure!(is_possible, Refusal::RequestMalformed);
		let mut judged = Self::judge_statement(statement)?;
		let quota = judged.filer.quota.spend(T::Time::now());
		judged.filer.quota = quota.ok_or(Refusal::RequestQuotaExhausted)?;
		Ok(judged)
	}

	/// Everything about a withdrawal that does not need its signature; with the position at which the filing waits.
	fn judge_withdrawal(statement: &Statement) -> Result<(Judged, u32), Refusal> {
		let judged = Self::judge_statement(statement)?;
		let filing = Filings::<T>::get(statement.device, statement.slot)
			.filter(|filing| filing.content == statement.content)
			.ok_or(Refusal::RequestUnknown)?;
		match filing.standing {
			FilingStanding::Waiting { position } => Ok((judged, position)),
			FilingStanding::Answered { .. } | FilingStanding::Refused { .. } => {
				Err(Refusal::RequestUnknown)
			},
		}
	}

	/// Whether this device may say something of this number now, by this key.
	fn judge_statement(statement: &Statement) -> Result<Judged, Refusal> {
		let Statement { device, number, key, expires_at, .. } = *statement;
		ensure!(is_expiry_acceptable(expires_at, T::Time::now()), Refusal::SignatureExpired);
		match T::Registry::device_status(device) {
			Status::Valid => {},
			Status::Unknown => return Err(Refusal::DeviceUnknown),
			Status::Revoked(_) | Status::IssuerRevoked(_) => return Err(Refusal::DeviceRevoked),
			Status::Suspended => return Err(Refusal::DeviceOnHold),
			Status::NotYetValid | Status::Expired | Status::Superseded => {
				return Err(Refusal::RequestSignatureInvalid);
			},
		}
		let mut filer = Filers::<T>::get(device);
		ensure!(number == filer.next, Refusal::RequestNumberWrong);
		// A device that makes one statement per millisecond reaches the end in half a billion years.
		filer.next = number.saturating_add(1);
		let organisation = T::Registry::device(device).ok_or(Refusal::DeviceUnknown)?.organisation;
		let record = T::Registry::key(key)
			.filter(|record| record.device == device && record.purpose == KeyPurpose::Sign)
			.ok_or(Refusal::RequestSignatureInvalid)?;
		ensure!(T::Registry::key_status(key).is_valid(), Refusal::RequestSignatureInvalid);
		Ok(Judged { public: record.public, organisation, filer })
	}

	/// The transaction of a statement, if the signature verifies. Whatever a device says under one number has one tag, so
	/// that a pool keeps one of them.
	fn authorized(
		statement: &Statement,
		judged: &Judged,
		payload: &[u8],
		signature: &Signature,
	) -> TransactionValidityWithRefund {
		ensure!(
			T::Registry::verify(&judged.public, payload, signature),
			invalid(Refusal::RequestSignatureInvalid)
		);
		let validity = ValidTransaction::with_tag_prefix("Requests")
			.and_provides((statement.device, statement.number))
			.longevity(LONGEVITY)
			.propagate(true)
			.build()?;
		Ok((validity, Weight::zero()))
	}

	fn refused(refusal: Refusal) -> Error<T> {
		Error::StatementRefused(refusal.code())
	}
}

fn invalid(refusal: Refusal) -> InvalidTransaction {
	InvalidTransaction::Custom(refusal.code())
}
