//! What appliers have in common whose files are generations of a [`Store`].

use super::{
	Applier, ApplyError, Cause, Now, RETRY, Steps, Wanted,
	store::{Files, Store},
};
use async_trait::async_trait;
use dpki_client::{Item, Use, primitives::Moment};
use std::{path::Path, time::Instant};

/// What is in the files of an applier, and who has to be told of it.
#[async_trait]
pub(super) trait Content: Send + Sync {
	/// Which applier it is.
	fn name(&self) -> &str;

	/// Every name that a file can have, and whether that file is secret.
	fn names(&self) -> &'static [(&'static str, bool)];

	/// Whether it is for such a part.
	fn takes(&self, part: &Item) -> bool;

	/// The files that say what is wanted, or why that cannot be. The same wish gives the same bytes.
	fn files(&self, wanted: &Wanted<'_>, current: Option<&Files>) -> Result<Files, String>;

	/// The files with which whoever reads them can start.
	fn initial(&self) -> Option<Files> {
		None
	}

	/// For which use they are in force, if that ends when the chain is not heard for too long.
	fn serves(&self) -> Option<Use> {
		None
	}

	/// What of these files holds good while the chain is not heard; without any, those in force cannot be read.
	fn closed(&self, _files: Option<&Files>) -> Files {
		Files::new()
	}

	/// Whether [`tell_at_once`](Self::tell_at_once) does all that [`tell`](Self::tell) does.
	fn is_told_at_once(&self) -> bool {
		false
	}

	/// What of these files is not over at this moment; `None` if nothing in them ends by itself.
	fn lasting(&self, _files: &Files, _now: Now) -> Option<Files> {
		None
	}

	/// Whether nothing shows that these files were not told of.
	fn is_told(&self, _files: &Files) -> bool {
		true
	}

	/// Tells whoever reads the files, which lie in `current` by now. They knew of `before`, if that is certain.
	async fn tell(&self, files: &Files, before: Option<&Files>) -> Result<(), ApplyError>;

	/// The same without waiting for anybody.
	fn tell_at_once(&self, _files: &Files, _before: Option<&Files>) -> Result<(), ApplyError> {
		Ok(())
	}

	/// Takes note of the time of a proven block, in the directory of the generations.
	fn hear(&self, _time: Moment, _directory: &Path) {}
}

struct Plan {
	files: Files,
	/// What whoever reads the files knows of, if that is certain.
	before: Option<Files>,
	/// Whether the files differ from those in force.
	is_new: bool,
	/// Where they lie ready.
	generation: Option<u64>,
	/// What to go back to.
	previous: Option<u64>,
	/// Whether something else than that may be in force.
	is_switched: bool,
}

/// An applier whose files are generations.
pub(super) struct Generational<C> {
	content: C,
	store: Store,
	steps: Steps,
	plan: Option<Plan>,
	is_committed: bool,
	/// Whether the files in force were those that are wanted, when it was last found out what is.
	is_as_wanted: bool,
	closing: Option<Closing>,
}

/// Files that were closed, of which somebody has to be told.
struct Closing {
	files: Files,
	is_told: bool,
	/// When it is tried again.
	again: Option<Instant>,
}

impl<C: Content> Generational<C> {
	pub(super) fn new(content: C, directory: &Path, group: Option<u32>, steps: &Steps) -> Self {
		let store = Store::new(content.name(), directory, content.names(), group, steps);
		let steps = steps.clone();
		Self {
			content,
			store,
			steps,
			plan: None,
			is_committed: false,
			is_as_wanted: false,
			closing: None,
		}
	}

	fn in_force(&self) -> Option<Files> {
		self.store.current().map(|number| self.store.read(number).unwrap_or_default())
	}

	fn put(&self, files: &Files) -> Result<(), ApplyError> {
		let generation = self.store.stage(files)?;
		self.store.switch(Some(generation))?;
		self.store.settle()?;
		Ok(())
	}
}

#[async_trait]
impl<C: Content> Applier for Generational<C> {
	fn name(&self) -> &str {
		self.content.name()
	}

	fn takes(&self, part: &Item) -> bool {
		self.content.takes(part)
	}

	fn initialise(&mut self) -> Result<(), ApplyError> {
		let Some(files) = self.content.initial() else { return Ok(()) };
		if self.store.current().is_some() || self.store.unsettled()?.is_some() {
			return Ok(());
		}
		self.put(&files)
	}

	fn plan(&mut self, wanted: &Wanted<'_>) -> Result<bool, ApplyError> {
		(self.plan, self.is_committed, self.is_as_wanted) = (None, false, false);
		let in_force = self.in_force();
		let found = self.content.files(wanted, in_force.as_ref());
		let files = found.map_err(|problem| ApplyError::Content {
			applier: self.content.name().into(),
			problem,
		})?;
		let unsettled = self.store.unsettled()?;
		let is_new = match &in_force {
			Some(found) => *found != files,
			None => !files.is_empty(),
		};
		self.is_as_wanted = !is_new;
		// What somebody else has done to files is put right, and is no part of a delivery, which it could hold up.
		let is_told = || wanted.cause == Cause::Delivery || self.content.is_told(&files);
		if !is_new && unsettled.is_none() && is_told() {
			return Ok(false);
		}
		// Nothing of this delivery is in these files, and there is no way back from them: that somebody has yet to be told of
		// them is for enforcement, and must not fail the delivery. One that a crash interrupted has a way back.
		let is_apart = !is_new && unsettled.is_some() && unsettled == Some(self.store.current());
		if is_apart && wanted.cause == Cause::Delivery {
			return Ok(false);
		}
		let before = in_force.filter(|_| is_new && unsettled.is_none());
		// Before a restart it may have been switched, and there may still be a way back from that.
		let is_switched = unsettled.is_some();
		let previous = unsettled.unwrap_or(self.store.current());
		self.plan = Some(Plan { files, before, is_new, generation: None, previous, is_switched });
		Ok(true)
	}

