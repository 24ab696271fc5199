//! What puts the parts of a bundle in force, each thing by its applier.
//!
//! | module | rule |
//! |---|---|
//! | [`ssh`] | access by certificates, host certificate, revocation lists |
//! | [`authorized`] | access by plain keys: blocks in `authorized_keys`, and answers for `AuthorizedKeysCommand` |
//! | [`tls`] | identity, trust bundle and revocation lists of a service |
//! | [`psk`] | pre-shared keys, for mosquitto |
//! | [`opaque`] | anything else, for a program that the configuration names |
//! | [`user_key`] | private keys of the users of the device, where they look for them |
//! | `generational` | what the last five have in common |
//! | `store` | generations of files, some of which are secret |
//! | `place` | files in directories that belong to users |
//! | [`settings`] | what the configuration says |
//!
//! A delivery is put in force in two passes. First every applier plans and validates, which changes nothing that counts;
//! then each commits. If one cannot, all that were before it go back, so a bundle is in force as a whole or not at all.
//! Access by SSH comes last: nothing after it can fail. A revocation goes the other way round: SSH comes first, and each
//! applier stands for itself, because a web server that does not start again must not hold a revocation up, and none goes
//! back: what was taken away stays so, even if whoever reads the files could not be told of it. What could not be put
//! right is told, tried again later, and keeps neither revocations nor deliveries back. Nor does a user who keeps its own key
//! from being put where it looks for it.
//!
//! After a crash at any point the journal says which bundle is wanted, and every applier finds out for itself what is
//! left to do: what is in force is compared with what is wanted, and a mark on the disk says whether whoever reads the
//! files has been told. The mark goes only when the journal says that the delivery is in force, so the way back is open
//! until then.

pub mod authorized;
mod generational;
pub mod opaque;
mod place;
pub mod psk;
pub mod settings;
pub mod ssh;
mod store;
pub mod tls;
pub mod user_key;

pub use crate::steps::Steps;
pub use store::Files;

use crate::{
	config::Config,
	files::FileError,
	ssh::{applier::ApplyError as SshError, check::CommandError, state::SshState},
};
use async_trait::async_trait;
use dpki_client::{Item, Use, primitives::Moment};
use generational::{Content, Generational};
use std::{
	collections::BTreeMap,
	iter::once,
	path::Path,
	time::{Duration, Instant},
};

/// How long an applier other than that of SSH is left alone that could not put right what is in force.
const RETRY: Duration = Duration::from_secs(30);

/// Why something is not in force.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
	/// For SSH.
	#[error(transparent)]
	Ssh(#[from] SshError),
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// What was delivered cannot be.
	#[error("{applier}: {problem}")]
	Content {
		/// For which applier.
		applier: String,
		/// What is wrong.
		problem: String,
	},
	/// What was read back is not what was written.
	#[error("{applier}: {file} does not read back as it was written: check the disk")]
	ReadBack {
		/// For which applier.
		applier: String,
		/// Which file.
		file: String,
	},
	/// Whoever reads the files could not be told.
	#[error("{applier}: {source}")]
	Told {
		/// For which applier.
		applier: String,
		/// What happened.
		#[source]
		source: CommandError,
	},
	/// A user keeps the files from its own directory. It is told later, and fails no delivery: what that brings, and takes
	/// away from others, is none of this user's business.
	#[error("{applier}: {source}")]
	Hindered {
		/// For which applier.
		applier: String,
		/// What happened.
		#[source]
		source: CommandError,
	},
}

/// Why something is to be put in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
	/// A new delivery.
	Delivery,
	/// A revocation, or a file that is not as it should be.
	Enforcement,
}

/// What is to be in force.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
	/// All of it.
	pub state: &'a SshState,
	/// The chain time.
	pub now: Moment,
	/// Why.
	pub cause: Cause,
}

impl Wanted<'_> {
	/// Whether a part comes with a new delivery: then every rule holds. One that another channel has in force stays as it is.
	pub fn is_new(&self, part: &Item) -> bool {
		self.cause == Cause::Delivery && !self.state.settled.contains(part)
	}
}

