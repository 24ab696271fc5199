//! A chain in memory, and an agent on it with a real sshd to test its generations.
//!
//! The fake leaves out proofs, the light client and submission; the tests across crates have the real ones.

use async_trait::async_trait;
use dpki_agent::{
	agent::{Agent, StepError, Verdict},
	chain::Chain,
	config::{ChainSettings, Config, SshSettings},
	init::make,
	journal::{Accepted, Journal},
	keys::DeviceKeys,
	run::converge,
	seal::Vault,
};
use dpki_client::{
	AccountId, BlobStore, Bundle, Head, Item,
	blob::{self, BlobError},
	envelope::{self, RecipientKey},
	possession::{AgreementKey, HybridKey},
	primitives::{
		Moment,
		anchor::{AnchorKind, AnchorRecord},
		approval::ApprovalRecord,
		certificate::CertificateRecord,
		channel::{ChannelId, ChannelSet},
		delivery::{Acknowledgement, DeliveryBinding, DeliveryRecord, Suite},
		device::DeviceRecord,
		ids::{AnchorId, BlobDigest, CertificateId, DeviceId, KeyId, OrganisationId},
		key::{KeyRecord, KeyType, PublicKey},
		organisation::{DeliveryPolicy, OrganisationKind, OrganisationRecord, Role, RoleSet},
		revocation::{
			Hold, HoldAuthority, Revocation, RevocationReason, SshRevocation, SshSubject,
			Withdrawal,
		},
		status::{Status, Validity},
	},
	ssh::{HostCertificate, UserCertificate, sign_host, sign_user},
	view::ReadError,
};
use ssh_key::{Algorithm, PrivateKey, rand_core::OsRng};
use std::{
	collections::BTreeMap,
	fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::Command,
	sync::Mutex,
};
use tempfile::TempDir;

pub const GENESIS: [u8; 32] = [7; 32];
pub const PUBLISHER: AccountId = [8; 32];
pub const NOW: Moment = 1_790_000_000_000;

/// The clock of the device: a little ahead of the chain.
pub fn clock() -> Moment {
	NOW + 2_000
}

/// What is on record about a channel other than the default one.
#[derive(Clone, Default)]
pub struct OtherChannel {
	pub delivery: Option<DeliveryRecord>,
	pub approvals: Option<ApprovalRecord>,
	pub acknowledgement: Option<Acknowledgement>,
}

#[derive(Clone)]
pub struct FakeChain {
	pub head: Head,
	pub device: Option<DeviceRecord>,
	pub policy: DeliveryPolicy,
	pub roles: BTreeMap<AccountId, RoleSet>,
	pub keys: BTreeMap<KeyId, KeyRecord>,
	pub anchors: BTreeMap<AnchorId, (AnchorRecord, Vec<u8>)>,
	pub revocations: BTreeMap<AnchorId, Vec<SshRevocation>>,
	pub delivery: Option<DeliveryRecord>,
	pub approvals: Option<ApprovalRecord>,
	pub acknowledgement: Option<Acknowledgement>,
	pub others: BTreeMap<ChannelId, OtherChannel>,
	pub certificates: BTreeMap<CertificateId, (CertificateRecord, Status)>,
	/// Every read fails.
	pub silent: bool,
}

impl FakeChain {
	/// One that knows the device of this configuration and its publisher, and nothing else.
	pub fn of(config: &Config) -> Self {
		let name = config.device.as_bytes().to_vec().try_into().unwrap();
		Self {
			head: Head { number: 100, hash: [1; 32], time: NOW },
			device: Some(DeviceRecord {
				organisation: config.organisation_id(),
				name,
				enrolled_at: 1,
				keys_registered: 3,
				withdrawal: Default::default(),
			}),
			policy: DeliveryPolicy::Simple,
			keys: BTreeMap::new(),
			roles: BTreeMap::from([(PUBLISHER, RoleSet::EMPTY.with(Role::Publisher))]),
			anchors: BTreeMap::new(),
			revocations: BTreeMap::new(),
			delivery: None,
			approvals: None,
			acknowledgement: None,
			others: BTreeMap::new(),
			certificates: BTreeMap::new(),
			silent: false,
		}
	}

