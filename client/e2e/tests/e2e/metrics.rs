//! What Prometheus learns of the PKI, before and after something has happened.

use dpki_e2e::{Fleet, PATIENCE, figure, login_name, promtool_finds, public, run};
use std::{
	path::Path,
	time::{Duration, Instant},
};

/// From one look to the next.
const PAUSE: Duration = Duration::from_millis(200);

/// A call that does nothing: `System.remark` with a text.
const HARMLESS: &str = "0x00001074657374";

/// A figure by its name and a label, and what it has to be.
type Wanted = (&'static str, &'static str, fn(f64) -> bool);

fn none(value: f64) -> bool {
	value == 0.0
}

fn one(value: f64) -> bool {
	value == 1.0
}

fn some(value: f64) -> bool {
	value > 0.0
}

/// Reads the figures until all are what they have to be: the state is read every thirty blocks.
async fn until(fleet: &Fleet, when: &str, wanted: &[Wanted]) -> String {
	let began = Instant::now();
	loop {
		let text = fleet.node.scrape();
		let found = |(name, label, _): &Wanted| (*name, *label, figure(&text, name, label));
		let wrong: Vec<_> = wanted
			.iter()
			.filter(|wanted| !found(wanted).2.is_some_and(wanted.2))
			.map(found)
			.collect();
		if wrong.is_empty() {
			return text;
		}
		assert!(began.elapsed() < PATIENCE, "{when} these are wrong: {wrong:?}");
		tokio::time::sleep(PAUSE).await;
	}
}

#[tokio::test]
async fn figures_follow_what_happens() {
	const REVOKED: (&str, &str) =
		("dpki_revocations_total", "kind=\"device\",reason=\"keyCompromise\"");
	const OPEN: (&str, &str) = ("dpki_motions_open", "electorate=\"council\"");
	const OLDEST: (&str, &str) = ("dpki_motion_oldest_open_seconds", "electorate=\"council\"");
	const WAITING: (&str, &str) = ("dpki_deliveries", "state=\"waiting\"");
	const APPLIED: (&str, &str) = ("dpki_deliveries", "state=\"applied\"");
	const ENABLED: (&str, &str) = ("dpki_validators", "standing=\"enabled\"");
	const DISABLED: (&str, &str) = ("dpki_validators", "standing=\"disabled\"");
	const SERVING: (&str, &str) = ("dpki_validators_serving", "");
	const CAUGHT: (&str, &str) = ("dpki_validators_caught", "");
	const ANCHORS: (&str, &str) = ("dpki_anchors", "status=\"valid\"");
	const ENDING: (&str, &str) = ("dpki_anchors_ending_soon", "");
	let is = |(name, label), is_so: fn(f64) -> bool| -> Wanted { (name, label, is_so) };

	let fleet = Fleet::start_measured("metrics");
	let before = [REVOKED, OPEN, OLDEST, WAITING, APPLIED, DISABLED, CAUGHT, ANCHORS, ENDING]
		.map(|figure| is(figure, none));
	let before = [&before[..], &[is(ENABLED, one), is(SERVING, one)]].concat();
	let text = until(&fleet, "at the beginning", &before).await;
	assert_eq!(promtool_finds(&text), Vec::<String>::new());

	// Of two anchors, one ends.
	let user_ca = public(&fleet.add_ssh_ca("ssh-user-ca")).display().to_string();
	let file = |name: &str| fleet.workspace.join(name).display().to_string();
	let (cert, key) = (file("ca.crt"), file("ca.key"));
	let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=acme \
		-addext keyUsage=critical,keyCertSign,cRLSign";
	let words = words.split_whitespace().chain(["-keyout", &key, "-out", &cert]);
	let made = run(Path::new("openssl"), words);
	assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
	let root = ["anchor", "add", "--org", "acme", "--kind", "x509-root"];
	fleet.admin.ok([&root[..], &["--key", &key, "--cert", &cert]].concat());
	// Of two devices, one gets something that its agent does not fetch yet, and one is revoked.
	let mut device = fleet.enrol("drone-1").await;
	let _other = fleet.enrol("drone-2").await;
	let principals = format!("{}=ops", login_name());
	let deliver = ["deliver", "--org", "acme", "--device", "drone-1", "--user-ca", &user_ca];
	fleet.admin.ok([&deliver[..], &["--principals", &principals]].concat());
	let revoke = ["revoke", "device", "acme/drone-2", "--reason", "keyCompromise", "--yes"];
	fleet.admin.ok(revoke);
	// Another validator is admitted, and shut out before it serves.
	assert_eq!(fleet.admin.ok(["validator", "add", "//Bob"])["state"], "carried");
	assert_eq!(fleet.admin.ok(["validator", "disable", "//Bob"])["state"], "carried");
	// Of two trustees, one has voted.
	assert_eq!(fleet.admin.ok(["motion", "propose", "admit", "//Bob"])["state"], "carried");
	let proposed = fleet.admin.ok(["motion", "propose", "root", HARMLESS]);
	assert_eq!(proposed["state"], "open");
	let after = [
		is(REVOKED, one),
		is(OPEN, one),
		is(OLDEST, some),
		is(WAITING, one),
		is(APPLIED, none),
		is(ENABLED, one),
		is(DISABLED, one),
		is(SERVING, one),
		is(CAUGHT, none),
		is(ANCHORS, |value| value == 2.0),
		is(ENDING, one),
	];
	let text = until(&fleet, "after all that", &after).await;
	assert_eq!(promtool_finds(&text), Vec::<String>::new());

	// The motion is voted down, the anchor revoked, the delivery applied. What was counted stays counted.
	let motion = proposed["motion"].to_string();
	let bob = fleet.admin.acting_for("//Bob");
	let voted = bob.ok(["motion", "vote", &motion, "nay", "--yes"]);
	assert_eq!(voted["state"], "rejected", "{voted}");
	fleet.admin.ok(["revoke", "anchor", &cert, "--reason", "superseded", "--yes"]);
	device.start();
	let at_last = [OPEN, OLDEST, WAITING, ENDING].map(|figure| is(figure, none));
	let counted = [REVOKED, APPLIED, ANCHORS].map(|figure| is(figure, one));
	until(&fleet, "at last", &[&at_last[..], &counted[..]].concat()).await;
}
