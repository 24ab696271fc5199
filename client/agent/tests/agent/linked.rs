//! What a device has to have so that the agent starts on it.

use std::{collections::BTreeSet, process::Command};

/// The C library with its mathematics and its loader, and what unwinds: every glibc system has them.
const USUAL: [&str; 3] = ["libc.so.", "libm.so.", "libgcc_s.so."];

/// The shared libraries that this program names.
fn needed(program: &str) -> BTreeSet<String> {
	let read = Command::new("readelf").args(["--dynamic", "--wide", program]).output();
	let read =
		read.expect("readelf can be run: scripts/setup installs Debian's package `binutils`");
	let text = String::from_utf8_lossy(&read.stdout).into_owned();
	assert!(read.status.success() && text.contains("Dynamic section"), "{read:?}");
	let names = text.lines().filter(|line| line.contains("(NEEDED)"));
	names
		.map(|line| line.split(['[', ']']).nth(1).expect("a name in brackets").to_owned())
		.collect()
}

#[test]
fn the_agent_needs_no_library_that_a_device_may_not_have() {
	let is_usual = |name: &String| {
		USUAL.iter().any(|usual| name.starts_with(usual)) || name.starts_with("ld-linux")
	};
	let agent = needed(env!("CARGO_BIN_EXE_dpki-agent"));
	assert!(agent.iter().any(|name| name.starts_with("libc.so.")), "{agent:?}");
	let unusual: Vec<_> = agent.iter().filter(|name| !is_usual(name)).collect();
	assert!(unusual.is_empty(), "a device would have to have {unusual:?}");
	let ssh = needed("/usr/bin/ssh");
	assert!(!ssh.iter().all(is_usual), "the test can fail: {ssh:?}");
}