	async fn validate(&mut self) -> Result<(), ApplyError> {
		let Some(plan) = &mut self.plan else { return Ok(()) };
		if plan.is_new {
			plan.generation = Some(self.store.stage(&plan.files)?);
		}
		Ok(())
	}

	async fn commit(&mut self) -> Result<(), ApplyError> {
		let Some(plan) = &mut self.plan else { return Ok(()) };
		// It was only judged.
		if plan.is_new && plan.generation.is_none() {
			return Ok(());
		}
		self.store.unsettle(plan.previous)?;
		plan.is_switched = true;
		if plan.generation.is_some() {
			self.store.switch(plan.generation)?;
		}
		self.is_as_wanted = true;
		self.steps.pass(self.content.name(), "tell");
		self.content.tell(&plan.files, plan.before.as_ref()).await?;
		self.is_committed = true;
		self.closing = None;
		tracing::info!(applier = self.content.name(), "new files are in force");
		Ok(())
	}

	async fn rollback(&mut self) {
		let Some(plan) = self.plan.take() else { return };
		if plan.is_switched && self.store.current() != plan.previous {
			self.steps.pass(self.content.name(), "go back");
			let previous = plan.previous.and_then(|number| self.store.read(number));
			if let Err(error) = self.store.switch(previous.as_ref().and(plan.previous)) {
				tracing::error!(applier = self.content.name(), %error, "there is no way back");
				return;
			}
			let known = plan.before.as_ref().map(|_| &plan.files);
			if let Err(error) = self.content.tell(&previous.unwrap_or_default(), known).await {
				tracing::error!(
					applier = self.content.name(),
					%error,
					"whoever reads the files cannot be told that the old ones are in force again"
				);
			}
		}
		// What lies ready goes as well.
		self.is_committed = true;
		self.settle();
	}

	fn keep(&mut self) {
		let Some(plan) = self.plan.take() else { return };
		let kept = if plan.is_switched {
			self.store.unsettle(self.store.current())
		} else {
			self.store.settle()
		};
		if let Err(error) = kept {
			tracing::warn!(applier = self.content.name(), %error, "the way back stays open");
		}
	}

	fn settle(&mut self) {
		if !std::mem::take(&mut self.is_committed) {
			return;
		}
		self.plan = None;
		if let Err(error) = self.store.settle() {
			tracing::warn!(applier = self.content.name(), %error, "old files cannot be removed");
		}
	}

	fn serves(&self, what: Use) -> bool {
		self.content.serves() == Some(what)
	}

	fn close(&mut self, what: Use) -> Result<(), ApplyError> {
		if !self.serves(what) {
			return Ok(());
		}
		let Some(current) = self.store.current() else { return Ok(()) };
		let found = self.store.read(current);
		let files = self.content.closed(found.as_ref());
		let is_open = found.as_ref() != Some(&files);
		if self.content.is_told_at_once() {
			if is_open {
				self.put(&files)?;
			}
			if is_open || !self.content.is_told(&files) {
				self.content.tell_at_once(&files, None)?;
			}
			return Ok(());
		}
		if is_open {
			// What lies ready would open it again.
			(self.plan, self.is_as_wanted) = (None, false);
			let generation = self.store.stage(&files)?;
			// A delivery that is on its way keeps the way back that it has.
			if self.store.unsettled()?.is_none() {
				self.store.unsettle(Some(generation))?;
			}
			self.store.switch(Some(generation))?;
			tracing::warn!(applier = self.content.name(), "closed: the chain was not heard");
		}
		if is_open || self.closing.is_none() {
			// Before a restart it may have been closed, and nobody told.
			let is_told = !is_open && self.store.unsettled()?.is_none();
			self.closing = Some(Closing { files, is_told, again: None });
		}
		Ok(())
	}

	async fn tell_closed(&mut self) -> Result<(), ApplyError> {
		let Some(closing) = &mut self.closing else { return Ok(()) };
		if closing.is_told || closing.again.is_some_and(|again| again > Instant::now()) {
			return Ok(());
		}
		closing.again = Some(Instant::now() + RETRY);
		self.steps.pass(self.content.name(), "tell");
		self.content.tell(&closing.files, None).await?;
		closing.is_told = true;
		// What leads elsewhere is the way back of a delivery, and for the journal to close.
		if self.store.unsettled()? == Some(self.store.current()) {
			self.store.settle()?;
		}
		Ok(())
	}

	fn expire(&mut self, now: Now) -> Result<(), ApplyError> {
		let Some(found) = self.in_force() else { return Ok(()) };
		let Some(files) = self.content.lasting(&found, now).filter(|files| *files != found) else {
			return Ok(());
		};
		self.put(&files)?;
		tracing::info!(applier = self.content.name(), "what is over is taken away");
		self.content.tell_at_once(&files, Some(&found))
	}

	fn hear(&mut self, time: Moment) {
		if self.is_as_wanted {
			self.content.hear(time, self.store.directory());
		}
	}
}
