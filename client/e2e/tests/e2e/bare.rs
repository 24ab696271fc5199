//! What somebody does first who tries it out: a node with no other word than `--dev`, and a voucher that a camera reads.

use dpki_client::Voucher;
use dpki_e2e::{Dpki, Node, Workspace, block};
use serde_json::json;

/// The upper and the lower half of a character of the drawing: whether the terminal lights it up.
fn halves(drawn: char) -> [bool; 2] {
	match drawn {
		'█' => [true; 2],
		'▀' => [true, false],
		'▄' => [false, true],
		_ => [false; 2],
	}
}

/// What a camera reads off a terminal that shows these lines in light colour on dark ground.
fn scan(printed: &str) -> String {
	/// Pixels of a module, in both directions.
	const SCALE: usize = 4;
	let is_drawn = |line: &&str| line.chars().any(|c| "█▀▄".contains(c));
	let rows: Vec<Vec<bool>> = printed
		.lines()
		.filter(is_drawn)
		.flat_map(|line| [0, 1].map(|half| line.chars().map(|c| halves(c)[half]).collect()))
		.collect();
	let width = rows.iter().map(Vec::len).max().expect("there is a drawing");
	let is_dark = |x: usize, y: usize| !rows[y / SCALE].get(x / SCALE).copied().unwrap_or(false);
	let (width, height) = (width * SCALE, rows.len() * SCALE);
	let mut image = rqrr::PreparedImage::prepare_from_bitmap(width, height, is_dark);
	let found = image.detect_grids();
	let [code] = &found[..] else { panic!("{} codes in\n{printed}", found.len()) };
	code.decode().expect("it can be read").1
}

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
