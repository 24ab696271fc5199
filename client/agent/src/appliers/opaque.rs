//! Anything else: what has a name is given to the program that the configuration names for it, on its standard input. A
//! bundle names no program, and no shell is asked.
//!
//! The program gets the old content again if it fails, and nothing if there is none any more. After a crash it may get the
//! same content twice.
//!
//! The content may be a secret, so what the program says is told nobody: only how it ended. One that has something to say of
//! itself writes it where it likes.

use super::{
	ApplyError, Files, Wanted,
	generational::Content,
	settings::{HookSettings, argv},
};
use crate::ssh::check::feed;
use async_trait::async_trait;
use dpki_client::Item;
use std::{ffi::OsString, time::Duration};
use zeroize::Zeroizing;

const DATA: &str = "data";

/// What has one name.
pub(super) struct Opaque {
	label: String,
	name: String,
	command: Vec<OsString>,
	timeout: Duration,
}

impl Opaque {
	pub(super) fn new(label: &str, settings: &HookSettings) -> Self {
		Self {
			label: label.into(),
			name: format!("hook {label}"),
			command: argv(&settings.command),
			timeout: Duration::from_secs(settings.timeout),
		}
	}
}

#[async_trait]
impl Content for Opaque {
	fn name(&self) -> &str {
		&self.name
	}

	fn names(&self) -> &'static [(&'static str, bool)] {
		&[(DATA, true)]
	}

	fn takes(&self, part: &Item) -> bool {
		matches!(part, Item::Opaque { name, .. } if *name == self.label)
	}

	fn files(&self, wanted: &Wanted<'_>, _: Option<&Files>) -> Result<Files, String> {
		let mut files = Files::new();
		for part in &wanted.state.parts {
			if let Item::Opaque { name, data } = part
				&& *name == self.label
			{
				files.insert(DATA, Zeroizing::new(data.expose().to_vec()));
			}
		}
		Ok(files)
	}

	async fn tell(&self, files: &Files, _: Option<&Files>) -> Result<(), ApplyError> {
		let data = files.get(DATA).map_or(&[][..], |data| data.as_slice());
		feed(&self.command, Some(data), self.timeout)
			.await
			.map(drop)
			.map_err(|source| ApplyError::Told { applier: self.name.clone(), source })
	}
}
