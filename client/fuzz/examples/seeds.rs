//! Writes the seeds of all targets into `corpus`: honest inputs, from which the damaged ones come.
//!
//! `cargo run -p dpki-fuzz --example seeds`, when the form of something has changed. What is random in them (keys of
//! certificates, envelopes) differs each time.

#[path = "../../verifier/tests/verifier/kit.rs"]
#[allow(dead_code)]
mod kit;

use codec::Encode;
use dpki_agent::journal::{Accepted, Entries, Lane, Plaintext, Seen};
use dpki_bitswap::{Block, BlockPresence, Entry, Message, Wantlist, frame};
use dpki_client::{
	Account, Bundle, Item, Voucher,
	bundle::{ContentSignature, Secret},
	carrier::{file::Contents, http::route::Route},
	device_request::{DeviceRequest, Wanted},
	envelope,
	krl::Krl,
	possession::{AgreementKey, SoftwareKey},
	primitives::{
		assessment::assessment_keys,
		channel::ChannelId,
		delivery::{Acknowledgement, DeliveryBinding, DeliveryRecord, Outcome, Suite},
		ids::{AnchorId, BlobDigest, DeviceId, KeyId, OrganisationId, VoucherCommitment},
		key::{Consent, KeyPurpose, KeyType, NewKey, PublicKey},
		organisation::{DeliveryPolicy, OrganisationKind, Role, RoleSet},
		revocation::{Revocation, RevocationReason, SshRevocation, SshSubject},
		status::Status,
		storage_keys,
		vectors::{Told, cases},
		voucher::{VoucherRecord, VoucherState},
	},
};
use dpki_fuzz::{agent::OWNER, exchange::BLOB};
use dpki_runtime::{RuntimeCall, UncheckedExtrinsic};
use dpki_verifier::{Fragment, Query, encode_fragments, encode_recovery, recovery_payload};
use futures::{executor::block_on, io::Cursor};
use rcgen::{
	BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
	IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519,
	RevokedCertParams, SerialNumber, date_time_ymd,
};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};
use zeroize::Zeroizing;

fn write(target: &str, name: &str, bytes: &[u8]) {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
	fs::create_dir_all(&folder).expect("the folder can be made");
	fs::write(folder.join(name), bytes).expect("the file can be written");
}

/// A record behind the number of its reader in `dpki_fuzz::primitives`.
fn record(reader: u8, name: &str, record: impl Encode) {
	write("records", name, &(reader, record).encode());
}

fn records() {
	let revocation = Revocation { reason: RevocationReason::KeyCompromise, at: 5 };
	let signature = || vec![7; 64].try_into().expect("64 bytes");
	let mut written = [false; 3];
	for told in cases().iter().flat_map(|case| case.told()) {
		match told {
			Told::Anchor(Some(it)) if it.revocation.is_some() && !written[0] => {
				written[0] = true;
				record(0, "anchor", it);
			},
			Told::Device(Some(it)) if it.withdrawal.is_revoked() && !written[1] => {
				written[1] = true;
				record(1, "device", it);
			},
			Told::Key(Some(it), _) if it.validity.not_after.is_some() && !written[2] => {
				written[2] = true;
				record(3, "key", it);
			},
			_ => {},
		}
	}
	record(2, "key-list", vec![KeyId([1; 32]), KeyId([2; 32])]);
	record(4, "public-key", kit::public_key(1));
	let new_key = || NewKey {
		purpose: KeyPurpose::Sign,
		public: kit::public_key(1),
		not_after: Some(9),
		possession: signature(),
	};
	record(5, "new-key", new_key());
	record(6, "consent", Consent { key: KeyId([1; 32]), signature: signature() });
	record(
		7,
		"voucher",
		VoucherRecord {
			organisation: kit::organisation(),
			device: kit::device_id("drone"),
			sponsor: [1; 32],
			expires_at: 9,
			state: VoucherState::Redeemed(8),
		},
	);
	record(
		8,
		"delivery",
		DeliveryRecord {
			organisation: kit::organisation(),
			publisher: [1; 32],
			sequence: 4,
			suite: Suite::X25519ChaCha20Poly1305,
			recipient: KeyId([2; 32]),
			digest: BlobDigest([3; 32]),
			length: 80,
			published_at: 7,
		},
	);
	let outcome = Outcome::Applied;
	let digest = BlobDigest([3; 32]);
	record(9, "acknowledgement", Acknowledgement { sequence: 4, digest, outcome, at: 8 });
	record(11, "policy", DeliveryPolicy::Watchdogs { needed: 2 });
	record(12, "roles", RoleSet::EMPTY.with(Role::Registrar).with(Role::Watchdog));
	record(17, "tally", (3u32, 1u32, 4u32, 3u32));
	let subject = SshSubject::Serial(7);
	record(18, "ssh-revocation", SshRevocation { subject, revocation });
	record(19, "status", Status::IssuerRevoked(revocation));
}

