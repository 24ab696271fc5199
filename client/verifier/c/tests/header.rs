//! The header that firmware includes says what the sources say.

use std::{fs, path::Path};

/// Writes the header anew where it differs, if this variable is set.
const UPDATE: &str = "UPDATE_HEADER";

#[test]
fn the_header_is_what_cbindgen_makes_of_the_sources() {
	let here = Path::new(env!("CARGO_MANIFEST_DIR"));
	let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).unwrap();
	let builder = cbindgen::Builder::new().with_config(config).with_src(here.join("src/lib.rs"));
	let mut made = Vec::new();
	builder.generate().unwrap().write(&mut made);
	let made = String::from_utf8(made).unwrap();

	let path = here.join("include/dpki_verifier.h");
	if std::env::var_os(UPDATE).is_some() {
		fs::write(&path, &made).unwrap();
	}
	let found = fs::read_to_string(&path).unwrap();
	assert!(
		found == made,
		"{} is not what cbindgen makes of the sources: \
		 run `{UPDATE}=1 cargo test -p dpki-verifier-c --test header` and look at the difference",
		path.display()
	);
}
