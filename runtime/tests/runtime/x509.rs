// SPDX-License-Identifier: Apache-2.0

//! X.509 chains as their owners submit them, and the verdict of the runtime beside those of other validators.
//!
//! Root and intermediate come by signed transactions, through the executive with every extension and with proofs that
//! their keys are held; the device is asked about as a light client asks. What judges them is what judges them on a
//! chain.

mod attestation;
mod differential;

#[path = "../../../pallets/x509/tests/common/chains.rs"]
mod chains;

use crate::common::{account, apply, chain, origin, signed};
use chains::Chain;
use dpki_primitives::{
	anchor::{AnchorKind, Basis, ChainVerdict, Profile},
	context::{Action, SigningContext},
	ids::{AnchorId, OrganisationId},
	organisation::OrganisationKind,
	status::Status,
};
use dpki_runtime::{
	Organisations, Runtime, RuntimeCall, System, dpki_api::runtime_decl_for_dpki_api::DpkiApiV1,
};
use frame_support::assert_ok;
use p256::ecdsa;
use sp_genesis_builder::DEV_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::DispatchError;

/// Nothing, or the name of the refusal.
type Verdict = Result<(), String>;

fn acme() -> OrganisationId {
	OrganisationId::from_name(b"acme")
}

/// Runs a test on a chain that has come to this second since the Unix epoch, and on which Alice has founded `acme`.
fn on_chain_at<R>(second: u64, test: impl FnOnce() -> R) -> R {
	chain(DEV_RUNTIME_PRESET).execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(second * 1000);
		let name = b"acme".to_vec().try_into().unwrap();
		assert_ok!(Organisations::create(origin(Alice), name, OrganisationKind::Manufacturer));
		test()
	})
}

/// Submits an authority, whose key `sign` signs with: its id as an anchor, or the name of the refusal.
fn register(
	basis: Basis,
	der: &[u8],
	sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Result<AnchorId, String> {
	let kind = match basis {
		Basis::SelfSigned(_) => AnchorKind::X509Root,
		Basis::Vote(_) | Basis::IssuedBy(_) => AnchorKind::X509Intermediate,
	};
	let (organisation, anchor) = (acme(), AnchorId::of(kind, der));
	let action = Action::PossessAnchor { account: account(Alice).into(), organisation, anchor };
	let expires_at = pallet_timestamp::Now::<Runtime>::get() + 60_000;
	let genesis = System::block_hash(0).into();
	let payload = SigningContext { genesis, action, nonce: 0, expires_at }.payload();
	let call = pallet_dpki::Call::register_authority {
		organisation,
		basis,
		material: der.to_vec().try_into().expect("it is short enough"),
		possession: sign(&payload).try_into().expect("a signature is short"),
		expires_at,
	};
	match apply(signed(Alice, RuntimeCall::Dpki(call))) {
		Ok(Ok(())) => Ok(anchor),
		Ok(Err(DispatchError::Module(error))) => Err(error.message.expect("it has a name").into()),
		other => panic!("neither carried out nor refused by the registry: {other:?}"),
	}
}

/// The verdict on certificates below an anchor, the first of which is asked about.
fn check(anchor: AnchorId, certificates: &[&Vec<u8>], profile: Profile) -> Verdict {
	let chain = certificates.iter().map(|der| der.to_vec()).collect();
	match Runtime::check_certificate(anchor, chain, profile) {
		ChainVerdict::Status(Status::Valid) => Ok(()),
		ChainVerdict::Broken { problem, .. } => Err(problem),
		other => Err(format!("{other:?}")),
	}
}

/// Submits a chain: its root, its intermediate below that, and its device below both. With the intermediate brought
/// along instead of registered, the verdict on the device is the same.
fn submit(
	chain: &Chain,
	profile: Profile,
	sign_by_root: impl FnOnce(&[u8]) -> Vec<u8>,
	sign_by_ca: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Verdict {
	on_chain_at(chain.at, || {
		let root = register(Basis::SelfSigned(profile), &chain.root, sign_by_root)?;
		let brought_along = check(root, &[&chain.device, &chain.ca], profile);
		let registered = register(Basis::IssuedBy(root), &chain.ca, sign_by_ca)
			.and_then(|ca| check(ca, &[&chain.device], profile));
		assert_eq!(brought_along.is_ok(), registered.is_ok(), "{brought_along:?}, {registered:?}");
		registered
	})
}

/// A P-256 signature as the registry reads it, of the form that certificates have; another one as it is.
fn fixed_length(der: &[u8]) -> Vec<u8> {
	let read = ecdsa::Signature::from_der(der);
	read.map_or_else(|_| der.to_vec(), |signature| signature.to_bytes().to_vec())
}