fn statuses() {
	write("status", "valid", &[4, 0, 1, 1, 0, 1]);
	write("status", "revoked", &[4, 194, 1, 7, 1, 3, 1, 0, 1]);
	write("status", "under-three", &[4, 2, 1, 6, 3, 0, 1, 2, 1, 5, 62, 1, 9]);
}

/// What is proven about a certificate that two organisations endorse, and about one of which nothing is there.
fn assessments() {
	let endorsements: Vec<_> =
		(30..32).map(|endorser| kit::endorsement(kit::CERTIFICATE, endorser)).collect();
	let record = kit::certificate_record();
	let first = [storage_keys::certificate, storage_keys::endorsements];
	let first = first.map(|place| place(kit::CERTIFICATE));
	let mut places = Vec::from(first.clone());
	let all = assessment_keys(kit::CERTIFICATE, Some(&record), &endorsements);
	places.extend(all.into_iter().filter(|place| !first.contains(place)));
	let entries = kit::certified(30..32);
	let mut pieces = vec![kit::TIME.to_be_bytes().to_vec()];
	pieces.extend(places.iter().map(|place| entries.get(place).cloned().unwrap_or_default()));
	let pieces = pieces.iter().flat_map(|piece| {
		let len = u8::try_from(piece.len()).expect("it is short");
		[vec![len], piece.clone()].concat()
	});
	write("assessment", "endorsed", &pieces.collect::<Vec<_>>());
	write("assessment", "absent", &[1, 9, 0, 0]);
}

fn certificates() {
	for (name, algorithm) in [("p256", &PKCS_ECDSA_P256_SHA256), ("ed25519", &PKCS_ED25519)] {
		let key = || KeyPair::generate_for(algorithm).expect("the algorithm is known");
		let mut root = CertificateParams::default();
		root.distinguished_name.push(DnType::OrganizationName, "Consortium");
		root.distinguished_name.push(DnType::CommonName, "Root");
		root.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
		root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
		root.key_identifier_method = KeyIdMethod::Sha256;
		let root = CertifiedIssuer::self_signed(root, key()).expect("a root");
		write("certificate", &format!("{name}-root"), root.der());

		let names = vec!["drone-7.example".to_owned(), "192.0.2.7".to_owned()];
		let mut leaf = CertificateParams::new(names).expect("two names");
		leaf.distinguished_name.push(DnType::CommonName, "drone-7");
		leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
		let leaf_key = key();
		let request = leaf.serialize_request(&leaf_key).expect("a request");
		write("request", name, request.der());
		leaf.use_authority_key_identifier_extension = true;
		let leaf = leaf.signed_by(&leaf_key, &root).expect("a leaf");
		write("certificate", &format!("{name}-leaf"), leaf.der());
		write("path", name, &[root.der().to_vec(), leaf.der().to_vec()].concat());

		let revoked = RevokedCertParams {
			serial_number: SerialNumber::from(7),
			revocation_time: date_time_ymd(2026, 1, 1),
			reason_code: Some(rcgen::RevocationReason::KeyCompromise),
			invalidity_date: None,
		};
		let list = CertificateRevocationListParams {
			this_update: date_time_ymd(2026, 1, 2),
			next_update: date_time_ymd(2027, 1, 2),
			crl_number: SerialNumber::from(1),
			issuing_distribution_point: None,
			revoked_certs: vec![revoked],
			key_identifier_method: KeyIdMethod::Sha256,
		};
		write("revocation_list", name, list.signed_by(&root).expect("a list").der());
	}
}

fn proofs() {
	let world = kit::World::new(4);
	let query = kit::drone_query();
	let answer = world.answer(&query);
	write("bundle", "answer", &answer.encode());
	let hand_over = world.block(15, &kit::change_to(&kit::keys(1, 4)));
	let justification = kit::justify(&world.keys, world.set_id, &hand_over).encode();
	let fragment = Fragment { header: &hand_over.encode(), justification: &justification };
	write("bundle", "fragments", &encode_fragments(&[fragment]));
	write("justification", "of-four", &[vec![3], justification].concat());

	write("checkpoint", "pinned", &world.checkpoint.encode());
	let new = kit::checkpoint(9, &kit::keys(50, 4), 100);
	let payload = recovery_payload(&world.checkpoint, &new, kit::TIME);
	let signatures: Vec<([u8; 32], [u8; 64])> = world
		.keys
		.iter()
		.map(|key| (kit::public(key), key.sign(&payload).into()))
		.collect();
	write("checkpoint", "recovery", &encode_recovery(&new, kit::TIME, &signatures));

	// Each piece behind a byte with its length, so that only a small trie fits.
	let entries = [(vec![1, 2], vec![5; 40]), (vec![1, 3], vec![6; 3]), (vec![0x21], vec![7])];
	let state = kit::State::new(entries.into(), sp_core::storage::StateVersion::V1);
	let mut nodes = state.prove(&[vec![1, 2]]);
	let root = state.root();
	nodes.sort_by_key(|node| sp_crypto_hashing::blake2_256(node) != root.0);
	let pieces = [vec![vec![1, 2]], nodes].concat();
	let bytes = pieces.iter().flat_map(|piece| [&[piece.len() as u8], &piece[..]].concat());
	write("proof", "small", &bytes.collect::<Vec<_>>());
}

