//! Enrolment: a device without an account trades its voucher for an identity.
//!
//! Nobody signs the extrinsic, so [`Pallet::authorize_enrol`] judges it, before it enters a pool and again in the
//! block, and the call judges the state once more before it writes. All of them go through
//! [`Pallet::judge_enrolment`]; only the signatures, which do not depend on the state, are verified once. That rests
//! on nobody but `frame_system::AuthorizeCall` making the origin of an authorised call: see decision 0002.

use crate::{
	Config, Error, Event, Pallet, Vouchers, costs,
	crypto::{self, Scheme},
};
use alloc::vec::Vec;
use codec::Encode;
use dpki_primitives::{
	Moment,
	context::{Action, Registrant},
	economy::{Economy, Quotas, Resource},
	ids::{DeviceId, Name, OrganisationId, VoucherId},
	key::NewKey,
	voucher::{VoucherRecord, VoucherStanding, VoucherState},
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	pallet_prelude::{TransactionPriority, TransactionValidityWithRefund, ValidTransaction},
	weights::Weight,
};

/// How many blocks an enrolment may wait in a pool: some minutes, after which the device asks again. The signatures
/// can be good for longer.
const LONGEVITY: u64 = 256;

/// Behind everything that pays. An enrolment pays nothing, and its number is bounded by the vouchers, which do.
const PRIORITY: TransactionPriority = 1;

/// An enrolment whose claims about the state hold.
pub(crate) struct Enrolment {
	id: VoucherId,
	record: VoucherRecord,
}

impl<T: Config> Pallet<T> {
	/// Whether an enrolment may enter a pool and a block. The cheapest checks come first; without the voucher's key
	/// nobody can make a node verify more than one Ed25519 signature. Where organisations pay with quotas, that of the
	/// voucher's organisation has to suffice: what a voucher costs to issue does not cover its use there.
	pub(crate) fn authorize_enrol(
		organisation: &OrganisationId,
		voucher_public: &[u8; 32],
		device_name: &Name,
		keys: &[NewKey],
		expires_at: &Moment,
		voucher_signature: &[u8; 64],
	) -> TransactionValidityWithRefund {
		let enrolment =
			Self::judge_enrolment(*organisation, voucher_public, device_name, keys, *expires_at)?;
		T::Quotas::check(organisation, costs::of_enrolment::<T>(keys))
			.map_err(|_| Error::<T>::AllowanceExhausted)?;
		Self::verify_enrolment(&enrolment, voucher_public, keys, *expires_at, voucher_signature)?;
		let validity = ValidTransaction {
			priority: PRIORITY,
			requires: Vec::new(),
			provides: alloc::vec![(b"dpki/enrol", enrolment.id).encode()],
			longevity: LONGEVITY,
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Enrols the device. The signatures are those that [`Self::authorize_enrol`] verified in this very extrinsic.
	pub(crate) fn do_enrol(
		organisation: OrganisationId,
		voucher_public: [u8; 32],
		device_name: Name,
		keys: Vec<NewKey>,
		expires_at: Moment,
	) -> DispatchResult {
		let Enrolment { id: voucher, mut record } =
			Self::judge_enrolment(organisation, &voucher_public, &device_name, &keys, expires_at)?;
		T::Quotas::take(&organisation, costs::of_enrolment::<T>(&keys))
			.map_err(|_| Error::<T>::AllowanceExhausted)?;
		let now = Self::now();
		let device = record.device;
		record.state = VoucherState::Redeemed(now);
		Vouchers::<T>::insert(voucher, record);
		T::Economy::pass_on(Resource::Voucher(voucher), Resource::Device(device));
		Self::deposit_event(Event::DeviceEnrolled { device, organisation, voucher });
		let keys = keys.into_iter().map(NewKey::into_terms);
		Self::create_device(device, organisation, device_name, keys, now)?;
		Ok(())
	}

	/// Everything about an enrolment that depends on the state or the time.
	fn judge_enrolment(
		organisation: OrganisationId,
		voucher_public: &[u8; 32],
		device_name: &Name,
		keys: &[NewKey],
		expires_at: Moment,
	) -> Result<Enrolment, Error<T>> {
		let now = Self::now();
		Self::ensure_unexpired(expires_at, now)?;
		let id = VoucherId::of(organisation, voucher_public);
		let record = Vouchers::<T>::get(id).ok_or(Error::<T>::VoucherUnknown)?;
		match record.state_at(now) {
			VoucherStanding::Open => {},
			VoucherStanding::Redeemed(_) => return Err(Error::<T>::VoucherRedeemed),
			VoucherStanding::Cancelled(_) => return Err(Error::<T>::VoucherCancelled),
			VoucherStanding::Expired => return Err(Error::<T>::VoucherExpired),
		}
		// The name needs no check of its own: the voucher was issued for a valid one.
		ensure!(
			record.device == DeviceId::from_name(organisation, device_name),
			Error::<T>::VoucherForAnotherDevice
		);
		Self::judge_first_keys(organisation, record.device, keys, now)?;
		Ok(Enrolment { id, record })
	}

	/// Everything about an enrolment that depends on its own bytes and the chain only.
	fn verify_enrolment(
		enrolment: &Enrolment,
		voucher_public: &[u8; 32],
		keys: &[NewKey],
		expires_at: Moment,
		voucher_signature: &[u8; 64],
	) -> Result<(), Error<T>> {
		let device = enrolment.record.device;
		let action = Action::Enrol {
			voucher: enrolment.id,
			device,
			keys: keys.iter().map(|key| (key.purpose, key.id(device))).collect(),
		};
		let payload = Self::payload(action, 0, expires_at);
		ensure!(
			crypto::Ed25519::verify(voucher_public, &payload, voucher_signature),
			Error::<T>::VoucherSignatureInvalid
		);

		let registrant = Registrant::Voucher(enrolment.id);
		let claims = Self::first_claims(registrant, device, keys, expires_at);
		crypto::verify_all(&claims).map_err(|_| Error::<T>::PossessionInvalid)
	}
}
