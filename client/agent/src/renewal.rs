//! Renewing: the agent that runs asks over the chain for the certificate of a service anew, before the one in force ends.
//!
//! Only for services whose configuration says `renew = true`. It asks when less than a third of the time of the certificate in
//! force is left, for the names that this one has, with the key that the service has. Whether it is certified again is for the
//! organisation to say; a refusal, as an answer that has not come into force, stops the agent from asking again for a day.
//! Asking runs beside convergence and never holds it up.

use crate::{
	appliers::{settings::TlsSettings, tls::CHAIN},
	config::Config,
	filing::{FilingError, submit},
	request::{Ask, prepare},
};
use dpki_client::{
	Client, View,
	primitives::{Moment, filing::Filing},
};
use dpki_x509::{Certificate, general_name::GeneralName};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
	fs,
	net::{Ipv4Addr, Ipv6Addr},
	time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// How often it is looked whether a certificate ends soon.
const PAUSE: Duration = Duration::from_secs(60);

/// How long the agent waits after a request before it makes the next one for the same service: one of the requests that a
/// device has at hand comes back in a quarter of this.
const PATIENCE: Moment = 24 * 60 * 60 * 1000;

/// How long to wait for a fresh block, when another statement of the device was on its way.
const HEAD_TIME: Duration = Duration::from_secs(180);

/// Asks anew for what ends soon, one service after the other.
pub struct Renewer {
	config: Config,
	client: Client,
	running: Option<JoinHandle<()>>,
	next: Instant,
}

impl Renewer {
	/// For the services of this configuration.
	pub fn new(config: &Config, client: Client) -> Self {
		Self { config: config.clone(), client, running: None, next: Instant::now() }
	}

	/// Looks whether a certificate ends soon at this block, unless that was done just now or a request is under way.
	pub fn look(&mut self, view: &View) {
		let is_busy = self.running.as_ref().is_some_and(|task| !task.is_finished());
		if is_busy || Instant::now() < self.next {
			return;
		}
		self.next = Instant::now() + PAUSE;
		let due: Vec<_> = self
			.config
			.apply
			.tls
			.iter()
			.filter(|(_, settings)| settings.renew)
			.filter_map(|(service, settings)| Some((service.clone(), due(settings, view.now())?)))
			.collect();
		if due.is_empty() {
			return;
		}
		let (config, client, view) = (self.config.clone(), self.client.clone(), view.clone());
		self.running = Some(tokio::spawn(async move {
			for (service, names) in due {
				match renew(&config, &client, &view, service.clone(), names).await {
					Ok(Some(block)) => {
						tracing::info!(service, block, "asked for the certificate anew");
					},
					Ok(None) => {},
					Err(error) => {
						tracing::warn!(service, "the certificate is not renewed: {error}")
					},
				}
			}
		}));
	}
}

impl Drop for Renewer {
	fn drop(&mut self) {
		if let Some(task) = &self.running {
			task.abort();
		}
	}
}

/// Asks anew, unless that was done lately; gives the block in which the request is final.
async fn renew(
	config: &Config,
	client: &Client,
	view: &View,
	service: String,
	names: Vec<String>,
) -> Result<Option<u32>, FilingError> {
	let (wanted, keys) = prepare(config, view, Ask::Tls { service, names }).await?;
	let wanted = wanted.filing()?;
	let filings = view.filings_of(config.device_id()).await?;
	let newest = filings
		.iter()
		.filter(|(_, filing)| filing.kind == wanted.0)
		.max_by_key(|(_, filing)| filing.number);
	if newest.is_some_and(|(_, filing)| is_lately(filing, view.now())) {
		return Ok(None);
	}
	let filed = submit(config, client, view.head(), &wanted, &keys, HEAD_TIME).await?;
	Ok(Some(filed.block))
}

/// Whether the device need not ask again yet.
fn is_lately(filing: &Filing, now: Moment) -> bool {
	filing.is_waiting(now) || now < filing.filed_at.saturating_add(PATIENCE)
}