fn transactions() {
	let remark = || RuntimeCall::System(frame_system::Call::remark { remark: b"remark".to_vec() });
	let organisation = OrganisationId::from_name(b"acme");
	let public = PublicKey::new(KeyType::Ed25519, &[1; 32]).expect("32 bytes");
	let possession = vec![7; 64].try_into().expect("64 bytes");
	let key = NewKey { purpose: KeyPurpose::Sign, public, not_after: None, possession };
	let enrol: RuntimeCall = pallet_dpki::Call::enrol {
		organisation,
		voucher_public: [1; 32],
		device_name: b"drone-1".to_vec().try_into().expect("a short name"),
		keys: vec![key].try_into().expect("one key"),
		expires_at: 9,
		voucher_signature: [2; 64],
	}
	.into();
	let create: RuntimeCall = pallet_organisations::Call::create {
		name: b"acme".to_vec().try_into().expect("a short name"),
		kind: OrganisationKind::TestLab,
	}
	.into();
	let issue: RuntimeCall = pallet_dpki::Call::issue_voucher {
		organisation,
		commitment: VoucherCommitment([1; 32]),
		device_name: b"drone-1".to_vec().try_into().expect("a short name"),
		expires_at: 9,
	}
	.into();
	let nested = (0..3).fold(remark(), |call, _| {
		dpki_runtime::mandate::Call::dispatch_as_root { call: Box::new(call) }.into()
	});
	for (name, call) in [
		("remark", remark()),
		("enrol", enrol),
		("create", create),
		("issue", issue),
		("nested", nested),
	] {
		write("extrinsic", name, &call.encode());
		write("extrinsic", &format!("{name}-bare"), &UncheckedExtrinsic::new_bare(call).encode());
	}
}

fn keys() {
	let ed25519 = dpki_client::ssh::from_public_key(&kit::public_key(1));
	write("ssh_key", "ed25519", &ed25519.expect("it has a form").to_bytes().expect("it is short"));
	let point = "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
	let p256 = PublicKey::new(KeyType::P256, &hex::decode(point).expect("hexadecimal"));
	let p256 = dpki_client::ssh::from_public_key(&p256.expect("33 bytes")).expect("on the curve");
	write("ssh_key", "p256", &p256.to_bytes().expect("it is short"));
	write("text", "ca", p256.to_openssh().expect("a line").as_bytes());
}

fn deliveries() {
	let secret = AgreementKey::from_secret_bytes(&[7; 32]);
	let binding = DeliveryBinding {
		genesis: [1; 32],
		organisation: OrganisationId([2; 32]),
		publisher: [3; 32],
		device: DeviceId([4; 32]),
		channel: ChannelId::DEFAULT,
		recipient: KeyId::of(&secret.public()),
		suite: Suite::X25519ChaCha20Poly1305,
		sequence: 5,
	};
	let sealed = envelope::seal(&secret.public(), &binding, b"state").expect("it can be sealed");
	write("envelope", "sealed", &sealed);
	let items = vec![
		Item::SshUserCa { anchor: AnchorId([1; 32]) },
		Item::SshKnownHostCa { anchor: AnchorId([2; 32]), hosts: vec!["*.example".into()] },
		Item::SshPrincipals { login: "root".into(), principals: vec!["ops".into()] },
	];
	write("desired_state", "ssh", &Bundle { items }.encode().expect("a good state"));
	let key = Secret::from(&[7; 32][..]);
	let items = vec![Item::Psk { identity: "drone-7".into(), key }.optional()];
	let account = Account::generate();
	let signed = Bundle { items }
		.encode_signed(|digest| ContentSignature::sign(&account, &binding, digest, 5))
		.expect("a good state");
	write("desired_state", "signed", &signed);
	let voucher = Voucher::generate([1; 32], "acme", "drone-7", 9).expect("good names");
	write("text", "voucher", voucher.to_text().as_bytes());
}

