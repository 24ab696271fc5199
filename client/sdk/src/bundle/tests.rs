//! What is written, what is read, and what is refused.

use super::*;
use crate::{Account, names::MAX_TEXT_LEN};
use codec::Encode;
use dpki_primitives::{
	channel::ChannelId,
	delivery::{DeliveryBinding, Suite},
	ids::{AnchorId, CertificateId, DeviceId, KeyId, OrganisationId},
};

const KEY: &str =
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKfulvYUyEineFlLHR1F0V31FQbB4XeImsGfNIAy5mpF alice";

fn secret(len: usize) -> Secret {
	Secret::from(&vec![7; len][..])
}

fn principals(login: &str, names: &[&str]) -> Item {
	Item::SshPrincipals {
		login: login.into(),
		principals: names.iter().map(|name| name.to_string()).collect(),
	}
}

/// One of each kind.
fn every_kind() -> Vec<Item> {
	let anchor = AnchorId([1; 32]);
	vec![
		Item::SshUserCa { anchor },
		Item::SshHostCertificate { certificate: "ssh-ed25519-cert-v01@openssh.com AAAA".into() },
		Item::SshKnownHostCa {
			anchor: AnchorId([2; 32]),
			hosts: vec!["*.acme.example".into(), "[10.0.0.7]:2222".into()],
		},
		principals("root", &["ops@acme", "zone:all"]),
		Item::SshHostKey { private: secret(400) },
		Item::SshUserKey { login: "root".into(), private: secret(400), certificate: None },
		Item::SshUserKey {
			login: "pilot".into(),
			private: secret(400),
			certificate: Some("ssh-ed25519-cert-v01@openssh.com AAAA".into()),
		},
		Item::SshAuthorizedKeys {
			login: "root".into(),
			keys: vec![
				AuthorizedKey { key: KEY.into(), until: None },
				AuthorizedKey { key: KEY.into(), until: Some(1_700_000_000_000) },
			],
		},
		Item::TlsIdentity { name: "web".into(), chain: vec![vec![1; 900]], key: None },
		Item::TlsIdentity {
			name: "mqtt".into(),
			chain: vec![vec![1; 900], vec![2; 900]],
			key: Some(secret(138)),
		},
		Item::TrustBundle { name: "web".into(), certificates: vec![vec![3; 900]] },
		Item::Psk { identity: "drone-7@acme".into(), key: secret(32) },
		Item::Opaque { name: "maps".into(), data: secret(0) },
		Item::RevocationLists { name: "web".into(), lists: vec![vec![4; 300]] },
		Item::SshUserCertificate {
			login: "ops".into(),
			certificate: "ssh-ed25519-cert-v01@openssh.com AAAA".into(),
		},
		Item::SshTemporaryAccess {
			login: "root".into(),
			principal: "grant-07".into(),
			grant: CertificateId([7; 32]),
			until: 1_700_000_000_000,
		},
		Item::SshTemporaryKey {
			login: "pilot".into(),
			grant: CertificateId([8; 32]),
			until: 1_700_000_000_000,
		},
	]
}

/// The bytes of a bundle, without padding and signature.
fn content(items: &[Item]) -> Vec<u8> {
	Bundle { items: items.to_vec() }.write().to_vec()
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
	bytes.push(0);
	let class = SIZE_CLASSES.into_iter().find(|class| *class >= bytes.len()).unwrap();
	bytes.resize(class, 0);
	bytes
}

#[test]
fn a_bundle_of_every_kind_round_trips() {
	let optional = every_kind().into_iter().map(Item::optional).collect();
	for items in [every_kind(), vec![], optional] {
		let bundle = Bundle { items };
		let bytes = bundle.encode().unwrap();
		assert_eq!(Bundle::decode(&bytes), Ok(bundle.clone()));
		let again = Content::decode(&bytes).unwrap();
		assert_eq!((again.signature, again.skipped), (None, vec![]));
	}
}

#[test]
fn lengths_tell_the_class_only() {
	assert_eq!(Bundle::default().encode().unwrap().len(), 1024);
	let few = vec![principals("root", &["ops@acme"])];
	assert_eq!(Bundle { items: few }.encode().unwrap().len(), 1024);
	let many = (0..200).map(|n| Item::SshUserCa { anchor: AnchorId([n; 32]) }).collect();
	assert_eq!(Bundle { items: many }.encode().unwrap().len(), 8192);
}

