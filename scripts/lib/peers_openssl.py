"""OpenSSL as a certification authority: what it issues, answers and lists, for scripts/lib/peers.py."""

import http.client
import os
import resource
import shutil
import statistics
import subprocess
import time

from bundles import free_port, make_certificates, run, stop, wait_for

CA = """
[ca]
default_ca = own
[own]
database = {place}/index.txt
new_certs_dir = {place}/issued
serial = {place}/serial
crlnumber = {place}/crlnumber
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 1
unique_subject = no
policy = names
[names]
commonName = supplied
"""

CERTIFICATES = 500  # issued at once
ENTRIES = 10_000  # that the authority knows already, when it issues one by one and when it answers
REVOKED = 1_000_000  # in the list
ONE_BY_ONE = 50
ANSWERS = 200


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def database(folder, name, entries, line):
    """An authority of its own with so many entries."""
    place = os.path.join(folder, name)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(os.path.join(place, "issued"))
    with open(os.path.join(place, "index.txt"), "w", encoding="utf-8") as file:
        file.writelines(line(number) for number in range(entries))
    for item in ("serial", "crlnumber"):
        with open(os.path.join(place, item), "w", encoding="utf-8") as file:
            # Beyond all serial numbers of `line`.
            file.write("7fffffff00000000\n")
    with open(os.path.join(folder, f"{name}.cnf"), "w", encoding="utf-8") as file:
        file.write(CA.format(place=name))
    return f"{name}.cnf"


# Serial numbers of eight bytes, as short as public authorities may have them, which flatters the list.
def valid(number):
    return f"V\t391231235959Z\t\t{0x4000000000000000 + number:016X}\tunknown\t/CN=device-{number}\n"


def revoked(number):
    # The serial numbers are not in order, as those of revoked certificates are not.
    serial = 0x4000000000000000 + number * 0x9E3779B97F4A7C15 % 0x3000000000000000
    return f"R\t391231235959Z\t261101000000Z,keyCompromise\t{serial:016X}\tunknown\t/CN=device-{number}\n"


def requests(folder, count):
    """Each with a key of its own, which the authority asks to have signed it."""
    for number in range(count):
        run(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout",
            "request.key", "-out", f"request-{number}.csr", "-subj", f"/CN=new-{number}", cwd=folder,
        )  # fmt: skip


def row(name, value, runs, **facts):
    return {"id": f"peers/openssl/{name}", "value": value, "runs": runs, **facts}


def issuance(folder, runs, count, entries):
    requests(folder, count)
    one_by_one = min(ONE_BY_ONE, count)
    rates, costs, single, single_costs = [], [], [], []
    for _ in range(runs):
        config = database(folder, "at-once", 0, valid)
        began, before = time.perf_counter(), cpu()
        # All files of one process, its last argument.
        run("openssl", "ca", "-batch", "-notext", "-config", config, "-infiles",
            *(f"request-{number}.csr" for number in range(count)), cwd=folder)  # fmt: skip
        rates.append(count / (time.perf_counter() - began))
        costs.append((cpu() - before) * 1e6 / count)
        issued = len(os.listdir(os.path.join(folder, "at-once", "issued")))
        if issued != count:
            raise SystemExit(f"OpenSSL has issued {issued} of {count} certificates")

        config = database(folder, "one-by-one", entries, valid)
        began, before = time.perf_counter(), cpu()
        for number in range(one_by_one):
            run("openssl", "ca", "-batch", "-notext", "-config", config, "-in", f"request-{number}.csr", "-out",
                "issued.pem", cwd=folder)  # fmt: skip
        single.append(one_by_one / (time.perf_counter() - began))
        single_costs.append((cpu() - before) * 1e6 / one_by_one)
    run("openssl", "x509", "-in", "issued.pem", "-outform", "DER", "-out", "issued.der", cwd=folder)
    length = os.path.getsize(os.path.join(folder, "issued.der"))
    facts = {"bytes_per_key": length, "key": "P-256", "validators": 0}
    median = lambda values: round(statistics.median(values), 1)  # noqa: E731
    return [
        row("ca/at-once", median(rates), runs, keys=count, cpu_us_per_key=median(costs), known_before=0, **facts),
        row(
            "ca/one-by-one", median(single), runs, keys=one_by_one, cpu_us_per_key=median(single_costs),
            known_before=entries, **facts,
        ),
    ]  # fmt: skip


def answers(folder, entries):
    """Of a responder that is asked over loopback, each time in a new connection, as it closes them."""
    with open(os.path.join(folder, "index.txt"), "a", encoding="utf-8") as file:
        file.writelines(valid(number) for number in range(entries))
    run("openssl", "ocsp", "-no_nonce", "-issuer", "ca.crt", "-cert", "device.crt", "-reqout", "request.der", cwd=folder)
    with open(os.path.join(folder, "request.der"), "rb") as file:
        request = file.read()
    port, log = free_port(), os.path.join(folder, "responder.log")
    with open(log, "w", encoding="utf-8") as file:
        responder = subprocess.Popen(
            ["openssl", "ocsp", "-port", str(port), "-index", "index.txt", "-CA", "ca.crt", "-rsigner", "responder.crt",
             "-rkey", "responder.key", "-ndays", "1"],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder,
        )  # fmt: skip
    times, answer = [], b""
    try:

        def listens():
            # Not by a connection: one that asks nothing keeps the responder from all others.
            with open(log, encoding="utf-8") as said:
                return "waiting for OCSP client" in said.read()

        wait_for("the OCSP responder", listens, responder)
        for _ in range(ANSWERS):
            began = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/", request, {"Content-Type": "application/ocsp-request"})
            answer = connection.getresponse().read()
            connection.close()
            times.append((time.perf_counter() - began) * 1e6)
    finally:
        stop(responder)
    with open(os.path.join(folder, "answer.der"), "wb") as file:
        file.write(answer)
    said = run("openssl", "ocsp", "-no_nonce", "-issuer", "ca.crt", "-cert", "device.crt", "-CAfile", "ca.crt", "-respin",
               "answer.der", cwd=folder)  # fmt: skip
    if ": good" not in said:
        raise SystemExit(f"OpenSSL does not call its certificate good: {said}")
    times.sort()
    return row(
        "ocsp/answer", round(statistics.median(times), 1), ANSWERS, p99=round(times[ANSWERS * 99 // 100], 1),
        bytes=len(answer), devices=entries,
    )  # fmt: skip


def revocations(folder, runs, count):
    config = database(folder, "list", count, revoked)
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        run("openssl", "ca", "-config", config, "-gencrl", "-out", "list.pem", cwd=folder, timeout=3_600)
        seconds.append(time.perf_counter() - began)
    run("openssl", "crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der", cwd=folder, timeout=3_600)
    length = os.path.getsize(os.path.join(folder, "list.der"))
    shutil.rmtree(os.path.join(folder, "list"))
    for name in ("list.pem", "list.der"):
        os.remove(os.path.join(folder, name))
    return row(
        "crl/revoked", length, runs, revoked=count, bytes_per_revoked=round(length / count, 1),
        build_seconds=round(statistics.median(seconds), 3),
    )  # fmt: skip


def measure(folder, runs, certificates=CERTIFICATES, entries=ENTRIES, listed=REVOKED):
    """The rows; the three numbers, CERTIFICATES, ENTRIES and REVOKED otherwise, are smaller for a trial."""
    make_certificates(folder)
    rows = [
        *issuance(folder, runs, certificates, entries),
        answers(folder, entries),
        revocations(folder, runs, listed),
    ]
    version = run("openssl", "version").strip()
    return [{**each, "version": version} for each in rows]
