//! What endorsers have bonded: raising it, taking it out, looking at it.

use crate::{
	error::{Error, Result},
	output::{Report, hex, rfc3339},
	prompt,
	session::Session,
	values::Member,
};
use codec::Decode;
use dpki_client::{AccountId, Client, Finalized, View, account, calls, view::Located};
use dpki_primitives::{
	bond::{Bond, SlashRecord},
	certificate::Office,
};
use serde_json::{Value, json};

/// Raises the bond.
pub async fn raise(session: &Session, amount: u128) -> Result<Report> {
	require_amount(amount)?;
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::bond(amount);
	let finalized = session.submit(&client, &account, &call, "raising the bond").await?;
	let who = session.actor(&account);
	let report = Report::new()
		.done(format!("Bonded {amount}"))
		.row("account", account::address(&who))
		// Text for programs too: numbers of 128 bits do not fit those of JSON.
		.data("amount", amount.to_string());
	// The bond is raised, whether the node can tell what it has come to or not.
	let report = match bonded(&client, &who).await {
		Ok((active, minimum)) => of_minimum(report, active, minimum),
		Err(_) => report,
	};
	Ok(report.finalized(&finalized))
}

/// What is bonded, and what endorsers have to.
async fn bonded(client: &Client, who: &AccountId) -> Result<(u128, u128)> {
	let view = client.at_finalized().await?;
	let bond = view.bond(who).await?.record.unwrap_or_default();
	Ok((bond.active, view.minimum_bond().await?))
}

fn of_minimum(report: Report, active: u128, minimum: u128) -> Report {
	let report = report
		.row_as("active", format!("{active} of {minimum}"), active.to_string())
		.data("minimum", minimum.to_string())
		.data("sufficient", active >= minimum);
	match minimum.saturating_sub(active) {
		0 => report,
		missing => report.tail(format!("{missing} are missing: `dpki endorser bond {missing}`")),
	}
}

/// Takes a part of the bond out.
pub async fn lower(session: &Session, amount: u128, yes: bool) -> Result<Report> {
	require_amount(amount)?;
	let account = session.account()?;
	let (client, view) = session.view().await?;
	let who = session.actor(&account);
	let bond = view.bond(&who).await?.record.unwrap_or_default();
	let minimum = view.minimum_bond().await?;
	let rest = bond.active.saturating_sub(amount);
	let is_endorser = view
		.accreditation(Office::Endorser, &who)
		.await?
		.record
		.is_some_and(|it| it.may_act());
	if rest < minimum && is_endorser {
		prompt::confirm(
			&format!(
				"{rest} of the {minimum} that endorsers have to bond would be left: nothing that the account has \
				 endorsed would count any more. Go on?"
			),
			yes,
		)?;
	}
	let finalized = session
		.submit(&client, &account, &calls::unbond(amount), "taking out of the bond")
		.await?;
	let until = until(&finalized);
	Ok(Report::new()
		.done(format!("Took {amount} out of the bond"))
		.row("account", account::address(&who))
		.data("amount", amount.to_string())
		.data("until", until)
		.tail(match until {
			Some(until) => {
				format!(
					"It can be slashed until block {until}; then `dpki endorser withdraw-bond`."
				)
			},
			None => "It can be withdrawn after a while, with `dpki endorser withdraw-bond`.".into(),
		})
		.finalized(&finalized))
}

/// The last block at which what was taken out can be slashed.
fn until(finalized: &Finalized) -> Option<u32> {
	let fields: (AccountId, u128, u32) = event(finalized, "UnbondingBegun")?;
	Some(fields.2)
}

fn event<Fields: Decode>(finalized: &Finalized, name: &str) -> Option<Fields> {
	let mut events = finalized.events.iter();
	let event = events.find(|it| it.pallet == "Certificates" && it.name == name)?;
	Fields::decode(&mut &event.fields[..]).ok()
}

/// Returns what is due.
pub async fn withdraw(session: &Session) -> Result<Report> {
	let account = session.account()?;
	let client = session.connect().await?;
	let call = calls::withdraw_bond();
	let finalized = session.submit(&client, &account, &call, "withdrawing the bond").await?;
	let returned = event::<(AccountId, u128)>(&finalized, "BondWithdrawn").map(|it| it.1);
	let returned = returned.map(|amount| amount.to_string());
	Ok(Report::new()
		.done(match &returned {
			Some(amount) => format!("Withdrew {amount} of the bond"),
			None => "Withdrew what was due of the bond".to_owned(),
		})
		.row("account", account::address(&session.actor(&account)))
		.data("amount", returned)
		.finalized(&finalized))
}

