//! What the holder of a certificate does with it.

use crate::{
	error::Result, output::Report, prompt, session::Session, values::certificates::RenewalArg,
};
use dpki_client::{Call, calls};
use dpki_primitives::{ids::CertificateId, revocation::RevocationReason};

async fn submit(
	session: &Session,
	id: CertificateId,
	call: &impl Call,
	doing: &str,
	done: String,
) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let finalized = session.submit(&client, &account, call, doing).await?;
	Ok(Report::new()
		.done(done)
		.data("certificate", id.to_string())
		.finalized(&finalized))
}

/// `dpki certificate renew`.
pub async fn renew(session: &Session, id: CertificateId, what: RenewalArg) -> Result<Report> {
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let payer = session.actor(&account);
	let nonce = view.application_nonce(&payer).await?;
	let call = calls::renew(id, what.into());
	let finalized = session.submit(&client, &account, &call, "applying").await?;
	// Another application of the account may have come between; what the chain says is the truth.
	let application = super::apply::opened(&finalized)
		.unwrap_or(dpki_primitives::ids::ApplicationId::of(&payer, nonce));
	Ok(Report::new()
		.done(format!("Applied for certificate {id} to be looked at again"))
		.data("certificate", id.to_string())
		.row("application", application)
		.tail("`dpki certificate application` shows where it stands.")
		.finalized(&finalized))
}

/// `dpki certificate amend`.
pub async fn amend(session: &Session, id: CertificateId, name: Option<&str>) -> Result<Report> {
	let call = calls::amend_certificate(id, name)?;
	let done = format!("Changed the display name of certificate {id}");
	let report = submit(session, id, &call, "amending", done).await?;
	Ok(report.warn("endorsements of the old name do not count any more"))
}

/// `dpki certificate revoke`.
pub async fn revoke(
	session: &Session,
	id: CertificateId,
	reason: RevocationReason,
	yes: bool,
) -> Result<Report> {
	let word = reason.rfc5280_name();
	prompt::confirm(&format!("Revoke certificate {id} ({word})? This cannot be undone."), yes)?;
	let call = calls::revoke_certificate(id, reason);
	let done = format!("Revoked certificate {id}");
	Ok(submit(session, id, &call, "revoking", done).await?.row("reason", word))
}

/// `dpki certificate suspend`.
pub async fn suspend(session: &Session, id: CertificateId) -> Result<Report> {
	let call = calls::suspend_certificate(id);
	submit(session, id, &call, "suspending", format!("Put certificate {id} on hold")).await
}

/// `dpki certificate release`.
pub async fn release(session: &Session, id: CertificateId) -> Result<Report> {
	let call = calls::release_certificate(id);
	submit(session, id, &call, "releasing", format!("Ended the hold of certificate {id}")).await
}