	fn answer<T>(&self, value: T) -> Result<T, ReadError> {
		if self.silent {
			return Err(ReadError::Timeless { block: self.head.number });
		}
		Ok(value)
	}

	fn on(&self, channel: ChannelId) -> OtherChannel {
		if channel == ChannelId::DEFAULT {
			let (delivery, approvals) = (self.delivery.clone(), self.approvals.clone());
			return OtherChannel {
				delivery,
				approvals,
				acknowledgement: self.acknowledgement.clone(),
			};
		}
		self.others.get(&channel).cloned().unwrap_or_default()
	}
}

#[async_trait]
impl Chain for FakeChain {
	fn head(&self) -> Head {
		self.head
	}

	async fn device(&self, _: DeviceId) -> Result<Option<DeviceRecord>, ReadError> {
		self.answer(self.device.clone())
	}

	async fn organisation(
		&self,
		_: OrganisationId,
	) -> Result<Option<OrganisationRecord>, ReadError> {
		self.answer(Some(OrganisationRecord {
			name: b"acme".to_vec().try_into().unwrap(),
			kind: OrganisationKind::EcosystemOperator,
			created_at: 1,
			members: 9,
			administrators: 2,
			watchdogs: 3,
			policy: self.policy,
		}))
	}

	async fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, ReadError> {
		self.answer(self.keys.get(&id).cloned())
	}

	async fn roles(&self, _: OrganisationId, account: &AccountId) -> Result<RoleSet, ReadError> {
		self.answer(self.roles.get(account).copied().unwrap_or_default())
	}

	async fn anchor(&self, id: AnchorId) -> Result<Option<AnchorRecord>, ReadError> {
		self.answer(self.anchors.get(&id).map(|(record, _)| record.clone()))
	}

	async fn anchor_material(&self, id: AnchorId) -> Result<Option<Vec<u8>>, ReadError> {
		let material = self.anchors.get(&id).map(|(_, material)| material.clone());
		self.answer(material.filter(|material| !material.is_empty()))
	}

	async fn ssh_revocation_count(&self, id: AnchorId) -> Result<u32, ReadError> {
		self.answer(self.revocations.get(&id).map_or(0, |list| list.len() as u32))
	}

	async fn ssh_revocations(&self, id: AnchorId) -> Result<Vec<SshRevocation>, ReadError> {
		self.answer(self.revocations.get(&id).cloned().unwrap_or_default())
	}

	async fn channels(&self, _: DeviceId) -> Result<ChannelSet, ReadError> {
		let default = self.delivery.as_ref().map(|_| ChannelId::DEFAULT);
		let others = self.others.iter().filter(|(_, it)| it.delivery.is_some());
		self.answer(default.into_iter().chain(others.map(|(channel, _)| *channel)).collect())
	}

	async fn delivery(
		&self,
		_: DeviceId,
		channel: ChannelId,
	) -> Result<Option<DeliveryRecord>, ReadError> {
		self.answer(self.on(channel).delivery)
	}

	async fn approvals(
		&self,
		_: DeviceId,
		channel: ChannelId,
	) -> Result<Option<ApprovalRecord>, ReadError> {
		self.answer(self.on(channel).approvals)
	}

	async fn acknowledgement(
		&self,
		_: DeviceId,
		channel: ChannelId,
	) -> Result<Option<Acknowledgement>, ReadError> {
		self.answer(self.on(channel).acknowledgement)
	}

	async fn certificate(
		&self,
		id: CertificateId,
	) -> Result<Option<(CertificateRecord, Status)>, ReadError> {
		self.answer(self.certificates.get(&id).cloned())
	}
}

#[derive(Default)]
pub struct FakeBlobs(pub Mutex<BTreeMap<BlobDigest, Vec<u8>>>);