/// What an account has bonded, and what it has lost.
pub async fn show(session: &Session, who: Option<Member>, start: u32) -> Result<Report> {
	let who = session.whose(who)?;
	let (_client, view) = session.view().await?;
	read(&view, &who, start).await
}

async fn read(view: &View, who: &AccountId, start: u32) -> Result<Report> {
	let bond = view.bond(who).await?;
	let minimum = view.minimum_bond().await?;
	let (count, slashes) = view.slashes(who, start).await?;
	Ok(told(&bond, minimum, view.head().number, count, &slashes)
		.done(format!("Bond of {}", account::address(who)))
		.row("account", account::address(who))
		.read_at(view.head()))
}

/// What is stored, at the block with this number.
fn told(
	bond: &Located<Bond<u128>>,
	minimum: u128,
	block: u32,
	slash_count: u32,
	slashes: &[SlashRecord<u128>],
) -> Report {
	let record = bond.record.clone().unwrap_or_default();
	let mut report = Report::new()
		.row("active", record.active)
		.row("minimum", minimum)
		.row_as(
			"sufficient",
			if record.active >= minimum { "yes" } else { "no" },
			record.active >= minimum,
		)
		.row_as("slashed", format!("{slash_count} times"), slash_count)
		.data("storage_key", hex(&bond.storage_key));
	let (mut leaving, mut lost) = (Vec::<Value>::new(), Vec::<Value>::new());
	for part in &record.unbonding {
		let is_due = block > part.until;
		report = report.tail(match is_due {
			true => format!("  {} can be withdrawn", part.amount),
			false => format!("  {} can be slashed until block {}", part.amount, part.until),
		});
		leaving
			.push(json!({ "amount": part.amount.to_string(), "until": part.until, "due": is_due }));
	}
	for slash in slashes {
		let (at, reason) = (rfc3339(slash.at), slash.reason.name());
		report = report.tail(format!("  {} slashed at {at}: {reason}", slash.amount));
		lost.push(json!({
			"amount": slash.amount.to_string(),
			"reason": reason,
			"evidence": hex(&slash.evidence),
			"at": at,
		}));
	}
	report.data("unbonding", leaving).data("slashes", lost)
}

fn require_amount(amount: u128) -> Result<()> {
	match amount {
		0 => Err(Error::Usage("the amount is zero: give one above 0".to_owned())),
		_ => Ok(()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::bond::{SlashReason, Unbonding};

	#[test]
	fn what_is_bonded_is_told_with_what_is_asked_for() {
		let told = |active| of_minimum(Report::new(), active, 8_000);
		let text = told(1_000).to_text();
		assert!(text.contains("active  1000 of 8000"), "{text}");
		assert!(text.contains("7000 are missing: `dpki endorser bond 7000`"), "{text}");
		assert!(!told(8_000).to_text().contains("missing"));
		let json = told(1_000).to_json();
		assert_eq!((&json["active"], &json["minimum"]), (&json!("1000"), &json!("8000")));
		assert_eq!(json["sufficient"], false);
	}

	#[test]
	fn a_bond_tells_what_leaves_when_and_what_was_lost() {
		let mut bond = Bond { active: u128::MAX, ..Bond::default() };
		for (amount, until) in [(5, 10), (6, 20)] {
			bond.unbonding.try_push(Unbonding { amount, until }).unwrap();
		}
		let located = Located { record: Some(bond), storage_key: vec![1] };
		let slash =
			SlashRecord { amount: 7, reason: SlashReason::Collusion, evidence: [2; 32], at: 1_000 };
		let json = told(&located, 8, 11, 1, &[slash]).to_json();
		assert_eq!(
			(&json["active"], &json["minimum"]),
			(&json!(u128::MAX.to_string()), &json!("8"))
		);
		assert_eq!((&json["sufficient"], &json["slashed"]), (&json!(true), &json!(1)));
		assert_eq!(json["unbonding"][0], json!({ "amount": "5", "until": 10, "due": true }));
		assert_eq!(json["unbonding"][1]["due"], false);
		assert_eq!(json["slashes"][0]["reason"], "collusion");
		assert_eq!(json["slashes"][0]["at"], "1970-01-01T00:00:01Z");
		let nothing = Located { record: None, storage_key: vec![] };
		assert_eq!(told(&nothing, 8, 11, 0, &[]).to_json()["sufficient"], false);
	}
}
