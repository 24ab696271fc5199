//! What has to hold of the constants and of the runtime around this pallet, checked by every test run of a runtime.

use crate::{Config, MAX_UNPAID_REPORTS, Pallet, WeightInfo, costs};
use codec::MaxEncodedLen;
use dpki_primitives::{
	anchor::{MAX_ANCHOR_DEPTH, MAX_ANCHOR_MATERIAL_LEN, MAX_CHAIN_LEN},
	context::MAX_SIGNATURE_LIFETIME,
	device::{
		Compromised, MAX_DEVICES_PER_BATCH, MAX_KEYS_PER_DEVICE, MAX_KEYS_PER_ENROLMENT,
		MAX_REVOCATIONS_PER_BATCH, NewDevice,
	},
	key::{KeyType, MAX_PUBLIC_KEY_LEN, MAX_RSA_BITS, MAX_SIGNATURE_LEN, PublicKey},
	request::{MAX_REQUESTS_PER_ACCOUNT, MAX_REQUESTS_PER_ORGANISATION, REQUEST_LIFETIME},
	revocation::{MAX_SSH_REVOCATIONS, SSH_REVOCATIONS_PER_PAGE},
	storage_keys,
	voucher::MAX_VOUCHER_LIFETIME,
};
use frame_support::{
	dispatch::DispatchClass,
	traits::{Get, PalletInfoAccess},
};

