//! All validators killed in the same instant, right after a client was told that a revocation is final.
//!
//! `kill -9` takes from a process what it has not yet given to the kernel. What the kernel has not yet given to the disk it
//! keeps: the loss of power is another test, which takes a machine whose power can be cut.

use super::{
	Figures,
	consortium::{Consortium, NAMES},
	presigned::{Chain, Signed, key_of},
	rpc::{Refusal, Rpc},
	tail::Tail,
};
use crate::{
	Dpki, anchors,
	history::{Block, Event},
};
use dpki_client::calls;
use dpki_primitives::{
	ids::AnchorId,
	revocation::{RevocationReason, SshSubject},
	storage_keys,
};
use ed25519_dalek::pkcs8::{EncodePrivateKey, spki::der::pem::LineEnding};
use serde_json::json;
use sp_crypto_hashing::blake2_256;
use std::{
	fs::File,
	io::Write,
	os::unix::fs::OpenOptionsExt,
	thread,
	time::{Duration, Instant},
};

/// How long after a client was told that something is final the validators are killed, at most.
const WINDOW: Duration = Duration::from_millis(500);

/// What the lines of a log contain that tells of two votes or two blocks by one validator for one place.
const EQUIVOCATION: &str = "equivocat";

/// An organisation with an SSH CA, of whose certificates one is revoked in each round.
pub struct Registry {
	anchor: AnchorId,
}

impl Registry {
	/// Founds it, in the name of the first made-up account.
	pub fn found(consortium: &Consortium) -> Self {
		let file = |name: &str| consortium.folder().join(name).display().to_string();
		let (account, ca) = (file("admin.pem"), file("ca"));
		let pem = key_of(0).to_pkcs8_pem(LineEnding::LF).expect("a key has a PEM");
		// The command line takes no key that others can read.
		let key = File::options().write(true).create_new(true).mode(0o600).open(&account);
		key.expect("creates the file of the key")
			.write_all(pem.as_bytes())
			.expect("writes it");
		let admin = Dpki::at(&consortium.node(0).url(), &account);
		admin.ok(["org", "create", "acme", "--kind", "ecosystem-operator"]);
		admin.ok(["key", "new", "ssh-ca", &ca]);
		admin.ok(["anchor", "add", "--org", "acme", "--kind", "ssh-user-ca", "--key", &ca]);
		Self { anchor: anchors(&admin)[0] }
	}

	/// The revocation of the certificate with this serial number, as a transaction that a node will take.
	pub fn revoke(&self, rpc: &Rpc, serial: u64) -> Result<Signed, Refusal> {
		let key = key_of(0);
		let reason = RevocationReason::KeyCompromise;
		let call =
			calls::encode(&calls::revoke_ssh(self.anchor, SshSubject::Serial(serial), reason));
		let call = call.expect("the call is one of this chain");
		let account = dpki_client::account::address(&key.verifying_key().to_bytes());
		let nonce = rpc.call("system_accountNextIndex", json!([account]))?;
		let nonce = nonce.as_u64().ok_or(Refusal::Silent(format!("no number: {nonce}")))?;
		Ok(Chain::of(rpc)?.sign(&key, call.bytes(), nonce, rpc.finalized()?))
	}

	/// Whether it is revoked at a block.
	pub fn is_revoked(&self, rpc: &Rpc, serial: u64, block: Block) -> Result<bool, Refusal> {
		let key = storage_keys::revoked_ssh_subject(self.anchor, &SshSubject::Serial(serial));
		Ok(rpc.storage(&key, block)?.is_some())
	}
}

