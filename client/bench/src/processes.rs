//! What processes have taken of the processors, and which of these they may use.

use crate::Result;
use std::{fs, process::Command, time::Duration};

/// The processor time of a process and its threads, in user and in kernel mode.
pub fn cpu_time(pid: u32, ticks_per_second: u64) -> Result<Duration> {
	let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
	let ticks = ticks(&stat).ok_or("the kernel tells of processes in another form")?;
	Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_second as f64))
}

/// Fields 14 and 15 of proc(5); the name in field 2 may hold spaces and parentheses.
fn ticks(stat: &str) -> Option<u64> {
	let (_, rest) = stat.rsplit_once(')')?;
	let mut fields = rest.split_whitespace().skip(11);
	let user: u64 = fields.next()?.parse().ok()?;
	let system: u64 = fields.next()?.parse().ok()?;
	user.checked_add(system)
}

/// The highest memory that a process ever had resident, in KiB.
pub fn peak_memory(pid: u32) -> Option<u64> {
	let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
	let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
	line.split_whitespace().nth(1)?.parse().ok()
}

/// The unit of processor time.
pub fn ticks_per_second() -> Result<u64> {
	let told = Command::new("getconf").arg("CLK_TCK").output()?;
	Ok(String::from_utf8(told.stdout)?.trim().parse()?)
}

/// The processors that this process may use, as `taskset` takes them.
pub fn own_cores() -> Result<String> {
	let status = fs::read_to_string("/proc/self/status")?;
	let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
	Ok(line
		.ok_or("the kernel does not tell which processors are allowed")?
		.trim()
		.into())
}

/// Lets this process, with its threads, use these processors and no others.
pub fn pin(cores: &str) -> Result<()> {
	let own = std::process::id().to_string();
	let done = Command::new("taskset").args(["-a", "-c", "-p", cores, &own]).output()?;
	match done.status.success() {
		true => Ok(()),
		false => Err(String::from_utf8_lossy(&done.stderr).trim().into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn processor_time_is_that_of_both_modes() {
		let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 1 0 5 6 7";
		assert_eq!(ticks(stat), Some(300));
		assert_eq!(ticks("7 (x) S 1"), None);
		assert_eq!(ticks(""), None);
	}

	#[test]
	fn this_process_has_taken_time_and_memory() {
		let ticks = ticks_per_second().unwrap();
		assert!(ticks > 0 && cpu_time(std::process::id(), ticks).is_ok());
		assert!(peak_memory(std::process::id()).unwrap() > 0);
		assert!(cpu_time(u32::MAX, ticks).is_err());
		assert!(!own_cores().unwrap().is_empty());
	}
}
