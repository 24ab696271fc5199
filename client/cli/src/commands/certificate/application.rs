//! Applications: where they stand, and how they end.

use crate::{
	commands::observer,
	error::{Error, Result},
	output::{Report, hex, rfc3339},
	session::Session,
	values::{Member, Name, certificates::observation_name},
};
use dpki_client::{Call, View, account, calls, certificate::Escrow, view::ApplicationAnswer};
use dpki_primitives::{
	application::{Outcome, Phase, Purpose, RefusalCause},
	certificate::Holder,
	ids::ApplicationId,
};
use serde_json::{Value, json};

/// `dpki certificate withdraw`.
pub async fn withdraw(session: &Session, id: ApplicationId) -> Result<Report> {
	let call = calls::withdraw_application(id);
	end(session, id, &call, "withdrawing", format!("Withdrew application {id}")).await
}

/// `dpki certificate close`.
pub async fn close(session: &Session, id: ApplicationId) -> Result<Report> {
	let call = calls::close_application(id);
	end(session, id, &call, "closing", format!("Closed application {id}")).await
}

async fn end(
	session: &Session,
	id: ApplicationId,
	call: &impl Call,
	doing: &str,
	done: String,
) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	find(&view, id).await?;
	let finalized = session.submit(&client, &account, call, doing).await?;
	let view = client.at_finalized().await?;
	let answer = find(&view, id).await?;
	Ok(told(id, &answer).done(done).finalized(&finalized))
}

/// `dpki certificate application`.
pub async fn show(session: &Session, id: ApplicationId) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let answer = find(&view, id).await?;
	Ok(told(id, &answer).read_at(view.head()))
}

/// `dpki certificate applications`.
pub async fn list(session: &Session, org: Option<Name>, who: Option<Member>) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let who = who.map(|Member(account)| account);
	let wanted = org.map(|org| Holder::Organisation(org.organisation()));
	let wanted = wanted.or(who.map(Holder::Account));
	let mut reports = Vec::new();
	for position in 0..view.open_application_count().await? {
		let Some(id) = view.open_application(position).await? else { continue };
		let answer = view.application(id).await?;
		let Some(record) = &answer.application.record else { continue };
		let holder = match &record.purpose {
			Purpose::Issue(request) => Some(request.holder),
			Purpose::Control(certificate) | Purpose::Endorsement(certificate) => {
				let certificate = view.certificate(*certificate).await?.certificate.record;
				certificate.map(|record| record.holder)
			},
		};
		let is_wanted = wanted.is_none_or(|wanted| holder == Some(wanted));
		if is_wanted || who == Some(record.payer) {
			reports.push(told(id, &answer));
		}
	}
	Ok(Report::list(reports, "no open application"))
}

async fn find(view: &View, id: ApplicationId) -> Result<ApplicationAnswer> {
	let answer = view.application(id).await?;
	match answer.application.record {
		Some(_) => Ok(answer),
		None => Err(Error::NotAllowed {
			why: format!(
				"the chain knows no application {id}, or has forgotten it since it was closed"
			),
			next: "look for its certificate with `dpki certificate list`".to_owned(),
		}),
	}
}

fn told(id: ApplicationId, answer: &ApplicationAnswer) -> Report {
	let Some(record) = &answer.application.record else { return Report::new() };
	let purpose = match record.purpose {
		Purpose::Issue(_) => "issue",
		Purpose::Control(_) => "control",
		Purpose::Endorsement(_) => "endorsement",
	};
	let (state, sentence) = state(&record.phase);
	let mut report = Report::new()
		.done(format!("Application {id}: {sentence}"))
		.data("application", id.to_string())
		.data("state", state)
		.row("purpose", purpose)
		.row("payer", account::address(&record.payer))
		.row("certificate", answer.certificate.map(|id| id.to_string()).unwrap_or_default())
		.time("opened_at", record.opened_at)
		.data("storage_key", hex(&answer.application.storage_key));
	if let Phase::Control { commit_until, reveal_until, needed } = record.phase {
		report = report
			.row_as("commit_until", format!("block {commit_until}"), commit_until)
			.row_as("reveal_until", format!("block {reveal_until}"), reveal_until)
			.row_as("observers_needed", needed.to_string(), needed);
	}
	if let Phase::Endorsement { until } = record.phase {
		report = report.row_as("endorsements_until", format!("block {until}"), until);
	}
	if let Some((subject, challenge)) = &answer.challenge {
		report = observer::looked_for(report, subject, challenge);
	}
	if let Some(escrow) = &answer.escrow {
		report = on_hold(report, escrow);
	}
	let mut votes = Vec::new();
	for vote in answer.votes.record.iter().flat_map(|votes| votes.iter()) {
		let observer = account::address(&vote.observer);
		let seen = vote.revealed.map_or("hidden", observation_name);
		report = report.tail(format!("  vote {seen:14}  {observer}"));
		votes.push(json!({
			"observer": observer,
			"organisation": vote.organisation.to_string(),
			"seen": vote.revealed.map(observation_name),
		}));
	}
	report.data("votes", Value::Array(votes))
}