#[test]
fn a_bundle_of_another_version_is_refused() {
	for version in [0, 1, 3, 255] {
		let mut bytes = Bundle::default().encode().unwrap();
		bytes[0] = version;
		let error = Bundle::decode(&bytes).unwrap_err();
		assert_eq!(error, BundleError::Version(version));
		assert!(error.to_string().contains("update"), "{error}");
	}
}

/// An item of a kind that does not exist.
fn unknown(flags: u8) -> Vec<u8> {
	padded((VERSION, Compact(1u32), 200u8, flags, b"from the future".to_vec()).encode())
}

#[test]
fn an_unknown_item_is_named_by_its_number() {
	assert_eq!(Bundle::decode(&unknown(0)), Err(BundleError::UnknownItem(200)));
	assert!(BundleError::UnknownItem(200).to_string().contains("unknown type 200"));
}

#[test]
fn an_unknown_item_is_left_out_only_if_it_is_marked() {
	let content = Content::decode(&unknown(1)).unwrap();
	assert_eq!((content.bundle, content.skipped), (Bundle::default(), vec![200]));
	let flags = BundleError::UnknownFlags { kind: 200, flags: 3 };
	assert_eq!(Bundle::decode(&unknown(3)), Err(flags));
}

#[test]
fn a_known_item_with_an_unknown_mark_is_refused() {
	let item = Item::SshUserCa { anchor: AnchorId([1; 32]) };
	let mut bytes = padded(content(&[item]));
	bytes[3] = 2;
	assert_eq!(Bundle::decode(&bytes), Err(BundleError::UnknownFlags { kind: 0, flags: 2 }));
}

#[test]
fn an_item_ends_where_it_says() {
	let anchor = AnchorId([1; 32]);
	let longer = (anchor, 0u8).encode();
	let bytes = padded((VERSION, Compact(1u32), 0u8, 0u8, longer).encode());
	let refused = BundleError::Malformed("an item has something behind its end");
	assert_eq!(Bundle::decode(&bytes), Err(refused));
}

#[test]
fn nothing_may_follow_but_the_right_zeros() {
	let bytes = Bundle { items: every_kind() }.encode().unwrap();
	let refused = Err(BundleError::Malformed("its padding is wrong"));
	let mut tail = bytes.to_vec();
	*tail.last_mut().unwrap() = 1;
	assert_eq!(Bundle::decode(&tail), refused);
	let longer = [&bytes[..], &vec![0; bytes.len()]].concat();
	assert_eq!(Bundle::decode(&longer), refused);
	let unpadded = [content(&every_kind()), vec![0]].concat();
	assert_eq!(Bundle::decode(&unpadded), refused);
}

#[test]
fn every_cut_is_refused() {
	let content = content(&every_kind());
	for len in 0..content.len() {
		assert!(Bundle::decode(&content[..len]).is_err(), "{len}");
	}
}

#[test]
fn a_count_beyond_its_bound_allocates_nothing() {
	let bytes = (VERSION, Compact(u32::MAX)).encode();
	let too_much =
		BundleError::TooMuch { what: "items", found: u32::MAX as usize, allowed: MAX_ITEMS };
	assert_eq!(Bundle::decode(&bytes), Err(too_much));
}

/// Refused when it is written, and when somebody wrote it all the same.
fn assert_refused(item: Item, refused: impl Fn(&BundleError) -> bool) {
	for item in [item.clone(), item.optional()] {
		let bundle = Bundle { items: vec![item] };
		let forged = bundle.encode_unchecked().unwrap();
		for error in [bundle.encode().unwrap_err(), Bundle::decode(&forged).unwrap_err()] {
			assert!(refused(&error), "{bundle:?}: {error}");
		}
	}
}

fn is_name(error: &BundleError) -> bool {
	matches!(error, BundleError::Name(_))
}

