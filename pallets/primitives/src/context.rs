//! What an off-chain signature covers.
//!
//! Every signature that the chain or a device accepts from outside a signed extrinsic is made over
//! [`SigningContext::payload`]: a domain tag, the genesis hash, the action with its subject, a nonce and an expiry,
//! all in SCALE, so that every variable part carries its length. A signature for one chain, action, subject or
//! account is worthless for any other.
//!
//! | key type | signs |
//! |---|---|
//! | Ed25519 | the payload (RFC 8032, pure) |
//! | sr25519 | the payload, in the `substrate` context |
//! | P-256 | the payload through SHA2-256 (FIPS 186-5 ECDSA): 64 bytes `r || s` |
//! | secp256k1 | the SHA2-256 of the payload: 65 bytes `r || s || v`, `v` 0 or 1 |
//! | X25519 | the payload by XEdDSA ("The XEdDSA and VXEdDSA Signature Schemes", section 2, curve25519): 64 bytes `R || s` that verify as pure Ed25519 under the Edwards form of the key with sign bit 0; [`Action::PossessKey`], [`Action::RevealKey`] and [`Action::Compromise`] only |
//! | P-384, in an X.509 anchor | the payload through SHA2-384: 96 bytes `r || s` |
//! | RSA, as a key of a device | the payload, with SHA2-256, by RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2) or by RSASSA-PSS (section 8.1) with MGF1 of SHA2-256 and a salt of 32 bytes: as many bytes as the modulus has; [`Action::PossessKey`], [`Action::RevealKey`] and [`Action::Compromise`] only |
//! | ML-DSA, X-Wing | nothing: the chain holds only the hash of such a key |
//! | RSA, in an X.509 anchor | the payload, PKCS#1 v1.5 with the hash that signed the certificate, SHA2-256 if Ed25519 did |
//!
//! # Known limit: one secret, several keys
//!
//! "A key is registered once" is a rule about public keys. The holder of a secret can derive further public keys that
//! prove possession: an Ed25519 or X25519 key plus a point of small order (by the cofactored equation of ZIP 215, with
//! which the host verifies, `A + T` accepts the signatures that the holder of `A` can make for it), the Ed25519 form of
//! an X25519 key, and in an X.509 anchor an RSA modulus with another exponent. Each has an id of its own, so a secret whose key was revoked
//! can come back as such a key. This is not checked: for the first it would take a multiplication by the order of the
//! group for every key, which in the runtime costs more than the host's verification itself, and the others cannot be
//! told from fresh keys. Only the holder of the secret gains from it, and gains no more than by making a new key, which
//! the organisation has to admit just as well. Nobody can register such a relative of the key of another, as possession
//! is proven.

use crate::{
	Moment,
	channel::ChannelId,
	delivery::Outcome,
	ids::{
		AnchorId, BlobDigest, DeviceId, FleetId, KeyCommitment, KeyId, OrganisationId, VoucherId,
	},
	key::KeyPurpose,
	revocation::RevocationReason,
	status::Validity,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Opens every payload.
pub const SIGNING_DOMAIN: [u8; 16] = *b"dpki-signature/1";

/// The longest time that a signature can be good for: an expiry further away is refused, so that a signature that
/// is lost cannot lie in wait.
pub const MAX_SIGNATURE_LIFETIME: Moment = 24 * 60 * 60 * 1000;

/// On whose authority a key is registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Registrant {
	/// The account that signs the extrinsic.
	#[codec(index = 0)]
	Account([u8; 32]),
	/// The holder of this voucher.
	#[codec(index = 1)]
	Voucher(VoucherId),
	/// The device itself, without anybody else.
	#[codec(index = 2)]
	Device,
}

