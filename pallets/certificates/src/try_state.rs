//! What is true of the storage between any two blocks.

use crate::{
	Accreditations, Accredited, AccreditedCount, Applications, BalanceOf, Bonds, Certificates,
	ClosedQueue, ClosedRange, CompromisedKeys, Config, Ending, EndingCount, Endorsements, Escrows,
	HoldReason, HolderCertificateCount, HolderCertificates, OpenApplications, OpenByPayer,
	OpenCount, OpenPositions, OpenRenewals, Pallet, Registrants, SlashCount, Slashes,
	SubjectCertificateCount, SubjectCertificates, Subjects,
};
use alloc::collections::{BTreeMap, BTreeSet};
use dpki_primitives::{
	application::{Phase, Purpose},
	assurance::{EndorsementRecord, MAX_PER_ENDORSER},
	certificate::{Office, day_of},
	ids::{CertificateId, KeyId},
	revocation::RevocationReason,
};
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
	TryRuntimeError,
	traits::{CheckedAdd, Zero},
};

impl<T: Config> Pallet<T> {
	/// Checks everything. Reads the whole state of the pallet.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_open()?;
		Self::try_escrows()?;
		Self::try_closed()?;
		Self::try_certificates()?;
		Self::try_subjects()?;
		Self::try_endorsements()?;
		Self::try_accreditations()?;
		Self::try_bonds()?;
		Self::try_slashes()?;
		Self::try_registrants()
	}

	/// The list of open applications has no gaps and holds every one of them once.
	fn try_open() -> Result<(), TryRuntimeError> {
		let count = OpenCount::<T>::get();
		ensure!(
			OpenApplications::<T>::iter().count() == count as usize
				&& OpenPositions::<T>::iter().count() == count as usize,
			"the count of open applications is wrong"
		);
		let mut by_payer = BTreeMap::<[u8; 32], u32>::new();
		for position in 0..count {
			let id = OpenApplications::<T>::get(position).ok_or("the open list has a gap")?;
			ensure!(
				OpenPositions::<T>::get(id) == Some(position),
				"an open application stands elsewhere than noted"
			);
			let record = Applications::<T>::get(id).ok_or("an open application is not stored")?;
			ensure!(
				!matches!(record.phase, Phase::Closed { .. }),
				"a closed application is on the list of open ones"
			);
			ensure!(Escrows::<T>::contains_key(id), "an open application has no escrow");
			*by_payer.entry(record.payer).or_default() += 1;
		}
		for (payer, open) in OpenByPayer::<T>::iter() {
			ensure!(
				by_payer.remove(&payer.into()) == Some(open),
				"the count of a payer's open applications is wrong"
			);
		}
		ensure!(by_payer.is_empty(), "a payer's open applications are not counted");
		for (certificate, _, id) in OpenRenewals::<T>::iter() {
			let record = Applications::<T>::get(id).ok_or("a renewal is not stored")?;
			ensure!(
				record.certificate(id) == certificate && OpenPositions::<T>::contains_key(id),
				"a renewal is not an open application about its certificate"
			);
		}
		Ok(())
	}

	/// What payers have on hold is what their open applications say, to the last unit.
	fn try_escrows() -> Result<(), TryRuntimeError> {
		let mut held = BTreeMap::<[u8; 32], (BalanceOf<T>, BalanceOf<T>)>::new();
		for (id, escrow) in Escrows::<T>::iter() {
			ensure!(OpenPositions::<T>::contains_key(id), "an escrow is of no open application");
			let payer = Applications::<T>::get(id).ok_or("an escrow has no application")?.payer;
			let total = escrow.checked_total().ok_or("an escrow cannot be added up")?;
			let (fees, deposits) = held.entry(payer).or_insert((Zero::zero(), Zero::zero()));
			*fees = fees.checked_add(&total).ok_or("escrows cannot be added up")?;
			*deposits =
				deposits.checked_add(&escrow.deposit).ok_or("deposits cannot be added up")?;
		}
		for (payer, (fees, deposits)) in held {
			let payer = T::AccountId::from(payer);
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Escrow.into(), &payer) == fees,
				"a payer holds another amount in escrow than its applications say"
			);
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::ApplicationDeposit.into(), &payer)
					== deposits,
				"a payer holds other deposits than its applications say"
			);
		}
		Ok(())
	}

	/// Every closed application is in the queue once.
	fn try_closed() -> Result<(), TryRuntimeError> {
		let (first, next) = ClosedRange::<T>::get();
		let queued = next.checked_sub(first).ok_or("the queue ends before it begins")?;
		ensure!(
			ClosedQueue::<T>::iter().count() as u64 == queued,
			"the queue of closed applications has a gap"
		);
		for (_, (id, _)) in ClosedQueue::<T>::iter() {
			ensure!(
				Applications::<T>::get(id)
					.is_some_and(|record| matches!(record.phase, Phase::Closed { .. })),
				"the queue holds an application that is not closed"
			);
		}
		ensure!(
			Applications::<T>::iter().count() as u64 == queued + u64::from(OpenCount::<T>::get()),
			"an application is neither open nor queued"
		);
		Ok(())
	}

	/// Every certificate is on the lists of its subject and its holder, once.
	fn try_certificates() -> Result<(), TryRuntimeError> {
		let count = Certificates::<T>::iter().count();
		let of_subjects: u32 = SubjectCertificateCount::<T>::iter_values().sum();
		let of_holders: u32 = HolderCertificateCount::<T>::iter_values().sum();
		ensure!(
			count == of_subjects as usize
				&& count == of_holders as usize
				&& count == SubjectCertificates::<T>::iter().count()
				&& count == HolderCertificates::<T>::iter().count(),
			"the lists of certificates are not as long as their counts"
		);
		for (subject, index, id) in SubjectCertificates::<T>::iter() {
			ensure!(
				index < SubjectCertificateCount::<T>::get(subject)
					&& Certificates::<T>::get(id).is_some_and(|it| it.subject.id() == subject),
				"the list of a subject holds the certificate of another"
			);
		}
		for (holder, index, id) in HolderCertificates::<T>::iter() {
			ensure!(
				index < HolderCertificateCount::<T>::get(holder)
					&& Certificates::<T>::get(id).is_some_and(|it| it.holder == holder),
				"the list of a holder holds the certificate of another"
			);
		}
		for record in Certificates::<T>::iter_values() {
			ensure!(record.subject.is_well_formed(), "a subject has another form than its kind");
			ensure!(
				record.subject.needs_control_proof() == record.control_until.is_some(),
				"control is noted for the wrong kind of subject"
			);
		}
		let ending: u32 = EndingCount::<T>::iter_values().sum();
		ensure!(
			ending as usize == Ending::<T>::iter().count(),
			"the index by end is not as long as its counts"
		);
		let mut listed = BTreeSet::new();
		for (day, index, id) in Ending::<T>::iter() {
			ensure!(index < EndingCount::<T>::get(day), "the index by end has a gap");
			ensure!(Certificates::<T>::contains_key(id), "the index by end lists nothing");
			listed.insert((day, id));
		}
		Self::try_ends(&listed)
	}

	/// What has not ended stands under its day in the index by end, and the key of what ended as compromised is known as
	/// that.
	fn try_ends(listed: &BTreeSet<(u32, CertificateId)>) -> Result<(), TryRuntimeError> {
		let today = day_of(Self::now());
		for (id, record) in Certificates::<T>::iter() {
			let day = day_of(record.ends_at());
			match record.revocation {
				// Days that are over are cleaned.
				None => ensure!(
					day < today || listed.contains(&(day, id)),
					"a certificate does not stand under its day in the index by end"
				),
				Some(why) => ensure!(
					why.reason != RevocationReason::KeyCompromise
						|| CompromisedKeys::<T>::contains_key(KeyId::of(&record.key)),
					"the key of a certificate that was revoked as compromised is not known as that"
				),
			}
		}
		Ok(())
	}

	/// All that is live about a subject belongs to its one holder.
	fn try_subjects() -> Result<(), TryRuntimeError> {
		for (subject, record) in Subjects::<T>::iter() {
			for id in &record.live {
				let certificate = Certificates::<T>::get(id).ok_or("a subject lists nothing")?;
				ensure!(
					certificate.subject.id() == subject && certificate.holder == record.holder,
					"a subject lists a certificate of another subject or holder"
				);
			}
		}
		let now = Self::now();
		for (id, certificate) in Certificates::<T>::iter() {
			let status = Self::status_of(&certificate, now);
			ensure!(
				!certificate.holds_subject(status, now)
					|| Subjects::<T>::get(certificate.subject.id())
						.is_some_and(|subject| subject.live.contains(&id)),
				"a live certificate is not on the list of its subject"
			);
		}
		Ok(())
	}

	/// Endorsements are of certificates, by accounts that were accredited, two each at most.
	fn try_endorsements() -> Result<(), TryRuntimeError> {
		for (id, list) in Endorsements::<T>::iter() {
			ensure!(Certificates::<T>::contains_key(id), "an endorsement is of no certificate");
			for (index, record) in list.iter().enumerate() {
				let is_same = |other: &&EndorsementRecord| other.endorser == record.endorser;
				ensure!(
					list[..=index].iter().filter(is_same).count() <= MAX_PER_ENDORSER as usize,
					"an endorser endorsed a certificate more often than it can"
				);
				let endorser = T::AccountId::from(record.endorser);
				ensure!(
					Accreditations::<T>::contains_key(Office::Endorser, endorser),
					"an endorser was never accredited"
				);
			}
		}
		Ok(())
	}

	/// The list of an office holds everyone who was ever accredited for it, once.
	fn try_accreditations() -> Result<(), TryRuntimeError> {
		for office in [Office::Observer, Office::Endorser] {
			let count = AccreditedCount::<T>::get(office) as usize;
			ensure!(
				Accreditations::<T>::iter_prefix(office).count() == count
					&& Accredited::<T>::iter_prefix(office).count() == count,
				"the list of an office is not as long as its count"
			);
			for (_, account) in Accredited::<T>::iter_prefix(office) {
				ensure!(
					Accreditations::<T>::contains_key(office, account),
					"the list of an office holds somebody who was never accredited"
				);
			}
		}
		Ok(())
	}

	/// What is on hold for bonds is what the records say, to the last unit, and nothing is recorded that is nothing.
	fn try_bonds() -> Result<(), TryRuntimeError> {
		for account in Bonds::<T>::iter_keys().chain(frame_system::Account::<T>::iter_keys()) {
			let held = T::Currency::balance_on_hold(&HoldReason::EndorserBond.into(), &account);
			let mut recorded = BalanceOf::<T>::zero();
			if let Some(mut bond) = Bonds::<T>::get(&account) {
				ensure!(
					bond.unbonding.iter().all(|part| !part.amount.is_zero()),
					"a part of a bond is nothing"
				);
				for part in bond.amounts_mut() {
					recorded = recorded.checked_add(part).ok_or("a bond cannot be added up")?;
				}
				ensure!(!recorded.is_zero(), "a bond is nothing");
			}
			ensure!(held == recorded, "an account holds another bond than its record says");
		}
		Ok(())
	}

	/// The slashes of an account have no gaps, and each took something.
	fn try_slashes() -> Result<(), TryRuntimeError> {
		let count: u32 = SlashCount::<T>::iter_values().sum();
		ensure!(Slashes::<T>::iter().count() == count as usize, "the slashes are miscounted");
		for (account, index, slash) in Slashes::<T>::iter() {
			ensure!(index < SlashCount::<T>::get(&account), "a slash stands behind its list");
			ensure!(!slash.amount.is_zero(), "a slash took nothing");
		}
		Ok(())
	}

	/// Whose certificate, open application or accreditation there is, is remembered.
	fn try_registrants() -> Result<(), TryRuntimeError> {
		let accredited = Accreditations::<T>::iter_values().map(|it| it.organisation);
		let certified = Certificates::<T>::iter_values().filter_map(|it| it.holder.organisation());
		let applying = Applications::<T>::iter_values().filter_map(|it| match it.purpose {
			Purpose::Issue(request) => request.holder.organisation(),
			Purpose::Control(_) | Purpose::Endorsement(_) => None,
		});
		for organisation in accredited.chain(certified).chain(applying) {
			ensure!(
				Registrants::<T>::contains_key(organisation),
				"an organisation with certificates or an accreditation is not remembered"
			);
		}
		Ok(())
	}
}