#[test]
fn a_login_is_one_that_a_device_can_take() {
	for login in ["", "a b", "a\nb", "a,b", "ä", "../etc", "%u", "-o", &"x".repeat(33)] {
		assert_refused(principals(login, &[]), is_name);
		assert_refused(Item::SshAuthorizedKeys { login: login.into(), keys: vec![] }, is_name);
		let grant = CertificateId([7; 32]);
		assert_refused(Item::SshTemporaryKey { login: login.into(), grant, until: 1 }, is_name);
		let key = Item::SshUserKey { login: login.into(), private: secret(9), certificate: None };
		assert_refused(key, is_name);
		let certificate = "ssh-ed25519-cert-v01@openssh.com AAAA".into();
		assert_refused(Item::SshUserCertificate { login: login.into(), certificate }, is_name);
	}
}

#[test]
fn a_principal_is_one_that_a_device_can_take() {
	for name in ["", "a b", "a\nb", "a,b", "a\"b", "a#b", "ä", "admin;x", "*"] {
		assert_refused(principals("root", &["good", name]), is_name);
	}
	let good = Bundle { items: vec![principals("root", &["https://id/x", &"x".repeat(255)])] };
	assert_eq!(Bundle::decode(&good.encode().unwrap()), Ok(good));
}

#[test]
fn a_host_pattern_is_one_that_a_device_can_take() {
	let anchor = AnchorId([1; 32]);
	for host in ["", "a b", "!a", "@revoked", "#x", "-x", "a,b"] {
		assert_refused(Item::SshKnownHostCa { anchor, hosts: vec![host.into()] }, is_name);
	}
	assert_refused(Item::SshKnownHostCa { anchor, hosts: vec![] }, |error| {
		matches!(error, BundleError::NoHosts)
	});
}

#[test]
fn names_of_services_and_data_lead_out_of_no_directory() {
	for name in ["", "..", "/etc/passwd", "a/b", "A", "a b", "-x", &"x".repeat(64)] {
		let name = name.to_owned();
		let chain = vec![vec![1]];
		assert_refused(Item::TlsIdentity { name: name.clone(), chain, key: None }, is_name);
		let certificates = vec![vec![1]];
		assert_refused(Item::TrustBundle { name: name.clone(), certificates }, is_name);
		let lists = vec![vec![1]];
		assert_refused(Item::RevocationLists { name: name.clone(), lists }, is_name);
		assert_refused(Item::Opaque { name, data: secret(1) }, is_name);
	}
}

#[test]
fn a_pre_shared_key_fits_a_line_of_a_file() {
	for identity in ["", "a:b", "a b", "a\nb", "#x"] {
		assert_refused(Item::Psk { identity: identity.into(), key: secret(32) }, is_name);
	}
	for len in [0, 15, 65] {
		let refused = |error: &BundleError| *error == BundleError::PskLength;
		assert_refused(Item::Psk { identity: "a".into(), key: secret(len) }, refused);
	}
}

#[test]
fn an_authorized_key_is_a_plain_key() {
	let with_options = format!("command=\"sh\" {KEY}");
	let many = format!("{KEY}\n{KEY}");
	for key in ["", "ssh-ed25519", "ssh-ed25519 AAAA", &with_options, &many] {
		let keys = vec![AuthorizedKey { key: key.into(), until: None }];
		assert_refused(Item::SshAuthorizedKeys { login: "root".into(), keys }, |error| {
			matches!(error, BundleError::Malformed(_) | BundleError::NotALine(_))
		});
	}
}

#[test]
fn lists_of_certificates_are_neither_empty_nor_endless() {
	let empty = |error: &BundleError| matches!(error, BundleError::Malformed(_));
	let too_much = |error: &BundleError| matches!(error, BundleError::TooMuch { .. });
	let trust = |certificates| Item::TrustBundle { name: "web".into(), certificates };
	assert_refused(trust(vec![]), empty);
	assert_refused(trust(vec![vec![]]), empty);
	assert_refused(trust(vec![vec![1]; MAX_CERTIFICATES + 1]), too_much);
	assert_refused(trust(vec![vec![1; MAX_CERTIFICATE_LEN + 1]]), too_much);
	let key = Some(Secret::default());
	assert_refused(Item::TlsIdentity { name: "w".into(), chain: vec![vec![1]], key }, empty);
	assert_refused(Item::SshHostKey { private: Secret::default() }, empty);
	assert_refused(Item::SshHostKey { private: secret(MAX_SECRET_LEN + 1) }, too_much);
}