/// What is being agreed to.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub enum Action {
	/// "I hold this key, and it is to be registered for this device and purpose by this registrant."
	/// Signed by the key itself. Nonce: the number of keys ever registered for the device.
	#[codec(index = 0)]
	PossessKey {
		/// Who registers.
		registrant: Registrant,
		/// For which device.
		device: DeviceId,
		/// For what.
		purpose: KeyPurpose,
		/// Which key.
		key: KeyId,
		/// Last moment at which the key may be used; `None` means no end.
		not_after: Option<Moment>,
	},
	/// "This voucher is spent on exactly these keys." Signed by the voucher key. Nonce: 0, as a voucher is used once.
	#[codec(index = 1)]
	Enrol {
		/// The voucher.
		voucher: VoucherId,
		/// The device.
		device: DeviceId,
		/// The keys with their purposes, in the order in which they are enrolled.
		keys: Vec<(KeyPurpose, KeyId)>,
	},
	/// "I hold the key of this anchor, and this account is to register it for this organisation."
	/// Signed by the anchor's key. Nonce: 0, as an anchor is registered once.
	#[codec(index = 2)]
	PossessAnchor {
		/// Who registers.
		account: [u8; 32],
		/// For which organisation.
		organisation: OrganisationId,
		/// Which anchor.
		anchor: AnchorId,
	},
	/// "I have seen this delivery, and this became of it." Signed by a signing key of the device.
	/// Nonce: the sequence number of the delivery on its channel.
	#[codec(index = 3)]
	AcknowledgeDelivery {
		/// Which device.
		device: DeviceId,
		/// On which channel.
		channel: ChannelId,
		/// Which delivery.
		digest: BlobDigest,
		/// What became of it.
		outcome: Outcome,
	},
	/// "I am this device, and this key is to be registered for me by this registrant." Signed by a valid signing key
	/// of the device, as [`Consent`](crate::key::Consent). Nonce and expiry: those of the
	/// [`PossessKey`](Action::PossessKey) beside it, whose fields it repeats.
	#[codec(index = 4)]
	AdmitKey {
		/// Who registers.
		registrant: Registrant,
		/// For which device.
		device: DeviceId,
		/// For what.
		purpose: KeyPurpose,
		/// Which key.
		key: KeyId,
		/// Last moment at which the key may be used; `None` means no end.
		not_after: Option<Moment>,
	},
	/// "I am this device, and this key is to take the place of that one, which is good for `grace` yet." Signed by a valid
	/// signing key of the device, which may be the one that is replaced. Nonce and expiry: those of the
	/// [`PossessKey`](Action::PossessKey) beside it.
	#[codec(index = 8)]
	ReplaceKey {
		/// Who registers.
		registrant: Registrant,
		/// For which device.
		device: DeviceId,
		/// Which key is replaced.
		old: KeyId,
		/// For what.
		purpose: KeyPurpose,
		/// Which key takes its place.
		key: KeyId,
		/// Last moment at which the new key may be used; `None` means no end.
		not_after: Option<Moment>,
		/// For how many milliseconds the old key is good yet.
		grace: Moment,
	},
	/// "I am this device, and this key is to be followed by the one that the commitment names, and by no other." Signed by
	/// a valid signing key of the device. Nonce: the number of keys ever registered for the device.
	#[codec(index = 9)]
	AnnounceKey {
		/// Who announces.
		registrant: Registrant,
		/// For which device.
		device: DeviceId,
		/// Which key is to be followed.
		key: KeyId,
		/// By which one.
		commitment: KeyCommitment,
	},
	/// "I hold the key that was announced to follow that one, and it does so now." Signed by the announced key, whose
	/// possession this proves. Nonce: 0, as a key is registered once.
	#[codec(index = 10)]
	RevealKey {
		/// For which device.
		device: DeviceId,
		/// Which key is followed.
		old: KeyId,
		/// For what.
		purpose: KeyPurpose,
		/// Which key was announced.
		key: KeyId,
		/// Last moment at which the announced key may be used; `None` means no end.
		not_after: Option<Moment>,
		/// What is announced to follow it, in turn.
		next: Option<KeyCommitment>,
	},
	/// "Whoever signs this holds the key, and wants it revoked." Signed by the key itself, see
	/// [`SigningContext::compromise`].
	#[codec(index = 11)]
	Compromise {
		/// Which key: that of a device, or of an anchor.
		key: KeyId,
	},
	/// "I am this device, and this key of mine is to be revoked for this reason." Signed by a valid signing key of the device.
	/// Nonce: 0, as a key is revoked once.
	#[codec(index = 13)]
	RevokeKey {
		/// Which device.
		device: DeviceId,
		/// Which key.
		key: KeyId,
		/// Why.
		reason: RevocationReason,
	},
	/// "This content is to be delivered to this device, by this publisher." Signed by an account of the organisation, inside
	/// of the envelope. Nonce: the sequence number of the delivery. The expiry is held against the time of publication, as
	/// the device may be off for long.
	#[codec(index = 24)]
	SignBundle {
		/// In the name of which organisation.
		organisation: OrganisationId,
		/// To which device.
		device: DeviceId,
		/// On which channel.
		channel: ChannelId,
		/// By whom it is to be published.
		publisher: [u8; 32],
		/// The SHA2-256 of the content, see `dpki_client::bundle`.
		content: [u8; 32],
	},
	/// "I am this device, and ask a CA for this certificate." Signed by a valid signing key of the device, for the holder of
	/// a CA key; the chain takes no such signature. Nonce: 0, as the same certificate may be made twice.
	#[codec(index = 32)]
	RequestCertificate {
		/// Which device.
		device: DeviceId,
		/// The SHA2-256 of what is asked for, see `dpki_client::device_request`.
		content: [u8; 32],
	},
	/// "I am this device, and ask my organisation for this certificate over the chain." Signed by a valid signing key of the
	/// device. Nonce: the number of the statement, see [`Filer`](crate::filing::Filer).
	#[codec(index = 33)]
	FileRequest {
		/// Which device.
		device: DeviceId,
		/// In which of its slots.
		slot: u8,
		/// [`FilingKind::content`](crate::filing::FilingKind::content) of what is asked for.
		content: [u8; 32],
	},
	/// "I am this device, and do not ask for this certificate any more." Signed and numbered as
	/// [`FileRequest`](Action::FileRequest).
	#[codec(index = 34)]
	WithdrawRequest {
		/// Which device.
		device: DeviceId,
		/// In which of its slots it is.
		slot: u8,
		/// What was asked for.
		content: [u8; 32],
	},
	/// "I hold this key, and it is to stand on the roll of this fleet, for this purpose and time." Signed by the key itself.
	/// Nonce: the place in the fleet, which is filled once.
	#[codec(index = 40)]
	JoinRoll {
		/// Which fleet, and by its id whose.
		fleet: FleetId,
		/// For what.
		purpose: KeyPurpose,
		/// When the key may be used.
		validity: Validity,
	},
	/// "I hold the key of this request, and this account is to apply for the certificate." Signed by the key that is to
	/// be certified, or bound into a PKCS#10 request by it. Nonce: how many applications the payer had made before.
	#[codec(index = 16)]
	ApplyForCertificate {
		/// Who applies and pays.
		payer: [u8; 32],
		/// [`CertificateRequest::digest`](crate::application::CertificateRequest::digest) of what is applied for.
		request: [u8; 32],
	},
}

