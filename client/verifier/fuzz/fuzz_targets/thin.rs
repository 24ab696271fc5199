//! Any bytes as a justification to be thinned.

#![no_main]

use dpki_verifier::thin_justification;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
	let Some((threshold, data)) = data.split_first() else { return };
	let threshold = usize::from(*threshold);
	if let Ok(thinned) = thin_justification(data, threshold) {
		assert!(thinned.len() <= data.len());
		assert_eq!(thin_justification(&thinned, threshold).as_ref(), Ok(&thinned));
	}
});