#[async_trait]
impl BlobStore for FakeBlobs {
	async fn get(&self, digest: BlobDigest, _: u32) -> Result<Vec<u8>, BlobError> {
		self.0
			.lock()
			.unwrap()
			.get(&digest)
			.cloned()
			.ok_or_else(|| BlobError::Unavailable {
				cid: blob::cid(digest),
				reason: "nobody has it".into(),
			})
	}
}

/// An SSH CA with its anchor.
pub struct Ca {
	pub key: PrivateKey,
	pub anchor: AnchorId,
}

/// A device, its chain, and its publisher.
pub struct World {
	pub dir: TempDir,
	pub config: Config,
	pub vault: Vault,
	pub chain: FakeChain,
	pub blobs: FakeBlobs,
	pub agent: Option<Agent>,
	/// Where the publisher publishes.
	pub channel: ChannelId,
}

/// As it was before the delivery in force was, when `before` still was.
pub fn unfinish(journal: &mut Journal, before: Option<Accepted>) {
	let lane = journal.entries.lane(ChannelId::DEFAULT);
	let pending = std::mem::replace(&mut lane.applied, before).unwrap();
	lane.verdict = None;
	journal.entries.pending = Some((ChannelId::DEFAULT, pending));
}

pub fn new_key() -> PrivateKey {
	PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap()
}

/// As root sshd wants `/run/sshd` even for a test. Where it is missing the test runs in a user namespace of its own, in
/// which it is not root, and nothing outside the temporary directory is touched.
pub fn sshd(dir: &Path) -> PathBuf {
	let path = dir.join("sshd");
	let text = "#!/bin/sh\n\
		if [ \"$(id -u)\" = 0 ] && [ ! -d /run/sshd ]; then exec unshare --user /usr/sbin/sshd \"$@\"; fi\n\
		exec /usr/sbin/sshd \"$@\"\n";
	write_script(&path, text);
	path
}

