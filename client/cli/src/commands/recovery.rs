//! `dpki recovery`: the way of devices over a change of the validators that was forced.
//!
//! The validators whom the devices trust sign a new checkpoint. Each does so on its own machine with the key with which it
//! votes on finality, after it has compared the checkpoint with its own node; nothing here talks to a node or over a network.

use crate::{
	error::{Error, Result, crypto},
	files,
	output::{Report, hex, rfc3339},
	prompt, values,
};
use clap::Subcommand;
use dpki_primitives::Moment;
use dpki_verifier::{
	Checkpoint, MAX_RECOVERY_LIFETIME, Verifier, Zebra, encode_recovery, recovery_payload,
};
use serde_json::{Value, json};
use sp_core::{Pair, ed25519};
use std::{
	path::{Path, PathBuf},
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use zeroize::Zeroizing;

/// How the file of a key for votes on finality begins in the keystore of a node: `gran`, in hexadecimal digits.
const GRANDPA_FILE: &str = "6772616e";

/// Recoveries.
#[derive(Subcommand)]
#[command(after_help = "\
Examples:
  dpki recovery begin after.statement --pinned before.checkpoint --to after.checkpoint \\
      --valid 14d
  dpki recovery sign after.statement \\
      --keystore /var/lib/dpki-validator/chains/consortium/keystore --out north.signature
  dpki recovery combine after.statement north.signature east.signature south.signature \\
      --out acme.recovery")]
pub enum RecoveryCommand {
	/// Write down what is to be signed: from whom devices trust now, to a checkpoint after the change
	#[command(after_help = "\
`dpki bundle checkpoint` takes checkpoints from a node. The first one is of any block that the
old validators have finalised; devices that have stopped at other blocks under the same
validators take the same recovery.

Example:
  dpki recovery begin after.statement --pinned before.checkpoint --to after.checkpoint \\
      --valid 14d")]
	Begin {
		/// The new file
		#[arg(value_name = "FILE")]
		out: PathBuf,
		/// A checkpoint that devices have now
		#[arg(long, value_name = "FILE")]
		pinned: PathBuf,
		/// The checkpoint that they shall have
		#[arg(long, value_name = "FILE")]
		to: PathBuf,
		/// For how long devices take it: up to 30d
		#[arg(long, value_name = "SPAN", value_parser = values::duration, default_value = "14d")]
		valid: Duration,
	},
	/// Sign it, on the machine of a validator that devices trust now
	#[command(after_help = "\
Compare the digest of the new checkpoint with `dpki bundle checkpoint` at your own node first:
whoever signs another one leads every device astray that trusts this validator.

Example:
  dpki recovery sign after.statement \\
      --keystore /var/lib/dpki-validator/chains/consortium/keystore --out north.signature")]
	Sign {
		/// What `dpki recovery begin` has written
		#[arg(value_name = "FILE")]
		statement: PathBuf,
		/// Where the node keeps its keys
		#[arg(long, value_name = "FOLDER")]
		keystore: PathBuf,
		/// The new file; it holds nothing secret
		#[arg(long, value_name = "FILE")]
		out: PathBuf,
		/// Do not ask
		#[arg(long)]
		yes: bool,
	},
	/// Put the signatures together, and judge the recovery as a device does
	#[command(after_help = "\
Devices take it with `dpki-agent checkpoint --recovery acme.recovery`.

Example:
  dpki recovery combine after.statement north.signature east.signature south.signature \\
      --out acme.recovery")]
	Combine {
		/// What `dpki recovery begin` has written
		#[arg(value_name = "FILE")]
		statement: PathBuf,
		/// What `dpki recovery sign` has written, of more than two thirds of the validators
		#[arg(value_name = "SIGNATURE", required = true)]
		signatures: Vec<PathBuf>,
		/// The new file
		#[arg(long, value_name = "FILE")]
		out: PathBuf,
	},
}

impl RecoveryCommand {
	/// Runs the command. No chain is needed.
	pub fn run(self) -> Result<Report> {
		match self {
			Self::Begin { out, pinned, to, valid } => begin(&out, &pinned, &to, valid),
			Self::Sign { statement, keystore, out, yes } => sign(&statement, &keystore, &out, yes),
			Self::Combine { statement, signatures, out } => combine(&statement, &signatures, &out),
		}
	}
}

/// What is signed.
struct Statement {
	pinned: Checkpoint,
	new: Checkpoint,
	expires_at: Moment,
}

impl Statement {
	fn read(path: &Path) -> Result<Self> {
		let wrong = || wrong(path, "a statement of `dpki recovery begin`");
		let json: Value = serde_json::from_slice(&files::read(path)?).map_err(|_| wrong())?;
		let checkpoint = |field: &str| {
			let bytes = bytes(&json[field])?;
			Checkpoint::decode(&bytes).ok()
		};
		let parts = (checkpoint("pinned"), checkpoint("new"), json["expires_at"].as_u64());
		let (Some(pinned), Some(new), Some(expires_at)) = parts else { return Err(wrong()) };
		Ok(Self { pinned, new, expires_at })
	}

	fn to_json(&self) -> Value {
		json!({
			"pinned": hex(&self.pinned.encode()),
			"new": hex(&self.new.encode()),
			"expires_at": self.expires_at,
		})
	}

	fn payload(&self) -> Vec<u8> {
		recovery_payload(&self.pinned, &self.new, self.expires_at)
	}

	fn told(&self, report: Report) -> Report {
		let from = self.pinned.set.authorities().len();
		report
			.row("genesis_hash", hex(&self.pinned.genesis))
			.row_as("from_authority_set", self.pinned.set.id().to_string(), self.pinned.set.id())
			.row_as("its_authorities", from.to_string(), from)
			.row_as(
				"signatures_needed",
				self.pinned.set.threshold().to_string(),
				self.pinned.set.threshold(),
			)
			.row_as("to_authority_set", self.new.set.id().to_string(), self.new.set.id())
			.row_as("block", self.new.number.to_string(), self.new.number)
			.row("block_hash", hex(&self.new.hash))
			.row("checkpoint_digest", hex(&self.new.digest()))
			.row("expires", rfc3339(self.expires_at))
	}
}

fn wrong(path: &Path, expected: &str) -> Error {
	Error::WrongFile { path: path.to_owned(), expected: expected.to_owned() }
}

fn bytes(digits: &Value) -> Option<Vec<u8>> {
	hex::decode(digits.as_str()?.strip_prefix("0x")?).ok()
}

fn checkpoint(path: &Path) -> Result<Checkpoint> {
	Checkpoint::decode(&files::read(path)?).map_err(|_| wrong(path, "a checkpoint"))
}

fn now() -> Moment {
	// A clock before 1970 finds everything expired.
	let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
	u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn begin(out: &Path, pinned: &Path, to: &Path, valid: Duration) -> Result<Report> {
	files::refuse_existing(&[out])?;
	if valid.as_millis() > u128::from(MAX_RECOVERY_LIFETIME) {
		return Err(Error::Usage("no device takes it for so long: give 30d or less".into()));
	}
	let expires_at = values::after(now(), valid)?;
	let statement = Statement { pinned: checkpoint(pinned)?, new: checkpoint(to)?, expires_at };
	check(&statement)?;
	let text = format!("{:#}\n", statement.to_json());
	files::write_public(out, text.as_bytes())?;
	Ok(statement
		.told(Report::new().done("Statement written: give it to the validators of the old set"))
		.row("file", out.display()))
}

/// That devices would take the statement now. Whoever signs one that they take only later leaves it lying in wait.
fn check(statement: &Statement) -> Result<()> {
	let Statement { pinned, new, expires_at } = statement;
	let refuse = |sentence: &str| Err(Error::Usage(sentence.into()));
	if pinned.genesis != new.genesis {
		return refuse("the checkpoints are of two chains: give two of the same");
	}
	if new.set.id() <= pinned.set.id() || new.number <= pinned.number {
		return refuse(
			"the second checkpoint is not after the change: take it once the new validators finalise",
		);
	}
	let now = now();
	if *expires_at < now {
		return refuse("the statement has expired: begin a new one");
	}
	if *expires_at > now.saturating_add(MAX_RECOVERY_LIFETIME) {
		return refuse(
			"the statement is for longer than the 30 days that devices take: begin a new one",
		);
	}
	Ok(())
}

/// The key of a validator of the pinned set in a keystore.
fn key_of(pinned: &Checkpoint, keystore: &Path) -> Result<ed25519::Pair> {
	for authority in pinned.set.authorities() {
		let path = keystore.join(format!("{GRANDPA_FILE}{}", hex::encode(authority)));
		if path.symlink_metadata().is_err() {
			continue;
		}
		files::refuse_exposed(&path)?;
		let text = files::read_text(&path)?;
		let wrong = || wrong(&path, "a key as nodes keep it");
		let secret: Zeroizing<String> =
			serde_json::from_str(&text).map(Zeroizing::new).map_err(|_| wrong())?;
		let pair = ed25519::Pair::from_string(&secret, None).map_err(|_| wrong())?;
		return if pair.public().0 == *authority { Ok(pair) } else { Err(wrong()) };
	}
	Err(Error::NotAllowed {
		why: format!(
			"{} has no key of the {} validators whom devices trust now",
			keystore.display(),
			pinned.set.authorities().len()
		),
		next: "sign with the keystore of a validator of the old set, or with its backup".into(),
	})
}

fn sign(statement: &Path, keystore: &Path, out: &Path, yes: bool) -> Result<Report> {
	files::refuse_existing(&[out])?;
	let statement = Statement::read(statement)?;
	check(&statement)?;
	let pair = key_of(&statement.pinned, keystore)?;
	let Statement { pinned, new, expires_at } = &statement;
	let question = format!(
		"Chain {}: until {}, lead all devices that trust authority set {} ({} validators) to block {} ({}) of authority set {}, \
		 checkpoint digest {}?",
		hex(&new.genesis),
		rfc3339(*expires_at),
		pinned.set.id(),
		pinned.set.authorities().len(),
		new.number,
		hex(&new.hash),
		new.set.id(),
		hex(&new.digest())
	);
	prompt::confirm(&question, yes)?;
	let signature = pair.sign(&statement.payload());
	let authority = hex(&pair.public().0);
	let json = json!({ "authority": authority, "signature": hex(&signature.0) });
	files::write_public(out, format!("{json:#}\n").as_bytes())?;
	Ok(statement
		.told(Report::new().done("Signed"))
		.row("authority", authority)
		.row("file", out.display()))
}

fn read_signature(path: &Path) -> Result<([u8; 32], [u8; 64])> {
	let wrong = || wrong(path, "a signature of `dpki recovery sign`");
	let json: Value = serde_json::from_slice(&files::read(path)?).map_err(|_| wrong())?;
	let authority = bytes(&json["authority"]).and_then(|it| it.try_into().ok());
	let signature = bytes(&json["signature"]).and_then(|it| it.try_into().ok());
	authority.zip(signature).ok_or_else(wrong)
}

fn combine(statement: &Path, signatures: &[PathBuf], out: &Path) -> Result<Report> {
	files::refuse_existing(&[out])?;
	let statement = Statement::read(statement)?;
	let signatures: Vec<_> =
		signatures.iter().map(|path| read_signature(path)).collect::<Result<_>>()?;
	let recovery = encode_recovery(&statement.new, statement.expires_at, &signatures);
	// What a device would refuse is not handed out.
	let mut device = Verifier::new(statement.pinned.clone(), Zebra);
	device
		.recover(&recovery, now())
		.map_err(crypto("make a recovery that devices take"))?;
	files::write_public(out, &recovery)?;
	Ok(statement
		.told(Report::new().done("Recovery written: devices take it"))
		.row_as("signatures", signatures.len().to_string(), signatures.len())
		.row("file", out.display()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;
	use std::{fs, os::unix::fs::PermissionsExt};

	/// A folder with the checkpoints before and after, and the keystores of four validators.
	struct World {
		folder: tempfile::TempDir,
	}

	impl World {
		fn new() -> Self {
			let world = Self { folder: tempfile::tempdir().unwrap() };
			let pair = |name: usize| {
				let secret = format!("//validator//{name}");
				(ed25519::Pair::from_string(&secret, None).unwrap().public().0, secret)
			};
			let set = |id, names: std::ops::Range<usize>| {
				AuthoritySet::new(id, names.map(|name| pair(name).0).collect()).unwrap()
			};
			let (before, after) = (set(3, 0..4), set(4, 10..13));
			let checkpoint =
				|set, number| Checkpoint { genesis: [1; 32], set, number, hash: [2; 32] };
			world.put("before", &checkpoint(before.clone(), 100).encode());
			world.put("after", &checkpoint(after, 900).encode());
			world.put("same", &checkpoint(before, 900).encode());
			for name in 0..5 {
				let (public, secret) = pair(name);
				fs::create_dir(world.path(&format!("keys-{name}"))).unwrap();
				let file = format!("keys-{name}/{GRANDPA_FILE}{}", hex::encode(public));
				world.put(&file, serde_json::to_string(&secret).unwrap().as_bytes());
				let mode = fs::Permissions::from_mode(0o600);
				fs::set_permissions(world.path(&file), mode).unwrap();
			}
			world
		}

		fn path(&self, name: &str) -> PathBuf {
			self.folder.path().join(name)
		}

		fn put(&self, name: &str, bytes: &[u8]) {
			fs::write(self.path(name), bytes).unwrap();
		}

		fn begin(&self, to: &str, days: u64) -> Result<Report> {
			let valid = Duration::from_secs(days * 24 * 3600);
			begin(&self.path("statement"), &self.path("before"), &self.path(to), valid)
		}

		fn sign(&self, name: usize) -> Result<Report> {
			let (keys, out) = (format!("keys-{name}"), format!("signature-{name}"));
			sign(&self.path("statement"), &self.path(&keys), &self.path(&out), true)
		}

		fn combine(&self, names: &[usize]) -> Result<Report> {
			let signatures: Vec<_> =
				names.iter().map(|name| self.path(&format!("signature-{name}"))).collect();
			combine(&self.path("statement"), &signatures, &self.path("recovery"))
		}
	}

	#[test]
	fn three_of_four_validators_lead_a_device_to_the_new_checkpoint() {
		let world = World::new();
		world.begin("after", 14).unwrap();
		for name in 0..3 {
			world.sign(name).unwrap();
		}
		world.combine(&[2, 0, 1]).unwrap();
		let pinned = checkpoint(&world.path("before")).unwrap();
		let mut device = Verifier::new(pinned, Zebra);
		let recovery = fs::read(world.path("recovery")).unwrap();
		let reached = device.recover(&recovery, now()).unwrap();
		assert_eq!(*reached, checkpoint(&world.path("after")).unwrap());
	}

	#[test]
	fn what_a_device_would_refuse_is_not_handed_out() {
		let world = World::new();
		world.begin("after", 14).unwrap();
		for name in 0..3 {
			world.sign(name).unwrap();
		}
		for names in [&[0, 1][..], &[0, 1, 1]] {
			assert!(world.combine(names).is_err(), "{names:?}");
		}
		// A signature of another statement.
		fs::rename(world.path("statement"), world.path("first")).unwrap();
		world.begin("after", 13).unwrap();
		assert!(world.combine(&[0, 1, 2]).is_err());
		assert!(!world.path("recovery").exists());
	}

	#[test]
	fn only_a_validator_of_the_old_set_signs() {
		let world = World::new();
		world.begin("after", 14).unwrap();
		let error = world.sign(4).err().expect("it is refused");
		assert!(error.to_string().contains("has no key of the 4 validators"), "{error}");
	}

	#[test]
	fn a_key_that_others_can_read_is_refused() {
		let world = World::new();
		world.begin("after", 14).unwrap();
		let key = fs::read_dir(world.path("keys-0")).unwrap().next().unwrap().unwrap().path();
		fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
		assert!(matches!(world.sign(0), Err(Error::Exposed { .. })));
	}

	#[test]
	fn a_statement_leads_forward_and_ends() {
		let world = World::new();
		let error = world.begin("same", 14).err().expect("it is refused");
		assert!(error.to_string().contains("is not after the change"), "{error}");
		let error = world.begin("after", 31).err().expect("it is refused");
		assert!(error.to_string().contains("for so long"), "{error}");
		let other = Checkpoint { genesis: [9; 32], ..checkpoint(&world.path("after")).unwrap() };
		world.put("other", &other.encode());
		let error = world.begin("other", 14).err().expect("it is refused");
		assert!(error.to_string().contains("of two chains"), "{error}");
		world.begin("after", 30).unwrap();
		assert!(matches!(world.begin("after", 30), Err(Error::Exists(_))));
	}

	#[test]
	fn files_of_another_kind_are_refused() {
		let world = World::new();
		world.put("statement", b"{}");
		assert!(matches!(world.sign(0), Err(Error::WrongFile { .. })));
		fs::remove_file(world.path("statement")).unwrap();
		world.begin("after", 14).unwrap();
		world.put("signature-0", b"{\"authority\": \"0x01\"}");
		assert!(matches!(world.combine(&[0]), Err(Error::WrongFile { .. })));
	}
}
