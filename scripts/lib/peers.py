"""What others take for what the chain does, for the part `peers` of scripts/bench.

    peers.py evm FOLDER TOOL RUNS [OPTION...]      an EVM node; TOOL is client/bench/peers/evm as npm has installed it
    peers.py openssl FOLDER RUNS [NUMBER...]       OpenSSL, by peers_openssl.py, which says what the numbers are
    peers.py report FOLDER                         prints the metrics of all of them

The first two leave FOLDER/evm.json and FOLDER/openssl.json, lists of rows; client/bench/peers leaves FOLDER/rust.json. The
last one puts them together: every row of ROWS is there, and one that could not be had says why (FOLDER/evm.absent and so
on) and has no value. docs/peers.md says for each row what is measured and whom it flatters.
"""

import json
import os
import socket
import subprocess
import sys

from bundles import free_port, stop, wait_for

HOURS = 3 * 60 * 60  # seconds, after which the tool hangs

# Where the rows come from, by the second word of their names.
SOURCES = {"evm": "evm", "openssl": "openssl", "clubcard": "rust", "tlog": "rust", "akd": "rust"}

# name: class, unit, the metric of ours that it stands beside, the field of that metric, whom the comparison flatters.
# A class of its own, `mined`: transactions that one process has put into blocks, and nobody has to agree to.
ROWS = {
    "peers/evm/transfer": ("mined", "mined/s", "M4/transfer", "value", "peer"),
    "peers/evm/keystore/register": ("mined", "keys mined/s", "M4/register", "value", "peer"),
    "peers/evm/keystore/gas": ("mined", "gas per key", None, None, "nobody"),
    "peers/evm/keystore/lookup/tenth": ("lookup", "us to an answer", "growth/lookup/devices=10000", "value", "peer"),
    "peers/evm/keystore/lookup/all": ("lookup", "us to an answer", "growth/lookup/devices=10000", "value", "peer"),
    "peers/evm/deliveries/publish": ("mined", "mined/s", "M4/register", "value", "peer"),
    "peers/evm/deliveries/gas": ("mined", "gas per delivery", None, None, "nobody"),
    "peers/evm/deliveries/lookup": ("lookup", "us to an answer", "growth/lookup/devices=10000", "value", "peer"),
    "peers/evm/latency/p50": ("mined", "ms to mined", "M5/p50", "value", "peer"),
    "peers/evm/latency/p99": ("mined", "ms to mined", "M5/p99", "value", "peer"),
    "peers/openssl/ca/at-once": ("issuance", "certificates/s", "M4/register", "value", "peer"),
    "peers/openssl/ca/one-by-one": ("issuance", "certificates/s", "M4/register", "value", "us"),
    "peers/openssl/ocsp/answer": ("lookup", "us to an answer", "growth/lookup/devices=10000", "value", "peer"),
    "peers/openssl/crl/revoked": ("revocation", "bytes of the list", "M7/bytes", "value", "us"),
    "peers/clubcard/one-of-100": ("revocation", "bytes of the filter", "M7/bytes", "value", "peer"),
    "peers/clubcard/one-of-10": ("revocation", "bytes of the filter", "M7/bytes", "value", "peer"),
    "peers/clubcard/one-of-2": ("revocation", "bytes of the filter", "M7/bytes", "value", "peer"),
    "peers/tlog/ingest": ("log", "keys/s to provable", "M1", "keys_per_second", "peer"),
    "peers/tlog/proof": ("log", "bytes", "M6/bytes/fleet/validators=4/members=1000000", "value", "peer"),
    "peers/tlog/verify": ("log", "us", "M6/cold/fleet/validators=4/members=1000000", "value", "peer"),
    "peers/akd/ingest": ("log", "keys/s to provable", "M1", "keys_per_second", "us"),
    "peers/akd/proof": ("log", "bytes", "M6/bytes/validators=4/devices=1000000", "value", "us"),
    "peers/akd/verify": ("log", "us", "M6/cold/validators=4/devices=1000000", "value", "us"),
}


def measured(folder, source):
    """The rows of a source by their names, or the sentence that says why there are none."""
    path = os.path.join(folder, source)
    if os.path.exists(f"{path}.json"):
        with open(f"{path}.json", encoding="utf-8") as file:
            return {row["id"]: row for row in json.load(file)}, None
    if os.path.exists(f"{path}.absent"):
        with open(f"{path}.absent", encoding="utf-8") as file:
            return {}, file.read().strip()
    return {}, "it was not measured"


def report(folder):
    sources = {source: measured(folder, source) for source in set(SOURCES.values())}
    unknown = {name for rows, _ in sources.values() for name in rows} - set(ROWS)
    if unknown:
        sys.exit(f"rows that scripts/lib/peers.py does not know: {', '.join(sorted(unknown))}")
    metrics = []
    for name, (kind, unit, beside, field, flatters) in ROWS.items():
        rows, absent = sources[SOURCES[name.split("/")[1]]]
        row = rows.get(name)
        if row is None and absent is None:
            sys.exit(f"{name} was not measured, though its neighbours were")
        metric = {
            "id": name,
            "class": kind,
            "value": None,
            "unit": unit,
            "ratio": None,
            # There are no targets for others.
            "target": None,
            "met": None,
            "runs": 0,
            "beside": beside,
            "beside_field": field,
            "flatters": flatters,
        }
        metrics.append({**metric, **(row or {"absent": absent})})
    load = round(os.getloadavg()[1], 2)
    for metric in metrics:
        metric["load"] = load
    json.dump(metrics, sys.stdout, indent="\t")


def evm(folder, tool, words):
    """Starts the node with all processors, and the tool with the last one, as the loads of the chain are measured."""
    node = os.path.abspath(os.path.join(tool, "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"))
    port, place = free_port(), own_folder(folder, "evm")
    with open(os.path.join(place, "node.log"), "w", encoding="utf-8") as file:
        # Nothing is paid for, no block is ever full, and of old states few are kept: all of that flatters it.
        running = subprocess.Popen(
            [node, "--host", "127.0.0.1", "--port", str(port), "--quiet", "--accounts", "1", "--block-time", "1",
             "--order", "fifo", "--gas-price", "0", "--block-base-fee-per-gas", "0", "--disable-block-gas-limit",
             "--prune-history", "8"],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=place,
        )  # fmt: skip
    try:

        def listens():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False

        wait_for("the EVM node", listens, running)
        command = [
            "taskset", "-c", str(max(os.sched_getaffinity(0))), "node", os.path.join(tool, "evm.mjs"),
            "--url", f"http://127.0.0.1:{port}", "--pid", str(running.pid), "--folder", place, "--runs", *words,
        ]  # fmt: skip
        # What it says on the way is for whoever waits.
        rows = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, timeout=HOURS).stdout
    finally:
        stop(running)
    leave(folder, "evm", json.loads(rows))


def own_folder(folder, name):
    place = os.path.join(folder, name)
    os.makedirs(place, exist_ok=True)
    return place


def leave(folder, source, rows):
    with open(os.path.join(folder, f"{source}.json"), "w", encoding="utf-8") as file:
        json.dump(rows, file, indent="\t")


def main():
    match sys.argv[1:]:
        case ["evm", folder, tool, *words]:
            evm(folder, tool, words)
        case ["openssl", folder, runs, *plan]:
            import peers_openssl

            place = own_folder(folder, "openssl")
            leave(folder, "openssl", peers_openssl.measure(place, int(runs), *(int(word) for word in plan)))
        case ["report", folder]:
            report(folder)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
