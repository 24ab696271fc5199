//! Whether a certificate is for a name.

mod common;

use common::{World, dns, email, ip};
use dpki_x509::{
	Error,
	name::{ReferenceName, check_name},
};

fn check(
	names: &[x509_cert::ext::pkix::name::GeneralName],
	name: ReferenceName,
) -> Result<(), Error> {
	let world = World::new();
	check_name(&world.device_draft().with_names(names).sign(&world.ca), name)
}

const MISMATCH: Result<(), Error> = Err(Error::SubjectNameMismatch);

#[test]
fn host_names_match_without_regard_to_case() {
	let names = [dns("b.org"), dns("Host.A.org")];
	assert_eq!(check(&names, ReferenceName::Dns("host.a.ORG")), Ok(()));
	assert_eq!(check(&names, ReferenceName::Dns("a.org")), MISMATCH);
	assert_eq!(check(&names, ReferenceName::Dns("x.host.a.org")), MISMATCH);
}

#[test]
fn a_wildcard_stands_for_exactly_one_label() {
	let names = [dns("*.a.org")];
	assert_eq!(check(&names, ReferenceName::Dns("x.a.org")), Ok(()));
	for host in ["a.org", "x.y.a.org", "*.a.org", ".a.org", "x.a.org."] {
		assert_eq!(check(&names, ReferenceName::Dns(host)), MISMATCH, "{host}");
	}
	assert_eq!(check(&[dns("*.org")], ReferenceName::Dns("a.org")), MISMATCH);
}

#[test]
fn addresses_match_octet_by_octet_and_never_as_text() {
	let names = [ip(&[10, 0, 0, 1])];
	assert_eq!(check(&names, ReferenceName::Ip(&[10, 0, 0, 1])), Ok(()));
	assert_eq!(check(&names, ReferenceName::Ip(&[10, 0, 0, 2])), MISMATCH);
	assert_eq!(check(&names, ReferenceName::Dns("10.0.0.1")), MISMATCH);
}

#[test]
fn mailboxes_match_with_regard_to_case_before_the_at_sign() {
	let names = [email("Me@A.org")];
	assert_eq!(check(&names, ReferenceName::Email("Me@a.org")), Ok(()));
	assert_eq!(check(&names, ReferenceName::Email("me@a.org")), MISMATCH);
	assert_eq!(check(&names, ReferenceName::Email("nobody")), MISMATCH);
}

#[test]
fn a_common_name_is_no_host_name() {
	let world = World::new();
	let host = common::Party::new("CN=a.org", 3);
	let certificate = common::Draft::device(&host, &world.ca).sign(&world.ca);
	assert_eq!(check_name(&certificate, ReferenceName::Dns("a.org")), MISMATCH);
}
