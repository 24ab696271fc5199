//! That nothing on the chain that people call or ask is without a command and a line of documentation.
//!
//! The calls and refusals are read from the metadata that the client crate was made for. A call that is new fails these
//! tests until [`COMMANDS`] names its command and `docs/calls.md` tells about it; so does a query, with [`QUERIES`] or
//! [`VIEWS`].

use crate::cli::Cli;
use clap::{Parser, error::ErrorKind};
use std::collections::BTreeSet;
use subxt::metadata::Metadata;

/// Our pallets, and those of the framework by which accounts act together or for each other, the council is seated and
/// session keys are set; by the names that the runtime gives them. Those that a runtime does not have are passed over.
const PALLETS: [&str; 14] = [
	"Organisations",
	"Dpki",
	"Deliveries",
	"Motions",
	"Certificates",
	"Economy",
	"ValidatorSet",
	"Fleets",
	"Requests",
	"Mandate",
	"CouncilMembership",
	"Multisig",
	"Proxy",
	"Session",
];

/// Calls that nobody can make: the runtime has no origin for them, or closes them. The document says so of each.
const CLOSED: [(&str, &str); 3] = [
	("CouncilMembership", "set_prime"),
	("CouncilMembership", "clear_prime"),
	("Session", "purge_keys"),
];

const DOCUMENT: &str = include_str!("../../../docs/calls.md");
const OPERATIONS: &str = include_str!("../../../docs/operations.md");
const AGENT: &str = include_str!("../../agent/README.md");

