# Sourced by the scripts: other people's X.509 vectors, which are not part of this repository.
# shellcheck shell=bash

# Fetches the vectors once (56 MB, NIST PKITS among them) to where the tests of dpki-x509 look for them, and exports the
# variable by which they can be told of another place. Without the vectors these tests fail.
load_x509_vectors() {
	local folder=$PWD/target/x509-vectors version=50.0.2
	local digest=51641f03a3eb4edbe9fb68e3a3574d25f86aa502d06391fffa886330d02778a0
	local wheel=$folder/cryptography_vectors-$version-py3-none-any.whl
	if [ ! -d "$folder/cryptography_vectors/x509" ]; then
		say "fetching the X.509 vectors of the Python package cryptography_vectors $version"
		mkdir -p "$folder"
		python3 -m pip download --quiet --no-deps --dest "$folder" "cryptography_vectors==$version" &&
			echo "$digest  $wheel" | sha256sum --check --quiet &&
			python3 -m zipfile -e "$wheel" "$folder" || {
			say "the X.509 vectors could not be fetched: make 'python3 -m pip download cryptography_vectors' work and run this again"
			return 1
		}
	fi
	export DPKI_X509_VECTORS=$folder/cryptography_vectors/x509
}
