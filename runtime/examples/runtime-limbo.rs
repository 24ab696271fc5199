// SPDX-License-Identifier: Apache-2.0

//! Puts a file of the x509-limbo format to the runtime: `cargo run -p dpki-runtime --example runtime-limbo -- FILE.json`.
//!
//! For each case, the trusted certificates are anchors in the state of a chain that has come to its time, and
//! `DpkiApi::check_certificate` is asked about the certificate in question: by the path that `dpki x509 limbo` has found, or,
//! where that has found none, by every chain that the names in the pool allow. The answer has to be the one of `dpki x509
//! limbo`, for what a chain can be asked (`dpki_x509::limbo::Question`).
//!
//! Two things are not as on a chain. Nobody here has the keys of these anchors, so they stand in the state without a proof
//! of possession; those that the registry would not take are counted. And longer chains than the API reads, and larger
//! anchors than the registry holds, are put to nobody: they are counted too.
//!
//! Exits with 1 if an answer differs, and with 2 if the file could not be read.

use dpki_primitives::{
	anchor::{
		AnchorKind, AnchorMaterial, AnchorRecord, Certification, ChainVerdict, MAX_CHAIN_LEN,
		Profile,
	},
	ids::{AnchorId, KeyId, OrganisationId},
	status::Validity,
};
use dpki_runtime::{Runtime, dpki_api::runtime_decl_for_dpki_api::DpkiApiV1};
use dpki_x509::{
	Certificate,
	limbo::{Question, run},
	read_branch, verify_root,
};
use pallet_dpki::{AnchorMaterials, Anchors};
use sp_io::TestExternalities;
use std::{env, fs, process::ExitCode, time::SystemTime};

/// Most chains that are tried below one anchor: pools can be made in which every authority seems to have issued every
/// other.
const MAX_CHAINS: usize = 64;

/// What came out.
#[derive(Default)]
struct Score {
	accepted: usize,
	refused: usize,
	beyond_limits: usize,
	unasked: usize,
	unregistrable: usize,
	cut_short: usize,
	differences: Vec<String>,
}

fn main() -> ExitCode {
	let Some(path) = env::args().nth(1) else {
		eprintln!("usage: runtime-limbo FILE.json");
		return ExitCode::from(2);
	};
	let now = SystemTime::now()
		.duration_since(SystemTime::UNIX_EPOCH)
		.map_or(0, |since| since.as_secs());
	let json = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"));
	let report = match json.and_then(|json| run(&json, now)) {
		Ok(report) => report,
		Err(error) => {
			eprintln!("{error}");
			return ExitCode::from(2);
		},
	};
	let mut score = Score::default();
	for case in &report.cases {
		match &case.question {
			Some(question) => judge(&case.id, question, &mut score),
			None => score.unasked += 1,
		}
	}
	let Score { accepted, refused, beyond_limits, unasked, unregistrable, cut_short, differences } =
		score;
	println!("accepted by the runtime as by dpki x509 limbo: {accepted}");
	println!("refused by both: {refused}, in {cut_short} of which not every chain was tried");
	println!("beyond what the API reads or the registry holds: {beyond_limits}");
	println!("nothing to ask (skipped, or the certificate cannot be read): {unasked}");
	println!("accepted below an anchor that the registry would not take: {unregistrable}");
	for difference in &differences {
		println!("DIFFERS    {difference}");
	}
	ExitCode::from(u8::from(!differences.is_empty()))
}

fn judge(id: &str, question: &Question, score: &mut Score) {
	let Some((anchor, chain)) = &question.path else {
		let mut is_cut_short = false;
		for anchor in &question.anchors {
			let (chains, are_all) = chains_below(anchor, question);
			is_cut_short |= !are_all;
			for chain in &chains {
				if ask(anchor, chain, question).is_some_and(|verdict| verdict.is_valid()) {
					score.differences.push(format!("{id}: the runtime accepts"));
					return;
				}
			}
		}
		score.refused += 1;
		score.cut_short += usize::from(is_cut_short);
		return;
	};
	match ask(anchor, chain, question) {
		Some(ChainVerdict::LengthInvalid) if chain.len() > MAX_CHAIN_LEN as usize => {
			score.beyond_limits += 1;
		},
		None => score.beyond_limits += 1,
		Some(verdict) if verdict.is_valid() => {
			score.accepted += 1;
			let is_root = verify_root(&dpki_x509::Pure, anchor, question.profile).is_ok();
			let is_taken = is_root || read_branch(anchor, question.profile).is_ok();
			score.unregistrable += usize::from(!is_taken);
		},
		Some(verdict) => score.differences.push(format!("{id}: the runtime says {verdict:?}")),
	}
}

/// The chains below this anchor that lead to the certificate in question by their names, from that one up; and whether
/// these are all.
fn chains_below(anchor: &[u8], question: &Question) -> (Vec<Vec<Vec<u8>>>, bool) {
	let read = |der: &[u8]| Certificate::from_der(der).expect("it was read before");
	let root = read(anchor);
	let pool: Vec<_> = question.intermediates.iter().map(|der| read(der)).collect();
	let mut found = Vec::new();
	let mut open = vec![vec![read(&question.leaf)]];
	while let Some(chain) = open.pop() {
		let Some(top) = chain.last() else { continue };
		if found.len() == MAX_CHAINS || open.len() > MAX_CHAINS * MAX_CHAINS {
			return (found, false);
		}
		if top.issuer() == root.subject() {
			found.push(chain.iter().map(|it| it.der().to_vec()).collect());
		}
		if chain.len() < MAX_CHAIN_LEN as usize {
			let above = pool.iter().filter(|it| it.subject() == top.issuer());
			open.extend(above.map(|it| [&chain[..], std::slice::from_ref(it)].concat()));
		}
	}
	(found, true)
}

/// The verdict of the runtime, in the state of a chain with this anchor alone. `None` if the registry cannot hold it.
fn ask(anchor: &[u8], chain: &[Vec<u8>], question: &Question) -> Option<ChainVerdict> {
	let material: AnchorMaterial = anchor.to_vec().try_into().ok()?;
	let certificate = Certificate::from_der(anchor).ok()?;
	let kind = match certificate.is_self_issued() {
		true => AnchorKind::X509Root,
		false => AnchorKind::X509Intermediate,
	};
	let id = AnchorId::of(kind, anchor);
	let validity = Validity {
		not_before: certificate.validity().first_millisecond(),
		not_after: Some(certificate.validity().last_millisecond()),
	};
	let organisation = OrganisationId::from_name(b"acme");
	let certification = Certification { profile: Profile::Rfc5280, issuer: None, depth: 0 };
	let record = AnchorRecord {
		certification: Some(certification),
		// No certificate of the chain was issued by another anchor, so it does not matter whose key it is.
		..AnchorRecord::new(organisation, kind, None, KeyId([1; 32]), validity, 0)
	};
	let verdict = TestExternalities::new_empty().execute_with(|| {
		pallet_timestamp::Now::<Runtime>::put(question.at * 1000);
		Anchors::<Runtime>::insert(id, record);
		AnchorMaterials::<Runtime>::insert(id, material);
		Runtime::check_certificate(id, chain.to_vec(), question.profile)
	});
	Some(verdict)
}