/// A pallet, a call, and a command line that makes it.
type Line = (&'static str, &'static str, &'static str);

/// Each call with a command line that makes it; of the agent where the call is the device's own.
const COMMANDS: &[Line] = &[
	("Organisations", "create", "dpki org create acme --kind regulator"),
	("Organisations", "set_member", "dpki org member set acme //Bob --roles publisher"),
	("Organisations", "remove_member", "dpki org member remove acme //Bob"),
	("Organisations", "set_policy", "dpki org policy acme multi-admin"),
	("Organisations", "hand_over", "dpki org hand-over acme //Bob"),
	("Organisations", "cancel_hand_over", "dpki org cancel-hand-over acme"),
	("Organisations", "accept_hand_over", "dpki org accept acme --from //Bob"),
	("Organisations", "begin_recovery", "dpki motion propose recover acme administrators //Bob"),
	("Organisations", "cancel_recovery", "dpki org recover cancel acme"),
	("Organisations", "complete_recovery", "dpki org recover complete acme"),
	("Organisations", "dissolve", "dpki org dissolve acme"),
	("Organisations", "join", "dpki org join acme"),
	("Organisations", "admit", "dpki motion propose admit-org acme //Bob --kind test-lab"),
	("Dpki", "register_anchor", "dpki anchor add --org acme --kind ssh-user-ca --key ca"),
	("Dpki", "retire_anchor", "dpki anchor retire ca.pub"),
	("Dpki", "revoke_anchor", "dpki revoke anchor ca.pub --reason keyCompromise"),
	("Dpki", "revoke_ssh", "dpki revoke ssh-cert --cert id-cert.pub --reason keyCompromise"),
	("Dpki", "issue_voucher", "dpki voucher new --org acme --device drone-7"),
	("Dpki", "cancel_voucher", "dpki voucher cancel drone-7.voucher"),
	("Dpki", "enrol", "dpki-agent enrol"),
	("Dpki", "register_key", "dpki device register-key acme/drone-7 --consent tls.consent"),
	("Dpki", "revoke_key", "dpki revoke key id --reason superseded"),
	("Dpki", "revoke_own_key", "dpki key revoke id --signing-key k --reason superseded"),
	("Dpki", "clear_expired_voucher", "dpki voucher clear drone-7.voucher"),
	("Dpki", "revoke_device", "dpki revoke device acme/drone-7 --reason keyCompromise"),
	("Dpki", "suspend_device", "dpki hold device acme/drone-7 --reason keyCompromise"),
	("Dpki", "release_device", "dpki release device acme/drone-7"),
	("Dpki", "suspend_key", "dpki hold key id --reason keyCompromise"),
	("Dpki", "release_key", "dpki release key id"),
	("Dpki", "set_key_policy", "dpki org key-policy acme --self-service on"),
	(
		"Dpki",
		"add_own_key",
		"dpki key add acme/drone-7 --purpose tls --key k --consent-key c --alone",
	),
	("Dpki", "replace_key", "dpki key replace id --key k --consent-key c"),
	("Dpki", "replace_own_key", "dpki key replace id --key k --consent-key c --alone"),
	("Dpki", "announce_next_key", "dpki key announce id --next k --consent-key c"),
	("Dpki", "announce_own_key", "dpki key announce id --next k --consent-key c --alone"),
	("Dpki", "reveal_next_key", "dpki key reveal id --key k"),
	("Dpki", "request_keys", "dpki key request --org acme --device drone-9 --key sign=k"),
	("Dpki", "approve_request", "dpki key approve id"),
	("Dpki", "reject_request", "dpki key reject id"),
	("Dpki", "report_compromise", "dpki key compromised k"),
	("Dpki", "register_batch", "dpki device batch drones.csv --org acme"),
	("Dpki", "revoke_keys", "dpki revoke key id id --reason superseded"),
	("Dpki", "revoke_devices", "dpki revoke device acme/drone-7 acme/drone-8"),
	(
		"Dpki",
		"register_authority",
		"dpki anchor add --org acme --intermediate --parent root.crt --key ca.key --cert ca.crt",
	),
	("Dpki", "adopt_authority", "dpki motion propose adopt root.crt --profile matter"),
	("Dpki", "plan_rollover", "dpki anchor rollover old.crt --to new.crt --after 30d"),
	("Dpki", "cancel_rollover", "dpki anchor rollover old.crt --cancel"),
	("Dpki", "suspend_anchor", "dpki anchor suspend ca.crt"),
	("Dpki", "release_anchor", "dpki anchor release ca.crt"),
	("Dpki", "set_crl_pointer", "dpki anchor crl ca.crt --address https://crl.example/ca.crl"),
	(
		"Deliveries",
		"publish",
		"dpki deliver --org acme --device drone-7 --user-ca ca.pub --principals pilot=alice",
	),
	("Deliveries", "acknowledge", "dpki-agent run"),
	(
		"Deliveries",
		"publish_shared",
		"dpki deliver --org acme --device drone-7 --device drone-8 --empty",
	),
	("Deliveries", "approve", "dpki approve-delivery drone-7.review"),
	("Deliveries", "withdraw", "dpki withdraw-delivery acme/drone-7"),
	("Motions", "propose", "dpki motion propose admit //Bob"),
	("Motions", "vote", "dpki motion vote 3 aye"),
	("Motions", "withdraw", "dpki motion withdraw 3"),
	("Motions", "close", "dpki motion close 3"),
	("Certificates", "apply", "dpki certificate apply dns:www.acme.example --key www.key"),
	("Certificates", "renew", "dpki certificate renew id control"),
	("Certificates", "withdraw_application", "dpki certificate withdraw id"),
	("Certificates", "commit", "dpki observer commit id controlled --vote www.vote"),
	("Certificates", "reveal", "dpki observer reveal --vote www.vote"),
	("Certificates", "close", "dpki certificate close id"),
	("Certificates", "endorse", "dpki endorser endorse id --level ov --valid 365d"),
	("Certificates", "withdraw_endorsement", "dpki endorser withdraw id --because facts-changed"),
	("Certificates", "amend", "dpki certificate amend id --display-name Acme"),
	("Certificates", "revoke", "dpki certificate revoke id --reason keyCompromise"),
	("Certificates", "suspend", "dpki certificate suspend id"),
	("Certificates", "release", "dpki certificate release id"),
	("Certificates", "accredit", "dpki observer accredit //Bob --org lab"),
	("Certificates", "suspend_accreditation", "dpki observer suspend //Bob"),
	("Certificates", "release_accreditation", "dpki observer release //Bob"),
	(
		"Certificates",
		"mark_compromised",
		"dpki endorser compromised //Bob --from 2026-01-01T00:00:00Z",
	),
	("Certificates", "set_policy", "dpki certificate council policy --observers 3"),
	("Certificates", "set_fees", "dpki certificate council prices --feeless true"),
	("Certificates", "bond", "dpki endorser bond 1_000_000"),
	("Certificates", "unbond", "dpki endorser unbond 1_000_000"),
	("Certificates", "withdraw_bond", "dpki endorser withdraw-bond"),
	(
		"Certificates",
		"slash",
		"dpki motion propose slash //Bob --amount 5 --because collusion --evidence-hash id",
	),
	("Certificates", "set_minimum_bond", "dpki certificate council minimum-bond 1_000_000"),
	("Economy", "set_fee", "dpki economy set-fee issue-voucher 10_000_000_000"),
	("Economy", "set_deposit", "dpki economy set-deposit device 100_000_000_000"),
	("Economy", "set_feeless", "dpki economy feeless on"),
	(
		"Economy",
		"set_quotas",
		"dpki economy set-quotas --per-account 2_000_000:8_000 --per-organisation 8_000_000:40_000",
	),
	("ValidatorSet", "add_validator", "dpki validator add //Eve --org acme"),
	("ValidatorSet", "remove_validator", "dpki validator remove //Eve"),
	("ValidatorSet", "disable_validator", "dpki validator disable //Eve"),
	("ValidatorSet", "enable_validator", "dpki validator enable //Eve"),
	("ValidatorSet", "set_bounds", "dpki validator bounds --minimum 4 --maximum 20"),
	("ValidatorSet", "leave", "dpki validator leave"),
	("Fleets", "commit", "dpki fleet commit keys.csv acme/drones --tiles t"),
	("Fleets", "append", "dpki fleet append more.csv acme/drones --tiles t"),
	("Fleets", "rotate", "dpki fleet rotate new.csv acme/drones --tiles t"),
	("Fleets", "withdraw", "dpki fleet withdraw acme/drones"),
	("Fleets", "vote", "dpki fleet check acme/drones --vote"),
	("Fleets", "revoke_members", "dpki fleet revoke acme/drones 7 20-29 --reason superseded"),
	("Fleets", "revoke_fleet", "dpki fleet revoke acme/drones --whole"),
	("Fleets", "retire_fleet", "dpki fleet retire acme/drones"),
	("Fleets", "publish_tile", "dpki fleet publish acme/drones --tiles t"),
	("Fleets", "open_roll", "dpki fleet open acme/drones --purpose tls"),
	("Fleets", "append_keys", "dpki fleet fill keys.csv acme/drones"),
	("Requests", "file", "dpki-agent request"),
	("Requests", "withdraw", "dpki-agent request"),
	("Requests", "answer", "dpki request answer acme/drone-7 tls:web --delivered 3"),
	("Requests", "refuse", "dpki request refuse acme/drone-7 ssh-host --reason not-needed"),
	("Requests", "clear", "dpki request clear acme/drone-7 tls:web"),
	("Mandate", "dispatch_as_root", "dpki motion propose root 0x00001074657374"),
	("CouncilMembership", "add_member", "dpki motion propose admit //Bob"),
	("CouncilMembership", "remove_member", "dpki motion propose expel //Bob"),
	("CouncilMembership", "swap_member", "dpki motion propose root 0x00001074657374"),
	("CouncilMembership", "reset_members", "dpki motion propose root 0x00001074657374"),
	("CouncilMembership", "change_key", "dpki motion move-seat //Bob"),
	("Multisig", "as_multi_threshold_1", "dpki account call 0x00001074657374"),
	(
		"Multisig",
		"as_multi",
		"dpki multisig approve 2://Alice,//Bob,//Charlie --call 0x00001074657374",
	),
	(
		"Multisig",
		"approve_as_multi",
		"dpki multisig propose 2://Alice,//Bob,//Charlie 0x00001074657374",
	),
	("Multisig", "cancel_as_multi", "dpki multisig cancel 2://Alice,//Bob,//Charlie id"),
	("Multisig", "poke_deposit", "dpki account call 0x00001074657374"),
	("Proxy", "proxy", "dpki account call 0x00001074657374 --on-behalf-of //Alice"),
	("Proxy", "add_proxy", "dpki account proxy add //Bob --right publishing --delay 600"),
	("Proxy", "remove_proxy", "dpki account proxy remove //Bob --right publishing --delay 600"),
	("Proxy", "remove_proxies", "dpki account proxy clear"),
	("Proxy", "create_pure", "dpki account call 0x00001074657374"),
	("Proxy", "kill_pure", "dpki account call 0x00001074657374 --on-behalf-of //Alice"),
	("Proxy", "announce", "dpki account proxy announce //Alice 0x00001074657374"),
	("Proxy", "remove_announcement", "dpki account proxy recall //Alice id"),
	("Proxy", "reject_announcement", "dpki account proxy reject //Bob id"),
	("Proxy", "proxy_announced", "dpki account proxy carry-out //Alice 0x00001074657374"),
	("Proxy", "poke_deposit", "dpki account call 0x00001074657374"),
	("Session", "set_keys", "dpki validator set-keys --keys 0x8e --proof 0x30"),
];

/// Each query of the runtime API with a command line that answers it.
const QUERIES: &[(&str, &str)] = &[
	("organisation", "dpki org show acme"),
	("member", "dpki org show acme --member //Bob"),
	("motion", "dpki motion show 3"),
	("motions", "dpki motion list"),
	("anchor", "dpki anchor show id"),
	("check_certificate", "dpki x509 check dac.crt --below paa.crt"),
	("anchors_of", "dpki anchor list --org acme"),
	("anchors_ending", "dpki anchor ending --org acme"),
	("children_of", "dpki anchor children id"),
	("devices_of", "dpki device list --organisation acme"),
	("device", "dpki status device acme/drone-7"),
	("key", "dpki status key id"),
	("keys_of", "dpki device show acme/drone-7"),
	("keys_ending", "dpki key ending acme/drone-7"),
	("requests_to", "dpki key requests acme"),
	("filings_for", "dpki request list --org acme"),
	("filing", "dpki request show acme/drone-7 tls:web"),
	("voucher", "dpki voucher show id"),
	("channels", "dpki status delivery acme/drone-7"),
	("delivery", "dpki status delivery acme/drone-7"),
	("acknowledgement", "dpki status delivery acme/drone-7"),
	("economy", "dpki economy show"),
	("quota", "dpki economy quota"),
	("fleet", "dpki fleet status acme/drones"),
	("fleets_of", "dpki fleet list acme"),
	("fleet_member", "dpki fleet status acme/drones --proof drone-7.member"),
	("certificate", "dpki certificate show id"),
	("assessment", "dpki status certificate id"),
	("endorsements", "dpki certificate show id"),
	("application", "dpki certificate application id"),
	("application_nonce", "dpki certificate draft dns:www.acme.example --public k --out d"),
	("subject", "dpki subject show dns:www.acme.example"),
	("certificates_of", "dpki certificate list --org acme"),
	("certificates_about", "dpki subject certificates dns:www.acme.example"),
	("certificates_ending_on", "dpki certificate ending"),
	("accreditation", "dpki observer show //Bob"),
	("accredited", "dpki endorser list"),
	("pending_observations", "dpki observer pending"),
	("pending_reveals", "dpki observer pending"),
	("pending_endorsements", "dpki endorser pending"),
	("certificate_terms", "dpki certificate terms"),
];

/// Each view function of a pallet that has no query of the same name, with a command line that tells the same.
const VIEWS: &[Line] = &[
	("Organisations", "roles", "dpki org show acme --member //Bob"),
	("Organisations", "pending_hand_over", "dpki org show acme --member //Bob"),
	("Organisations", "pending_recovery", "dpki org show acme --member //Bob"),
	("Organisations", "dissolved_at", "dpki org dissolved acme"),
	("Dpki", "anchor_material", "dpki export pem --org acme --out roots.pem"),
	("Dpki", "anchor_status", "dpki status anchor id"),
	("Dpki", "crl_pointer", "dpki anchor show id"),
	("Dpki", "anchors_of_key", "dpki anchor of-key id"),
	("Dpki", "ssh_revocation_count", "dpki anchor show id"),
	("Dpki", "ssh_revocations", "dpki anchor show id"),
	("Dpki", "device_status", "dpki status device acme/drone-7"),
	("Dpki", "key_status", "dpki status key id"),
	("Dpki", "next_key", "dpki key next id"),
	("Dpki", "key_policy", "dpki org key-policy acme"),
	("Dpki", "key_quota", "dpki key quota acme/drone-7"),
	("Dpki", "request", "dpki key requests acme"),
	("Motions", "call_bounds", "dpki motion vote 3 aye"),
	("Motions", "current_tally", "dpki motion show 3"),
	("Certificates", "status", "dpki status certificate id"),
	("Certificates", "effective_level", "dpki status certificate id"),
	("Certificates", "terms", "dpki certificate terms"),
	("Certificates", "votes", "dpki certificate application id"),
	("Certificates", "challenge", "dpki observer pending"),
	("Certificates", "bonded", "dpki endorser bonded //Bob"),
	("Certificates", "minimum_bond", "dpki certificate terms"),
	("Certificates", "slashes", "dpki endorser bonded //Bob"),
	("Certificates", "ending_on", "dpki certificate ending"),
	("Economy", "tariff", "dpki economy show"),
	("Economy", "deposit_schedule", "dpki economy show"),
	("Requests", "filings_of", "dpki request list --device acme/drone-7"),
	("Requests", "content", "dpki request show acme/drone-7 tls:web"),
	("Requests", "filer", "dpki-agent request"),
	("Requests", "waiting_for", "dpki request list --org acme"),
];

fn metadata() -> Metadata {
	Metadata::decode_from(include_bytes!("../../sdk/artifacts/metadata.scale")).unwrap()
}

/// The lines about pallets that the chain has.
fn commands(metadata: &Metadata) -> impl Iterator<Item = &'static Line> {
	COMMANDS
		.iter()
		.filter(|(pallet, _, _)| metadata.pallet_by_name(pallet).is_some())
}

