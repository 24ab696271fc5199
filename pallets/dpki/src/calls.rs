//! What can be called.

use frame_support::pallet_macros::pallet_section;

/// Calls of the pallet. Each is thin: the rule is in the module named after its concept.
#[pallet_section]
mod calls {
	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a trust anchor that stands by itself for an organisation; it is active at once.
		///
		/// An anchor manager of the organisation calls it and pays. `material` is the SSH wire encoding of an Ed25519
		/// or P-256 key, or the DER of a self-signed X.509 root, which is held to RFC 5280 and no other profile;
		/// `possession` is the anchor's signature over
		/// [`PossessAnchor`](dpki_primitives::context::Action::PossessAnchor), so that nobody registers the anchor of
		/// another. Emits [`Event::AnchorRegistered`]. Refused: missing role, stale signature, anchor known or revoked,
		/// key of a revoked anchor or of a device, full lists, an intermediate, and what is wrong with the key or the
		/// certificate. Two signature verifications at most.
		#[pallet::call_index(0)]
		#[pallet::weight(costs::of_anchor::<T>(*kind))]
		pub fn register_anchor(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			kind: AnchorKind,
			material: AnchorMaterial,
			possession: Signature,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let claim = anchors::Claim::of_kind::<T>(kind)?;
			let possession = anchors::Possession { signature: possession, expires_at };
			Self::do_register_anchor(account, organisation, claim, material, possession)
		}

		/// Retires an anchor: what it signed stays good, nothing new is to be signed.
		///
		/// An anchor manager of the anchor's organisation calls it and pays, or [`Config::AnchorOrigin`] for an anchor of
		/// the consortium. A retirement that was planned comes at once. Emits [`Event::AnchorRetired`]. Refused: unknown
		/// anchor, missing role, retired or revoked before. Constant time.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::retire_anchor())]
		pub fn retire_anchor(origin: OriginFor<T>, anchor: AnchorId) -> DispatchResult {
			Self::do_retire_anchor(Self::actor(origin)?, anchor)
		}

