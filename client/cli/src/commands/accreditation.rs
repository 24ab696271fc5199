//! What `dpki observer` and `dpki endorser` have in common: who may observe and endorse is decided by the council, and
//! can be asked by everybody.

use crate::{
	commands::motion::propose::{Terms, to_council},
	error::{Error, Result},
	lookup,
	output::{Report, hex},
	session::Session,
	values::{Member, Name},
};
use dpki_client::{
	AccountId, Call, View, account, calls,
	view::{Listing, Located},
};
use dpki_primitives::{
	Moment,
	assurance::{Accreditation, AccreditationState, Level},
	certificate::Office,
};
use serde_json::Value;

/// The word for those who hold the office.
pub fn holder_of(office: Office) -> &'static str {
	match office {
		Office::Observer => "observer",
		Office::Endorser => "endorser",
	}
}

/// What the council can decide about an account.
pub enum Decision {
	/// It gets the office, or another organisation or level, or its suspension ends.
	Accredit(Name, Level),
	/// Nothing that it says or said counts for the time being.
	Suspend,
	/// It leaves the office.
	Release,
	/// Nothing that it said from then on counts.
	Compromised(Moment),
}

/// Proposes a decision to the council.
pub async fn decide(
	session: &Session,
	office: Office,
	Member(who): &Member,
	decision: Decision,
	terms: &Terms,
) -> Result<Report> {
	match decision {
		Decision::Accredit(org, level) => {
			let call = calls::accredit(office, who, org.organisation(), level);
			propose(session, office, who, &call, terms).await
		},
		Decision::Suspend => {
			let call = calls::suspend_accreditation(office, who);
			propose(session, office, who, &call, terms).await
		},
		Decision::Release => {
			let call = calls::release_accreditation(office, who);
			propose(session, office, who, &call, terms).await
		},
		Decision::Compromised(from) => {
			let call = calls::mark_compromised(office, who, from);
			propose(session, office, who, &call, terms).await
		},
	}
}

async fn propose(
	session: &Session,
	office: Office,
	who: &AccountId,
	call: &impl Call,
	terms: &Terms,
) -> Result<Report> {
	Ok(to_council(session, call, terms)
		.await?
		.row(holder_of(office), account::address(who)))
}

/// Everyone who was ever accredited for the office.
pub async fn list(session: &Session, office: Office, start: u32) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let page = view.accredited(office, start).await?;
	let mut report = Report::new()
		.done(format!("{} {}s", page.total, holder_of(office)))
		.read_at(view.head());
	let mut entries = Vec::new();
	for (who, Located { record, storage_key }) in &page.items {
		let Some(record) = record else { continue };
		let organisation = lookup::organisation_name(&view, record.organisation).await?;
		let line = format!("  {}  {}, {organisation}", account::address(who), state(record));
		report = report.tail(line);
		entries.push(told(who, record, &organisation, storage_key).to_json());
	}
	Ok(paged(report, "accredited", entries, &page))
}

/// The accreditation of an account.
pub async fn show(session: &Session, office: Office, Member(who): &Member) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let (record, key) = find(&view, office, who).await?;
	let organisation = lookup::organisation_name(&view, record.organisation).await?;
	let report = told(who, &record, &organisation, &key);
	Ok(report
		.done(format!("{} {}", holder_of(office), account::address(who)))
		.read_at(view.head()))
}

async fn find(view: &View, office: Office, who: &AccountId) -> Result<(Accreditation, Vec<u8>)> {
	let Located { record, storage_key } = view.accreditation(office, who).await?;
	let what = holder_of(office);
	let record = record.ok_or_else(|| Error::Unknown { what, name: account::address(who) })?;
	Ok((record, storage_key))
}

/// Refuses an account that may not act in this office now, before anything is asked of the person.
pub async fn require_active(view: &View, office: Office, who: &AccountId) -> Result<Accreditation> {
	let standing = Standing {
		here: view.accreditation(office, who).await?.record,
		elsewhere: view.accreditation(other(office), who).await?.record,
		missing: match office {
			Office::Observer => 0,
			Office::Endorser => {
				let bonded = view.bond(who).await?.record.unwrap_or_default().active;
				view.minimum_bond().await?.saturating_sub(bonded)
			},
		},
	};
	standing.require(office, &account::address(who))
}

/// What decides whether an account may act in an office.
struct Standing {
	here: Option<Accreditation>,
	/// In the other office.
	elsewhere: Option<Accreditation>,
	/// What its bond lacks, in the smallest unit; observers need none.
	missing: u128,
}