/// The calls of these pallets, closed ones too.
fn all_calls(metadata: &Metadata) -> BTreeSet<(String, String)> {
	let ours = metadata.pallets().filter(|pallet| PALLETS.contains(&pallet.name()));
	ours.flat_map(|pallet| {
		let calls = pallet.call_variants().unwrap_or_default();
		calls.iter().map(move |call| (pallet.name().to_owned(), call.name.clone()))
	})
	.collect()
}

/// The calls of these pallets that somebody can make.
fn calls(metadata: &Metadata) -> BTreeSet<(String, String)> {
	let mut calls = all_calls(metadata);
	calls.retain(|(pallet, call)| !CLOSED.contains(&(pallet.as_str(), call.as_str())));
	calls
}

/// The part of the document about a pallet.
fn section(pallet: &str) -> &'static str {
	let heading = format!("\n## {pallet}\n");
	let Some((_, rest)) = DOCUMENT.split_once(heading.as_str()) else { return "" };
	rest.split("\n## ").next().unwrap_or_default()
}

/// The row of a call in the document: its cells.
fn row(pallet: &str, call: &str) -> Option<Vec<&'static str>> {
	let name = format!("`{call}`");
	section(pallet)
		.lines()
		.map(|line| line.split(" | ").map(|cell| cell.trim_matches([' ', '|'])).collect::<Vec<_>>())
		.find(|cells| cells.get(1) == Some(&name.as_str()))
}

