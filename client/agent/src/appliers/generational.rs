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
	/// Whether whoever reads the files had yet to be told of that.
	is_untold: bool,
	/// Why.
	cause: Cause,
	/// Whether somebody keeps the new files from where they are read. They are told later.
	is_late: bool,
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
	untold: Option<Untold>,
	hindrance: Option<ApplyError>,
}

/// Files in force of which somebody has to be told: they were closed, or are in force again.
struct Untold {
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
			untold: None,
			hindrance: None,
		}
	}

	fn in_force(&self) -> Option<Files> {
		self.store.current().map(|number| self.store.read(number).unwrap_or_default())
	}

	/// These files are in force, or again, and whoever reads them knows others. The mark says so, also after a restart, and leads
	/// nowhere else any more; what was refused goes.
	fn tell_later(&mut self, files: Files) {
		let marked = self.store.unsettle(self.store.current());
		if let Err(error) = marked.and_then(|()| self.store.prune()) {
			tracing::warn!(applier = self.content.name(), %error, "old files cannot be removed");
		}
		let again = Some(Instant::now() + RETRY);
		self.untold = Some(Untold { files, is_told: false, again });
	}

	/// Switches to files with less in them than those in force. That whoever reads them has yet to be told is on the disk
	/// before, and whatever was on its way is planned anew.
	fn narrow(&mut self, files: &Files) -> Result<(), ApplyError> {
		// What lies ready would open again what is closed here.
		(self.plan, self.is_as_wanted) = (None, false);
		let generation = self.store.stage(files)?;
		// A delivery that is on its way keeps the way back that it has. What leads to files that are in force, or to these,
		// is none.
		let is_way_back = match self.store.unsettled()? {
			Some(Some(number)) => {
				Some(number) != self.store.current()
					&& self.store.read(number).as_ref() != Some(files)
			},
			Some(None) => self.store.current().is_some(),
			None => false,
		};
		if !is_way_back {
			self.store.unsettle(Some(generation))?;
		}
		self.store.switch(Some(generation))?;
		Ok(())
	}

	/// Whoever reads the files in force has been told of them.
	fn note_told(&self) -> Result<(), ApplyError> {
		// What leads elsewhere is the way back of a delivery, and for the journal to close.
		if self.store.unsettled()? == Some(self.store.current()) {
			self.store.settle()?;
		}
		Ok(())
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
		if let Some(files) = self.content.initial()
			&& self.store.current().is_none()
			&& self.store.unsettled()?.is_none()
		{
			self.put(&files)?;
		}
		let unsettled = self.store.unsettled()?;
		if unsettled.is_some() && unsettled == Some(self.store.current()) {
			let files = self.in_force().unwrap_or_default();
			self.untold = Some(Untold { files, is_told: false, again: None });
		}
		Ok(self.store.sweep()?)
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
		let is_untold = unsettled.is_some() && unsettled == Some(self.store.current());
		if !is_new && is_untold && wanted.cause == Cause::Delivery {
			return Ok(false);
		}
		let before = in_force.filter(|_| is_new && unsettled.is_none());
		// Before a restart it may have been switched, and there may still be a way back from that.
		let is_switched = unsettled.is_some();
		let previous = unsettled.unwrap_or(self.store.current());
		self.plan = Some(Plan {
			files,
			before,
			is_new,
			generation: None,
			previous,
			is_switched,
			is_untold,
			cause: wanted.cause,
			is_late: false,
		});
		Ok(true)
	}

	fn look(&mut self, wanted: &Wanted<'_>) {
		// What cannot be planned is not as it is wanted.
		let _ = self.plan(wanted);
		self.plan = None;
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
		if plan.is_new {
			// Nobody is to be told of files that are not in force any more.
			self.untold = None;
		}
		self.steps.pass(self.content.name(), "tell");
		match self.content.tell(&plan.files, plan.before.as_ref()).await {
			// The way back stays open until the delivery is in force as a whole; then they are told later.
			Err(error @ ApplyError::Hindered { .. }) if plan.cause == Cause::Delivery => {
				(plan.is_late, self.is_committed) = (true, true);
				self.hindrance = Some(error);
				return Ok(());
			},
			told => told?,
		}
		self.is_committed = true;
		self.untold = None;
		tracing::info!(applier = self.content.name(), "new files are in force");
		Ok(())
	}

	fn hindrance(&mut self) -> Option<ApplyError> {
		self.hindrance.take()
	}

	async fn rollback(&mut self) {
		(self.hindrance, self.is_committed) = (None, false);
		let Some(plan) = self.plan.take() else { return };
		if plan.is_switched && self.store.current() != plan.previous {
			self.steps.pass(self.content.name(), "go back");
			let previous = plan.previous.and_then(|number| self.store.read(number));
			if let Err(error) = self.store.switch(previous.as_ref().and(plan.previous)) {
				tracing::error!(applier = self.content.name(), %error, "there is no way back");
				return;
			}
			let known = plan.before.as_ref().map(|_| &plan.files);
			let files = previous.unwrap_or_default();
			if let Err(error) = self.content.tell(&files, known).await {
				tracing::error!(
					applier = self.content.name(),
					%error,
					"whoever reads the files cannot be told that the old ones are in force again"
				);
				self.tell_later(files);
				return;
			}
		} else if plan.is_untold {
			// They know no more of the files in force than before.
			if let Err(error) = self.store.prune() {
				tracing::warn!(applier = self.content.name(), %error, "old files cannot be removed");
			}
			return;
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
		if let Some(plan) = self.plan.take().filter(|plan| plan.is_late) {
			return self.tell_later(plan.files);
		}
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
			self.narrow(&files)?;
			tracing::warn!(applier = self.content.name(), "closed: the chain was not heard");
		}
		if is_open || self.untold.is_none() {
			// Before a restart it may have been closed, and nobody told.
			let is_told = !is_open && self.store.unsettled()?.is_none();
			self.untold = Some(Untold { files, is_told, again: None });
		}
		Ok(())
	}

	async fn tell_closed(&mut self) -> Result<(), ApplyError> {
		let Some(untold) = &mut self.untold else { return Ok(()) };
		if untold.is_told || untold.again.is_some_and(|again| again > Instant::now()) {
			return Ok(());
		}
		untold.again = Some(Instant::now() + RETRY);
		self.steps.pass(self.content.name(), "tell");
		self.content.tell(&untold.files, None).await?;
		untold.is_told = true;
		self.note_told()
	}

	fn expire(&mut self, now: Now) -> Result<(), ApplyError> {
		let Some(found) = self.in_force() else { return Ok(()) };
		let Some(files) = self.content.lasting(&found, now) else { return Ok(()) };
		let is_new = files != found;
		if is_new {
			self.narrow(&files)?;
			tracing::info!(applier = self.content.name(), "what is over is taken away");
		} else if self.untold.is_some()
			|| self.store.unsettled()?.is_none()
			|| self.content.is_told(&files)
		{
			return Ok(());
		}
		// Killed between the switch and this, it may have left the mark of a delivery that was on its way before: that does
		// not say that somebody has yet to be told, so it is looked for.
		self.steps.pass(self.content.name(), "tell at once");
		if let Err(error) = self.content.tell_at_once(&files, is_new.then_some(&found)) {
			let again = Some(Instant::now() + RETRY);
			self.untold = Some(Untold { files, is_told: false, again });
			return Err(error);
		}
		self.untold = None;
		self.note_told()
	}

	fn hear(&mut self, time: Moment) {
		if self.is_as_wanted {
			self.content.hear(time, self.store.directory());
		}
	}
}