impl Standing {
	fn require(&self, office: Office, address: &str) -> Result<Accreditation> {
		let (holder, missing) = (holder_of(office), self.missing);
		let is_compromised = |it: &Option<Accreditation>| {
			it.as_ref().is_some_and(|it| it.compromised_from.is_some())
		};
		let accredit = format!("have the council accredit it with `dpki {holder} accredit`");
		let raise = format!("raise the bond with `dpki endorser bond {missing}`");
		let (why, next) = match &self.here {
			Some(record) if record.may_act() && missing == 0 => return Ok(*record),
			Some(record) if record.may_act() => (
				format!("the bond of {address} is {missing} below what endorsers have to bond"),
				raise,
			),
			// No account comes back from there, in either office.
			_ if is_compromised(&self.here) || is_compromised(&self.elsewhere) => (
				format!("{address} was compromised and never acts as {holder} again"),
				format!("have the council accredit another account with `dpki {holder} accredit`"),
			),
			here => {
				let why = match here {
					None => format!("{address} is not accredited as {holder}"),
					Some(record) => {
						format!("the accreditation of {address} is {}", state(record))
					},
				};
				// The council accredits no endorser whose bond is short.
				let next =
					if missing == 0 { accredit } else { format!("{raise}, then {accredit}") };
				(why, next)
			},
		};
		Err(Error::NotAllowed { why, next })
	}
}

/// The office beside this one.
fn other(office: Office) -> Office {
	match office {
		Office::Observer => Office::Endorser,
		Office::Endorser => Office::Observer,
	}
}

/// What is stored about an accreditation.
fn told(who: &AccountId, record: &Accreditation, organisation: &str, key: &[u8]) -> Report {
	Report::new()
		.row("account", account::address(who))
		.row("organisation", organisation)
		.data("organisation_id", record.organisation.to_string())
		.row("level", record.level.name())
		.row("state", state(record))
		.time("accredited_at", record.accredited_at)
		.time_if("compromised_from", record.compromised_from)
		.data("storage_key", hex(key))
}

/// The state in one word; a compromise is graver than anything else.
fn state(record: &Accreditation) -> &'static str {
	match record.state {
		_ if record.compromised_from.is_some() => "compromised",
		AccreditationState::Active => "active",
		AccreditationState::Suspended => "suspended",
		AccreditationState::Released => "released",
	}
}

/// Adds the entries of a page, and where the next one begins.
pub fn paged<Item>(report: Report, key: &str, entries: Vec<Value>, page: &Listing<Item>) -> Report {
	let report = report.data(key, Value::Array(entries)).data("next", page.next);
	let keys: Vec<_> = page.list_keys.iter().map(|key| hex(key)).collect();
	let report = report.data("total", page.total).data("list_proven_by", keys);
	match page.next {
		Some(next) => report.tail(format!("  more with --start {next}")),
		None => report,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_primitives::ids::OrganisationId;

	#[test]
	fn a_compromise_is_told_before_anything_else() {
		let mut record = Accreditation {
			organisation: OrganisationId([1; 32]),
			level: Level::Ev,
			state: AccreditationState::Suspended,
			accredited_at: 0,
			compromised_from: None,
		};
		assert_eq!(state(&record), "suspended");
		record.compromised_from = Some(1_000);
		assert_eq!(state(&record), "compromised");
		let json = told(&[2; 32], &record, "acme", &[3]).to_json();
		assert_eq!(json["compromised_from"], "1970-01-01T00:00:01Z");
		assert_eq!((&json["level"], &json["storage_key"]), (&"EV".into(), &"0x03".into()));
	}

	#[test]
	fn who_may_not_act_is_told_what_helps_in_this_state() {
		let record = |state, compromised_from| {
			let organisation = OrganisationId([1; 32]);
			Some(Accreditation {
				organisation,
				level: Level::Ev,
				state,
				accredited_at: 0,
				compromised_from,
			})
		};
		let active = || record(AccreditationState::Active, None);
		let compromised = || record(AccreditationState::Active, Some(1));
		let judge = |here, elsewhere, missing| {
			let standing = Standing { here, elsewhere, missing };
			standing.require(Office::Endorser, "5Eve")
		};
		judge(active(), None, 0).unwrap();
		let told = |here, elsewhere, missing| {
			let error = judge(here, elsewhere, missing).unwrap_err();
			(error.to_string(), error.next_step().unwrap())
		};
		let (why, next) = told(active(), None, 7);
		assert!(why.contains("is 7 below"), "{why}");
		assert_eq!(next, "raise the bond with `dpki endorser bond 7`");
		for (here, elsewhere) in [(compromised(), None), (None, compromised())] {
			let (why, next) = told(here, elsewhere, 7);
			assert!(why.contains("never acts as endorser again"), "{why}");
			assert!(next.contains("another account") && !next.contains("bond"), "{next}");
		}
		let accredit = "have the council accredit it with `dpki endorser accredit`";
		let suspended = || record(AccreditationState::Suspended, None);
		assert!(told(suspended(), None, 0).0.ends_with("is suspended"));
		assert!(told(None, None, 0).0.contains("not accredited as endorser"));
		assert_eq!(told(suspended(), None, 0).1, accredit);
		assert_eq!(told(None, None, 0).1, accredit);
		let (_, next) = told(suspended(), None, 7);
		assert_eq!(next, format!("raise the bond with `dpki endorser bond 7`, then {accredit}"));
	}
}