#[test]
fn a_name_that_is_too_long_is_refused_before_it_is_read() {
	let bundle = Bundle { items: vec![principals(&"x".repeat(MAX_TEXT_LEN + 1), &[])] };
	let too_much = BundleError::TooMuch {
		what: "a login name",
		found: MAX_TEXT_LEN + 1,
		allowed: MAX_TEXT_LEN,
	};
	assert_eq!(Bundle::decode(&bundle.encode_unchecked().unwrap()), Err(too_much));
}

#[test]
fn a_certificate_is_one_line() {
	for certificate in ["", " ", "a\nb", "a\0"] {
		let is_no_line = |error: &BundleError| *error == BundleError::NotALine("a certificate");
		let certificate = certificate.to_owned();
		assert_refused(Item::SshHostCertificate { certificate: certificate.clone() }, is_no_line);
		assert_refused(Item::SshUserCertificate { login: "ops".into(), certificate }, is_no_line);
	}
}

#[test]
fn a_thing_is_named_once_whether_it_may_be_left_out_or_not() {
	for item in every_kind() {
		for twice in [vec![item.clone(), item.clone()], vec![item.clone(), item.optional()]] {
			let error = Bundle { items: twice }.encode().unwrap_err();
			assert!(matches!(error, BundleError::Repeated(_)), "{error}");
		}
	}
	let certificates = ["a", "b"].map(|text| Item::SshHostCertificate { certificate: text.into() });
	let twice = Bundle { items: certificates.into() };
	let repeated = BundleError::Repeated("the host certificate".into());
	assert_eq!(twice.encode().unwrap_err(), repeated);
	// A user has one key: the one that is delivered, or its own.
	let (login, private) = ("ops".to_owned(), secret(9));
	let delivered = Item::SshUserKey { login: login.clone(), private, certificate: None };
	let own = Item::SshUserCertificate { login, certificate: "a".into() };
	let repeated = BundleError::Repeated("the key of the user ops".into());
	assert_eq!(Bundle { items: vec![delivered, own] }.encode().unwrap_err(), repeated);
}

#[test]
fn an_optional_part_is_in_no_other_optional_part() {
	let part = Item::SshUserCa { anchor: AnchorId([1; 32]) }.optional();
	assert_eq!(part.clone().optional(), part);
	let nested = Bundle { items: vec![Item::Optional(Box::new(part))] };
	assert!(matches!(nested.encode(), Err(BundleError::Malformed(_))));
}

#[test]
fn who_makes_the_keys_of_others_is_told() {
	let escrow: Vec<_> =
		every_kind().iter().filter(|item| item.is_escrow()).map(Item::name).collect();
	assert_eq!(escrow, ["SSH host key", "SSH user key", "SSH user key", "TLS identity"]);
}

#[test]
fn secrets_are_not_shown() {
	let text = format!("{:?}", Bundle { items: every_kind() });
	assert!(text.contains("32 secret bytes") && !text.contains("7, 7, 7"), "{text}");
}

#[test]
fn a_signature_covers_every_item_and_nothing_else() {
	let place = DeliveryBinding {
		genesis: [1; 32],
		organisation: OrganisationId([2; 32]),
		publisher: [3; 32],
		device: DeviceId([4; 32]),
		channel: ChannelId::DEFAULT,
		recipient: KeyId([5; 32]),
		suite: Suite::X25519ChaCha20Poly1305,
		sequence: 6,
	};
	let account = Account::from_uri("//Alice").unwrap();
	let sign = |digest| ContentSignature::sign(&account, &place, digest, 1000);
	let signed = Bundle { items: every_kind() }.encode_signed(sign).unwrap();
	let read = Content::decode(&signed).unwrap();
	let signature = read.signature.clone().unwrap();
	assert_eq!(signature.verify(&place, read.digest, 1000), Ok(()));
	assert_eq!(read.bundle.items, every_kind());

	let other = Bundle { items: every_kind()[1..].to_vec() };
	let read = Content::decode(&other.encode_signed(|_| signature.clone()).unwrap()).unwrap();
	assert!(read.signature.unwrap().verify(&place, read.digest, 1000).is_err());
	// Marking an item as optional changes what is asked of the device.
	let milder = Bundle { items: every_kind().into_iter().map(Item::optional).collect() };
	let read = Content::decode(&milder.encode_signed(|_| signature.clone()).unwrap()).unwrap();
	assert!(read.signature.unwrap().verify(&place, read.digest, 1000).is_err());
}
