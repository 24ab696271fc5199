"""Measures proof bundles (METRICS M6), light client and agent, and prints the metrics of scripts/bench.

Arguments: FIGURES LIGHT NODE CLI AGENT FOLDER PROFILE: the program dpki-figures, the example `figures` of the light client,
the node, the command line, the agent, an empty folder, and the profile that the first was built with.

Beside them runs OpenSSL's OCSP on the same machine, in the same run: a responder on a loopback port, queries to it, and the
verification of a stored answer. A ratio is given only of like with like: a whole process that verifies a stored bundle to
a whole process that verifies a stored OCSP answer, and the bytes of the one to those of the other. What happens within
our process is told without a ratio. Every value is the median of its runs.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

RUNS = 21  # of a process that takes milliseconds
LIGHT_RUNS = 5
PATIENCE = 120  # seconds

AGENT_SECONDS = 40  # for which the agent has done what it does all day
AGENT_MIB = 38  # 40 MB
UNIT = os.path.join(os.path.dirname(__file__), "../../client/agent/dpki-agent.service")

TARGETS = {"bytes": 2048, "cold": 200, "warm": 50, "heap": 16 * 1024}  # four validators, 10^9 devices, single or in fleets


def metric(identity, value, unit, runs, ratio=None, target=None, **more):
    return {
        "id": f"M6/{identity}",
        "class": "bundle",
        "value": value,
        "unit": unit,
        "ratio": None if ratio is None else round(ratio, 3),
        "target": None if target is None else f"<= {target}",
        "met": None if target is None else value <= target,
        "runs": runs,
        **more,
    }


def allocator():
    """The settings of the allocator with which agents run: those of their unit."""
    with open(UNIT, encoding="utf-8") as file:
        words = re.search("^Environment=(.*)$", file.read(), re.MULTILINE)[1].split()
    return {**os.environ, **dict(word.split("=") for word in words)}


def run(*command, **options):
    options.setdefault("timeout", PATIENCE)
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


def milliseconds(*command):
    """The median wall time of a process, from its start to its end."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        run(*command)
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 2)


def wait_for(what, found, process):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            sys.exit(f"{what} ended with {process.returncode}")
        value = found()
        if value:
            return value
        time.sleep(0.05)
    sys.exit(f"{what} did not start within {PATIENCE} s")


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def bundles(figures, folder, profile):
    """Bytes, times and memory within one process."""
    metrics = []
    for line in run(figures, "measure", folder, timeout=10 * PATIENCE).splitlines():
        told = json.loads(line)
        is_fleet = told["kind"] == "fleet"
        place = f"validators={told['validators']}/devices={told['devices']}"
        if is_fleet:
            place = f"fleet/validators={told['validators']}/members={told['devices']}"
        is_goal = told["validators"] == 4 and told["devices"] == 10**9
        goal = TARGETS if is_goal else {}
        runs = told["runs"]
        facts = {
            "validators": told["validators"],
            "devices": told["devices"],
            "keys_per_device": 1 if is_fleet else told["keys_per_device"],
            "state": told["state"],
            "samples": told["samples"],
            "profile": profile,
        }
        parts = ("header_bytes", "justification_bytes", "proof_bytes", "proof_nodes")
        metrics += [
            metric(
                f"bytes/{place}",
                # The path of a member is not the carrier's to bring, but the device needs both.
                told["bundle_bytes"] + told["path_bytes"],
                "bytes",
                told["samples"],
                target=goal.get("bytes"),
                largest=told["bundle_bytes_max"],
                path_bytes=told["path_bytes"],
                **{part: told[part] for part in parts},
                **facts,
            ),
            metric(f"cold/{place}", told["cold_us"], "us", runs, target=goal.get("cold"), p99=told["cold_us_p99"], **facts),
            metric(f"warm/{place}", told["warm_us"], "us", runs, target=goal.get("warm"), **facts),
            metric(f"heap/{place}", told["heap_bytes"], "bytes", 1, target=goal.get("heap"), **facts),
            metric(f"stack/{place}", told["stack_bytes"], "bytes", 1, **facts),
        ]
    return metrics


