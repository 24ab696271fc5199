//! The policy and the prices.

use crate::{
	error::Result,
	output::{self, Report, hex},
	session::Session,
};
use dpki_client::{certificate::LevelPrices, view::CertificateTerms};
use dpki_primitives::{assurance::Level, storage_keys};
use serde_json::{Value, json};
use std::time::Duration;

/// `dpki certificate terms`.
pub async fn show(session: &Session) -> Result<Report> {
	let (_client, view) = session.view().await?;
	let terms = view.certificate_terms().await?;
	let minimum_bond = view.minimum_bond().await?;
	Ok(told(&terms)
		.row("minimum_bond", minimum_bond)
		.data("minimum_bond_key", hex(&storage_keys::minimum_bond()))
		.done("Terms of certificates")
		.read_at(view.head()))
}

fn told(CertificateTerms { policy, policy_key, fees, fees_key }: &CertificateTerms) -> Report {
	let blocks = |report: Report, key: &str, blocks: u32| {
		report.row_as(key, format!("{blocks} blocks"), blocks)
	};
	let span = |report: Report, key: &str, millis: u64| {
		report.row_as(key, output::span(Duration::from_millis(millis)), millis / 1000)
	};
	let mut report = Report::new()
		.row_as("observers", policy.observers.to_string(), policy.observers)
		.row_as("endorsers_ov", policy.endorsers.ov.to_string(), policy.endorsers.ov)
		.row_as("endorsers_ev", policy.endorsers.ev.to_string(), policy.endorsers.ev);
	report = blocks(report, "commit_blocks", policy.commit_blocks);
	report = blocks(report, "reveal_blocks", policy.reveal_blocks);
	report = blocks(report, "endorsement_blocks", policy.endorsement_blocks);
	report = span(report, "control_lifetime", policy.control_lifetime);
	report = span(report, "max_lifetime", policy.max_lifetime);
	report = span(report, "max_endorsement_lifetime", policy.max_endorsement_lifetime);
	report = report
		.row_as("feeless", if fees.feeless { "yes" } else { "no" }, fees.feeless)
		// Text for programs too: numbers of 128 bits do not fit those of JSON.
		.row("deposit", fees.deposit)
		.data("policy_key", hex(policy_key))
		.data("fees_key", hex(fees_key));
	for (word, prices) in
		[("issue", &fees.issue), ("control", &fees.control), ("endorsement", &fees.endorsement)]
	{
		report = report.data(word, prices_json(prices));
		for level in Level::ALL {
			let price = prices.at(level);
			report = report.tail(format!(
				"  {word:11}  {}  validators {}, observers {}, each endorser {}",
				level.name(),
				price.network,
				price.observation,
				price.endorsement,
			));
		}
	}
	report
}

fn prices_json(prices: &LevelPrices) -> Value {
	let price = |level| {
		let price = prices.at(level);
		json!({
			"network": price.network.to_string(),
			"observation": price.observation.to_string(),
			"endorsement": price.endorsement.to_string(),
		})
	};
	json!({ "dv": price(Level::Dv), "ov": price(Level::Ov), "ev": price(Level::Ev) })
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_client::certificate::FeeSchedule;
	use dpki_primitives::certificate::CertificatePolicy;

	#[test]
	fn terms_are_told_in_units_that_people_know() {
		let mut fees = FeeSchedule { deposit: 7, ..FeeSchedule::default() };
		fees.issue.ev.endorsement = u128::MAX;
		let policy = CertificatePolicy::default();
		let terms = CertificateTerms { policy, policy_key: vec![1], fees, fees_key: vec![2] };
		let json = told(&terms).to_json();
		let text = told(&terms).to_text();
		assert!(text.contains("control lifetime          100d\n"), "{text}");
		assert_eq!((&json["observers"], &json["endorsers_ev"]), (&json!(2), &json!(3)));
		assert_eq!(json["control_lifetime"], json!(100 * 24 * 60 * 60));
		assert_eq!(json["issue"]["ev"]["endorsement"], u128::MAX.to_string());
		assert_eq!((&json["deposit"], &json["policy_key"]), (&json!("7"), &json!("0x01")));
	}
}
