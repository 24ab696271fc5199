//! Things that break, one or two at a time. Each scenario puts things right again and waits until all four follow.

use super::{
	Figures,
	borrowed::Borrowed,
	consortium::{Consortium, NAMES, address_of, namespace, prefix},
};
use crate::{Process, run};
use std::{
	fs::File,
	io::Write,
	path::{Path, PathBuf},
	time::{Duration, Instant},
};

/// How long votes that are under way may still arrive once there are too few voters.
const UNDER_WAY: Duration = Duration::from_secs(5);

/// A stall of finality up to here is the price of a missing author, whose slots pass empty: some slots of a second.
const MOST_STALL: f64 = 10.0;

/// Recovery takes at most as long, in seconds (M9, M10).
const MOST_RECOVERY: f64 = 10.0;

/// Debian's library that gives a program another clock, package `libfaketime`.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// One of four is killed for this time: finality goes on.
pub fn kill_one(consortium: &mut Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	consortium.kill(&[3]);
	without(consortium, "kill_one", &NAMES[..3], time, &mut figures);
	consortium.start_nodes(&[3]);
	recover(consortium, "kill_one", &mut figures);
	figures
}

/// Two of four are killed for this time: finality stops, and comes back with them.
pub fn kill_two(consortium: &mut Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	consortium.kill(&[2, 3]);
	stopped(consortium, "kill_two", time, &mut figures);
	consortium.start_nodes(&[2, 3]);
	recover(consortium, "kill_two", &mut figures);
	figures
}

/// One of four is stopped for this time with all its connections open, and goes on as if no time had passed.
pub fn freeze_one(consortium: &mut Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	consortium.node(3).process().freeze();
	without(consortium, "freeze_one", &NAMES[..3], time, &mut figures);
	consortium.node(3).process().thaw();
	recover(consortium, "freeze_one", &mut figures);
	figures
}

/// One of four cannot reach the others for this time: finality goes on among the three.
pub fn partition_3_1(consortium: &mut Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	cut(consortium, &[0, 1, 2], &[3], "add");
	without(consortium, "partition_3_1", &NAMES[..3], time, &mut figures);
	cut(consortium, &[0, 1, 2], &[3], "del");
	recover(consortium, "partition_3_1", &mut figures);
	figures
}

/// Two halves cannot reach each other for this time: neither finalises anything, and both do when they can again.
pub fn partition_2_2(consortium: &mut Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	cut(consortium, &[0, 1], &[2, 3], "add");
	stopped(consortium, "partition_2_2", time, &mut figures);
	cut(consortium, &[0, 1], &[2, 3], "del");
	recover(consortium, "partition_2_2", &mut figures);
	figures
}

/// For this time, all that a validator sends arrives 200 ms later and 5 % of the packets never: what
/// `tc qdisc add dev eth0 root netem delay 200ms loss 5%` does, without its kernel module. The consortium is of no use
/// afterwards: its cables are gone.
pub fn slow_and_lossy(consortium: &Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	let cables: Vec<_> = (0..NAMES.len()).map(|index| cable(consortium, index)).collect();
	// Peers that had lost each other while the cables were changed find each other again.
	consortium.wait_more(&NAMES, 3);
	let (from, height) = (Instant::now(), consortium.height());
	let best = consortium.rpc(0).best().expect("the host reaches it");
	consortium.watch(time);
	let blocks = consortium.height() - height;
	let made = consortium.rpc(0).best().expect("the host reaches it").saturating_sub(best);
	let seconds = from.elapsed().as_secs_f64();
	let stall = consortium.history.longest_stall(from, Instant::now()).as_secs_f64();
	figures.promise("slow_and_lossy.longest_stall", stall, "s", MOST_STALL, 1);
	figures.tell("slow_and_lossy.blocks_final_per_slot", f64::from(blocks) / seconds, "1");
	figures.tell("slow_and_lossy.blocks_made_per_slot", f64::from(made) / seconds, "1");
	consortium.look_back();
	drop(cables);
	figures
}

/// The clock of one of four is wrong by so many seconds for this time.
pub fn wrong_clock(consortium: &mut Consortium, seconds: i32, time: Duration) -> Figures {
	let mut figures = Figures::default();
	let side = if seconds > 0 { "ahead" } else { "behind" };
	let name = format!("clock_{side}");
	if !Path::new(FAKETIME).exists() {
		figures.remark(format!("{name} was not tried: {FAKETIME} is missing, install libfaketime"));
		return figures;
	}
	let (preload, offset) = (format!("LD_PRELOAD={FAKETIME}"), format!("FAKETIME={seconds:+}s"));
	consortium.kill(&[3]);
	// Only what tells the date is wrong on such a machine; what measures intervals is right.
	let under = ["env", &preload, &offset, "FAKETIME_DONT_FAKE_MONOTONIC=1"];
	consortium.node_mut(3).run_under(&under);
	consortium.start_nodes(&[3]);
	let log = consortium.node(3).log().len();
	without(consortium, &name, &NAMES[..3], time, &mut figures);
	let behind = consortium.height() - consortium.history.head_of(NAMES[3]).unwrap_or_default();
	figures.tell(&format!("{name}.blocks_behind"), f64::from(behind), "blocks");
	let said = consortium.node(3).log().split_off(log);
	let made = said.lines().filter(|line| line.contains("Pre-sealed block")).count();
	figures.tell(&format!("{name}.blocks_it_made"), made as f64, "blocks");
	consortium.kill(&[3]);
	consortium.node_mut(3).run_under(&[]);
	consortium.start_nodes(&[3]);
	recover(consortium, &name, &mut figures);
	figures
}

