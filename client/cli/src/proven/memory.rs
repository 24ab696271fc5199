//! Where checkpoints have led, chain by chain: what was proven once is where the next command begins.
//!
//! `$XDG_STATE_HOME/dpki/checkpoints/GENESIS`, with `~/.local/state` in the place of the variable if it is not set. A file is as
//! good as the account whose it is: whoever can write it decides what `dpki` believes.
//!
//! | field | bytes |
//! |---|---|
//! | digest of the checkpoint that somebody gave | 32 |
//! | the checkpoint that it has led to, see `dpki_verifier::Checkpoint` | the rest |

use crate::{
	error::{Error, Result},
	files,
};
use dpki_verifier::Checkpoint;
use std::{
	env, fs,
	io::ErrorKind,
	os::unix::fs::DirBuilderExt,
	path::{Path, PathBuf},
};

/// A checkpoint, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
	/// The digest of the one that somebody gave.
	pub root: [u8; 32],
	/// The one that it has led to.
	pub checkpoint: Checkpoint,
}

impl Kept {
	fn encode(&self) -> Vec<u8> {
		[&self.root[..], &self.checkpoint.encode()].concat()
	}

	fn decode(bytes: &[u8]) -> Option<Self> {
		let (root, checkpoint) = bytes.split_first_chunk()?;
		Some(Self { root: *root, checkpoint: Checkpoint::decode(checkpoint).ok()? })
	}
}

/// The file of one chain.
pub struct Memory {
	genesis: [u8; 32],
	path: PathBuf,
}

impl Memory {
	/// That of the chain with this genesis hash; `None` where there is no place for it.
	pub fn of(genesis: [u8; 32]) -> Option<Self> {
		let folder = folder(env::var_os("XDG_STATE_HOME"), env::var_os("HOME"))?;
		Some(Self::in_folder(&folder, genesis))
	}

	fn in_folder(folder: &Path, genesis: [u8; 32]) -> Self {
		Self { genesis, path: folder.join("dpki/checkpoints").join(hex::encode(genesis)) }
	}

	/// What is remembered, if anything is.
	pub fn read(&self) -> Result<Option<Kept>> {
		if self.path.symlink_metadata().is_err() {
			return Ok(None);
		}
		let kept = Kept::decode(&files::read(&self.path)?);
		kept.filter(|kept| kept.checkpoint.genesis == self.genesis)
			.map(Some)
			.ok_or_else(|| Error::NotAllowed {
				why: format!(
					"{} is damaged: what was proven of this chain before is forgotten",
					self.path.display()
				),
				next:
					"give --checkpoint with one that you trust: it takes the place of what is there"
						.into(),
			})
	}

	/// How many chains are remembered; those whose files are damaged among them.
	pub fn chains(&self) -> Result<usize> {
		let Some(folder) = self.path.parent() else { return Ok(0) };
		let failed = |source| Error::File { doing: "read", path: folder.into(), source };
		let entries = match fs::read_dir(folder) {
			Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
			entries => entries.map_err(failed)?,
		};
		let mut chains = 0;
		for entry in entries {
			let name = entry.map_err(failed)?.file_name();
			// What is being written has another name.
			let genesis = name.to_str().and_then(|name| hex::decode(name).ok());
			chains += usize::from(genesis.is_some_and(|genesis| genesis.len() == 32));
		}
		Ok(chains)
	}

	/// Remembers it, unless another command of this account was further already.
	pub fn note(&self, kept: &Kept) -> Result<()> {
		let is_known = self.read().ok().flatten().is_some_and(|known| {
			known.root == kept.root && known.checkpoint.number >= kept.checkpoint.number
		});
		if is_known {
			return Ok(());
		}
		if let Some(folder) = self.path.parent() {
			let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
			made.map_err(|source| Error::File { doing: "write", path: folder.into(), source })?;
		}
		files::replace_secret(&self.path, &kept.encode())
	}
}

