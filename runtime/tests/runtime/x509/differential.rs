// SPDX-License-Identifier: Apache-2.0

//! Chains with one known flaw each, and intermediates that were changed byte by byte and signed again: what the runtime
//! makes of them, beside `rustls-webpki`, `x509-parser` and `openssl verify -x509_strict`.
//!
//! The chains and the list of differences are those to which the library is held (`pallets/x509/tests`). That they do
//! for the runtime, too, is what is tested: nothing is lost or added between a transaction and the library.

use super::{
	Verdict,
	chains::{
		Chain, DIFFERENCES, OPENSSL, PARSER, WEBPKI, cases, chain,
		common::{Draft, NOW, Party, World, dns},
		differs_in_letters, folder, names_another_key, same, sign_raw,
	},
	check, fixed_length, on_chain_at, register,
};
use dpki_primitives::anchor::{Basis, Profile};
use dpki_x509::Certificate;
use frame_support::storage::with_transaction_unchecked;
use sp_runtime::TransactionOutcome;
use x509_cert::{
	der::{Decode, Encode},
	ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier},
};

const PROFILE: Profile = Profile::Rfc5280;

/// Proves that somebody holds the key.
fn signed_by(party: &Party) -> impl Fn(&[u8]) -> Vec<u8> {
	move |payload| fixed_length(party.sign(payload).raw_bytes())
}

fn submit(chain: &Chain) -> Verdict {
	let world = World::new();
	super::submit(chain, PROFILE, signed_by(&world.root), signed_by(&world.ca))
}

#[test]
fn each_difference_between_the_runtime_and_other_validators_is_listed() {
	let folder = folder("runtime-cases");
	let (mut accepted, mut refused, mut found) = (0, 0, Vec::new());
	for (name, chain) in cases() {
		let here = submit(&chain).is_ok();
		*(if here { &mut accepted } else { &mut refused }) += 1;
		if chain.is_accepted_by_webpki() != here {
			found.push((name, WEBPKI));
		}
		// `x509-parser` does not judge paths, so that it accepts more; it must not accept less.
		if here && !chain.is_accepted_by_parser() {
			found.push((name, PARSER));
		}
		if chain.is_accepted_by_openssl(&folder) != here {
			found.push((name, OPENSSL));
		}
	}
	std::fs::remove_dir_all(&folder).unwrap();
	found.retain(|found| !DIFFERENCES.iter().any(|(name, by, _)| (*name, *by) == *found));
	assert!(found.is_empty(), "not listed: {found:#?}");
	assert!(accepted >= 10 && refused > 20, "{accepted} are accepted, {refused} refused");
}

/// The flaws have names, so that a transaction fails for what is wrong with the certificate and nothing else.
#[test]
fn a_flaw_is_refused_by_its_name() {
	let refusal = |wanted| {
		let mut chains = cases().into_iter();
		let (_, chain) = chains.find(|(name, _)| *name == wanted).expect("there is such a case");
		submit(&chain).expect_err("it has a flaw")
	};
	for (name, expected) in [
		("signature by another key", "SignatureInvalid"),
		("expired device", "Status(Expired)"),
		("expired intermediate", "CertificateExpired"),
		("expired root", "CertificateExpired"),
		("device of the future", "Status(NotYetValid)"),
		("intermediate that is no authority", "CertificateNotAuthority"),
		("intermediate that must not sign certificates", "CertificateNotAuthority"),
		("root with path length 0", "CertificatePathTooLong"),
		("unknown critical extension", "ExtensionUnknown"),
		("host that is not permitted", "NameNotPermitted"),
		("excluded host", "NameExcluded"),
	] {
		assert_eq!(refusal(name), expected, "{name}");
	}
}

/// A device below this intermediate, which is named as that names itself.
fn device_below(ca: &[u8], world: &World) -> Vec<u8> {
	let ca = x509_cert::Certificate::from_der(ca).expect("the runtime has read it");
	let (_, id) = ca
		.tbs_certificate
		.get::<SubjectKeyIdentifier>()
		.expect("the runtime has read it")
		.expect("the runtime demands one");
	let issuer = AuthorityKeyIdentifier { key_identifier: Some(id.0), ..Default::default() };
	let draft = world.device_draft().with_names(&[dns("x.a.org")]).with(&issuer, false);
	draft.edit(|body| body.issuer = ca.tbs_certificate.subject).der(&world.ca)
}

#[test]
fn no_changed_intermediate_is_adopted_by_the_runtime_alone() {
	let world = World::new();
	let limit = |draft: Draft| draft.with_path_len(0).with_constraints(&[dns("a.org")], &[]);
	let base = chain(same, limit, same);
	let body = limit(world.ca_draft()).body.to_der().unwrap();
	let changes = (0..body.len()).flat_map(|at| [(at, 0x01), (at, 0x20), (at, 0x80)]);
	let (mut tried, mut adopted) = (0, Vec::new());
	on_chain_at(NOW, || {
		let root =
			register(Basis::SelfSigned(PROFILE), &base.root, signed_by(&world.root)).unwrap();
		for (position, flip) in changes {
			let mut changed = body.clone();
			changed[position] ^= flip;
			let der = sign_raw(&changed, &world.root);
			tried += 1;
			// Each on the same state, whatever became of the one before.
			let device = with_transaction_unchecked(|| {
				let verdict =
					register(Basis::IssuedBy(root), &der, signed_by(&world.ca)).and_then(|ca| {
						let device = device_below(&der, &world);
						check(ca, &[&device], PROFILE).map(|()| device)
					});
				TransactionOutcome::Rollback(verdict)
			});
			if let Ok(device) = device {
				adopted.push((position, flip, Chain { ca: der, device, ..base.clone() }));
			}
		}
	});
	let folder = folder("runtime-raw");
	let root = Certificate::from_der(&base.root).unwrap();
	println!("{} of {tried} changed intermediates are adopted", adopted.len());
	for (position, flip, chain) in &adopted {
		let ca = Certificate::from_der(&chain.ca).unwrap();
		let place = format!("byte {position} changed by {flip:#x}");
		assert!(chain.is_accepted_by_parser(), "{place}: {PARSER}");
		let in_letters = differs_in_letters(&ca, &root);
		assert!(chain.is_accepted_by_webpki() || in_letters, "{place}: {WEBPKI}");
		// A process for each is slow, and one change of a byte is enough here.
		if *flip == 0x01 {
			let verdict = chain.is_accepted_by_openssl(&folder);
			assert!(verdict || names_another_key(&ca, &root), "{place}: {OPENSSL}");
		}
	}
	std::fs::remove_dir_all(&folder).unwrap();
	assert!(adopted.len() > 50 && tried > 1000, "{} of {tried}", adopted.len());
}