impl<T: Config> Pallet<T> {
	/// The constants fit together, devices find the storage where they look for it, and every call fits into a block.
	pub(crate) fn do_integrity_test() {
		const {
			assert!(MAX_KEYS_PER_ENROLMENT <= MAX_KEYS_PER_DEVICE, "an enrolment fits");
			assert!(MAX_SIGNATURE_LEN * 8 >= MAX_RSA_BITS as u32, "a signature of RSA-4096 fits");
			assert!(
				*KeyType::Rsa.public_lens().end() <= MAX_PUBLIC_KEY_LEN as usize,
				"a public key of RSA-4096 fits"
			);
			assert!(
				MAX_DEVICES_PER_BATCH <= u16::MAX as u32
					&& MAX_REVOCATIONS_PER_BATCH <= u16::MAX as u32,
				"the position of every member of a batch fits into its error"
			);
			assert!(
				MAX_REQUESTS_PER_ACCOUNT < MAX_REQUESTS_PER_ORGANISATION,
				"no account fills a queue alone"
			);
			assert!(
				MAX_SIGNATURE_LIFETIME <= REQUEST_LIFETIME,
				"a request lives as long as what it was made with"
			);
			assert!(
				MAX_ANCHOR_DEPTH as usize + MAX_CHAIN_LEN as usize <= dpki_x509::MAX_PATH_LEN,
				"the longest chain below the deepest anchor is read"
			);
			assert!(
				MAX_ANCHOR_MATERIAL_LEN as usize <= dpki_x509::MAX_CERTIFICATE_LEN,
				"the longest certificate of an anchor is read"
			);
			assert!(
				MAX_SSH_REVOCATIONS.is_multiple_of(SSH_REVOCATIONS_PER_PAGE),
				"the last page of an SSH revocation list can be full"
			);
			assert!(
				MAX_SIGNATURE_LIFETIME <= MAX_VOUCHER_LIFETIME,
				"the signatures of an enrolment do not outlast every voucher"
			);
		}
		assert_eq!(
			<Self as PalletInfoAccess>::name(),
			storage_keys::DPKI,
			"devices look for the storage of this pallet under another name: rename it in the runtime",
		);

		let register_anchor = T::WeightInfo::register_ssh_anchor()
			.max(T::WeightInfo::register_rsa_anchor())
			.max(T::WeightInfo::register_p384_anchor());
		let register_authority =
			T::WeightInfo::register_rsa_authority().max(T::WeightInfo::register_p384_authority());
		let adopt_authority =
			T::WeightInfo::adopt_rsa_authority().max(T::WeightInfo::adopt_p384_authority());
		let enrol = T::WeightInfo::enrol(MAX_KEYS_PER_ENROLMENT)
			.saturating_add(T::WeightInfo::authorize_enrol(MAX_KEYS_PER_ENROLMENT));
		let rsa = T::WeightInfo::verify_rsa();
		let anchor = Compromised::Anchor(Default::default());
		let rsa_key = PublicKey { key_type: KeyType::Rsa, bytes: Default::default() };
		let report = costs::of_any_report::<T>(&anchor)
			.max(T::WeightInfo::authorize_compromise())
			.saturating_add(T::WeightInfo::revoke_key().max(T::WeightInfo::revoke_anchor()))
			.max(costs::of_any_report::<T>(&Compromised::Public(rsa_key)));
		let batch = MAX_DEVICES_PER_BATCH as usize * NewDevice::max_encoded_len();
		assert!(
			batch <= *T::BlockLength::get().max.get(DispatchClass::Normal) as usize,
			"the longest batch of devices has to fit into a block",
		);
		let weights = T::BlockWeights::get();
		let key = Compromised::Key(Default::default());
		let unpaid = [key, anchor].map(|what| {
			costs::of_cheap_proof::<T>(&what).saturating_add(costs::of_unpaid_report::<T>(&what))
		});
		let own_revocation = T::WeightInfo::revoke_own_key()
			.saturating_add(T::WeightInfo::authorize_own_revocation());
		let unpaid = unpaid[0]
			.max(unpaid[1])
			.max(own_revocation)
			.saturating_mul(MAX_UNPAID_REPORTS.into());
		assert!(
			unpaid.all_lte(weights.max_block / 4),
			"the reports that nobody pays for leave most of a block to those who pay",
		);
		for (call, class, weight) in [
			("register_anchor", DispatchClass::Normal, register_anchor),
			("retire_anchor", DispatchClass::Normal, T::WeightInfo::retire_anchor()),
			("revoke_anchor", DispatchClass::Operational, T::WeightInfo::revoke_anchor()),
			("revoke_ssh", DispatchClass::Operational, T::WeightInfo::revoke_ssh()),
			("issue_voucher", DispatchClass::Normal, T::WeightInfo::issue_voucher()),
			("cancel_voucher", DispatchClass::Operational, T::WeightInfo::cancel_voucher()),
			("enrol", DispatchClass::Normal, enrol),
			("register_key", DispatchClass::Normal, T::WeightInfo::register_key()),
			("revoke_key", DispatchClass::Operational, T::WeightInfo::revoke_key()),
			("revoke_device", DispatchClass::Operational, T::WeightInfo::revoke_device()),
			("suspend_device", DispatchClass::Operational, T::WeightInfo::suspend_device()),
			("release_device", DispatchClass::Normal, T::WeightInfo::release_device()),
			("suspend_key", DispatchClass::Operational, T::WeightInfo::suspend_key()),
			("release_key", DispatchClass::Normal, T::WeightInfo::release_key()),
			("revoke_own_key", DispatchClass::Operational, own_revocation),
			(
				"clear_expired_voucher",
				DispatchClass::Normal,
				T::WeightInfo::clear_expired_voucher(),
			),
			("set_key_policy", DispatchClass::Normal, T::WeightInfo::set_key_policy()),
			(
				"add_own_key",
				DispatchClass::Normal,
				T::WeightInfo::add_own_key()
					.max(T::WeightInfo::replace_own_key())
					.saturating_add(T::WeightInfo::authorize_own_key())
					.saturating_add(rsa),
			),
			(
				"replace_key",
				DispatchClass::Normal,
				T::WeightInfo::replace_key().saturating_add(rsa),
			),
			("announce_next_key", DispatchClass::Normal, T::WeightInfo::announce_next_key()),
			(
				"announce_own_key",
				DispatchClass::Normal,
				T::WeightInfo::announce_own_key()
					.saturating_add(T::WeightInfo::authorize_own_announcement()),
			),
			(
				"reveal_next_key",
				DispatchClass::Normal,
				T::WeightInfo::reveal_next_key()
					.saturating_add(T::WeightInfo::authorize_reveal())
					.saturating_add(rsa),
			),
			(
				"request_keys",
				DispatchClass::Normal,
				T::WeightInfo::request_keys(MAX_KEYS_PER_ENROLMENT)
					.saturating_add(rsa.saturating_mul(MAX_KEYS_PER_ENROLMENT.into())),
			),
			("approve_request", DispatchClass::Normal, T::WeightInfo::approve_request()),
			("reject_request", DispatchClass::Operational, T::WeightInfo::reject_request()),
			("report_compromise", DispatchClass::Operational, report),
			// With one Ed25519 key for each device. Whoever brings more, or dearer ones, sends smaller batches.
			(
				"register_batch",
				DispatchClass::Normal,
				T::WeightInfo::register_batch(MAX_DEVICES_PER_BATCH, MAX_DEVICES_PER_BATCH),
			),
			(
				"revoke_keys",
				DispatchClass::Operational,
				T::WeightInfo::revoke_keys(MAX_REVOCATIONS_PER_BATCH),
			),
			(
				"revoke_devices",
				DispatchClass::Operational,
				T::WeightInfo::revoke_devices(MAX_REVOCATIONS_PER_BATCH),
			),
			("register_authority", DispatchClass::Normal, register_authority),
			("adopt_authority", DispatchClass::Normal, adopt_authority),
			("plan_rollover", DispatchClass::Normal, T::WeightInfo::plan_rollover()),
			("cancel_rollover", DispatchClass::Normal, T::WeightInfo::cancel_rollover()),
			("suspend_anchor", DispatchClass::Operational, T::WeightInfo::suspend_anchor()),
			("set_crl_pointer", DispatchClass::Normal, T::WeightInfo::set_crl_pointer()),
			("release_anchor", DispatchClass::Normal, T::WeightInfo::release_anchor()),
		] {
			let of_class = weights.get(class);
			let limit = of_class.max_extrinsic.or(of_class.max_total).unwrap_or(weights.max_block);
			assert!(weight.all_lte(limit), "the dearest `{call}` has to fit into a block");
		}
	}
}
