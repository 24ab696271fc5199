# Sourced by scripts/network: a bridge on this machine, and a network namespace with an address on it for each node.
# shellcheck shell=bash

# What the names of a network's devices and namespaces begin with. Devices have names of at most 15 characters, so it is
# short; it follows from the folder, so that networks beside each other do not meet.
netns_prefix() { # $1: the folder
	printf 'dp%s' "$(printf %s "$1" | sha256sum | cut -c1-6)"
}

prefix() { cat "$dir/netns"; }

netns_name() { # $1: name of a node
	printf '%s-%s' "$(prefix)" "$1"
}

# Which of the networks 10.213.0.0/24 to 10.213.255.0/24 it is: by its prefix as well.
subnet() {
	local prefix
	prefix=$(prefix)
	printf '10.213.%d' "$((16#${prefix: -2}))"
}

netns_address() { # $1: number of the node
	printf '%s.%d' "$(subnet)" "$((10 + $1))"
}

netns_up() { # $@: names of the nodes
	local bridge name index=0 namespace
	bridge=$(prefix)br
	ip link add "$bridge" type bridge
	ip address add "$(subnet).1/24" dev "$bridge"
	ip link set "$bridge" up
	for name in "$@"; do
		index=$((index + 1))
		namespace=$(netns_name "$name")
		ip netns add "$namespace"
		ip link add "$(prefix)v$index" type veth peer name eth0 netns "$namespace"
		ip link set "$(prefix)v$index" master "$bridge" up
		ip -n "$namespace" link set lo up
		ip -n "$namespace" address add "$(netns_address "$index")/24" dev eth0
		ip -n "$namespace" link set eth0 up
	done
}

netns_down() { # $@: names of the nodes
	local name index=0
	for name in "$@"; do
		index=$((index + 1))
		# With one end of the pair goes the other one: at once, where a namespace takes its devices along some time later.
		ip link delete "$(prefix)v$index" 2>/dev/null || true
		ip netns delete "$(netns_name "$name")" 2>/dev/null || true
	done
	ip link delete "$(prefix)br" 2>/dev/null || true
}
