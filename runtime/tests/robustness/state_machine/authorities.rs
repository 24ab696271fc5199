// SPDX-License-Identifier: Apache-2.0

//! X.509 anchors: registered, adopted, put on hold, followed by others. What holds of their records and verdicts is
//! looked at in [`registry`](super::registry), as for every anchor.

use super::{
	Actor, Attempt,
	motions::by_council,
	registry::{raw, some_reason},
	world::{Secret, World},
};
use dpki_primitives::{
	Moment,
	anchor::{AnchorKind, AnchorMaterial, AnchorRecord, Basis, CrlPointer, Profile},
	context::Action,
	ids::{AnchorId, OrganisationId},
	organisation::Role,
};
use dpki_runtime::{Dpki, Runtime, RuntimeEvent, Timestamp};
use frame_support::traits::Time;
use pallet_dpki::{AnchorMaterials, Anchors, Call, Event};
use rcgen::{
	BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
	KeyUsagePurpose, PKCS_ED25519, SerialNumber, date_time_ymd,
};
use sp_core::{Pair, ed25519};
use std::collections::BTreeMap;

/// What opens the PKCS#8 form of an Ed25519 secret (RFC 8410 section 7), which follows.
const PKCS8: [u8; 16] = [
	0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

const DAY: Moment = 24 * 60 * 60 * 1_000;

/// A certification authority as its owner has it.
struct Authority {
	params: CertificateParams,
	key: KeyPair,
	pair: ed25519::Pair,
	material: AnchorMaterial,
	/// The number of the one that issued it.
	issuer: Option<usize>,
}

impl Authority {
	fn basis(&self, all: &[Authority], profile: Profile) -> Basis {
		match self.issuer {
			None => Basis::SelfSigned(profile),
			Some(issuer) => Basis::IssuedBy(all[issuer].id()),
		}
	}

	fn id(&self) -> AnchorId {
		let kind = match self.issuer {
			None => AnchorKind::X509Root,
			Some(_) => AnchorKind::X509Intermediate,
		};
		AnchorId::of(kind, &self.material)
	}
}

#[derive(Default)]
pub struct Authorities {
	made: Vec<Authority>,
	/// The certificate of every X.509 anchor, by what was announced.
	materials: BTreeMap<AnchorId, Vec<u8>>,
}

fn some_time(world: &mut World) -> Moment {
	let now = Timestamp::now();
	if world.dice.once_in(10) { now } else { now + 1 + world.dice.roll(12 * DAY) }
}

/// An X.509 anchor, most of the time one that is in force.
fn some_anchor(world: &mut World) -> Option<(AnchorId, AnchorRecord)> {
	let anchors: Vec<_> =
		Anchors::<Runtime>::iter().filter(|(_, record)| record.kind.is_x509()).collect();
	for _ in 0..3 {
		let (id, record) = world.dice.pick(&anchors)?;
		if record.revocation.is_none() {
			return Some((*id, record.clone()));
		}
	}
	world.dice.pick(&anchors).cloned()
}

/// Tried by a manager of the anchor, or by the council if it belongs to the consortium.
fn by_manager(world: &mut World, owner: OrganisationId, call: Call<Runtime>) -> Attempt {
	if owner == OrganisationId::CONSORTIUM && !world.dice.once_in(8) {
		return by_council(world, call.into());
	}
	let person = world.holder(owner, Role::AnchorManager);
	Attempt::Signed(person, call.into())
}

impl Authorities {
	/// A new authority: a root, or one below another that is registered. Now and then its certificate is not what it
	/// should be.
	fn make(&mut self, world: &mut World) -> usize {
		let Secret::Ed25519(pair) = world.new_secret(false) else {
			unreachable!("asked for one that signs")
		};
		let der = [&PKCS8[..], &pair.seed()[..]].concat();
		let key = KeyPair::from_pkcs8_der_and_sign_algo(&der.into(), &PKCS_ED25519)
			.expect("it is a secret of that algorithm");

		let registered: Vec<_> = (0..self.made.len())
			.filter(|number| {
				let record = Anchors::<Runtime>::get(self.made[*number].id());
				record.is_some_and(|record| record.revocation.is_none())
			})
			.collect();
		let issuer = match world.dice.roll(5) {
			0 | 1 => None,
			_ => world.dice.pick(&registered).copied(),
		};

		let number = self.made.len();
		let mut params = CertificateParams::default();
		params.distinguished_name = DistinguishedName::new();
		params
			.distinguished_name
			.push(DnType::CommonName, format!("Authority {number}"));
		params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
		params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
		params.not_before = date_time_ymd(2020, 1, 1);
		params.not_after = date_time_ymd(2040, 1, 1);
		params.serial_number = Some(SerialNumber::from_slice(&(number as u32 + 1).to_be_bytes()));
		params.use_authority_key_identifier_extension = issuer.is_some();
		match world.dice.roll(24) {
			0 => params.is_ca = IsCa::ExplicitNoCa,
			1 => params.not_after = date_time_ymd(2026, 1, 1),
			2 => params.not_before = date_time_ymd(2030, 1, 1),
			// Within the time of the run.
			3 | 4 => params.not_after = date_time_ymd(2027, 2, 10),
			5 => params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)),
			_ => {},
		}
		let certificate = match issuer {
			None => params.self_signed(&key),
			Some(issuer) => {
				let above = &self.made[issuer];
				params.signed_by(&key, &Issuer::from_params(&above.params, &above.key))
			},
		};
		let mut der = certificate.expect("all of it can be encoded").der().to_vec();
		if world.dice.once_in(24) {
			*der.last_mut().expect("it is not empty") ^= 1;
		}
		let material = der.try_into().expect("it is short");
		self.made.push(Authority { params, key, pair: *pair, material, issuer });
		number
	}

	/// Most of the time one that was not tried yet.
	fn some_authority(&mut self, world: &mut World) -> usize {
		if self.made.is_empty() || !world.dice.once_in(10) {
			return self.make(world);
		}
		world.dice.roll(self.made.len() as u64) as usize
	}

	fn register(&mut self, world: &mut World) -> Attempt {
		let number = self.some_authority(world);
		let authority = &self.made[number];
		let organisation = world.some_organisation();
		let person = world.holder(organisation, Role::AnchorManager);
		let profile = match world.dice.roll(12) {
			0 => Profile::Matter,
			_ => Profile::Rfc5280,
		};
		let basis = match world.dice.roll(20) {
			0 => Basis::Vote(profile),
			_ => authority.basis(&self.made, profile),
		};
		let (material, anchor) = (authority.material.clone(), authority.id());
		let account = raw(world.account(person));
		let expires_at = world.expiry();
		let possess = Action::PossessAnchor { account, organisation, anchor };
		let possession = authority.pair.sign(&world.payload(possess, 0, expires_at)).0;
		let possession = possession.to_vec().try_into().expect("64 bytes");
		let call =
			Call::register_authority { organisation, basis, material, possession, expires_at };
		Attempt::Signed(person, call.into())
	}

	/// For the consortium: by vote, and now and then by somebody alone.
	fn adopt(&mut self, world: &mut World) -> Attempt {
		let number = self.some_authority(world);
		let authority = &self.made[number];
		let basis = match authority.issuer {
			Some(_) if world.dice.once_in(2) => Basis::Vote(Profile::Rfc5280),
			_ => authority.basis(&self.made, Profile::Rfc5280),
		};
		let call = Call::adopt_authority { basis, material: authority.material.clone() };
		match world.dice.roll(6) {
			0 => Attempt::Signed(world.somebody(), call.into()),
			_ => by_council(world, call.into()),
		}
	}

	/// By another one of the same owner, if it has one.
	fn plan(world: &mut World) -> Option<Attempt> {
		let (anchor, record) = some_anchor(world)?;
		let others: Vec<_> = Dpki::anchors_of(record.organisation)
			.into_iter()
			.map(|(id, _)| id)
			.filter(|id| *id != anchor && Dpki::anchor_status(*id).is_valid())
			.collect();
		let successor = match world.dice.roll(10) {
			0 => anchor,
			_ => *world.dice.pick(&others)?,
		};
		let retire_at = some_time(world);
		let call = Call::plan_rollover { anchor, successor, retire_at };
		Some(by_manager(world, record.organisation, call))
	}

	/// Most of the time of a plan whose time has not come.
	fn cancel(world: &mut World) -> Option<Attempt> {
		let planned: Vec<_> = Anchors::<Runtime>::iter()
			.filter(|(_, record)| record.retired_at.is_some_and(|at| at > Timestamp::now()))
			.collect();
		let (anchor, record) = match world.dice.pick(&planned) {
			Some(one) if !world.dice.once_in(4) => one.clone(),
			_ => some_anchor(world)?,
		};
		Some(by_manager(world, record.organisation, Call::cancel_rollover { anchor }))
	}

	/// Most of the time of one that is on hold.
	fn release(world: &mut World) -> Option<Attempt> {
		let held: Vec<_> =
			Anchors::<Runtime>::iter().filter(|(_, record)| record.suspended).collect();
		let (anchor, record) = match world.dice.pick(&held) {
			Some(one) if !world.dice.once_in(5) => one.clone(),
			_ => some_anchor(world)?,
		};
		Some(by_manager(world, record.organisation, Call::release_anchor { anchor }))
	}

	fn change(world: &mut World) -> Option<Attempt> {
		let (anchor, record) = some_anchor(world)?;
		let issuer = record.issuer().and_then(Dpki::anchor).map(|it| it.organisation);
		let call: Call<Runtime> = match world.dice.roll(12) {
			0 => Call::retire_anchor { anchor },
			1..=3 => {
				let reason = some_reason(world);
				let call = Call::revoke_anchor { anchor, reason };
				let owner = match issuer {
					// Who gave the certificate can take it back.
					Some(issuer) if world.dice.once_in(2) => issuer,
					_ => record.organisation,
				};
				return Some(by_manager(world, owner, call));
			},
			4..=7 => Call::suspend_anchor { anchor },
			_ => {
				let url = match world.dice.roll(4) {
					0 => "ftp://crl.example/ca.crl",
					_ => "https://crl.example/ca.crl",
				};
				let url = url.as_bytes().to_vec().try_into().expect("it is short");
				let pointer = CrlPointer { url, digest: None };
				Call::set_crl_pointer {
					anchor,
					pointer: (!world.dice.once_in(4)).then_some(pointer),
				}
			},
		};
		Some(by_manager(world, record.organisation, call))
	}
}

