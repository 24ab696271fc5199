//! Distinguished names on a command line.

use rcgen::{DnType, DnValue};

/// What a subject can be made of: the name of a part as OpenSSL has it, and its object identifier (RFC 5280 appendix A.1,
/// X.520, PKCS#9, RFC 4519; the identifier of an organisation is that of ETSI EN 319 412-1).
const PARTS: [(&str, &[u64]); 20] = [
	("CN", &[2, 5, 4, 3]),
	("O", &[2, 5, 4, 10]),
	("OU", &[2, 5, 4, 11]),
	("L", &[2, 5, 4, 7]),
	("ST", &[2, 5, 4, 8]),
	("C", &[2, 5, 4, 6]),
	("street", &[2, 5, 4, 9]),
	("postalAddress", &[2, 5, 4, 16]),
	("postalCode", &[2, 5, 4, 17]),
	("emailAddress", &[1, 2, 840, 113_549, 1, 9, 1]),
	("GN", &[2, 5, 4, 42]),
	("SN", &[2, 5, 4, 4]),
	("pseudonym", &[2, 5, 4, 65]),
	("generationQualifier", &[2, 5, 4, 44]),
	("title", &[2, 5, 4, 12]),
	("serialNumber", &[2, 5, 4, 5]),
	("businessCategory", &[2, 5, 4, 15]),
	("organizationIdentifier", &[2, 5, 4, 97]),
	("UID", &[0, 9, 2342, 19_200_300, 100, 1, 1]),
	("DC", &[0, 9, 2342, 19_200_300, 100, 1, 25]),
];

/// A distinguished name with a common name.
#[derive(Clone, Debug)]
pub struct Subject(pub Vec<(DnType, DnValue)>);

/// Reads parts as `CN=name,O=organisation,C=DE`, or just a common name.
pub fn parse(text: &str) -> Result<Subject, String> {
	if !text.contains('=') && !text.trim().is_empty() {
		return Ok(Subject(vec![(DnType::CommonName, text.trim().into())]));
	}
	let mut parts = Vec::new();
	for part in text.split(',') {
		let (name, text) = part.split_once('=').ok_or("write CN=name,O=organisation,C=DE")?;
		let (name, text) = (name.trim(), text.trim());
		let known = PARTS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
		let Some((name, oid)) = known else {
			let names = PARTS.map(|(name, _)| name).join(", ");
			return Err(format!("{name} is none of {names}"));
		};
		if text.is_empty() {
			return Err(format!("{name} is empty"));
		}
		let kind = DnType::from_oid(oid);
		if parts.iter().any(|(other, _)| *other == kind) {
			return Err(format!("{name} is there twice"));
		}
		parts.push((kind, value(name, text)?));
	}
	if !parts.iter().any(|(kind, _)| *kind == DnType::CommonName) {
		return Err("a subject needs a common name: CN=...".to_owned());
	}
	Ok(Subject(parts))
}

/// Some parts have an encoding that is asked for; UTF-8 does for the others.
fn value(name: &str, text: &str) -> Result<DnValue, String> {
	let unfit = |_| format!("{name} cannot be {text}: it has letters that it may not have");
	Ok(match name {
		"emailAddress" | "DC" => DnValue::Ia5String(text.try_into().map_err(unfit)?),
		"serialNumber" => DnValue::PrintableString(text.try_into().map_err(unfit)?),
		_ => text.into(),
	})
}

#[cfg(test)]
mod tests {
	use super::*;
	use rcgen::{CertificateParams, KeyPair};
	use x509_parser::prelude::{FromDer, X509Certificate};

	#[test]
	fn a_subject_is_a_common_name_or_a_list_of_parts() {
		assert_eq!(parse("Acme Root").unwrap().0.len(), 1);
		assert_eq!(parse("CN=Acme Root, O=Acme,c=DE").unwrap().0.len(), 3);
		for wrong in [
			"",
			"O=Acme",
			"CN=",
			"X=1,CN=a",
			"CN=a,Acme",
			"CN=a,CN=b",
			"CN=a,serialNumber=7_8",
			"CN=a,emailAddress=ä@b",
		] {
			assert!(parse(wrong).is_err(), "{wrong}");
		}
	}

	#[test]
	fn every_part_comes_into_a_certificate_that_the_chain_reads() {
		let text = PARTS.map(|(name, _)| format!("{name}=x7")).join(",");
		let mut params = CertificateParams::default();
		params.distinguished_name = Default::default();
		for (part, value) in parse(&text).unwrap().0 {
			params.distinguished_name.push(part, value);
		}
		let key = KeyPair::generate().unwrap();
		let der = params.self_signed(&key).unwrap().der().to_vec();
		assert!(dpki_x509::Certificate::from_der(&der).is_ok());
		let (_, parsed) = X509Certificate::from_der(&der).unwrap();
		let found: Vec<Vec<u64>> = parsed
			.subject()
			.iter_attributes()
			.map(|it| it.attr_type().iter().unwrap().collect())
			.collect();
		assert_eq!(found.len(), PARTS.len());
		assert!(PARTS.iter().all(|(_, oid)| found.iter().any(|it| it == oid)), "{found:?}");
	}
}