#[test]
fn every_call_of_ours_has_a_command() {
	let metadata = metadata();
	let known: BTreeSet<_> = commands(&metadata)
		.map(|(pallet, call, _)| ((*pallet).to_owned(), (*call).to_owned()))
		.collect();
	let calls = calls(&metadata);
	let missing: Vec<_> = calls.difference(&known).collect();
	assert!(missing.is_empty(), "no command makes these calls: {missing:?}");
	let gone: Vec<_> = known.difference(&calls).collect();
	assert!(gone.is_empty(), "the chain has no such calls: {gone:?}");
}

/// Whether these are words that the command line takes. Ids and hashes would make the lines long.
fn parse(line: &str) -> Result<Cli, clap::Error> {
	let id = format!("0x{}", "ab".repeat(32));
	Cli::try_parse_from(line.split(' ').map(|word| if word == "id" { &id } else { word }))
}

#[test]
fn every_command_line_is_one() {
	for (pallet, call, line) in commands(&metadata()) {
		match line.strip_prefix("dpki-agent ") {
			Some(verb) => {
				assert!(AGENT.contains(&format!("| `dpki-agent {verb}` |")), "{pallet}.{call}");
			},
			None => {
				if let Err(error) = parse(line) {
					panic!("{pallet}.{call}: {error}");
				}
			},
		}
	}
}

