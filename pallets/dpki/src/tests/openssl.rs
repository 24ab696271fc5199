//! Certificates that OpenSSL makes, and the proofs that it makes with their keys.

use super::{mock::*, pki::openssl};
use dpki_primitives::{
	anchor::{AnchorKind, Basis, Profile},
	ids::AnchorId,
	status::Status,
};
use frame_support::assert_ok;

const ROOT: AnchorKind = AnchorKind::X509Root;

#[test]
fn an_rsa_root_that_is_signed_by_pss_proves_possession_by_pkcs1() {
	run(|| {
		let folder = tempfile::tempdir().unwrap();
		openssl(
			folder.path(),
			"req -x509 -newkey rsa:2048 -noenc -keyout key.pem -out root.der -outform DER -days 3650 -subj /CN=Root \
			 -addext keyUsage=critical,keyCertSign -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48",
		);
		let der = std::fs::read(folder.path().join("root.der")).unwrap();
		std::fs::write(folder.path().join("payload"), anchor_context(&CAROL, ROOT, &der).payload())
			.unwrap();
		openssl(folder.path(), "dgst -sha384 -sign key.pem -out proof payload");
		let proof = std::fs::read(folder.path().join("proof")).unwrap();
		let material = der.try_into().unwrap();
		let proof = proof.try_into().unwrap();
		assert_ok!(Dpki::register_anchor(
			signed(CAROL),
			acme(),
			ROOT,
			material,
			proof,
			NOW + 1_000
		));
	});
}

#[test]
fn a_chain_of_openssl_is_registered() {
	run(|| {
		let folder = tempfile::tempdir().unwrap();
		let folder = folder.path();
		std::fs::write(
			folder.join("ca.cnf"),
			"[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n\
			 subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n",
		)
		.unwrap();
		openssl(
			folder,
			"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -noenc -keyout root.key \
			 -out root.pem -days 3650 -subj /O=Works/CN=Root \
			 -addext keyUsage=critical,keyCertSign,cRLSign",
		);
		openssl(
			folder,
			"req -new -newkey rsa:2048 -noenc -keyout unit.key -out unit.csr -subj /O=Works/CN=Unit",
		);
		openssl(
			folder,
			"x509 -req -in unit.csr -CA root.pem -CAkey root.key -CAcreateserial -sha384 -days 3650 \
			 -extfile ca.cnf -extensions ca -outform DER -out unit.der",
		);
		openssl(folder, "x509 -in root.pem -outform DER -out root.der");

		let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
		let root = read("root.der");
		std::fs::write(folder.join("payload"), anchor_context(&CAROL, ROOT, &root).payload())
			.unwrap();
		openssl(folder, "dgst -sha384 -sign root.key -out root.proof payload");
		let proof = p384::ecdsa::Signature::from_der(&read("root.proof")).unwrap();
		let proof = proof.to_bytes().to_vec().try_into().unwrap();
		let material = root.clone().try_into().unwrap();
		assert_ok!(Dpki::register_authority(
			signed(CAROL),
			acme(),
			Basis::SelfSigned(Profile::Rfc5280),
			material,
			proof,
			NOW + 1_000
		));

		let unit = read("unit.der");
		let kind = AnchorKind::X509Intermediate;
		std::fs::write(folder.join("payload"), anchor_context(&CAROL, kind, &unit).payload())
			.unwrap();
		// The hash is that by which the certificate was signed, although the key above is of another type.
		openssl(folder, "dgst -sha384 -sign unit.key -out unit.proof payload");
		let basis = Basis::IssuedBy(AnchorId::of(ROOT, &root));
		assert_ok!(Dpki::register_authority(
			signed(CAROL),
			acme(),
			basis,
			unit.clone().try_into().unwrap(),
			read("unit.proof").try_into().unwrap(),
			NOW + 1_000
		));
		assert_eq!(Dpki::anchor_status(AnchorId::of(kind, &unit)), Status::Valid);
	});
}