impl Actor for Authorities {
	fn act(&mut self, world: &mut World) -> Attempt {
		let attempt = match world.dice.roll(20) {
			0..=6 => Some(self.register(world)),
			7 | 8 => Some(self.adopt(world)),
			9..=11 => Self::plan(world),
			12 | 13 => Self::cancel(world),
			14 | 15 => Self::release(world),
			_ => Self::change(world),
		};
		attempt.unwrap_or_else(|| self.register(world))
	}

	fn observe(&mut self, event: &RuntimeEvent) {
		let RuntimeEvent::Dpki(Event::AnchorRegistered { anchor, kind, .. }) = event else {
			return;
		};
		if kind.is_x509() {
			let material = AnchorMaterials::<Runtime>::get(anchor).expect("it was registered");
			assert_eq!(AnchorId::of(*kind, &material), *anchor);
			let before = self.materials.insert(*anchor, material.into_inner());
			assert!(before.is_none(), "{anchor} was registered a second time");
		}
	}

	/// A certificate never changes, and what is below an anchor has that one for its issuer by its own certificate too.
	fn check(&mut self) {
		for (anchor, material) in &self.materials {
			let stored = AnchorMaterials::<Runtime>::get(anchor).expect("none is ever removed");
			assert_eq!(&stored.into_inner(), material);
		}
		for authority in &self.made {
			let Some(record) = Anchors::<Runtime>::get(authority.id()) else { continue };
			if let Some(issuer) = record.issuer() {
				let above = authority.issuer.map(|number| self.made[number].id());
				assert_eq!(Some(issuer), above, "{} hangs on another one", authority.id());
			}
		}
	}
}
