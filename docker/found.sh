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
	dpki-node network key --network compose --member "$member" --base-path "$member" \
		--address "/dns/$member/tcp/30333" --trustee "$member/trustee.key" --out "$member/member.json"
done
dpki-node network init --name compose --out "$root/network" */member.json
