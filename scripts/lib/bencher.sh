# Sourced by the scripts: the runtime with its benchmarks, and the tool that runs them.
# shellcheck shell=bash

runtime=target/weights/debug/wbuild/dpki-runtime/dpki_runtime.compact.compressed.wasm
bencher=target/bencher/release/dpki-bencher

# One of its dependencies carries a test runtime, which nothing here runs: no wasm is built for it.
build_bencher() {
	SKIP_WASM_BUILD=1 cargo build --locked --release --manifest-path runtime/bencher/Cargo.toml --target-dir target/bencher
}

# A check builds the wasm, and of the native runtime no more than is needed for that. In a folder of its own, because
# other features would make the next ordinary build start over.
build_runtime() {
	WASM_BUILD_TYPE=production cargo check --locked -p dpki-runtime --features runtime-benchmarks --target-dir target/weights
}