		/// Revokes an anchor, and with it all that it signed and everything below it, for ever.
		///
		/// An anchor manager of the anchor's organisation calls it and pays, or [`Config::AnchorOrigin`] for an anchor of
		/// the consortium. This ends the key: every other anchor of it is revoked too, and it can be registered for
		/// nothing any more. Who manages the anchor that issued this one can call it too. This ends the anchor, and any
		/// other certificate that the same issuer gave to its key, and leaves alone what others gave to the key.
		/// Operational, as every call that takes trust away: a full block does not keep it waiting. Frees places in the
		/// owners' lists. Emits [`Event::AnchorRevoked`] per anchor and [`Event::AnchorKeyRevoked`] if the key ends.
		/// Refused: unknown anchor, missing role, revoked before. Linear in the anchors of the key and the lists of their
		/// owners, which are bounded by [`MAX_ANCHORS_PER_KEY`] and [`MAX_ANCHORS_PER_ORGANISATION`].
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::revoke_anchor(), DispatchClass::Operational))]
		pub fn revoke_anchor(
			origin: OriginFor<T>,
			anchor: AnchorId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_anchor(Self::actor(origin)?, anchor, reason)
		}

		/// Revokes a certificate or a key under an SSH CA, for ever.
		///
		/// An anchor manager of the anchor's organisation calls it and pays. Operational. Appends to the list that devices
		/// turn into a KRL. Emits [`Event::SshRevoked`]. Refused: unknown anchor, missing role, X.509 anchor, revoked
		/// anchor, serial 0, subject revoked before, full list. Writes one page of [`SSH_REVOCATIONS_PER_PAGE`] entries
		/// at most.
		#[pallet::call_index(3)]
		#[pallet::weight((T::WeightInfo::revoke_ssh(), DispatchClass::Operational))]
		pub fn revoke_ssh(
			origin: OriginFor<T>,
			anchor: AnchorId,
			subject: SshSubject,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_ssh(ensure_signed(origin)?, anchor, subject, reason)
		}

		/// Issues a voucher: the right to enrol the device of this name, once.
		///
		/// A registrar of the organisation calls it and pays; the enrolment is paid with it, or takes from the quota of
		/// the organisation, see [`Config::Quotas`]. `commitment` is the hash of the voucher's public key; the id of the
		/// voucher follows from it and the organisation, see [`VoucherId::from_commitment`]. The voucher lasts
		/// for [`MAX_VOUCHER_LIFETIME`](dpki_primitives::voucher::MAX_VOUCHER_LIFETIME) at most. Emits
		/// [`Event::VoucherIssued`]. Refused: missing role, invalid name, expiry past or too far, voucher known, device
		/// exists. Constant time.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::issue_voucher())]
		pub fn issue_voucher(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			commitment: VoucherCommitment,
			device_name: Name,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_issue_voucher(account, organisation, commitment, device_name, expires_at)
		}

		/// Takes a voucher back that was not used.
		///
		/// A registrar of the voucher's organisation calls it and pays. Operational. Emits [`Event::VoucherCancelled`].
		/// Refused: unknown voucher, missing role, used or cancelled before. Constant time.
		#[pallet::call_index(5)]
		#[pallet::weight((T::WeightInfo::cancel_voucher(), DispatchClass::Operational))]
		pub fn cancel_voucher(origin: OriginFor<T>, voucher: VoucherId) -> DispatchResult {
			Self::do_cancel_voucher(ensure_signed(origin)?, voucher)
		}

		/// Enrols a device with its first keys.
		///
		/// The holder of the voucher's key sends it as a general transaction, without account and without fee. The
		/// voucher signs [`Enrol`](dpki_primitives::context::Action::Enrol); each key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for the registrant
		/// [`Registrant::Voucher`](dpki_primitives::context::Registrant::Voucher) with its index as nonce. At least one
		/// key is for signing. Emits [`Event::DeviceEnrolled`] and one [`Event::KeyRegistered`] per key. Refused, as
		/// [`Refusal`](dpki_primitives::refusal::Refusal) before it reaches a pool: everything that [`Error::refusal`]
		/// names. One signature verification per key, and the voucher's.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::enrol(keys.len() as u32))]
		#[pallet::authorize(|_source, organisation, voucher_public, name, keys, expires_at, signature| {
			Self::authorize_enrol(organisation, voucher_public, name, keys, expires_at, signature)
		})]
		#[pallet::weight_of_authorize(costs::of_authorization::<T>(keys))]
		pub fn enrol(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			voucher_public: [u8; 32],
			device_name: Name,
			keys: BoundedVec<NewKey, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
			expires_at: Moment,
			_voucher_signature: [u8; 64],
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let keys = keys.into_inner();
			Self::do_enrol(organisation, voucher_public, device_name, keys, expires_at)
		}

		/// Registers a further key for a device, which has to consent to it.
		///
		/// A registrar of the device's organisation calls it and pays. The key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for that account, with
		/// [`DeviceRecord::keys_registered`] as nonce. A valid signing key of the device signs
		/// [`AdmitKey`](dpki_primitives::context::Action::AdmitKey) with the same nonce and expiry, so that a registrar
		/// cannot make a device say what it did not say; a device that has none left is enrolled under another name.
		/// Emits [`Event::KeyRegistered`]. Refused: unknown or revoked device, missing role, stale signatures, full
		/// list, key malformed, unfit, expired, known or revoked, no consent, possession not proven. Two signature
		/// verifications.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::register_key().saturating_add(costs::of_key::<T>(key)))]
		pub fn register_key(
			origin: OriginFor<T>,
			device: DeviceId,
			key: NewKey,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let id = key.id(device);
			Self::do_register_key(account.clone(), device, None, key, consent, expires_at)?;
			Self::pay_for(&account, Operation::RegisterKey, Resource::Key(id))?;
			Ok(())
		}

		/// Revokes a key of a device, for ever.
		///
		/// A registrar of the device's organisation calls it and pays, or the body that governs it by vote. Operational. Frees
		/// a place in the device's list.
		/// Emits [`Event::KeyRevoked`]. Refused: unknown key, missing role, revoked before. Linear in the list, which is
		/// bounded by [`MAX_KEYS_PER_DEVICE`](dpki_primitives::device::MAX_KEYS_PER_DEVICE).
		#[pallet::call_index(8)]
		#[pallet::weight((T::WeightInfo::revoke_key(), DispatchClass::Operational))]
		pub fn revoke_key(
			origin: OriginFor<T>,
			key: KeyId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_key(origin, key, reason)
		}

		/// Revokes a device and, by their dependence on it, its keys, for ever.
		///
		/// A registrar of the device's organisation calls it and pays, or the body that governs it by vote. Operational. Emits
		/// [`Event::DeviceRevoked`].
		/// Refused: unknown device, missing role, revoked before. Constant time.
		#[pallet::call_index(9)]
		#[pallet::weight((T::WeightInfo::revoke_device(), DispatchClass::Operational))]
		pub fn revoke_device(
			origin: OriginFor<T>,
			device: DeviceId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_device(origin, device, reason)
		}

		/// Registers an X.509 anchor for an organisation: a root of some profile, or an intermediate below an anchor of
		/// any organisation; it is active at once.
		///
		/// An anchor manager of the organisation calls it and pays. `material` is the DER; `possession` is the signature
		/// of the certified key over [`PossessAnchor`](dpki_primitives::context::Action::PossessAnchor). That the anchor
		/// above has signed the certificate is the consent of its holder. An intermediate is held to the whole path, at the
		/// time of the block. Emits [`Event::AnchorRegistered`]. Refused: missing role, stale signature, anchor known or
		/// revoked, key of a revoked anchor or of a device, or one from which the issuer took back what it gave, full
		/// lists, [`Basis::Vote`], an anchor above that is unknown, not in force or too deep, and what is wrong with the
		/// certificate. Two signature verifications, and the reading of [`MAX_ANCHOR_DEPTH`](dpki_primitives::anchor::MAX_ANCHOR_DEPTH) certificates above.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::register_rsa_authority().max(T::WeightInfo::register_p384_authority()))]
		pub fn register_authority(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			basis: Basis,
			material: AnchorMaterial,
			possession: Signature,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let claim = anchors::Claim::X509(basis);
			let possession = anchors::Possession { signature: possession, expires_at };
			Self::do_register_anchor(account, organisation, claim, material, possession)
		}

		/// Registers an X.509 anchor for the consortium: a root or a branch of a public CA, or an intermediate below an
		/// anchor; it is active at once and belongs to [`OrganisationId::CONSORTIUM`].
		///
		/// [`Config::AnchorOrigin`] calls it. Its vote takes the place of a proof of possession. Emits
		/// [`Event::AnchorRegistered`]. Refused: as [`Pallet::register_authority`], but for role and signature. One
		/// signature verification, and the reading of [`MAX_ANCHOR_DEPTH`](dpki_primitives::anchor::MAX_ANCHOR_DEPTH) certificates above.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::adopt_rsa_authority().max(T::WeightInfo::adopt_p384_authority()))]
		pub fn adopt_authority(
			origin: OriginFor<T>,
			basis: Basis,
			material: AnchorMaterial,
		) -> DispatchResult {
			T::AnchorOrigin::ensure_origin(origin)?;
			Self::do_adopt_authority(basis, material)
		}

		/// Plans the retirement of an anchor in favour of another one: both are in force until `retire_at`, from which
		/// moment on the first is retired by itself.
		///
		/// An anchor manager of their organisation calls it and pays, or [`Config::AnchorOrigin`] for anchors of the
		/// consortium. Emits [`Event::RolloverPlanned`]. Refused: unknown anchor, missing role, retired, revoked or planned
		/// before, a time that is past, and a successor of another owner, kind or profile, or one that is not in force now
		/// and, as far as can be known, at that time. Constant time but for the way up from the successor.
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::plan_rollover())]
		pub fn plan_rollover(
			origin: OriginFor<T>,
			anchor: AnchorId,
			successor: AnchorId,
			retire_at: Moment,
		) -> DispatchResult {
			Self::do_plan_rollover(Self::actor(origin)?, anchor, successor, retire_at)
		}

		/// Takes back a planned retirement whose time has not come.
		///
		/// An anchor manager of the anchor's organisation calls it and pays, or [`Config::AnchorOrigin`] for an anchor of
		/// the consortium. Emits [`Event::RolloverCancelled`]. Refused: unknown anchor, missing role, revoked, no plan that
		/// lies ahead. Constant time.
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::cancel_rollover())]
		pub fn cancel_rollover(origin: OriginFor<T>, anchor: AnchorId) -> DispatchResult {
			Self::do_cancel_rollover(Self::actor(origin)?, anchor)
		}

		/// Puts an X.509 anchor on hold: it and everything below it is suspended until it is released.
		///
		/// An anchor manager of the anchor's organisation calls it and pays, or [`Config::AnchorOrigin`] for an anchor of
		/// the consortium. Operational. Emits [`Event::AnchorSuspended`]. Refused: unknown anchor, missing role, SSH CA,
		/// revoked, on hold already. Constant time.
		#[pallet::call_index(14)]
		#[pallet::weight((T::WeightInfo::suspend_anchor(), DispatchClass::Operational))]
		pub fn suspend_anchor(origin: OriginFor<T>, anchor: AnchorId) -> DispatchResult {
			Self::do_suspend_anchor(Self::actor(origin)?, anchor)
		}

		/// Takes an X.509 anchor off hold.
		///
		/// An anchor manager of the anchor's organisation calls it and pays, or [`Config::AnchorOrigin`] for an anchor of
		/// the consortium. Emits [`Event::AnchorReleased`]. Refused: unknown anchor, missing role, SSH CA, revoked, not on
		/// hold. Constant time.
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::release_anchor())]
		pub fn release_anchor(origin: OriginFor<T>, anchor: AnchorId) -> DispatchResult {
			Self::do_release_anchor(Self::actor(origin)?, anchor)
		}

		/// Says where an X.509 anchor publishes its revocation list, or that it does so no more.
		///
		/// An anchor manager of the anchor's organisation calls it and pays, or [`Config::AnchorOrigin`] for an anchor of
		/// the consortium. No verdict of the chain depends on it. Emits [`Event::CrlPointerSet`]. Refused: unknown anchor,
		/// missing role, SSH CA, an address of another form. Constant time.
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::set_crl_pointer())]
		pub fn set_crl_pointer(
			origin: OriginFor<T>,
			anchor: AnchorId,
			pointer: Option<CrlPointer>,
		) -> DispatchResult {
			Self::do_set_crl_pointer(Self::actor(origin)?, anchor, pointer)
		}

		/// Sets what an organisation asks of the keys of its devices from now on; see [`KeyPolicy`].
		///
		/// Called by the authority that changes the policy of the organisation itself: an administrator, or the body that
		/// votes. The caller pays. Emits [`Event::KeyPolicyChanged`]. Refused: unknown organisation, whatever
		/// [`Config::Governance`] refuses, a policy by which no device could live. Constant time.
		#[pallet::call_index(20)]
		#[pallet::weight(T::WeightInfo::set_key_policy())]
		pub fn set_key_policy(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			policy: KeyPolicy,
		) -> DispatchResult {
			Self::do_set_key_policy(origin, organisation, policy)
		}

		/// Registers a further key of a device that its organisation lets do so alone.
		///
		/// The device sends it as a general transaction, without account and without fee, within its
		/// [`Quota`](dpki_primitives::quota::Quota). A valid signing key of the device signs
		/// [`AdmitKey`](dpki_primitives::context::Action::AdmitKey), the new one
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey), both for
		/// [`Registrant::Device`](dpki_primitives::context::Registrant::Device) with [`DeviceRecord::keys_registered`] as
		/// nonce. Emits [`Event::KeyRegistered`]. Refused as [`Self::register_key`] is, and: self service not allowed, quota
		/// used up, another signing key by one whose successor is announced. Two signature verifications.
		#[pallet::call_index(21)]
		#[pallet::weight(T::WeightInfo::add_own_key())]
		#[pallet::authorize(|_source, device, key, consent, expires_at| {
			Self::authorize_own_key(*device, None, key, consent, *expires_at)
		})]
		#[pallet::weight_of_authorize(
			T::WeightInfo::authorize_own_key().saturating_add(costs::of_key::<T>(key))
		)]
		pub fn add_own_key(
			origin: OriginFor<T>,
			device: DeviceId,
			key: NewKey,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_add_own_key(device, None, key, consent.key, expires_at)
		}

		/// Registers a key in the place of another one, which is good for `grace` milliseconds yet.
		///
		/// A registrar of the device's organisation calls it and pays. As [`Self::register_key`], but the device signs
		/// [`ReplaceKey`](dpki_primitives::context::Action::ReplaceKey); the key that is replaced may do so. What was
		/// announced to follow that key has to be this one. Emits [`Event::KeyRegistered`] and [`Event::KeyReplaced`].
		/// Refused as [`Self::register_key`] is, and: key to be replaced unknown, revoked or replaced before, of another
		/// purpose; grace beyond [`MAX_GRACE`](dpki_primitives::device::MAX_GRACE) or beyond the end of the new key; not
		/// the announced key. Two signature verifications.
		#[pallet::call_index(22)]
		#[pallet::weight(T::WeightInfo::replace_key().saturating_add(costs::of_key::<T>(key)))]
		pub fn replace_key(
			origin: OriginFor<T>,
			old: KeyId,
			key: NewKey,
			grace: Moment,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let device = Self::device_of_replaced(old)?;
			let id = key.id(device);
			let replacing = Some(Replacing { old, grace });
			Self::do_register_key(account.clone(), device, replacing, key, consent, expires_at)?;
			Self::pay_for(&account, Operation::ReplaceKey, Resource::Key(id))?;
			Ok(())
		}

		/// As [`Self::replace_key`], by the device alone: a general transaction under the conditions of
		/// [`Self::add_own_key`]. Both signatures are for
		/// [`Registrant::Device`](dpki_primitives::context::Registrant::Device).
		#[pallet::call_index(23)]
		#[pallet::weight(T::WeightInfo::replace_own_key())]
		#[pallet::authorize(|_source, old, key, grace, consent, expires_at| {
			let replacing = Replacing { old: *old, grace: *grace };
			Self::authorize_own_replacement(replacing, key, consent, *expires_at)
		})]
		#[pallet::weight_of_authorize(
			T::WeightInfo::authorize_own_key().saturating_add(costs::of_key::<T>(key))
		)]
		pub fn replace_own_key(
			origin: OriginFor<T>,
			old: KeyId,
			key: NewKey,
			grace: Moment,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let device = Self::device_of_replaced(old)?;
			let replacing = Some(Replacing { old, grace });
			Self::do_add_own_key(device, replacing, key, consent.key, expires_at)
		}

		/// Announces the key that is to follow another one, or changes what was announced.
		///
		/// A registrar of the device's organisation calls it and pays; a valid signing key of the device signs
		/// [`AnnounceKey`](dpki_primitives::context::Action::AnnounceKey). Emits [`Event::SuccessorAnnounced`]. Refused:
		/// unknown key, missing role, stale signature, revoked device, key revoked or replaced, no consent. One signature
		/// verification.
		#[pallet::call_index(24)]
		#[pallet::weight(T::WeightInfo::announce_next_key())]
		pub fn announce_next_key(
			origin: OriginFor<T>,
			key: KeyId,
			commitment: KeyCommitment,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_announce_next_key(account, key, commitment, consent, expires_at)
		}

		/// Has the announced key take the place of another one at once, even if that was revoked for its compromise.
		///
		/// The holder of the announced key sends it as a general transaction, without account, without fee and without any
		/// other key of the device, within the device's [`Quota`](dpki_primitives::quota::Quota) for that. The announced key
		/// signs [`RevealKey`](dpki_primitives::context::Action::RevealKey). `next` announces its successor in turn. Emits
		/// [`Event::KeyRegistered`], [`Event::KeyReplaced`] and, with `next`, [`Event::SuccessorAnnounced`]. Refused: stale
		/// signature, unknown key, none or another one announced, another purpose, revoked device, quota used up, full
		/// list, key malformed, unfit, not allowed, expired, known or revoked, possession not proven. One signature
		/// verification.
		#[pallet::call_index(25)]
		#[pallet::weight(T::WeightInfo::reveal_next_key())]
		#[pallet::authorize(|_source, old, key, next, expires_at| {
			Self::authorize_reveal(*old, key, *next, *expires_at)
		})]
		#[pallet::weight_of_authorize(
			T::WeightInfo::authorize_reveal().saturating_add(costs::of_key::<T>(key))
		)]
		pub fn reveal_next_key(
			origin: OriginFor<T>,
			old: KeyId,
			key: NewKey,
			next: Option<KeyCommitment>,
			expires_at: Moment,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_reveal(old, key, next, expires_at)
		}

		/// Asks the registrars of an organisation to register keys: the first ones of a device that it does not have yet, or
		/// one more of a device that consents.
		///
		/// Any account calls it and pays. The possession of the keys is proven as for [`Self::enrol`], or the consent and the
		/// possession as for [`Self::register_key`], with the account as registrant. The request waits for
		/// [`REQUEST_LIFETIME`](dpki_primitives::request::REQUEST_LIFETIME). Emits [`Event::KeysRequested`], and
		/// [`Event::RequestExpired`] for one that had the last place in the queue and no right to it any more. Refused: unknown
		/// organisation, queue closed or full, too many requests of the account, the same request, invalid name, stale
		/// signatures, and what those calls refuse. One signature verification per key, and the consent's.
		#[pallet::call_index(26)]
		#[pallet::weight(costs::of_request::<T>(keys, consent.is_some()))]
		pub fn request_keys(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			device_name: Name,
			keys: BoundedVec<NewKey, ConstU32<MAX_KEYS_PER_ENROLMENT>>,
			consent: Option<Consent>,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_request_keys(account, organisation, device_name, keys, consent, expires_at)
		}

		/// Registers what was requested under this id, which covers all of it.
		///
		/// A registrar of the organisation calls it and pays. Emits [`Event::RequestApproved`],
		/// [`Event::DeviceRegistered`] for a new device, and one [`Event::KeyRegistered`] per key. Refused: unknown or
		/// expired request, missing role, and what has become of the device and the keys since: registered, revoked, expired
		/// or not allowed any more, list full, consenting key not valid any more. No signature verification.
		#[pallet::call_index(27)]
		#[pallet::weight(T::WeightInfo::approve_request())]
		pub fn approve_request(origin: OriginFor<T>, request: RequestId) -> DispatchResult {
			Self::do_approve_request(ensure_signed(origin)?, request)
		}

		/// Takes a request out of the queue.
		///
		/// A registrar of the organisation calls it and pays; once the request has expired, anybody may. Operational. Emits
		/// [`Event::RequestRejected`]. Refused: unknown request, missing role. Linear in the queue, which is bounded.
		#[pallet::call_index(28)]
		#[pallet::weight((T::WeightInfo::reject_request(), DispatchClass::Operational))]
		pub fn reject_request(
			origin: OriginFor<T>,
			request: RequestId,
			reason: Rejection,
		) -> DispatchResult {
			Self::do_reject_request(ensure_signed(origin)?, request, reason)
		}

		/// Revokes a key, or an anchor, that has signed the proof of its own compromise.
		///
		/// Whoever has the proof sends it as a general transaction, without account and without fee; for an RSA or P-384
		/// key, whose verification is dear, and for a key that is named by itself, which may be one that nobody uses, any
		/// account sends it and pays. Operational; a block takes
		/// [`MAX_UNPAID_REPORTS`](crate::MAX_UNPAID_REPORTS) that nobody pays for, and the others wait for the next one. It is the signature of the leaked
		/// key over [`compromise`](dpki_primitives::context::SigningContext::compromise). Emits [`Event::KeyRevoked`] or
		/// [`Event::AnchorRevoked`] for [`RevocationReason::KeyCompromise`]; for a key that is registered as neither
		/// [`Event::KeyCompromised`], by which it ends as that of certificates and of members of fleets. Refused: unknown key or anchor, revoked before, dear and unpaid, malformed, held by its hash, another
		/// proof. One signature verification, and for an X.509 anchor the reading of its certificate.
		#[pallet::call_index(29)]
		#[pallet::weight((costs::of_any_report::<T>(what), DispatchClass::Operational))]
		#[pallet::authorize(|_source, what, proof| Self::authorize_compromise(what, proof))]
		#[pallet::weight_of_authorize(costs::of_cheap_proof::<T>(what))]
		pub fn report_compromise(
			origin: OriginFor<T>,
			what: Compromised,
			proof: Signature,
		) -> DispatchResultWithPostInfo {
			if ensure_authorized(origin.clone()).is_ok() {
				let cost = costs::of_unpaid_report::<T>(&what);
				Self::do_report_unpaid(what)?;
				return Ok(Some(cost).into());
			}
			// Within another call nothing stands for the proof but the weight of this one.
			ensure_signed(origin)?;
			Self::verify_compromise(&what, &proof)?;
			let proof = costs::of_proof::<T>(&what);
			let ended = Self::do_report_compromise(what)?;
			Ok(Some(costs::of_ended::<T>(&ended).saturating_add(proof)).into())
		}

		/// Registers devices with their keys: all of them, or none if one is refused.
		///
		/// A registrar of the organisation calls it and pays. Each key signs
		/// [`PossessKey`](dpki_primitives::context::Action::PossessKey) for that account, with its position among the keys of
		/// its device as nonce; each device has a key for signing. Emits one [`Event::DeviceRegistered`] per device and one
		/// [`Event::KeyRegistered`] per key. Refused: missing role, stale signatures, empty batch, and
		/// [`Error::BatchFailed`] with the position and the reason of the first member that is refused. One signature
		/// verification per key.
		#[pallet::call_index(30)]
		#[pallet::weight(costs::of_batch::<T>(devices))]
		pub fn register_batch(
			origin: OriginFor<T>,
			organisation: OrganisationId,
			devices: BoundedVec<NewDevice, ConstU32<MAX_DEVICES_PER_BATCH>>,
			expires_at: Moment,
		) -> DispatchResult {
			let account = ensure_signed(origin)?;
			Self::do_register_batch(account, organisation, devices.into_inner(), expires_at)
		}

		/// Revokes keys of devices: all of them, or none if one is refused.
		///
		/// A registrar of every organisation concerned calls it and pays. Operational. Emits one [`Event::KeyRevoked`] per
		/// key. Refused: empty batch, and [`Error::BatchFailed`] with the position and the reason of the first key for which
		/// [`Self::revoke_key`] is refused.
		#[pallet::call_index(31)]
		#[pallet::weight((T::WeightInfo::revoke_keys(keys.len() as u32), DispatchClass::Operational))]
		pub fn revoke_keys(
			origin: OriginFor<T>,
			keys: BoundedVec<KeyId, ConstU32<MAX_REVOCATIONS_PER_BATCH>>,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_keys(ensure_signed(origin)?, keys.into_inner(), reason)
		}

		/// Revokes devices: all of them, or none if one is refused.
		///
		/// A registrar of every organisation concerned calls it and pays. Operational. Emits one [`Event::DeviceRevoked`]
		/// per device. Refused: empty batch, and [`Error::BatchFailed`] with the position and the reason of the first device
		/// for which [`Self::revoke_device`] is refused.
		#[pallet::call_index(32)]
		#[pallet::weight((
			T::WeightInfo::revoke_devices(devices.len() as u32),
			DispatchClass::Operational,
		))]
		pub fn revoke_devices(
			origin: OriginFor<T>,
			devices: BoundedVec<DeviceId, ConstU32<MAX_REVOCATIONS_PER_BATCH>>,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_revoke_devices(ensure_signed(origin)?, devices.into_inner(), reason)
		}

		/// As [`Self::announce_next_key`], by the device alone: a general transaction under the conditions of
		/// [`Self::add_own_key`]. It announces, but does not change what was announced. One signature verification.
		#[pallet::call_index(33)]
		#[pallet::weight(T::WeightInfo::announce_own_key())]
		#[pallet::authorize(|_source, key, commitment, consent, expires_at| {
			Self::authorize_own_announcement(*key, *commitment, consent, *expires_at)
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_own_announcement())]
		pub fn announce_own_key(
			origin: OriginFor<T>,
			key: KeyId,
			commitment: KeyCommitment,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_announce_alone(key, commitment, consent.key, expires_at)
		}

		/// Revokes a key of a device by the word of the device itself, for ever.
		///
		/// The device sends it as a general transaction, without account and without fee. A valid signing key of it signs
		/// [`RevokeKey`](dpki_primitives::context::Action::RevokeKey). That ends the signing key itself, always, or one that
		/// does not sign, under the conditions of [`Self::add_own_key`]. What was announced to follow the key stays.
		/// Operational; counted with the reports of a compromise. Emits [`Event::KeyRevoked`]. Refused, as
		/// [`Refusal`](dpki_primitives::refusal::Refusal): stale signature, unknown key, revoked before, revoked device,
		/// another signing key, an announced successor unless the reason is its compromise, self service off, quota used up,
		/// no consent. One signature verification.
		#[pallet::call_index(35)]
		#[pallet::weight((T::WeightInfo::revoke_own_key(), DispatchClass::Operational))]
		#[pallet::authorize(|_source, key, reason, consent, expires_at| {
			Self::authorize_own_revocation(*key, *reason, consent, *expires_at)
		})]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_own_revocation())]
		pub fn revoke_own_key(
			origin: OriginFor<T>,
			key: KeyId,
			reason: RevocationReason,
			consent: Consent,
			expires_at: Moment,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_revoke_own_key(key, reason, consent.key, expires_at)
		}

		/// Removes a voucher that has expired unused, and gives its deposit back.
		///
		/// Anybody sends it as a general transaction, without account and without fee: each voucher is cleared once, and was
		/// paid for. Emits [`Event::VoucherCleared`]. Refused, as [`Refusal`](dpki_primitives::refusal::Refusal): unknown
		/// voucher, used, cancelled, not expired yet. No signature verification.
		#[pallet::call_index(36)]
		#[pallet::weight(T::WeightInfo::clear_expired_voucher())]
		#[pallet::authorize(|_source, voucher| Self::authorize_clearing(*voucher))]
		#[pallet::weight_of_authorize(T::DbWeight::get().reads(2))]
		pub fn clear_expired_voucher(origin: OriginFor<T>, voucher: VoucherId) -> DispatchResult {
			ensure_authorized(origin)?;
			Self::do_clear_expired_voucher(voucher)
		}

		/// Puts a device on hold: it and, by their dependence on it, its keys are suspended until it is released.
		///
		/// A registrar of the device's organisation calls it and pays, or the body that governs it by vote. Whoever governs
		/// may also make the hold of a registrar its own, see [`HoldAuthority`]. Operational. Emits [`Event::DeviceSuspended`]. Refused: unknown device,
		/// missing role, revoked, on hold already. Constant time.
		#[pallet::call_index(37)]
		#[pallet::weight((T::WeightInfo::suspend_device(), DispatchClass::Operational))]
		pub fn suspend_device(
			origin: OriginFor<T>,
			device: DeviceId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_suspend_device(origin, device, reason)
		}

		/// Takes a device off hold; those of its keys that are on hold themselves stay so.
		///
		/// A registrar of the device's organisation calls it and pays, or the body that governs it by vote. Emits
		/// [`Event::DeviceReleased`]. Refused: unknown device, missing role, revoked, not on hold, put on hold by whoever
		/// governs and released by a registrar. Constant time.
		#[pallet::call_index(38)]
		#[pallet::weight(T::WeightInfo::release_device())]
		pub fn release_device(origin: OriginFor<T>, device: DeviceId) -> DispatchResult {
			Self::do_release_device(origin, device)
		}

		/// Puts a key of a device on hold, for what it is used and for the word of its device.
		///
		/// As [`Self::suspend_device`]. Emits [`Event::KeySuspended`]. Refused: unknown key, missing role, device or key
		/// revoked, on hold already. Constant time.
		#[pallet::call_index(39)]
		#[pallet::weight((T::WeightInfo::suspend_key(), DispatchClass::Operational))]
		pub fn suspend_key(
			origin: OriginFor<T>,
			key: KeyId,
			reason: RevocationReason,
		) -> DispatchResult {
			Self::do_suspend_key(origin, key, reason)
		}

		/// Takes a key off hold; with its device it stays on hold.
		///
		/// As [`Self::release_device`]. Emits [`Event::KeyReleased`]. Refused: unknown key, missing role, device or key
		/// revoked, not on hold, put on hold by whoever governs and released by a registrar. Constant time.
		#[pallet::call_index(40)]
		#[pallet::weight(T::WeightInfo::release_key())]
		pub fn release_key(origin: OriginFor<T>, key: KeyId) -> DispatchResult {
			Self::do_release_key(origin, key)
		}
	}
}