/// The names of the certificate in force, if it ends soon at chain time `now`. What cannot be read is not renewed: somebody
/// has to look at it.
fn due(settings: &TlsSettings, now: Moment) -> Option<Vec<String>> {
	let pem = fs::read(settings.directory.join("current").join(CHAIN)).ok()?;
	let der = CertificateDer::from_pem_slice(&pem).ok()?;
	let certificate = Certificate::from_der_tolerant(&der).ok()?;
	let validity = certificate.validity();
	if !ends_soon(validity.not_before, validity.not_after, now / 1000) {
		return None;
	}
	let names = certificate.extensions().subject_names.iter().flatten();
	let names: Option<Vec<_>> = names.map(name_of).collect();
	names.filter(|names| !names.is_empty())
}

/// Whether less than a third of the time is left.
fn ends_soon(not_before: u64, not_after: u64, now: u64) -> bool {
	let third = not_after.saturating_sub(not_before) / 3;
	now > not_after.saturating_sub(third)
}

/// A name as it is asked for.
fn name_of(name: &GeneralName) -> Option<String> {
	match name {
		GeneralName::Dns(name) => Some(name.clone()),
		GeneralName::Ip(bytes) => {
			let v4 = <[u8; 4]>::try_from(&bytes[..]).map(|it| Ipv4Addr::from(it).to_string());
			let v6 = <[u8; 16]>::try_from(&bytes[..]).map(|it| Ipv6Addr::from(it).to_string());
			v4.ok().or(v6.ok())
		},
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::primitives::{
		channel::ChannelId,
		filing::{FilingKind, FilingStanding, Objection},
		ids::{KeyId, OrganisationId},
	};
	use rcgen::{CertificateParams, KeyPair};
	use time::OffsetDateTime;

	const BEGIN: u64 = 1_700_000_000;

	fn settings(directory: &std::path::Path) -> TlsSettings {
		let text = format!("directory = \"{}\"\nrenew = true\n", directory.display());
		toml::from_str(&text).unwrap()
	}

	/// The certificate of the folder is one of 90 seconds.
	fn certified(names: &[&str]) -> tempfile::TempDir {
		let folder = tempfile::tempdir().unwrap();
		let names: Vec<_> = names.iter().map(ToString::to_string).collect();
		let mut params = CertificateParams::new(names).unwrap();
		let at = |seconds: u64| OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap();
		(params.not_before, params.not_after) = (at(BEGIN), at(BEGIN + 90));
		let pem = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
		fs::create_dir(folder.path().join("current")).unwrap();
		fs::write(folder.path().join("current").join(CHAIN), pem).unwrap();
		folder
	}

	#[test]
	fn a_certificate_is_asked_for_anew_in_its_last_third_under_the_names_that_it_has() {
		let names = ["drone-7.acme.example", "10.0.0.7", "2001:db8::7"];
		let folder = certified(&names);
		let due_at = |seconds: u64| due(&settings(folder.path()), (BEGIN + seconds) * 1000);
		assert_eq!(due_at(0), None);
		assert_eq!(due_at(60), None);
		assert_eq!(due_at(61).unwrap(), names);
		assert_eq!(due_at(1_000).unwrap(), names, "one that has ended, too");
	}

	#[test]
	fn what_is_not_there_or_cannot_be_read_is_not_renewed() {
		let folder = certified(&["drone-7.acme.example"]);
		fs::write(folder.path().join("current").join(CHAIN), "damaged").unwrap();
		assert_eq!(due(&settings(folder.path()), u64::MAX), None);
		assert_eq!(due(&settings(&folder.path().join("nowhere")), u64::MAX), None);
	}

	#[test]
	fn nobody_is_asked_again_while_the_answer_may_come_or_for_a_day_after_it() {
		let now = BEGIN * 1000;
		let filing = |standing| Filing {
			organisation: OrganisationId([1; 32]),
			kind: FilingKind::SshHost,
			content: [1; 32],
			number: 0,
			key: KeyId([2; 32]),
			filed_at: now,
			expires_at: now + 7 * PATIENCE,
			standing,
		};
		let waiting = filing(FilingStanding::Waiting { position: 0 });
		assert!(is_lately(&waiting, now + 7 * PATIENCE));
		assert!(!is_lately(&waiting, now + 7 * PATIENCE + 1));
		let refused = FilingStanding::Refused { objection: Objection::NotNeeded, at: now };
		let channel = ChannelId::DEFAULT;
		let answered = FilingStanding::Answered { channel, sequence: 1, at: now };
		for standing in [refused, answered] {
			assert!(is_lately(&filing(standing), now + PATIENCE - 1));
			assert!(!is_lately(&filing(standing), now + PATIENCE));
		}
	}
}
