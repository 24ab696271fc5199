#!/bin/sh
# Founds the network of docker/compose.yml, once: the keys of four members, each in a volume of its own, and the chain
# specification in a volume that all of them read.
#
# In a consortium each member runs `dpki-node network key` on its own machine instead; see docs/operations.md.
set -eu
spec=/network/compose.raw.json
[ ! -e "$spec" ] || exit 0
for member in north east south west; do
	dpki-node network key --network compose --member "$member" --base-path "/members/$member" \
		--address "/dns/$member/tcp/30333" --trustee "/members/$member/trustee.key" --out "/members/$member/member.json"
done
dpki-node network init --name compose --out /network \
	/members/north/member.json /members/east/member.json /members/south/member.json /members/west/member.json
