//! The proven reads that convergence needs, all at one finalised block.

use async_trait::async_trait;
use dpki_client::{
	AccountId, Head, View,
	primitives::{
		anchor::AnchorRecord,
		approval::ApprovalRecord,
		certificate::CertificateRecord,
		channel::{ChannelId, ChannelSet},
		delivery::{Acknowledgement, DeliveryRecord},
		device::DeviceRecord,
		ids::{AnchorId, CertificateId, DeviceId, KeyId, OrganisationId},
		key::KeyRecord,
		organisation::{OrganisationRecord, RoleSet},
		revocation::SshRevocation,
		status::Status,
	},
	view::ReadError,
};

/// The state at one finalised block. `None` is proven absence, an error is no answer.
#[async_trait]
pub trait Chain: Send + Sync {
	/// The block.
	fn head(&self) -> Head;
	/// The device.
	async fn device(&self, id: DeviceId) -> Result<Option<DeviceRecord>, ReadError>;
	/// The organisation.
	async fn organisation(
		&self,
		id: OrganisationId,
	) -> Result<Option<OrganisationRecord>, ReadError>;
	/// The roles of an account in an organisation.
	async fn roles(&self, id: OrganisationId, account: &AccountId) -> Result<RoleSet, ReadError>;
	/// A key of a device.
	async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError>;
	/// The anchor.
	async fn anchor(&self, id: AnchorId) -> Result<Option<AnchorRecord>, ReadError>;
	/// Its key.
	async fn anchor_material(&self, id: AnchorId) -> Result<Option<Vec<u8>>, ReadError>;
	/// How many entries its revocation list has. Entries are never removed or changed.
	async fn ssh_revocation_count(&self, id: AnchorId) -> Result<u32, ReadError>;
	/// Its revocation list.
	async fn ssh_revocations(&self, id: AnchorId) -> Result<Vec<SshRevocation>, ReadError>;
	/// The channels on which a device ever got a delivery.
	async fn channels(&self, id: DeviceId) -> Result<ChannelSet, ReadError>;
	/// The newest delivery for a device on a channel.
	async fn delivery(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<Option<DeliveryRecord>, ReadError>;
	/// Who approved it; `None` if nobody had to.
	async fn approvals(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<Option<ApprovalRecord>, ReadError>;
	/// The newest acknowledgement of a device on a channel.
	async fn acknowledgement(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<Option<Acknowledgement>, ReadError>;
	/// A certificate, and the verdict about it.
	async fn certificate(
		&self,
		id: CertificateId,
	) -> Result<Option<(CertificateRecord, Status)>, ReadError>;
}

#[async_trait]
impl Chain for View {
	fn head(&self) -> Head {
		self.head()
	}

	async fn device(&self, id: DeviceId) -> Result<Option<DeviceRecord>, ReadError> {
		self.device(id).await
	}

	async fn organisation(
		&self,
		id: OrganisationId,
	) -> Result<Option<OrganisationRecord>, ReadError> {
		self.organisation(id).await
	}

	async fn roles(&self, id: OrganisationId, account: &AccountId) -> Result<RoleSet, ReadError> {
		self.roles(id, account).await
	}

	async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError> {
		self.key(id).await
	}

	async fn anchor(&self, id: AnchorId) -> Result<Option<AnchorRecord>, ReadError> {
		self.anchor(id).await
	}

	async fn anchor_material(&self, id: AnchorId) -> Result<Option<Vec<u8>>, ReadError> {
		self.anchor_material(id).await
	}

	async fn ssh_revocation_count(&self, id: AnchorId) -> Result<u32, ReadError> {
		self.ssh_revocation_count(id).await
	}

	async fn ssh_revocations(&self, id: AnchorId) -> Result<Vec<SshRevocation>, ReadError> {
		self.ssh_revocations(id).await
	}

	async fn channels(&self, id: DeviceId) -> Result<ChannelSet, ReadError> {
		self.channels(id).await
	}

	async fn delivery(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<Option<DeliveryRecord>, ReadError> {
		self.delivery(id, channel).await
	}

	async fn approvals(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<Option<ApprovalRecord>, ReadError> {
		self.approvals(id, channel).await
	}

	async fn acknowledgement(
		&self,
		id: DeviceId,
		channel: ChannelId,
	) -> Result<Option<Acknowledgement>, ReadError> {
		self.acknowledgement(id, channel).await
	}

	async fn certificate(
		&self,
		id: CertificateId,
	) -> Result<Option<(CertificateRecord, Status)>, ReadError> {
		self.stored_certificate(id).await
	}
}