#[test]
fn every_query_has_a_command_and_is_documented_with_it() {
	let metadata = metadata();
	let api = metadata.runtime_api_trait_by_name("DpkiApi").expect("the chain has it");
	let queries: BTreeSet<_> = api.methods().map(|method| method.name().to_owned()).collect();
	let known: BTreeSet<_> = QUERIES.iter().map(|(query, _)| (*query).to_owned()).collect();
	let missing: Vec<_> = queries.difference(&known).collect();
	assert!(missing.is_empty(), "no command answers these queries: {missing:?}");
	let gone: Vec<_> = known.difference(&queries).collect();
	assert!(gone.is_empty(), "the chain answers no such queries: {gone:?}");
	for (query, line) in QUERIES {
		if let Err(error) = parse(line) {
			panic!("{query}: {error}");
		}
		let row = section("Queries")
			.lines()
			.find(|row| row.starts_with(&format!("| `{query}` |")));
		let named = row.and_then(|row| row.rsplit('`').nth(1)).unwrap_or_default();
		let rest = line.strip_prefix(named).filter(|_| !named.is_empty());
		assert!(
			rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')),
			"docs/calls.md has no row with the command of {query}"
		);
	}
}

#[test]
fn every_view_function_has_a_command_and_is_documented_with_it() {
	let metadata = metadata();
	let mut known: BTreeSet<_> = VIEWS
		.iter()
		.map(|(pallet, name, _)| ((*pallet).to_owned(), (*name).to_owned()))
		.collect();
	let mut missing = Vec::new();
	for pallet in metadata.pallets() {
		for function in pallet.view_functions() {
			let place = (pallet.name().to_owned(), function.name().to_owned());
			let is_query = QUERIES.iter().any(|(query, _)| *query == place.1);
			// The framework's compare kinds of proxies with each other and with a call: they read nothing of the state.
			let is_ours = PALLETS.contains(&pallet.name()) && pallet.name() != "Proxy";
			if !known.remove(&place) && is_ours && !is_query {
				missing.push(place);
			}
		}
	}
	assert!(missing.is_empty(), "no command tells what these do: {missing:?}");
	assert!(known.is_empty(), "the chain has no such view functions: {known:?}");
	for (pallet, name, line) in VIEWS {
		let row = section("Queries")
			.lines()
			.find(|row| row.starts_with(&format!("| `{pallet}.{name}` |")));
		let named = row.and_then(|row| row.rsplit('`').nth(1)).unwrap_or_default();
		assert!(
			!named.is_empty() && line.starts_with(named),
			"docs/calls.md has no row with the command of {pallet}.{name}"
		);
		match line.strip_prefix("dpki-agent ") {
			Some(verb) => assert!(AGENT.contains(&format!("| `dpki-agent {verb}` |")), "{name}"),
			None => assert!(parse(line).is_ok(), "{pallet}.{name}: {line}"),
		}
	}
}