def make_certificates(folder):
    """A CA of P-256, one certificate, and the responder's, which the CA has delegated."""

    def openssl(*words):
        run("openssl", *words, cwd=folder)

    with open(os.path.join(folder, "ocsp.cnf"), "w", encoding="utf-8") as file:
        file.write("[responder]\nextendedKeyUsage = OCSPSigning\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=CA")
    for name in ("device", "responder"):
        openssl("req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        extensions = ("-extfile", "ocsp.cnf", "-extensions", "responder") if name == "responder" else ()
        serial = "0x1001" if name == "device" else "0x1002"
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", serial,
            "-days", "30", "-out", f"{name}.crt", *extensions,
        )  # fmt: skip
    with open(os.path.join(folder, "index.txt"), "w", encoding="utf-8") as file:
        file.write("V\t391231235959Z\t\t1001\tunknown\t/CN=device\n")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ocsp(figures, folder):
    """The same question, asked of OpenSSL."""
    make_certificates(folder)
    path = lambda name: os.path.join(folder, name)  # noqa: E731
    port = free_port()
    log = open(path("responder.log"), "w", encoding="utf-8")
    # OpenSSL cannot be told an address to listen on; it listens for some seconds.
    responder = subprocess.Popen(
        ["openssl", "ocsp", "-port", str(port), "-index", path("index.txt"), "-CA", path("ca.crt"),
         "-rsigner", path("responder.crt"), "-rkey", path("responder.key"), "-ndays", "1"],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    # Without a nonce an answer can be kept and verified later, as a bundle can.
    known = ("-no_nonce", "-issuer", path("ca.crt"), "-cert", path("device.crt"), "-CAfile", path("ca.crt"))
    query = ("openssl", "ocsp", *known, "-url", f"http://127.0.0.1:{port}")
    try:

        def listens():
            # Not by a connection: one that asks nothing keeps the responder from all others.
            with open(path("responder.log"), encoding="utf-8") as said:
                return "waiting for OCSP client" in said.read()

        wait_for("the OCSP responder", listens, responder)
        said = run(*query, "-respout", path("answer.der"))
        if ": good" not in said:
            sys.exit(f"OpenSSL does not call its certificate good: {said}")
        asked = milliseconds(*query)
    finally:
        stop(responder)
        log.close()
    stored = milliseconds("openssl", "ocsp", *known, "-respin", path("answer.der"))
    size = os.path.getsize(path("answer.der"))
    version = run("openssl", "version").strip()
    facts = {"version": version, "certificates": "P-256, a delegated responder"}
    metrics = [
        metric("ocsp/bytes", size, "bytes", 1, **facts),
        metric("ocsp/query", asked, "ms per process, loopback", RUNS, **facts),
        metric("ocsp/verify", stored, "ms per process", RUNS, **facts),
    ]
    for name in ("4-10000", "4-1000000"):
        ours = milliseconds(figures, "verify", folder, name)
        place = "validators={}/devices={}".format(*name.split("-"))
        metrics.append(metric(f"verify/{place}", ours, "ms per process", RUNS, ratio=ours / stored))
    return metrics, size


def clients(program, node, cli, agent, folder):
    """The light client and the agent against a local node: cold start, memory."""
    spec, log = os.path.join(folder, "spec.json"), os.path.join(folder, "node.log")
    with open(spec, "w", encoding="utf-8") as file:
        file.write(run(node, "build-spec", "--chain", "dev", "--raw", "--disable-default-bootnode"))
    with open(log, "w", encoding="utf-8") as file:
        running = subprocess.Popen(
            [node, "--dev", "--base-path", os.path.join(folder, "node"), "--rpc-port", "0", "--listen-addr",
             "/ip4/127.0.0.1/tcp/0", "--no-mdns", "--no-prometheus", "--no-telemetry"],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
    try:

        def said(pattern):
            with open(log, encoding="utf-8", errors="replace") as file:
                return re.search(pattern, file.read())

        rpc = wait_for("the node", lambda: said(r"Running JSON-RPC server: addr=127\.0\.0\.1:(\d+)"), running)[1]
        final = lambda: ask(rpc, "chain_getHeader", [ask(rpc, "chain_getFinalizedHead", [])])  # noqa: E731
        wait_for("the chain", lambda: int(final()["number"], 16) > 3, running)
        genesis = ask(rpc, "chain_getBlockHash", [0])
        peers = ask(rpc, "system_localListenAddresses", [])
        peer = next(each for each in peers if each.startswith("/ip4/127.0.0.1/tcp/"))
        return light(program, spec, genesis, peer) + service(cli, agent, folder, spec, genesis, peer, rpc)
    finally:
        stop(running)


def light(program, spec, genesis, peer):
    once = lambda: run(program, spec, genesis, peer, timeout=PATIENCE, env=allocator())  # noqa: E731
    told = [json.loads(once()) for _ in range(LIGHT_RUNS)]
    median = lambda key: statistics.median(each[key] for each in told)  # noqa: E731
    facts = {"validators": 1, "slot": "1 s", "profile": "release"}
    return [
        metric("light/cold-start", median("cold_start_ms"), "ms to the first verified value", LIGHT_RUNS, **facts),
        metric("light/resident", round(median("resident_kib") / 1024, 1), "MiB after 20 blocks", LIGHT_RUNS, **facts),
        metric("light/peak", round(median("peak_kib") / 1024, 1), "MiB", LIGHT_RUNS, **facts),
    ]


def service(cli, agent, folder, spec, genesis, peer, rpc):
    """The agent of a device that is enrolled, with its state sealed, its socket and its figures."""
    at = lambda name: os.path.join(folder, name)  # noqa: E731
    dpki = [cli, "--url", f"ws://127.0.0.1:{rpc}", "--account", "//Alice"]
    run(*dpki, "org", "create", "acme", "--kind", "service-provider")
    run(*dpki, "voucher", "new", "--org", "acme", "--device", "drone-7", "--out", at("voucher"))
    with open(at("seal.key"), "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(os.urandom(32))
    run(agent, "init", "--config", at("agent.toml"), "--chain-spec", spec, "--genesis", genesis, "--peer", peer,
        "--organisation", "acme", "--device", "drone-7", "--state", at("state"), "--ssh-dir", at("ssh"),
        "--seal-key-file", at("seal.key"), "--socket", at("socket"), "--metrics", "127.0.0.1:0")  # fmt: skip
    run(agent, "enrol", "--config", at("agent.toml"), "--voucher-file", at("voucher"))
    with open(at("agent.log"), "w", encoding="utf-8") as file:
        running = subprocess.Popen(
            [agent, "run", "--config", at("agent.toml")], stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            env=allocator(),
        )  # fmt: skip
    try:

        def has_converged():
            with open(at("agent.log"), encoding="utf-8", errors="replace") as file:
                return "caught up with the chain" in file.read()

        wait_for("the agent", has_converged, running)
        time.sleep(AGENT_SECONDS)
        with open(f"/proc/{running.pid}/status", encoding="utf-8") as file:
            status = dict(re.findall(r"^(\w+):\s+(\d+) kB$", file.read(), re.MULTILINE))
    finally:
        stop(running)
    facts = {"validators": 1, "slot": "1 s", "profile": "release", "seconds": AGENT_SECONDS}
    mib = lambda key: round(int(status[key]) / 1024, 1)  # noqa: E731
    return [
        metric("agent/resident", mib("VmRSS"), "MiB", 1, target=AGENT_MIB, **facts),
        metric("agent/own", mib("RssAnon"), "MiB of its own", 1, **facts),
        metric("agent/program", mib("RssFile"), "MiB of pages of the program", 1, **facts),
        metric("agent/peak", mib("VmHWM"), "MiB while starting", 1, **facts),
    ]


def ask(port, method, params):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}",
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["result"]


def main():
    figures, program, node, cli, agent, folder, profile = sys.argv[1:]
    metrics = bundles(figures, folder, profile)
    compared, size = ocsp(figures, folder)
    for each in metrics:
        if each["id"].startswith("M6/bytes/"):
            each["ratio"] = round(each["value"] / size, 3)
    metrics += compared
    metrics += clients(program, node, cli, agent, folder)
    load = round(os.getloadavg()[1], 2)
    for each in metrics:
        each["load"] = load
    json.dump(metrics, sys.stdout, indent="\t")


if __name__ == "__main__":
    main()
