//! Who is told of every step that leaves a trace: tests, which end the agent there.

use std::{
	fmt,
	sync::{Arc, OnceLock},
};

/// Is told of every step that leaves a trace, before it. Only tests listen, and may end the agent there.
#[derive(Clone, Default)]
pub struct Steps(Option<Arc<dyn Fn(&str) + Send + Sync>>);

impl Steps {
	/// Calls `listener` before each step, with its name.
	pub fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
		Self(Some(Arc::new(listener)))
	}

	pub(crate) fn pass(&self, who: &str, step: impl fmt::Display) {
		if let Some(listener) = &self.0 {
			listener(&format!("{who}: {step}"));
		}
	}
}

static OF_THE_PROCESS: OnceLock<Steps> = OnceLock::new();

/// Has these told of every change of the disk and of every command as well, wherever in this process it is made or run.
/// The first ones stay.
pub fn watch_process(steps: Steps) {
	let _ = OF_THE_PROCESS.set(steps);
}

/// A change of the disk is about to be made.
pub(crate) fn of_the_disk(change: impl fmt::Display) {
	if let Some(steps) = OF_THE_PROCESS.get() {
		steps.pass("disk", change);
	}
}

/// Something is about to be done with a command: it is started, waited for while it works, or has ended.
pub(crate) fn of_a_command(what: &str, command: &str) {
	if let Some(steps) = OF_THE_PROCESS.get() {
		steps.pass("command", format_args!("{what} `{command}`"));
	}
}