/// Where answers name no storage keys, the document names the storage; by the names that the chain has.
#[test]
fn the_storage_that_proves_an_answer_is_there() {
	let metadata = metadata();
	let mut seen = 0;
	for word in section("Queries").split('`').skip(1).step_by(2) {
		let Some((pallet, item)) = word.split_once('.') else { continue };
		let Some(pallet) = metadata.pallet_by_name(pallet) else { continue };
		let is_view = pallet.view_functions().any(|function| function.name() == item);
		let storage = pallet.storage().and_then(|storage| storage.entry_by_name(item));
		assert!(is_view || storage.is_some(), "the chain has no {word}");
		seen += usize::from(storage.is_some());
	}
	assert!(seen > 20, "{seen} are named");
}

#[test]
fn a_closed_call_is_said_to_be_closed() {
	let calls = all_calls(&metadata());
	for (pallet, call) in CLOSED {
		assert!(calls.contains(&(pallet.to_owned(), call.to_owned())), "no {pallet}.{call}");
		let cells = row(pallet, call).unwrap_or_else(|| panic!("{pallet}.{call} has no row"));
		assert!(cells.len() == 8 && cells[2].starts_with("nobody: "), "{cells:?}");
		assert_eq!(cells[7], "none", "{pallet}.{call}");
	}
}

