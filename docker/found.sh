#!/bin/sh
# Founds the network of docker/compose.yml, once: the keys of four members, each in a volume of its own, and the chain
# specification in a volume that all of them read.
#
# In a consortium each member runs `dpki-node network key` on its own machine instead; see docs/operations.md.
set -eu
# Where the volumes are; another place than / to try it.
root=${DPKI_ROOT:-}
[ ! -e "$root/network/compose.raw.json" ] || exit 0
cd "$root/members"
for member in north east south west; do
	# The file for the others comes last. Keys without it are left of an interruption, and nobody has seen them.
	if [ ! -e "$member/member.json" ]; then
		rm -rf "$member/chains"
		dpki-node network key --network compose --member "$member" --base-path "$member" \
			--address "/dns/$member/tcp/30333" --trustee "$member/trustee.key" --out "$member/member.json"
	fi
done
# Without the raw form there, what else is there is left of an interruption.
rm -f "$root/network/compose.json"
dpki-node network init --name compose --out "$root/network" */member.json
