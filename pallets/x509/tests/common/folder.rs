//! Where the vectors of other people are, which are not part of this repository.

use std::path::{Path, PathBuf};

/// A folder of `cryptography_vectors/x509`, as the Python package of that name has it: below the folder that the variable
/// `DPKI_X509_VECTORS` names, or where `scripts/vectors` has put it. Panics if it is nowhere: a suite that does not run
/// must not pass.
pub fn vectors(name: &str) -> PathBuf {
	let fetched = "../../target/x509-vectors/cryptography_vectors/x509";
	let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join(fetched);
	let folder = std::env::var_os("DPKI_X509_VECTORS").map_or(fetched, PathBuf::from).join(name);
	assert!(
		folder.is_dir(),
		"there are no vectors in {}: fetch them once with scripts/vectors",
		folder.display()
	);
	folder
}