#[test]
fn every_call_is_documented_with_its_command() {
	let mut missing = Vec::new();
	for (pallet, call) in calls(&metadata()) {
		let Some(cells) = row(&pallet, &call) else {
			missing.push(format!("{pallet}.{call} has no row"));
			continue;
		};
		let line = COMMANDS.iter().find(|(p, c, _)| (*p, *c) == (&*pallet, &*call));
		let command = cells.last().copied().unwrap_or_default();
		// The document names the command, the table here a whole line.
		let named = command.split('`').skip(1).step_by(2);
		let is_named = line.is_some_and(|(_, _, line)| {
			named.into_iter().any(|named| {
				line.strip_prefix(named)
					.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
			})
		});
		if cells.len() != 8 || !is_named {
			missing.push(format!("{pallet}.{call} has the row {cells:?}"));
		}
	}
	assert!(missing.is_empty(), "docs/calls.md is behind the chain:\n{}", missing.join("\n"));
}

#[test]
fn the_commands_of_the_runbook_make_sense() {
	let in_blocks = OPERATIONS.lines().map(str::trim).filter(|line| line.starts_with("dpki "));
	// In a sentence a command may be named without what it takes.
	let in_sentences =
		OPERATIONS.split('`').skip(1).step_by(2).filter(|it| it.starts_with("dpki "));
	let blocks: Vec<_> = in_blocks.collect();
	assert!(blocks.len() > 5, "{blocks:?}");
	for (line, is_whole) in blocks
		.into_iter()
		.map(|line| (line, true))
		.chain(in_sentences.map(|it| (it, false)))
	{
		let command = line.split(" &&").next().unwrap_or_default();
		let Err(error) = Cli::try_parse_from(command.split_whitespace()) else { continue };
		let named = [
			ErrorKind::MissingRequiredArgument,
			ErrorKind::MissingSubcommand,
			ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
		];
		assert!(!is_whole && named.contains(&error.kind()), "{command}: {error}");
	}
}

#[test]
fn every_refusal_is_documented_in_the_words_of_the_chain() {
	let metadata = metadata();
	let mut missing = Vec::new();
	for pallet in metadata.pallets().filter(|pallet| PALLETS.contains(&pallet.name())) {
		for error in pallet.error_variants().unwrap_or_default() {
			let words: Vec<_> = error.docs.iter().map(|line| line.trim()).collect();
			let row = format!("| `{}` | {} |", error.name, words.join(" ").trim());
			if !section(pallet.name()).lines().any(|line| line == row) {
				missing.push(format!("{}: {row}", pallet.name()));
			}
		}
	}
	assert!(missing.is_empty(), "docs/calls.md lacks these rows:\n{}", missing.join("\n"));
}