/// So many times: a client revokes something, is told that this is final, and within 500 ms all four validators are killed
/// at once. They are started again, and every one has to know.
pub fn kill_all(consortium: &mut Consortium, registry: &Registry, rounds: u64) -> Figures {
	let mut figures = Figures::default();
	let mut recoveries = Vec::new();
	let all = [0, 1, 2, 3];
	for serial in 1..=rounds {
		let told = usize::try_from(serial).expect("there are not so many") % all.len();
		let (transaction, block) = acknowledged(consortium, registry, told, serial);
		thread::sleep(moment(serial));
		consortium.kill(&all);
		let killed = Instant::now();
		if let Err(said) = consortium.try_start_nodes(&all) {
			panic!(
				"round {serial}: a validator does not come back, its database may be broken:\n{said}"
			);
		}
		consortium.wait_for(&NAMES, block.number);
		consortium.wait_more(&NAMES, 1);
		recoveries.push(killed.elapsed());
		for (index, node) in NAMES.iter().enumerate() {
			let rpc = consortium.rpc(index);
			let node = node.to_string();
			let at = rpc.finalized().expect("it answers");
			let revoked = registry.is_revoked(&rpc, serial, at).expect("it answers");
			let (number, subject) = (at.number, format!("serial {serial}"));
			consortium.history.note(if revoked {
				Event::Found { node: node.clone(), number, transaction }
			} else {
				Event::Missing { node: node.clone(), number, transaction }
			});
			consortium.history.note(Event::Judged { node, number, subject, revoked });
		}
		if serial % 10 == 0 {
			eprintln!("{serial} of {rounds} rounds");
		}
	}
	judge_all(consortium, registry, rounds);
	let found = consortium.history.check().len();
	figures.promise("kill_all.violations", found as f64, "1", 0.0, recoveries.len());
	let equivocations = consortium.count_in_logs(&[EQUIVOCATION]);
	figures.promise("kill_all.equivocations", equivocations as f64, "lines", 0.0, recoveries.len());
	let set_backs = consortium.history.set_backs();
	let forgot = set_backs.iter().filter(|blocks| **blocks > 0).count();
	figures.tell("kill_all.starts_behind_what_was_told", forgot as f64, "starts");
	let most = set_backs.iter().max().copied().unwrap_or_default();
	figures.tell("kill_all.most_blocks_behind", f64::from(most), "blocks");
	figures.spread("kill_all.recovery", &recoveries);
	figures
}

/// Sends a revocation to a node and waits until that says that it is final.
fn acknowledged(
	consortium: &Consortium,
	registry: &Registry,
	told: usize,
	serial: u64,
) -> ([u8; 32], Block) {
	let rpc = consortium.rpc(told);
	let mut tail = Tail::from_now(rpc).expect("it answers");
	let signed = registry.revoke(&rpc, serial).expect("it answers");
	signed
		.send(&rpc)
		.unwrap_or_else(|refusal| panic!("{serial} is refused: {refusal}"));
	let transaction = signed.hash;
	consortium.history.note(Event::Accepted { transaction });
	let block = tail.wait_for(&transaction);
	consortium.history.note(Event::Acknowledged { transaction, block });
	(transaction, block)
}

/// When in the window the validators of this round are killed: the same in each run.
fn moment(round: u64) -> Duration {
	let [first, second, ..] = blake2_256(&round.to_le_bytes());
	WINDOW.mul_f64(f64::from(u16::from_le_bytes([first, second])) / f64::from(u16::MAX))
}

/// Asks every node about everything that was revoked.
fn judge_all(consortium: &Consortium, registry: &Registry, rounds: u64) {
	for (index, node) in NAMES.iter().enumerate() {
		let rpc = consortium.rpc(index);
		let at = rpc.finalized().expect("it answers");
		for serial in 1..=rounds {
			let revoked = registry.is_revoked(&rpc, serial, at).expect("it answers");
			let (node, subject) = (node.to_string(), format!("serial {serial}"));
			consortium
				.history
				.note(Event::Judged { node, number: at.number, subject, revoked });
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_moments_fill_the_window() {
		let moments: Vec<_> = (0..1_000).map(moment).collect();
		assert!(moments.iter().all(|moment| *moment <= WINDOW));
		assert!(moments.iter().any(|moment| *moment < WINDOW / 20));
		assert!(moments.iter().any(|moment| *moment > WINDOW * 19 / 20));
	}
}