/// An action on one chain, once, for a limited time.
#[derive(Clone, PartialEq, Eq, Debug, Encode)]
pub struct SigningContext {
	/// The genesis hash of the chain.
	pub genesis: [u8; 32],
	/// What is agreed to.
	pub action: Action,
	/// Makes the signature good for one use; each [`Action`] says what it is.
	pub nonce: u64,
	/// Last moment at which the signature is accepted.
	pub expires_at: Moment,
}

impl SigningContext {
	/// What proves that a key has leaked: fixed for a chain and a key, and good for ever, as the proof can be prepared
	/// with the key and kept apart from it, for the day on which the key is lost.
	pub fn compromise(genesis: [u8; 32], key: KeyId) -> Self {
		Self { genesis, action: Action::Compromise { key }, nonce: 0, expires_at: Moment::MAX }
	}

	/// The bytes to be signed.
	pub fn payload(&self) -> Vec<u8> {
		(SIGNING_DOMAIN, self).encode()
	}
}

/// Whether a signature with this expiry may be accepted at chain time `now`.
pub fn is_expiry_acceptable(expires_at: Moment, now: Moment) -> bool {
	expires_at >= now && expires_at <= now.saturating_add(MAX_SIGNATURE_LIFETIME)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn context() -> SigningContext {
		SigningContext {
			genesis: [1; 32],
			action: Action::PossessKey {
				registrant: Registrant::Account([2; 32]),
				device: DeviceId([3; 32]),
				purpose: KeyPurpose::Sign,
				key: KeyId([4; 32]),
				not_after: None,
			},
			nonce: 5,
			expires_at: 6,
		}
	}

	#[test]
	fn every_field_changes_the_payload() {
		let base = context();
		let possess = |registrant, device, purpose, key| Action::PossessKey {
			registrant,
			device: DeviceId(device),
			purpose,
			key: KeyId(key),
			not_after: None,
		};
		let account = Registrant::Account([2; 32]);
		let variants = [
			SigningContext { genesis: [9; 32], ..base.clone() },
			SigningContext { nonce: 9, ..base.clone() },
			SigningContext { expires_at: 9, ..base.clone() },
			SigningContext {
				action: possess(Registrant::Account([9; 32]), [3; 32], KeyPurpose::Sign, [4; 32]),
				..base.clone()
			},
			SigningContext {
				action: possess(
					Registrant::Voucher(VoucherId([2; 32])),
					[3; 32],
					KeyPurpose::Sign,
					[4; 32],
				),
				..base.clone()
			},
			SigningContext {
				action: possess(account, [9; 32], KeyPurpose::Sign, [4; 32]),
				..base.clone()
			},
			SigningContext {
				action: possess(account, [3; 32], KeyPurpose::Tls, [4; 32]),
				..base.clone()
			},
			SigningContext {
				action: possess(account, [3; 32], KeyPurpose::Sign, [9; 32]),
				..base.clone()
			},
		];
		let expiring = Action::PossessKey {
			registrant: account,
			device: DeviceId([3; 32]),
			purpose: KeyPurpose::Sign,
			key: KeyId([4; 32]),
			not_after: Some(0),
		};
		assert_ne!(SigningContext { action: expiring, ..base.clone() }.payload(), base.payload());
		for variant in variants {
			assert_ne!(variant.payload(), base.payload(), "{variant:?}");
		}
	}

	#[test]
	fn a_proof_of_possession_is_no_consent() {
		let possess = context();
		let Action::PossessKey { registrant, device, purpose, key, not_after } = possess.action
		else {
			unreachable!("it is a proof of possession")
		};
		let admit = Action::AdmitKey { registrant, device, purpose, key, not_after };
		assert_eq!(admit.encode()[0], 4);
		assert_eq!(admit.encode()[1..], possess.action.encode()[1..]);
		assert_ne!(
			SigningContext { action: admit, ..possess.clone() }.payload(),
			possess.payload()
		);
	}

	#[test]
	fn each_action_has_the_index_that_is_its_own() {
		let (device, key) = (DeviceId([1; 32]), KeyId([2; 32]));
		let (registrant, purpose) = (Registrant::Device, KeyPurpose::Sign);
		let commitment = KeyCommitment([3; 32]);
		for (index, action) in [
			(
				8,
				Action::ReplaceKey {
					registrant,
					device,
					old: key,
					purpose,
					key,
					not_after: None,
					grace: 0,
				},
			),
			(9, Action::AnnounceKey { registrant, device, key, commitment }),
			(10, Action::RevealKey { device, old: key, purpose, key, not_after: None, next: None }),
			(11, Action::Compromise { key }),
			(
				24,
				Action::SignBundle {
					organisation: OrganisationId([1; 32]),
					device,
					channel: ChannelId::DEFAULT,
					publisher: [2; 32],
					content: [3; 32],
				},
			),
			(32, Action::RequestCertificate { device, content: [3; 32] }),
			(33, Action::FileRequest { device, slot: 0, content: [3; 32] }),
			(34, Action::WithdrawRequest { device, slot: 0, content: [3; 32] }),
			(
				40,
				Action::JoinRoll {
					fleet: FleetId([1; 32]),
					purpose,
					validity: Validity { not_before: 0, not_after: None },
				},
			),
		] {
			assert_eq!(action.encode()[0], index);
		}
		assert_eq!(Registrant::Device.encode(), [2]);
	}

	#[test]
	fn the_proof_of_a_compromise_is_one_for_a_chain_and_a_key() {
		let payload =
			|genesis, key| SigningContext::compromise([genesis; 32], KeyId([key; 32])).payload();
		assert_eq!(payload(1, 2), payload(1, 2));
		assert_ne!(payload(1, 2), payload(2, 2));
		assert_ne!(payload(1, 2), payload(1, 1));
	}

	#[test]
	fn an_expiry_is_accepted_only_within_its_window() {
		let now = 1_000_000_000_000;
		assert!(is_expiry_acceptable(now, now));
		assert!(is_expiry_acceptable(now + MAX_SIGNATURE_LIFETIME, now));
		assert!(!is_expiry_acceptable(now - 1, now));
		assert!(!is_expiry_acceptable(now + MAX_SIGNATURE_LIFETIME + 1, now));
		assert!(is_expiry_acceptable(u64::MAX, u64::MAX));
	}
}