/// What time it is for what ends by itself.
#[derive(Clone, Copy, Debug)]
pub struct Now {
	/// As far as it is known.
	pub time: Moment,
	/// Whether it is that whatever the device's clock shows.
	pub is_certain: bool,
}

/// Puts one thing in force. What is planned, laid ready and committed is kept inside between the calls; a call for which
/// there is nothing to do does nothing.
#[async_trait]
pub trait Applier: Send {
	/// Which one it is, for whoever reads an error.
	fn name(&self) -> &str;

	/// Whether it can put such a part in force.
	fn takes(&self, part: &Item) -> bool;

	/// Makes what whoever reads the files needs to start, if there is nothing yet.
	fn initialise(&mut self) -> Result<(), ApplyError> {
		Ok(())
	}

	/// Finds out what there is to do, and whether there is something. Writes nothing.
	fn plan(&mut self, wanted: &Wanted<'_>) -> Result<bool, ApplyError>;

	/// Finds out whether what is in force is as it is wanted, for [`hear`](Self::hear) alone.
	fn look(&mut self, _wanted: &Wanted<'_>) {}

	/// Lays everything ready and tests it. Nothing of it counts.
	async fn validate(&mut self) -> Result<(), ApplyError>;

	/// Puts it in force, and tells whoever reads it. After an error [`rollback`](Self::rollback) has to follow.
	async fn commit(&mut self) -> Result<(), ApplyError>;

	/// Why somebody has yet to be told of what a delivery has brought, though it is no reason to go back.
	fn hindrance(&mut self) -> Option<ApplyError> {
		None
	}

	/// Puts in force again what was before [`commit`](Self::commit), or gives up what lies ready.
	async fn rollback(&mut self);

	/// Leaves in force what was switched to, and closes the way back, which would lead to what was taken away. Whoever could
	/// not be told is told later.
	fn keep(&mut self);

	/// Forgets the way back.
	fn settle(&mut self);

	/// Whether it puts something in force for this use, which ends when the chain is not heard for too long.
	fn serves(&self, _what: Use) -> bool {
		false
	}

	/// Takes away what must not be in force for this use while the chain is not heard. The next block that is young enough
	/// brings it back. Whoever has to be asked to read the files anew is told by [`tell_closed`](Self::tell_closed).
	fn close(&mut self, _what: Use) -> Result<(), ApplyError> {
		Ok(())
	}

	/// Tells whoever reads the files that they were closed, if that is still to be done.
	async fn tell_closed(&mut self) -> Result<(), ApplyError> {
		Ok(())
	}

	/// Takes away what is over at this moment.
	fn expire(&mut self, _now: Now) -> Result<(), ApplyError> {
		Ok(())
	}

	/// Takes note of the time of a proven block, all of which is in force.
	fn hear(&mut self, _time: Moment) {}
}

/// All appliers of a device.
pub struct Appliers {
	/// That of SSH, without which there is no device.
	pub ssh: ssh::SshApplier,
	others: Vec<Box<dyn Applier>>,
	/// Which of them could not put right what is in force, why, and until when it is left alone.
	troubles: BTreeMap<String, (String, Instant)>,
}

impl Appliers {
	/// The appliers that the configuration names.
	pub fn new(config: &Config, steps: Steps) -> Result<Self, ApplyError> {
		let others = others(config, &steps).into_iter().collect::<Result<_, _>>()?;
		let ssh = ssh::SshApplier::new(&config.ssh, config.apply.host_key, steps);
		let mut appliers = Self { ssh, others, troubles: BTreeMap::new() };
		for applier in appliers.in_order(Cause::Enforcement) {
			applier.initialise()?;
		}
		Ok(appliers)
	}

	/// The same for whoever takes away only: nothing is made that is not there. Beside them, why one is missing, which keeps
	/// no other from that.
	pub fn as_they_are(config: &Config) -> (Self, Vec<ApplyError>) {
		let steps = Steps::default();
		let (mut others, mut errors) = (Vec::new(), Vec::new());
		for found in self::others(config, &steps) {
			match found {
				Ok(applier) => others.push(applier),
				Err(error) => errors.push(error),
			}
		}
		let ssh = ssh::SshApplier::new(&config.ssh, config.apply.host_key, steps);
		(Self { ssh, others, troubles: BTreeMap::new() }, errors)
	}

	/// Whether one of them other than that of SSH can put such a part in force.
	pub fn takes(&self, part: &Item) -> bool {
		self.others.iter().any(|applier| applier.takes(part))
	}

	/// Whether what is wanted can be; the error says why not.
	pub fn judge(&mut self, state: &SshState, now: Moment) -> Result<(), ApplyError> {
		let wanted = Wanted { state, now, cause: Cause::Delivery };
		self.others.iter_mut().try_for_each(|applier| applier.plan(&wanted).map(drop))
	}

	/// Lays everything ready that is not as it is wanted, and tells whether there is something. From here on
	/// [`commit`](Self::commit) has to be called, unless there is nothing.
	pub async fn prepare(
		&mut self,
		state: &SshState,
		now: Moment,
		cause: Cause,
	) -> Result<bool, ApplyError> {
		let wanted = Wanted { state, now, cause };
		if cause == Cause::Delivery {
			let prepared = prepare_all(&mut self.in_order(cause), &wanted).await;
			if prepared.is_err() {
				self.rollback().await;
			}
			return prepared;
		}
		let mut is_due = self.ssh.plan(&wanted)?;
		self.ssh.validate().await?;
		for applier in &mut self.others {
			let last = self.troubles.get(applier.name());
			if last.is_some_and(|(_, until)| *until > Instant::now()) {
				// News of which nobody knows whether they are in force must not pass for heard.
				applier.look(&wanted);
				continue;
			}
			self.troubles.remove(applier.name());
			match prepare_one(applier.as_mut(), &wanted).await {
				Ok(due) => is_due |= due,
				Err(error) => {
					applier.keep();
					self.troubles.insert(applier.name().into(), trouble(&error));
				},
			}
		}
		Ok(is_due)
	}

	/// Puts in force what lies ready.
	pub async fn commit(&mut self, cause: Cause) -> Result<(), ApplyError> {
		if cause == Cause::Delivery {
			let mut committed = Ok(());
			for applier in self.in_order(cause) {
				committed = applier.commit().await;
				if committed.is_err() {
					break;
				}
			}
			if committed.is_err() {
				self.rollback().await;
				return committed;
			}
			for applier in &mut self.others {
				if let Some(error) = applier.hindrance() {
					self.troubles.insert(applier.name().into(), trouble(&error));
				}
			}
			return committed;
		}
		let ssh = self.ssh.commit().await;
		match &ssh {
			Ok(()) => self.ssh.settle(),
			Err(_) => self.ssh.keep(),
		}
		for applier in &mut self.others {
			// It is left alone, or could lay nothing ready.
			if self.troubles.contains_key(applier.name()) {
				continue;
			}
			match applier.commit().await {
				Ok(()) => applier.settle(),
				Err(error) => {
					applier.keep();
					self.troubles.insert(applier.name().into(), trouble(&error));
				},
			}
		}
		ssh
	}

	/// What is not as it should be, though it is no reason to do nothing else: somebody has to look at it.
	pub fn trouble(&self) -> Option<&str> {
		self.troubles.values().next().map(|(sentence, _)| sentence.as_str())
	}

	/// Forgets the way back, once it is written down that the delivery is in force.
	pub fn settle(&mut self) {
		self.in_order(Cause::Delivery).into_iter().for_each(|it| it.settle());
	}

	/// Whether one of them other than that of SSH puts something in force for this use.
	pub fn serves(&self, what: Use) -> bool {
		self.others.iter().any(|applier| applier.serves(what))
	}

	/// Takes away what must not be in force for this use while the chain is not heard, but for what is SSH's.
	pub fn close(&mut self, what: Use) -> Result<(), ApplyError> {
		// One that fails must not keep the others open.
		let closed: Vec<_> = self.others.iter_mut().map(|applier| applier.close(what)).collect();
		closed.into_iter().collect()
	}

	/// Tells whoever reads the files that they were closed, if that is still to be done.
	pub async fn tell_closed(&mut self) {
		for applier in &mut self.others {
			if let Err(error) = applier.tell_closed().await {
				self.troubles.insert(applier.name().into(), trouble(&error));
			}
		}
	}

	/// Takes away what is over at this moment, but for what is SSH's.
	pub fn expire(&mut self, now: Now) -> Result<(), ApplyError> {
		let expired: Vec<_> = self.others.iter_mut().map(|applier| applier.expire(now)).collect();
		expired.into_iter().collect()
	}

	/// Takes note of the time of a proven block, all of which is in force but for what is told as [`trouble`](Self::trouble).
	pub fn hear(&mut self, time: Moment) {
		self.others.iter_mut().for_each(|applier| applier.hear(time));
	}

	async fn rollback(&mut self) {
		for applier in self.in_order(Cause::Delivery).into_iter().rev() {
			applier.rollback().await;
		}
	}

	fn in_order(&mut self, cause: Cause) -> Vec<&mut dyn Applier> {
		let ssh: &mut dyn Applier = &mut self.ssh;
		let others = self.others.iter_mut().map(|applier| applier.as_mut() as &mut dyn Applier);
		match cause {
			Cause::Delivery => others.chain(once(ssh)).collect(),
			Cause::Enforcement => once(ssh).chain(others).collect(),
		}
	}
}

/// The appliers that the configuration names beside that of SSH, or why there is none.
fn others(config: &Config, steps: &Steps) -> Vec<Result<Box<dyn Applier>, ApplyError>> {
	fn boxed<C: Content + 'static>(
		content: C,
		directory: &Path,
		group: Result<Option<u32>, FileError>,
		steps: &Steps,
	) -> Result<Box<dyn Applier>, ApplyError> {
		Ok(Box::new(Generational::new(content, directory, group?, steps)))
	}
	let settings = &config.apply;
	let mut others = Vec::new();
	for (name, it) in &settings.tls {
		let content = tls::Tls::new(name, it, &config.state);
		let group = settings::group_id(it.group.as_ref());
		others.push(boxed(content, &it.directory, group, steps));
	}
	if let Some(it) = &settings.psk {
		let group = settings::group_id(it.group.as_ref());
		others.push(boxed(psk::Psk::new(it), &it.directory, group, steps));
	}
	for (name, it) in &settings.hooks {
		let place = config.state.join("hooks").join(name);
		others.push(boxed(opaque::Opaque::new(name, it), &place, Ok(None), steps));
	}
	if let Some(it) = &settings.authorized_keys {
		let content = authorized::AuthorizedKeys::new(it, config);
		others.push(boxed(content, &it.directory, Ok(None), steps));
	}
	for (login, path) in &settings.user_keys {
		let directory = user_key::directory(&config.state, login);
		let content = user_key::UserKey::new(login, path, &config.state);
		others.push(boxed(content, &directory, Ok(None), steps));
	}
	others
}

async fn prepare_all(
	appliers: &mut [&mut dyn Applier],
	wanted: &Wanted<'_>,
) -> Result<bool, ApplyError> {
	let mut is_due = false;
	for applier in appliers.iter_mut() {
		is_due |= applier.plan(wanted)?;
	}
	for applier in appliers {
		applier.validate().await?;
	}
	Ok(is_due)
}

async fn prepare_one(applier: &mut dyn Applier, wanted: &Wanted<'_>) -> Result<bool, ApplyError> {
	let is_due = applier.plan(wanted)?;
	applier.validate().await?;
	Ok(is_due)
}

fn trouble(error: &ApplyError) -> (String, Instant) {
	tracing::warn!(%error, "what is in force could not be put right");
	(error.to_string(), Instant::now() + RETRY)
}