pub fn write_script(path: &Path, text: &str) {
	fs::write(path, text).unwrap();
	fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// All files below a directory, but for links.
pub fn files_below(directory: &Path) -> Vec<PathBuf> {
	let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
	entries
		.filter(|path| !path.is_symlink())
		.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
		.collect()
}

impl World {
	pub fn new() -> Self {
		let dir = tempfile::tempdir().unwrap();
		fs::write(dir.path().join("chain.json"), "{}").unwrap();
		let config = Config {
			organisation: "acme".into(),
			device: "drone-7".into(),
			state: dir.path().join("state"),
			status_file: None,
			channels: None,
			chain: ChainSettings {
				spec: dir.path().join("chain.json"),
				genesis: GENESIS,
				peers: vec!["/ip4/127.0.0.1/tcp/1/p2p/x".into()],
				max_head_age: 600,
				checkpoint: None,
			},
			ssh: SshSettings {
				directory: dir.path().join("ssh"),
				sshd: sshd(dir.path()),
				..SshSettings::default()
			},
			freshness: Default::default(),
			blobs: Vec::new(),
			apply: Default::default(),
			service: Default::default(),
		};
		let config = make(&dir.path().join("agent.toml"), config, None).unwrap().config;
		let chain = FakeChain::of(&config);
		let vault = Vault::open_state(&config.state);
		let mut world = Self {
			dir,
			config,
			vault,
			chain,
			blobs: FakeBlobs::default(),
			agent: None,
			channel: ChannelId::DEFAULT,
		};
		world.restart();
		world
	}

	pub fn vault(&self) -> Vault {
		self.vault.clone()
	}

	pub fn keys(&self) -> DeviceKeys {
		DeviceKeys::load(&self.vault()).unwrap()
	}

	/// What a crash leaves: a new agent on the same files.
	pub fn restart(&mut self) {
		self.restart_at(clock);
	}

	/// The same when the device's clock shows something else.
	pub fn restart_at(&mut self, clock: fn() -> Moment) {
		self.agent = Some(Agent::open(&self.config, self.keys(), clock).unwrap());
	}

	pub fn agent(&mut self) -> &mut Agent {
		self.agent.as_mut().unwrap()
	}

	/// The next block.
	pub async fn step(&mut self) -> Result<(), StepError> {
		self.chain.head.number += 1;
		self.chain.head.time += 1000;
		let agent = self.agent.as_mut().unwrap();
		let result = converge(agent, &self.chain, &self.blobs).await;
		agent.report(result.as_ref().err().map(ToString::to_string));
		result
	}

	pub fn register(&mut self, kind: AnchorKind) -> Ca {
		let organisation = self.config.organisation_id();
		self.register_for(kind, organisation)
	}

	pub fn register_for(&mut self, kind: AnchorKind, organisation: OrganisationId) -> Ca {
		let key = new_key();
		let material = key.public_key().to_bytes().unwrap();
		let anchor = AnchorId::of(kind, &material);
		let bytes = key.public_key().key_data().ed25519().unwrap().0;
		let public = PublicKey::new(KeyType::Ed25519, &bytes).unwrap();
		let validity = Validity { not_before: 1, not_after: None };
		let key_id = KeyId::of(&public);
		let record = AnchorRecord::new(organisation, kind, Some(public), key_id, validity, 1);
		self.chain.anchors.insert(anchor, (record, material));
		Ca { key, anchor }
	}

	pub fn anchor(&mut self, id: AnchorId) -> &mut AnchorRecord {
		&mut self.chain.anchors.get_mut(&id).unwrap().0
	}

	pub fn revoke(&mut self, anchor: AnchorId, subject: SshSubject) {
		let entry = SshRevocation { subject, revocation: revocation() };
		self.chain.revocations.entry(anchor).or_default().push(entry);
	}

	/// From here on the publisher publishes on this channel.
	pub fn on(&mut self, channel: u8) -> &mut Self {
		self.channel = ChannelId::new(channel).unwrap();
		self
	}

	/// What the chain is to be told, first of all.
	pub async fn due(&mut self) -> Option<Verdict> {
		self.all_due().await.into_iter().next()
	}

	/// All that the chain is to be told.
	pub async fn all_due(&mut self) -> Vec<Verdict> {
		let chain = self.chain.clone();
		self.agent().due_acknowledgements(&chain).await.unwrap()
	}

	/// Seals the bundle for this device and publishes it as the newest delivery.
	pub fn publish(&mut self, sequence: u64, items: Vec<Item>) {
		let device = self.config.device_id();
		self.publish_for(device, sequence, items);
	}

	/// Publishes for this device what was sealed for `device`.
	pub fn publish_for(&mut self, device: DeviceId, sequence: u64, items: Vec<Item>) {
		let plaintext = Bundle { items }.encode().unwrap();
		self.seal(device, sequence, &plaintext);
	}

	/// Publishes what no honest publisher could write: items that break the rules of bundles.
	pub fn publish_forged(&mut self, sequence: u64, items: Vec<Item>) {
		let plaintext = Bundle { items }.encode_unchecked().unwrap();
		let device = self.config.device_id();
		self.seal(device, sequence, &plaintext);
	}

	/// What delivery `sequence` to this device is bound to.
	pub fn binding(&self, sequence: u64) -> DeliveryBinding {
		let suite = Suite::X25519ChaCha20Poly1305;
		self.record(PUBLISHER, sequence, suite, KeyId::of(&self.keys().agreement.public()))
			.binding(GENESIS, self.config.device_id(), self.channel)
	}

	fn record(
		&self,
		publisher: AccountId,
		sequence: u64,
		suite: Suite,
		recipient: KeyId,
	) -> DeliveryRecord {
		DeliveryRecord {
			organisation: self.config.organisation_id(),
			publisher,
			sequence,
			suite,
			recipient,
			digest: BlobDigest([0; 32]),
			length: 0,
			published_at: self.chain.head.time,
		}
	}

	pub fn seal(&mut self, device: DeviceId, sequence: u64, plaintext: &[u8]) {
		self.seal_by(PUBLISHER, device, sequence, plaintext);
	}

	pub fn seal_by(
		&mut self,
		publisher: AccountId,
		device: DeviceId,
		sequence: u64,
		plaintext: &[u8],
	) {
		let recipient = self.keys().agreement.public();
		let suite = Suite::X25519ChaCha20Poly1305;
		let record = self.record(publisher, sequence, suite, KeyId::of(&recipient));
		let sealed =
			envelope::seal(&recipient, &record.binding(GENESIS, device, self.channel), plaintext)
				.unwrap();
		self.put(record, sealed);
	}

	/// Publishes a bundle that is sealed to this key, whether the device has it or not.
	pub fn publish_to(&mut self, key: &AgreementKey, sequence: u64, bundle: &Bundle) {
		let suite = Suite::X25519ChaCha20Poly1305;
		let record = self.record(PUBLISHER, sequence, suite, KeyId::of(&key.public()));
		let place = record.binding(GENESIS, self.config.device_id(), self.channel);
		let sealed = envelope::seal(&key.public(), &place, &bundle.encode().unwrap()).unwrap();
		self.put(record, sealed);
	}

	/// Publishes a bundle that is sealed to this hybrid key, under one of its suites.
	pub fn publish_to_hybrid(
		&mut self,
		key: &HybridKey,
		suite: Suite,
		sequence: u64,
		bundle: &Bundle,
	) {
		let device = self.config.device_id();
		let recipient = KeyId::of_device(device, &key.public());
		let record = self.record(PUBLISHER, sequence, suite, recipient);
		let place = record.binding(GENESIS, device, self.channel);
		let public = RecipientKey::XWing(key.public_bytes());
		let sealed = envelope::seal_to(&public, &place, &bundle.encode().unwrap()).unwrap();
		self.put(record, sealed);
	}

	/// Publishes what `seal` makes of the place of a delivery to this hybrid key, under an honest record.
	pub fn publish_shared_to_hybrid(
		&mut self,
		key: &HybridKey,
		sequence: u64,
		seal: impl FnOnce(&DeliveryBinding) -> Vec<u8>,
	) {
		let device = self.config.device_id();
		let recipient = KeyId::of_device(device, &key.public());
		let record = self.record(PUBLISHER, sequence, Suite::SharedXWing, recipient);
		let sealed = seal(&record.binding(GENESIS, device, ChannelId::DEFAULT));
		self.put(record, sealed);
	}

	/// Publishes what `seal` makes of the key of the device, under an honest record.
	pub fn publish_sealed(
		&mut self,
		sequence: u64,
		suite: Suite,
		seal: impl FnOnce(&RecipientKey) -> Vec<u8>,
	) {
		let recipient = self.keys().agreement.public();
		let record = self.record(PUBLISHER, sequence, suite, KeyId::of(&recipient));
		let sealed = seal(&RecipientKey::X25519(recipient));
		self.put(record, sealed);
	}

	/// Alters the newest blob, and has the record name the altered one: only the envelope can tell.
	pub fn alter_blob(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
		let record = self.chain.delivery.take().unwrap();
		let mut blob = self.blobs.0.lock().unwrap().remove(&record.digest).unwrap();
		change(&mut blob);
		self.put(record, blob);
	}

	fn put(&mut self, mut record: DeliveryRecord, sealed: Vec<u8>) {
		record.digest = BlobDigest::of(&sealed);
		record.length = sealed.len() as u32;
		self.blobs.0.lock().unwrap().insert(record.digest, sealed);
		if self.channel == ChannelId::DEFAULT {
			self.chain.delivery = Some(record);
		} else {
			self.chain.others.entry(self.channel).or_default().delivery = Some(record);
		}
	}

	/// Alters the newest blob of a channel other than the default one, and has the record name the altered one.
	pub fn alter_other(&mut self, channel: ChannelId) {
		let record = self.chain.others.get_mut(&channel).unwrap().delivery.take().unwrap();
		let mut blob = self.blobs.0.lock().unwrap().remove(&record.digest).unwrap();
		*blob.last_mut().unwrap() ^= 1;
		let before = std::mem::replace(&mut self.channel, channel);
		self.put(record, blob);
		self.channel = before;
	}

	/// A host certificate of this CA for our host key.
	pub fn host_certificate(&self, ca: &Ca) -> String {
		self.host_certificate_until(ca, NOW / 1000 + 86_400)
	}

	pub fn host_certificate_until(&self, ca: &Ca, valid_until: u64) -> String {
		let certificate = HostCertificate {
			serial: None,
			key_id: "drone-7".into(),
			principals: vec!["drone-7.acme.example".into()],
			valid_from: NOW / 1000 - 86_400,
			valid_until,
		};
		sign_host(&ca.key, &self.keys().host, &certificate)
			.unwrap()
			.to_openssh()
			.unwrap()
	}

	/// A user certificate of this CA for this key.
	pub fn user_certificate(&self, ca: &Ca, key: &PrivateKey) -> ssh_key::Certificate {
		let certificate = UserCertificate {
			serial: None,
			key_id: "admin".into(),
			principals: vec!["admin".into()],
			valid_from: NOW / 1000 - 3600,
			valid_until: NOW / 1000 + 3600,
			extensions: vec![],
		};
		sign_user(&ca.key, key.public_key(), &certificate).unwrap()
	}

	/// Whether `ssh-keygen -Q` takes the key or certificate in this line for revoked by a list in force. It says so by
	/// name, so that a list that it cannot read does not pass for one that revokes.
	pub fn is_revoked(&self, list: &str, line: &str) -> bool {
		let path = self.dir.path().join("asked.pub");
		fs::write(&path, format!("{line}\n")).unwrap();
		let list = self.current().join(list);
		let asked = Command::new("ssh-keygen").arg("-Q").arg("-f").args([&list, &path]).output();
		let asked = asked.unwrap();
		let said = String::from_utf8_lossy(&asked.stdout);
		match asked.status.code() {
			Some(0) => assert!(said.trim_end().ends_with(": ok"), "{asked:?}"),
			Some(1) => assert!(said.trim_end().ends_with(": REVOKED"), "{asked:?}"),
			_ => panic!("{asked:?}"),
		}
		asked.status.code() == Some(1)
	}

	pub fn current(&self) -> PathBuf {
		self.config.ssh.directory.join("current")
	}

	/// A file of the generation in force; empty if it is not there.
	pub fn file(&self, name: &str) -> String {
		fs::read(self.current().join(name))
			.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
			.unwrap_or_default()
	}

	pub fn generation(&self) -> PathBuf {
		fs::read_link(self.current()).unwrap()
	}

	pub fn trusts(&self, ca: &Ca) -> bool {
		self.file("trusted_user_ca_keys").contains(&ca.anchor.to_string())
	}

	pub fn krl(&self) -> dpki_agent::ssh::krl::Krl {
		let bytes = fs::read(self.current().join("revoked_keys")).unwrap();
		dpki_agent::ssh::krl::Krl::decode(&bytes).unwrap()
	}

	pub fn refusal(&mut self) -> String {
		self.agent()
			.status()
			.last_refusal
			.as_ref()
			.map_or(String::new(), |last| last.reason.clone())
	}
}

/// The public half in a line, as in a `.pub` file.
pub fn line(key: &PrivateKey) -> String {
	key.public_key().to_openssh().unwrap()
}

pub fn revocation() -> Revocation {
	Revocation { reason: RevocationReason::KeyCompromise, at: NOW }
}

pub fn hold() -> Withdrawal {
	let (reason, by) = (RevocationReason::KeyCompromise, HoldAuthority::Registrar);
	Withdrawal::OnHold(Hold { reason, at: NOW, by })
}

pub fn user_ca(ca: &Ca) -> Item {
	Item::SshUserCa { anchor: ca.anchor }
}

pub fn known_host_ca(ca: &Ca, hosts: &str) -> Item {
	Item::SshKnownHostCa { anchor: ca.anchor, hosts: vec![hosts.into()] }
}

pub fn principals(login: &str, names: &[&str]) -> Item {
	Item::SshPrincipals {
		login: login.into(),
		principals: names.iter().map(|name| name.to_string()).collect(),
	}
}
