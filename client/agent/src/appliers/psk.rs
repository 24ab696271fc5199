//! Pre-shared keys, in the form of mosquitto's `psk_file`: a line with identity and key for each. The broker reads it
//! again when it gets a SIGHUP. While the chain is not heard for too long (`freshness.tls`) the file is empty: who has a key
//! may be somebody from whom it was taken.

use super::{
	ApplyError, Files, Wanted,
	generational::Content,
	settings::{PskSettings, argv},
};
use crate::ssh::check::run;
use async_trait::async_trait;
use dpki_client::{Item, Use};
use std::{collections::BTreeMap, ffi::OsString, time::Duration};
use zeroize::Zeroizing;

/// The file.
pub const PSK_FILE: &str = "psk_file";

const NAME: &str = "psk";

/// All pre-shared keys of the device.
pub(super) struct Psk {
	reload: Vec<OsString>,
	timeout: Duration,
}

impl Psk {
	pub(super) fn new(settings: &PskSettings) -> Self {
		Self { reload: argv(&settings.reload), timeout: Duration::from_secs(settings.timeout) }
	}
}

#[async_trait]
impl Content for Psk {
	fn name(&self) -> &str {
		NAME
	}

	fn names(&self) -> &'static [(&'static str, bool)] {
		&[(PSK_FILE, true)]
	}

	fn takes(&self, part: &Item) -> bool {
		matches!(part, Item::Psk { .. })
	}

	fn files(&self, wanted: &Wanted<'_>, _: Option<&Files>) -> Result<Files, String> {
		if wanted.state.peers_closed {
			return Ok(self.closed(None));
		}
		let keys: BTreeMap<&String, _> = wanted
			.state
			.parts
			.iter()
			.filter_map(|part| match part {
				Item::Psk { identity, key } => Some((identity, key)),
				_ => None,
			})
			.collect();
		let length: usize =
			keys.iter().map(|(name, key)| name.len() + 2 * key.expose().len() + 2).sum();
		// With all the room that it needs, so that nothing is left behind where it grew.
		let mut text = Zeroizing::new(Vec::with_capacity(length));
		for (identity, key) in keys {
			text.extend_from_slice(identity.as_bytes());
			text.push(b':');
			text.extend_from_slice(Zeroizing::new(hex::encode(key.expose())).as_bytes());
			text.push(b'\n');
		}
		Ok(Files::from([(PSK_FILE, text)]))
	}

	fn initial(&self) -> Option<Files> {
		Some(self.closed(None))
	}

	fn serves(&self) -> Option<Use> {
		Some(Use::Tls)
	}

	fn closed(&self, _: Option<&Files>) -> Files {
		Files::from([(PSK_FILE, Zeroizing::default())])
	}

	async fn tell(&self, _: &Files, _: Option<&Files>) -> Result<(), ApplyError> {
		if self.reload.is_empty() {
			return Ok(());
		}
		run(&self.reload, self.timeout)
			.await
			.map(drop)
			.map_err(|source| ApplyError::Told { applier: NAME.into(), source })
	}
}
