//! What somebody does first who tries it out: a node with no other word than `--dev`, and a voucher that a camera reads.

use dpki_client::Voucher;
use dpki_e2e::{Dpki, Node, Workspace, block, scan};
use serde_json::json;

#[tokio::test]
async fn a_node_needs_no_word_but_dev_and_a_camera_reads_the_voucher() {
	let workspace = Workspace::new("bare");
	let node = Node::start_bare(&workspace);
	let alice = Dpki::new(&node, "//Alice");
	let created = alice.ok(["org", "create", "acme", "--kind", "ecosystem-operator"]);
	assert!(block(&created) > 0, "blocks become final");

	let printed = alice.prints(["voucher", "new", "--org", "acme", "--device", "drone-7", "--qr"]);
	let scanned: Voucher = scan(&printed).parse().expect("a voucher");
	let text = printed.lines().find(|line| line.starts_with("dpki-voucher"));
	let issued: Voucher = text.expect("its text is printed too").trim().parse().expect("it parses");
	assert_eq!(scanned.to_text().as_str(), issued.to_text().as_str());
	assert_eq!((scanned.organisation(), scanned.device()), ("acme", "drone-7"));
	let id = scanned.id().to_string();
	assert_eq!(alice.status(["status", "voucher", &id])["status"], json!("open"));
}
