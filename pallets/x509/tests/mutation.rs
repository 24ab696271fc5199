//! Nothing panics, and nothing that was changed passes, whatever is done to the bytes.

mod common;

use common::{Draft, NOW, World, directory, dns, email, ip, uri};
use dpki_x509::{
	Certificate, Profile, Pure, Rules, crl::RevocationList, request::CertificationRequest,
	validate, verify_root,
};
use x509_cert::ext::pkix::name::GeneralName;

/// A generator whose numbers are the same each time (xorshift64*).
struct Numbers(u64);

impl Numbers {
	fn next(&mut self, below: usize) -> usize {
		self.0 ^= self.0 >> 12;
		self.0 ^= self.0 << 25;
		self.0 ^= self.0 >> 27;
		(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below
	}
}

/// Certificates with as many extensions as there are kinds.
fn seeds() -> [(Draft, &'static str); 3] {
	let world = World::new();
	let all = [
		dns("*.a.org"),
		ip(&[10, 0, 0, 1]),
		email("a@b.org"),
		uri("https://a.org/"),
		directory("CN=a,O=b"),
		GeneralName::RegisteredId(common::common_name()),
	];
	let permitted = [dns("a.org"), email(".org"), directory("O=b")];
	let excluded = [ip(&[11, 0, 0, 0, 255, 0, 0, 0]), uri(".b.org")];
	[
		(world.root_draft().with_path_len(2), "root"),
		(world.ca_draft().with_constraints(&permitted, &excluded), "ca"),
		(world.device_draft().with_names(&all), "device"),
	]
}

/// Reads the bytes as everything that is read here.
fn read_all(der: &[u8]) {
	let _ = Certificate::from_der(der);
	let _ = Certificate::from_der_tolerant(der);
	let _ = RevocationList::from_der(der);
	let _ = CertificationRequest::verify(&Pure, der);
	for profile in [Profile::Rfc5280, Profile::Matter, Profile::IdevId, Profile::TlsServer] {
		let _ = verify_root(&Pure, der, profile);
	}
}

#[test]
fn no_changed_certificate_is_accepted() {
	let world = World::new();
	let root = world.root_draft().sign(&world.root);
	let ca = world.ca_draft().sign(&world.root);
	let rules = Rules::at(NOW);
	let der = world.device_draft().with_names(&[dns("a.org")]).der(&world.ca);
	for position in 0..der.len() {
		for flip in [0x01, 0x80, 0xff] {
			let mut changed = der.clone();
			changed[position] ^= flip;
			if let Ok(device) = Certificate::from_der(&changed) {
				let verdict = validate(&Pure, &root, &[&ca, &device], &rules);
				assert!(verdict.is_err(), "byte {position} changed by {flip:#x}");
			}
		}
	}
}

#[test]
fn truncated_extended_and_spliced_bytes_do_not_panic() {
	let world = World::new();
	let signers = [&world.root, &world.root, &world.ca];
	let ders: Vec<_> = seeds().into_iter().zip(signers).map(|((d, _), by)| d.der(by)).collect();
	let mut numbers = Numbers(0x1234_5678_9abc_def1);
	for der in &ders {
		for len in 0..der.len() {
			read_all(&der[..len]);
		}
		let mut longer = der.clone();
		longer.extend([0; 3]);
		read_all(&longer);
	}
	for _ in 0..4_000 {
		let mut der = ders[numbers.next(ders.len())].clone();
		for _ in 0..=numbers.next(4) {
			let at = numbers.next(der.len());
			match numbers.next(4) {
				0 => der[at] = numbers.next(256) as u8,
				1 => drop(der.remove(at)),
				2 => der.insert(at, numbers.next(256) as u8),
				_ => {
					let other = &ders[numbers.next(ders.len())];
					let from = numbers.next(other.len());
					let len = numbers.next(20).min(other.len() - from);
					der.splice(at..at, other[from..from + len].iter().copied());
				},
			}
		}
		read_all(&der);
	}
}

#[test]
fn changed_and_signed_again_certificates_do_not_panic_in_a_path() {
	let world = World::new();
	// The signatures are good, and not what is looked at.
	let rules = |profile| Rules { profile, verified: 2, ..Rules::at(NOW) };
	let root = world.root_draft().sign(&world.root);
	let mut numbers = Numbers(0x0fed_cba9_8765_4321);
	let mut judged = 0;
	for _ in 0..1_000 {
		let change = |draft: Draft, numbers: &mut Numbers| {
			draft.edit(|body| {
				let list = body.extensions.get_or_insert_default();
				let at = numbers.next(list.len());
				let mut value = list[at].extn_value.as_bytes().to_vec();
				let position = numbers.next(value.len());
				value[position] = numbers.next(256) as u8;
				list[at].extn_value = x509_cert::der::asn1::OctetString::new(value).unwrap();
				list[at].critical ^= numbers.next(8) == 0;
			})
		};
		let [_, (ca, _), (device, _)] = seeds();
		let ca = change(ca, &mut numbers).read(&world.root);
		let device = change(device, &mut numbers).read(&world.ca);
		if let (Ok(ca), Ok(device)) = (ca, device) {
			for profile in [Profile::Rfc5280, Profile::Matter, Profile::IdevId, Profile::TlsServer]
			{
				let _ = validate(&Pure, &root, &[&ca, &device], &rules(profile));
			}
			judged += 1;
		}
	}
	assert!(judged > 30, "{judged} paths could be read");
}
