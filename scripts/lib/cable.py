"""A slow and lossy cable between a network namespace and a bridge: what netem does, for kernels without it.

Arguments: NAMESPACE DEVICE BRIDGE ADDRESS/LENGTH MILLISECONDS PERCENT

Takes the place of the pair of devices that scripts/lib/netns.sh has made: eth0 in NAMESPACE, DEVICE on BRIDGE. Frames that
leave the namespace arrive so many milliseconds later, in order, and so many per cent of them never; those that come are
passed on as they are. Writes the line "connected" when it is there. The devices vanish with the program. Needs root.
"""

import fcntl
import heapq
import json
import os
import random
import selectors
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
# Longer than any frame: neither end is told to leave cutting and checksums to the hardware.
LONGEST = 65536


def ip(*words):
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return device


def connect(namespace, device, bridge, address):
    """The two ends: (inside, outside)."""
    # With the same hardware address nobody has to learn a new one.
    hardware = json.loads(ip("-n", namespace, "-json", "link", "show", "eth0"))[0]["address"]
    ip("link", "delete", device)
    outside = tap(device)
    ip("link", "set", device, "master", bridge, "up")
    name = device + "i"
    inside = tap(name)
    ip("link", "set", name, "address", hardware)
    ip("link", "set", name, "netns", namespace, "name", "eth0")
    ip("-n", namespace, "address", "add", address, "dev", "eth0")
    ip("-n", namespace, "link", "set", "eth0", "up")
    return inside, outside


def write(device, frame):
    try:
        os.write(device, frame)
    except OSError:
        # The queue is full, or the other end is down: a cable loses the frame.
        pass


def main():
    namespace, device, bridge, address, milliseconds, percent = sys.argv[1:]
    delay, loss = float(milliseconds) / 1000, float(percent) / 100
    inside, outside = connect(namespace, device, bridge, address)
    print("connected", file=sys.stderr, flush=True)
    ready = selectors.DefaultSelector()
    for end in (inside, outside):
        ready.register(end, selectors.EVENT_READ)
    under_way, number = [], 0
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        for key, _ in ready.select(wait):
            try:
                frame = os.read(key.fd, LONGEST)
            except BlockingIOError:
                continue
            if key.fd == outside:
                write(inside, frame)
            elif random.random() >= loss:
                number += 1
                heapq.heappush(under_way, (time.monotonic() + delay, number, frame))
        while under_way and under_way[0][0] <= time.monotonic():
            write(outside, heapq.heappop(under_way)[2])


if __name__ == "__main__":
    main()