/// Adds what the payer of an open application has on hold for it.
pub fn on_hold(report: Report, escrow: &Escrow) -> Report {
	let endorsers = escrow.endorsements_left;
	let text = format!(
		"{} for validators, {} for observers, {} for each of {endorsers} endorsers, deposit {}",
		escrow.network, escrow.observation, escrow.endorsement, escrow.deposit,
	);
	// Text for programs too: numbers of 128 bits do not fit those of JSON.
	let value = json!({
		"network": escrow.network.to_string(),
		"observation": escrow.observation.to_string(),
		"endorsement": escrow.endorsement.to_string(),
		"endorsements_left": endorsers,
		"deposit": escrow.deposit.to_string(),
	});
	report.row_as("on_hold", text, value)
}

/// Where an application stands: in a word, and in a sentence.
fn state(phase: &Phase) -> (&'static str, String) {
	match phase {
		Phase::Control { .. } => ("control", "observers look at it".to_owned()),
		Phase::Endorsement { .. } => {
			("endorsement", "the certificate exists and waits for endorsements".to_owned())
		},
		Phase::Closed { outcome, at } => {
			let (word, sentence) = match outcome {
				Outcome::Granted => ("granted", "granted"),
				Outcome::TimedOut => ("timed-out", "not decided in time"),
				Outcome::Withdrawn => ("withdrawn", "withdrawn"),
				Outcome::Refused(cause) => (refusal_word(*cause), refusal_sentence(*cause)),
			};
			(word, format!("{sentence}, at {}", rfc3339(*at)))
		},
	}
}

fn refusal_word(cause: RefusalCause) -> &'static str {
	match cause {
		RefusalCause::ControlNotProven => "refused-control-not-proven",
		RefusalCause::TooFewObservers => "refused-too-few-observers",
		RefusalCause::SubjectHeld => "refused-subject-held",
		RefusalCause::SubjectFull => "refused-subject-full",
		RefusalCause::CertificateEnded => "refused-certificate-ended",
		RefusalCause::KeyCompromised => "refused-key-compromised",
	}
}

fn refusal_sentence(cause: RefusalCause) -> &'static str {
	match cause {
		RefusalCause::ControlNotProven => "refused: observers saw no proof of control",
		RefusalCause::TooFewObservers => "refused: too few observers took part",
		RefusalCause::SubjectHeld => "refused: somebody else proved the subject first",
		RefusalCause::SubjectFull => {
			"refused: there are as many certificates about the subject as may be"
		},
		RefusalCause::CertificateEnded => "refused: the certificate was over before the decision",
		RefusalCause::KeyCompromised => "refused: the key became known as compromised",
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_end_of_an_application_has_a_word_of_its_own() {
		let causes = [
			RefusalCause::ControlNotProven,
			RefusalCause::TooFewObservers,
			RefusalCause::SubjectHeld,
			RefusalCause::SubjectFull,
			RefusalCause::CertificateEnded,
			RefusalCause::KeyCompromised,
		];
		let refused = causes.into_iter().map(Outcome::Refused);
		let outcomes = [Outcome::Granted, Outcome::TimedOut, Outcome::Withdrawn].into_iter();
		let words: Vec<_> = outcomes
			.chain(refused)
			.map(|outcome| state(&Phase::Closed { outcome, at: 0 }).0)
			.collect();
		for (index, word) in words.iter().enumerate() {
			assert!(!words[..index].contains(word), "{word}");
		}
		let (_, sentence) = state(&Phase::Closed { outcome: Outcome::Granted, at: 1_000 });
		assert_eq!(sentence, "granted, at 1970-01-01T00:00:01Z");
	}
}