/// The folder for what programs remember, by the rules of the XDG Base Directory Specification: a path that is not absolute
/// counts for nothing.
fn folder(state: Option<impl Into<PathBuf>>, home: Option<impl Into<PathBuf>>) -> Option<PathBuf> {
	let state = state.map(Into::into).filter(|path| path.is_absolute());
	let home = home.map(Into::into).filter(|path| path.is_absolute());
	state.or_else(|| Some(home?.join(".local/state")))
}

#[cfg(test)]
mod tests {
	use super::*;
	use dpki_verifier::AuthoritySet;
	use std::os::unix::fs::PermissionsExt;

	const GENESIS: [u8; 32] = [1; 32];

	fn kept(root: u8, number: u32) -> Kept {
		let set = AuthoritySet::new(3, vec![[7; 32], [8; 32]]).unwrap();
		let checkpoint = Checkpoint { genesis: GENESIS, set, number, hash: [9; 32] };
		Kept { root: [root; 32], checkpoint }
	}

	#[test]
	fn what_is_noted_is_remembered_for_this_chain_and_this_account() {
		let folder = tempfile::tempdir().unwrap();
		let memory = Memory::in_folder(folder.path(), GENESIS);
		assert_eq!(memory.read().unwrap(), None);
		memory.note(&kept(1, 5)).unwrap();
		assert_eq!(memory.read().unwrap(), Some(kept(1, 5)));
		assert_eq!(Memory::in_folder(folder.path(), [2; 32]).read().unwrap(), None);
		let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
		assert_eq!(mode(&memory.path), 0o600);
		assert_eq!(mode(memory.path.parent().unwrap()), 0o700);
	}

	#[test]
	fn the_chains_that_are_remembered_are_counted() {
		let folder = tempfile::tempdir().unwrap();
		let memory = Memory::in_folder(folder.path(), GENESIS);
		assert_eq!(memory.chains().unwrap(), 0);
		memory.note(&kept(1, 5)).unwrap();
		fs::write(files::with_ending(&memory.path, ".7.tmp"), b"half").unwrap();
		assert_eq!(memory.chains().unwrap(), 1);
		let other = Memory::in_folder(folder.path(), [2; 32]);
		fs::write(&other.path, b"damaged").unwrap();
		assert_eq!((memory.chains().unwrap(), other.chains().unwrap()), (2, 2));
	}

	#[test]
	fn it_never_goes_back_unless_somebody_gave_another_checkpoint() {
		let folder = tempfile::tempdir().unwrap();
		let memory = Memory::in_folder(folder.path(), GENESIS);
		for (noted, expected) in
			[(kept(1, 5), 5), (kept(1, 9), 9), (kept(1, 6), 9), (kept(2, 6), 6), (kept(2, 7), 7)]
		{
			memory.note(&noted).unwrap();
			assert_eq!(memory.read().unwrap().unwrap().checkpoint.number, expected);
		}
	}

	#[test]
	fn a_damaged_file_is_told_and_replaced() {
		let folder = tempfile::tempdir().unwrap();
		let memory = Memory::in_folder(folder.path(), GENESIS);
		memory.note(&kept(1, 5)).unwrap();
		let mut elsewhere = kept(1, 5);
		elsewhere.checkpoint.genesis = [2; 32];
		for bytes in [vec![], vec![1; 32], kept(1, 5).encode()[..90].to_vec(), elsewhere.encode()] {
			fs::write(&memory.path, bytes).unwrap();
			let error = memory.read().unwrap_err();
			assert!(error.to_string().contains("is damaged"), "{error}");
			assert!(error.next_step().unwrap().contains("--checkpoint"));
			memory.note(&kept(1, 6)).unwrap();
			assert_eq!(memory.read().unwrap(), Some(kept(1, 6)));
		}
	}

	#[test]
	fn there_is_a_place_for_it_wherever_there_is_a_home() {
		let folder = |state: Option<&str>, home: Option<&str>| folder(state, home);
		assert_eq!(folder(Some("/s"), Some("/h")), Some("/s".into()));
		assert_eq!(folder(None, Some("/h")), Some("/h/.local/state".into()));
		assert_eq!(folder(Some("s"), Some("/h")), Some("/h/.local/state".into()));
		assert_eq!(folder(Some(""), None), None);
	}
}
