//! Deliveries that wait for approvals, and who gives them.
//!
//! Under a policy that asks for approvals `publish` makes a proposal, whose blob is in a block like any other, but which no
//! device looks at. The account whose approval is the last that was missing makes it the newest delivery on its channel. Approvals are
//! counted anew each time, over the roles of that moment: who is a watchdog no longer has no say in what was published
//! before either. What was counted is kept beside the delivery, so that the device can count again.

use crate::{Approvals, Channels, Config, Deliveries, Error, Event, Pallet, Proposals};
use dpki_primitives::{
	approval::{ApprovalRecord, ApprovalRule, PROPOSAL_LIFETIME, Proposal},
	channel::ChannelId,
	delivery::DeliveryRecord,
	ids::{DeliveryId, DeviceId, OrganisationId},
	organisation::{DeliveryPolicies, Organisations, Role},
	registry::Registry,
};
use frame_support::{ensure, pallet_prelude::*, traits::Time};

impl<T: Config> Pallet<T> {
	/// Whose approvals a delivery in the name of this organisation needs; `None` if a publisher suffices.
	///
	/// HAZARD: an organisation without a policy does not exist. That must not pass for one that trusts its publishers, so
	/// whoever asks has to know that it exists.
	pub(crate) fn approval_rule(organisation: OrganisationId) -> Option<ApprovalRule> {
		T::Policies::delivery_policy(organisation).and_then(ApprovalRule::of)
	}

	/// That nothing of another publisher waits for this device on this channel that could be approved yet: approvers would lose what they
	/// are about to read, or have read.
	pub(crate) fn ensure_may_propose(
		publisher: &T::AccountId,
		device: DeviceId,
		channel: ChannelId,
	) -> DispatchResult {
		let Some(proposal) = Proposals::<T>::get(device, channel) else { return Ok(()) };
		let Proposal { record, expires_at, .. } = proposal;
		let is_own = record.publisher == publisher.clone().into();
		ensure!(
			is_own
				|| T::Time::now() > expires_at
				|| Self::ensure_still_deliverable(device, &record).is_err(),
			Error::<T>::ProposalWaiting
		);
		Ok(())
	}

	/// Lets a delivery wait for approvals. It takes the place of one that still waits on its channel.
	pub(crate) fn propose(
		device: DeviceId,
		channel: ChannelId,
		record: DeliveryRecord,
		publisher: T::AccountId,
	) {
		let expires_at = T::Time::now().saturating_add(PROPOSAL_LIFETIME);
		let DeliveryRecord { organisation, sequence, recipient, digest, length, .. } = record;
		Proposals::<T>::insert(
			device,
			channel,
			Proposal { record, expires_at, approvals: Default::default() },
		);
		Self::deposit_event(Event::DeliveryProposed {
			device,
			channel,
			organisation,
			publisher,
			sequence,
			recipient,
			digest,
			length,
			expires_at,
		});
	}

	/// Makes a delivery the newest one of its device on its channel.
	pub(crate) fn put_in_place(
		device: DeviceId,
		channel: ChannelId,
		record: DeliveryRecord,
		publisher: T::AccountId,
		approvals: Option<ApprovalRecord>,
	) {
		let DeliveryRecord { organisation, sequence, recipient, digest, length, .. } = record;
		Deliveries::<T>::insert(device, channel, record);
		let channels = Channels::<T>::get(device);
		if !channels.contains(channel) {
			Channels::<T>::insert(device, channels.with(channel));
		}
		Approvals::<T>::set(device, channel, approvals);
		// What waited has a number that is not higher, or was overtaken: its time has passed.
		Proposals::<T>::remove(device, channel);
		Self::deposit_event(Event::DeliveryPublished {
			device,
			channel,
			organisation,
			publisher,
			sequence,
			recipient,
			digest,
			length,
		});
	}

	/// Approves what waits, and tells how many earlier approvals were counted again.
	pub(crate) fn do_approve(
		approver: T::AccountId,
		device: DeviceId,
		channel: ChannelId,
		delivery: DeliveryId,
	) -> Result<u32, DispatchError> {
		let mut proposal = Self::proposal(device, channel, delivery)?;
		let record = &proposal.record;
		ensure!(T::Time::now() <= proposal.expires_at, Error::<T>::ProposalExpired);
		let organisation = record.organisation;
		let rule = Self::approval_rule(organisation).ok_or(Error::<T>::ApprovalNotNeeded)?;
		let account: [u8; 32] = approver.clone().into();
		ensure!(
			T::Organisations::has_role(organisation, &approver, rule.role),
			Error::<T>::RoleMissing
		);
		ensure!(!(rule.by_another && account == record.publisher), Error::<T>::ApproverIsPublisher);
		ensure!(!proposal.approvals.contains(&account), Error::<T>::ApprovalRepeated);
		Self::ensure_still_deliverable(device, record)?;

		let counted = proposal.approvals.len() as u32;
		proposal.approvals.retain(|account| {
			let is_approver =
				T::Organisations::has_role(organisation, &T::AccountId::from(*account), rule.role);
			is_approver && !(rule.by_another && *account == record.publisher)
		});
		// There is room: who is counted has a seat, and of these there are no more than entries.
		proposal
			.approvals
			.try_push(account)
			.map_err(|_| Error::<T>::ApprovalNotNeeded)?;
		let missing = rule.missing(proposal.approvals.len() as u32);
		Self::deposit_event(Event::DeliveryApproved {
			device,
			channel,
			sequence: record.sequence,
			digest: record.digest,
			approver,
			missing,
		});
		if missing > 0 {
			Proposals::<T>::insert(device, channel, proposal);
		} else {
			let Proposal { record, approvals: by, .. } = proposal;
			let publisher = T::AccountId::from(record.publisher);
			let approvals = ApprovalRecord { delivery, by };
			Self::put_in_place(device, channel, record, publisher, Some(approvals));
		}
		Ok(counted)
	}

	/// Takes back what waits.
	pub(crate) fn do_withdraw(
		publisher: T::AccountId,
		device: DeviceId,
		channel: ChannelId,
		delivery: DeliveryId,
	) -> DispatchResult {
		let record = Self::proposal(device, channel, delivery)?.record;
		let account: [u8; 32] = publisher.into();
		ensure!(account == record.publisher, Error::<T>::NotThePublisher);
		Proposals::<T>::remove(device, channel);
		let DeliveryRecord { sequence, digest, .. } = record;
		Self::deposit_event(Event::ProposalWithdrawn { device, channel, sequence, digest });
		Ok(())
	}

	/// What waits, if it is exactly this.
	fn proposal(
		device: DeviceId,
		channel: ChannelId,
		delivery: DeliveryId,
	) -> Result<Proposal, Error<T>> {
		Proposals::<T>::get(device, channel)
			.filter(|proposal| proposal.record.id(device, channel) == delivery)
			.ok_or(Error::<T>::ProposalUnknown)
	}

	/// Whether what was true when it was published still is: approving must not bring what publishing could not.
	fn ensure_still_deliverable(device: DeviceId, record: &DeliveryRecord) -> Result<(), Error<T>> {
		let publisher = T::AccountId::from(record.publisher);
		ensure!(
			T::Organisations::has_role(record.organisation, &publisher, Role::Publisher),
			Error::<T>::PublisherLost
		);
		ensure!(T::Registry::device_status(device).is_valid(), Error::<T>::DeviceNotValid);
		Self::ensure_recipient(device, record.suite, record.recipient)
	}
}
