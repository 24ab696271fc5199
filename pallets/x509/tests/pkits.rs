//! NIST's Public Key Interoperability Test Suite, which is not part of this repository: `scripts/vectors` fetches it.
//!
//! `pkits/cases.txt` has the number of each test, the verdict that NIST expects, the path and the settings.

#[path = "common/folder.rs"]
mod folder;

use dpki_x509::{
	Certificate, Error, ObjectIdentifier, Pure, Rules,
	crl::RevocationList,
	path::{Revocation, validate},
	policy::PolicyRules,
};
use std::{collections::BTreeMap, fs};

/// 1 January 2015, at which the certificates and lists that are meant to be in force are so.
const AT: u64 = 1_420_070_400;

/// Tests of what is not claimed: the start of their number, and why.
const SKIPPED: [(&str, &str); 14] = [
	("4.1.4", "DSA"),
	("4.1.5", "DSA"),
	("4.1.6", "DSA"),
	("4.4.19", SEPARATE_KEYS),
	("4.4.20", SEPARATE_KEYS),
	("4.4.21", SEPARATE_KEYS),
	("4.5.3", PARTIAL),
	("4.5.4", PARTIAL),
	("4.5.5", PARTIAL),
	("4.5.6", SEPARATE_KEYS),
	("4.5.7", SEPARATE_KEYS),
	("4.5.8", SEPARATE_KEYS),
	("4.14.", PARTIAL),
	("4.15.", "delta lists"),
];

const SEPARATE_KEYS: &str = "lists signed by another key than certificates";
const PARTIAL: &str = "partial and indirect lists";

/// What NIST calls valid, and is refused however it is read: times before 1970 cannot be told in chain time.
const BEFORE_1970: &str = "4.2.3";

struct Case {
	number: String,
	is_valid: bool,
	path: Vec<String>,
	policies: PolicyRules,
}

fn policy(number: &str) -> ObjectIdentifier {
	ObjectIdentifier::new(&format!("2.16.840.1.101.3.2.1.48.{number}")).unwrap()
}

impl Case {
	fn read(line: &str) -> Self {
		let (line, settings) = line.split_once('[').unwrap_or((line, ""));
		let mut words = line.split_whitespace().map(String::from);
		let (number, verdict) = (words.next().unwrap(), words.next().unwrap());
		let mut policies = PolicyRules::default();
		for setting in settings.trim_end_matches(']').split_whitespace() {
			match setting.split_once('=') {
				None if setting == "explicit" => policies.require_explicit = true,
				None if setting == "inhibit-mapping" => policies.inhibit_mapping = true,
				None if setting == "inhibit-any" => policies.inhibit_any = true,
				Some(("acceptable", numbers)) => {
					policies.acceptable = Some(numbers.split(',').map(policy).collect());
				},
				_ => panic!("{number}: unknown setting {setting}"),
			}
		}
		Self { number, is_valid: verdict == "valid", path: words.collect(), policies }
	}

	fn skip_reason(&self) -> Option<&'static str> {
		let is_of = |start: &str| {
			self.number == start
				|| self.number.starts_with(&format!("{}.", start.trim_end_matches('.')))
		};
		SKIPPED.iter().find(|(start, _)| is_of(start)).map(|(_, reason)| *reason)
	}
}

fn read_lists(folder: &std::path::Path) -> Vec<RevocationList> {
	let files = fs::read_dir(folder.join("crls")).unwrap();
	let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
	paths.sort();
	paths
		.iter()
		.filter_map(|path| RevocationList::from_der(&fs::read(path).unwrap()).ok())
		.collect()
}

type Read = fn(&[u8]) -> Result<Certificate, Error>;

/// Where and why the path is refused.
fn judge(
	folder: &std::path::Path,
	case: &Case,
	lists: &[RevocationList],
	read: Read,
) -> Result<(), (usize, Error)> {
	let read = |name: &str| {
		let path = folder.join("certs").join(format!("{name}.crt"));
		read(&fs::read(path).unwrap())
	};
	let anchor = read("TrustAnchorRootCertificate").map_err(|error| (0, error))?;
	let mut path = Vec::new();
	for (index, name) in (1..).zip(&case.path) {
		path.push(read(name).map_err(|error| (index, error))?);
	}
	let mut rules = Rules::at(AT);
	rules.policies = case.policies.clone();
	rules.revocation = Revocation::Required(lists);
	validate(&Pure, &anchor, &path.iter().collect::<Vec<_>>(), &rules)
		.map_err(|refusal| (refusal.index, refusal.error))
}

/// What came of the suite: how many verdicts are NIST's, which valid paths are refused, and what was skipped.
#[derive(Default, Debug)]
struct Score {
	agreed: usize,
	refused: Vec<(String, Error)>,
	skipped: BTreeMap<&'static str, usize>,
}

fn run(folder: &std::path::Path, read: Read) -> Score {
	let lists = read_lists(folder);
	let mut score = Score::default();
	for case in include_str!("pkits/cases.txt").lines().filter(|line| !line.starts_with('#')) {
		let case = Case::read(case);
		if let Some(reason) = case.skip_reason() {
			*score.skipped.entry(reason).or_default() += 1;
			continue;
		}
		let verdict = judge(folder, &case, &lists, read);
		println!("{} {} {verdict:?}", case.number, case.is_valid);
		match verdict {
			Ok(()) if !case.is_valid => panic!("{} must be refused", case.number),
			Err((_, error)) if case.is_valid => score.refused.push((case.number, error)),
			_ => score.agreed += 1,
		}
	}
	println!("{score:?}");
	score
}

#[test]
fn the_path_algorithm_judges_as_nist_does() {
	let folder = folder::vectors("PKITS_data");
	let score = run(&folder, Certificate::from_der_tolerant);
	assert_eq!(score.refused, [(BEFORE_1970.to_string(), Error::CertificateMalformed)]);
	assert_eq!((score.agreed, score.skipped.values().sum::<usize>()), (189, 57));
}

#[test]
fn conforming_reading_refuses_only_more_and_only_by_the_rules_for_authorities() {
	let folder = folder::vectors("PKITS_data");
	let score = run(&folder, Certificate::from_der);
	for (number, error) in score.refused.iter().filter(|(number, _)| number != BEFORE_1970) {
		let is_listed =
			matches!(error, Error::ExtensionCriticalityInvalid | Error::SerialNumberInvalid);
		assert!(is_listed, "{number}: {error:?}");
	}
	assert_eq!((score.agreed, score.refused.len()), (161, 29));
}