/// The disk of one of four is full for this time.
pub fn full_disk(consortium: &mut Consortium, time: Duration) -> Figures {
	let mut figures = Figures::default();
	consortium.kill(&[3]);
	let base = consortium.node(3).base().display().to_string();
	// The disk is memory, on which the node finds nothing and begins anew.
	let mount = "mount -t tmpfs -o size=512m dpki-chaos \"$1\"";
	let disk = match Borrowed::take(mount, "umount -l \"$1\"", &[&base]) {
		Ok(disk) => disk,
		Err(said) => {
			figures.remark(format!("full_disk was not tried: no mounts here ({said})"));
			consortium.start_nodes(&[3]);
			return figures;
		},
	};
	consortium.start_nodes(&[3]);
	consortium.wait_more(&NAMES, 2);
	let filler = Path::new(&base).join("filler");
	fill(&filler);
	without(consortium, "full_disk", &NAMES[..3], time, &mut figures);
	let ended = !consortium.node(3).runs();
	figures.tell("full_disk.node_ended", f64::from(u8::from(ended)), "1");
	std::fs::remove_file(&filler).expect("removes what filled the disk");
	if !ended {
		// It was not told that there is room again; an operator starts it anew.
		consortium.kill(&[3]);
	}
	consortium.node_mut(3).stop();
	let mut broken = 0;
	if let Err(said) = consortium.try_start_nodes(&[3]) {
		figures.remark(format!("full_disk: {}", said.lines().last().unwrap_or_default()));
		broken = 1;
		consortium.node_mut(3).stop();
		std::fs::remove_dir_all(Path::new(&base).join("chains")).expect("removes the database");
		consortium.start_nodes(&[3]);
	}
	figures.tell("full_disk.database_broken", f64::from(broken), "1");
	recover(consortium, "full_disk", &mut figures);
	// The disk goes with all that was on it.
	consortium.kill(&[3]);
	drop(disk);
	consortium.start_nodes(&[3]);
	consortium.wait_more(&NAMES, 1);
	figures
}

/// Time passes without one of them; the others finalise.
fn without(
	consortium: &Consortium,
	name: &str,
	others: &[&str],
	time: Duration,
	figures: &mut Figures,
) {
	let (from, height) = (Instant::now(), consortium.height());
	consortium.watch(time);
	let stall = consortium.history.longest_stall(from, Instant::now()).as_secs_f64();
	let blocks = f64::from(consortium.height() - height);
	figures.promise(&format!("{name}.longest_stall"), stall, "s", MOST_STALL, 1);
	figures.tell(&format!("{name}.blocks_final_per_slot"), blocks / time.as_secs_f64(), "1");
	consortium.wait_more(others, 1);
}

/// Time passes with too few of them: nothing becomes final.
fn stopped(consortium: &Consortium, name: &str, time: Duration, figures: &mut Figures) {
	consortium.watch(UNDER_WAY);
	let height = consortium.height();
	consortium.watch(time);
	let blocks = f64::from(consortium.height() - height);
	figures.promise(&format!("{name}.blocks_final_meanwhile"), blocks, "blocks", 0.0, 1);
}

/// From what was put right to three more final blocks on every node.
fn recover(consortium: &Consortium, name: &str, figures: &mut Figures) {
	let took = consortium.wait_more(&NAMES, 3).as_secs_f64();
	figures.promise(&format!("{name}.recovery"), took, "s", MOST_RECOVERY, 1);
}

/// Whatever one group sends to the other vanishes on its way from now on (`add`), or no more (`del`). Who watches reaches all.
fn cut(consortium: &Consortium, one: &[usize], other: &[usize], verb: &str) {
	for (from, to) in one.iter().flat_map(|one| other.iter().map(move |other| (*one, *other))) {
		for (from, to) in [(from, to), (to, from)] {
			let namespace = namespace(consortium.folder(), NAMES[from]);
			let address = address_of(consortium.folder(), to);
			ip(&["-n", &namespace, "route", verb, "blackhole", &address]);
		}
	}
}

fn ip(words: &[&str]) {
	let output = run(Path::new("ip"), words);
	assert!(output.status.success(), "ip {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Puts a slow and lossy cable in the place of a validator's one.
fn cable(consortium: &Consortium, index: usize) -> Process {
	let folder = consortium.folder();
	let prefix = prefix(folder);
	let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lib/cable.py");
	let words = [
		script.display().to_string(),
		namespace(folder, NAMES[index]),
		format!("{prefix}v{}", index + 1),
		format!("{prefix}br"),
		format!("{}/24", address_of(folder, index)),
		"200".into(),
		"5".into(),
	];
	let log: PathBuf = folder.join(format!("{}.cable", NAMES[index]));
	let started = Process::start_until(Path::new("python3"), words, &log, "connected");
	started.unwrap_or_else(|said| panic!("{said}")).0
}

/// Writes until there is no room.
fn fill(path: &Path) {
	let mut file = File::create(path).expect("creates a file");
	let bytes = vec![0x5a; 64 * 1024];
	while file.write_all(&bytes).is_ok() {}
	while file.write_all(&[0x5a]).is_ok() {}
}