/// What peers send, and what is inside of a voucher and of a request.
fn exchanges() {
	let name = |digest| dpki_bitswap::cid(digest).to_bytes();
	let digest: [u8; 32] = Sha256::digest(BLOB).into();
	let section = |bytes: &[u8]| {
		let len = u8::try_from(bytes.len()).expect("it is short");
		[&[len], bytes].concat()
	};
	let (own, foreign) = (name(digest), name([1; 32]));
	let header = [&b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00"[..], &own, b"\x67version\x01"];
	let (block, other) = ([&own[..], BLOB].concat(), [&foreign[..], b"other"].concat());
	let archive = [section(&header.concat()), section(&other), section(&block)].concat();
	write("archive", "second", &archive);

	let frame = |message: &Message| {
		let mut stream = Cursor::new(Vec::new());
		block_on(frame::write(&mut stream, message)).expect("there is room");
		stream.into_inner()
	};
	let entry = Entry { block: name(digest), priority: 1, ..Default::default() };
	let asks = Message {
		wantlist: Some(Wantlist { entries: vec![entry], full: true }),
		..Default::default()
	};
	let payload = vec![Block { prefix: vec![1, 0x55, 0x12, 32], data: BLOB.to_vec() }];
	let presence = BlockPresence { cid: name([1; 32]), presence: BlockPresence::DONT_HAVE };
	let answers = Message {
		blocks: vec![BLOB.to_vec()],
		payload,
		block_presences: vec![presence],
		pending_bytes: 3,
		..Default::default()
	};
	write("bitswap", "asks", &frame(&asks));
	write("bitswap", "answers", &[frame(&answers), frame(&asks)].concat());

	let revocation = Revocation { reason: RevocationReason::Superseded, at: 5_000 };
	let entry = |subject| SshRevocation { subject, revocation };
	let subjects = [SshSubject::Serial(7), SshSubject::KeyFingerprint([3; 32])];
	let page = subjects.map(entry).to_vec();
	let mut list = Krl::default();
	list.add(b"the key of a CA", &page);
	write("krl", "list", &list.encode());
	write("krl", "page", &page.encode());

	let names = [&b"\x04acme"[..], b"\x07drone-7"].concat();
	let inside = [&[1u8; 32][..], &[2; 32], &9u64.to_le_bytes(), &names].concat();
	write("voucher", "inside", &inside);

	let by = SoftwareKey::generate(KeyType::Ed25519).expect("there is randomness");
	let names = vec!["drone-7.acme.example".to_owned()];
	let host = Wanted::SshHost { key: kit::public_key(1), names };
	let tls = Wanted::Tls { service: "web".into(), csr: vec![0x30, 3, 2, 1, 7] };
	let (login, principals) = ("ops".to_owned(), vec!["crew".to_owned()]);
	let user = Wanted::ssh_user([1; 32], DeviceId([4; 32]), login, principals, &by);
	let user = user.expect("the key signs");
	for (name, wanted) in [("ssh-host", host), ("tls", tls), ("ssh-user", user)] {
		let (_, body) = wanted.filing().expect("it is short");
		write("device_request", &format!("{name}-filed"), &body);
		let request = DeviceRequest::sign([1; 32], DeviceId([4; 32]), wanted, 9, &by);
		write("device_request", name, &request.expect("the key signs").encode());
	}

	let seen = Seen { sequence: 7, digest: BlobDigest([3; 32]) };
	let accepted = Accepted { seen, bundle: Plaintext::new(Zeroizing::new(vec![1, 2, 3])) };
	let lane = Lane {
		highest: Some(seen),
		applied: Some(accepted.clone()),
		verdict: Some(Outcome::Applied),
	};
	let entries = Entries {
		lanes: [(ChannelId::DEFAULT, lane)].into(),
		pending: Some((ChannelId::DEFAULT, accepted)),
		reload_due: Some(4),
		head: 99,
	};
	// Behind the hash, which the target makes.
	write("journal", "full", &entries.to_file(OWNER)[32..]);
	write("journal", "empty", &Entries::default().to_file(OWNER)[32..]);
}

fn carriers() {
	let query = Query::new().storage_key(vec![0xab; 32]).storage_key(vec![0xcd; 64]);
	let file = Contents::new([7; 32], &query, vec![vec![4, 5]], vec![6; 40]);
	write("carried", "file", &file.encode());
	let checkpoint = Some([8; 32]);
	for (name, route) in [
		("bundle", Route::Bundle { keys: file.keys.clone(), checkpoint }),
		("block", Route::BundleAt { block: [9; 32], keys: file.keys.clone(), checkpoint }),
		("changes", Route::Changes { from: [9; 32] }),
	] {
		write("carried", name, route.to_string().as_bytes());
	}
}

fn main() {
	carriers();
	exchanges();
	records();
	statuses();
	assessments();
	certificates();
	proofs();
	transactions();
	keys();
	deliveries();
}
