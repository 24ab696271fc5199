"""Holds measured times against declared weights.

Arguments: MEASURED.json=WEIGHTS.rs, what the bencher wrote and the weights that the runtime declares. Prints the metrics
of scripts/bench, under the name M12: no call takes longer than the weight that it declares.

The declared weight is the reference time of the formula in weights.rs, in its generated form, with accesses to the
database at what the runtime prices them (ParityDbWeight of frame-support). The measured time is that of the call in
WebAssembly on a state in memory: a disk that has to be waited for is not in it, while its price is in the declared
weight. So each point also says how the time compares to the declared weight without database accesses; that ratio is
about 1 on the machine on which the weights were generated.
"""

import json
import os
import re
import statistics
import sys

READ, WRITE = 8_000_000, 50_000_000  # picoseconds

NUMBER = r"\(?([\d_]+?)(?:_u64)?\)?"
TERMS = [
    # base, slope, reads, reads per component, writes, writes per component
    (rf"Weight::from_parts\({NUMBER}, [\d_]+\)", lambda n, size: (n, 0)),
    (
        rf"\.saturating_add\(Weight::from_parts\({NUMBER}, [\d_]+\)\.saturating_mul\((\w+)\.into\(\)\)\)",
        lambda n, size: (n * size, 0),
    ),
    (rf"\.saturating_add\(T::DbWeight::get\(\)\.reads\({NUMBER}\)\)", lambda n, size: (0, n * READ)),
    (
        rf"\.saturating_add\(T::DbWeight::get\(\)\.reads\({NUMBER}\.saturating_mul\((\w+)\.into\(\)\)\)\)",
        lambda n, size: (0, n * READ * size),
    ),
    (rf"\.saturating_add\(T::DbWeight::get\(\)\.writes\({NUMBER}\)\)", lambda n, size: (0, n * WRITE)),
    (
        rf"\.saturating_add\(T::DbWeight::get\(\)\.writes\({NUMBER}\.saturating_mul\((\w+)\.into\(\)\)\)\)",
        lambda n, size: (0, n * WRITE * size),
    ),
]


def formulas(path):
    """The body of each function of the weights, without comments and spaces."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"//[^\n]*", "", file.read())
    text = text[text.index("for SubstrateWeight<T>") :]
    bodies = {}
    for name, body in re.findall(r"fn (\w+)\([^)]*\) -> Weight \{(.*?)\n\t\}", text, re.S):
        bodies[name] = re.sub(r"\s+", "", body).replace(",0)", ", 0)")
    return bodies


def declared(body, sizes):
    """Reference time of the computation and of the database, in picoseconds."""
    rest, computation, database = body, 0, 0
    while rest:
        for pattern, price in TERMS:
            found = re.match(pattern.replace(", ", ",\\s*"), rest)
            if found:
                number = int(found[1].replace("_", ""))
                size = sizes[found[2].lstrip("_")] if found.lastindex > 1 else 0
                terms = price(number, size)
                computation, database = computation + terms[0], database + terms[1]
                rest = rest[found.end() :]
                break
        else:
            raise ValueError(f"not in the generated form: {rest[:60]}")
    return computation, database


def points(batch):
    """The median time at each size, in picoseconds, and how often it was measured."""
    times = {}
    for result in batch["time_results"]:
        sizes = tuple((name, value) for name, value in result["components"])
        times.setdefault(sizes, []).append(result["extrinsic_time"] * 1000)
    return {sizes: (statistics.median(each), len(each)) for sizes, each in times.items()}


def metric(identity, ratio, unit, target, runs, **more):
    met = None if target is None else ratio <= 1.0
    return {
        "id": identity,
        "class": "weight",
        "value": round(ratio, 3),
        "unit": unit,
        "ratio": round(ratio, 3),
        "target": target,
        "met": met,
        "runs": runs,
        **more,
    }


def main():
    metrics, estimates = [], []
    for pair in sys.argv[1:]:
        measured, weights = pair.split("=")
        bodies = formulas(weights)
        with open(measured, encoding="utf-8") as file:
            batches = json.load(file)
        if not batches:
            sys.exit(f"{measured} holds no measurement")
        for batch in batches:
            for sizes, (time, runs) in sorted(points(batch).items()):
                try:
                    computation, database = declared(bodies[batch["benchmark"]], dict(sizes))
                except ValueError as error:
                    # An estimate that waits for `scripts/weights`: there is nothing yet to hold the time against.
                    estimates.append(batch["benchmark"])
                    print(f"{weights}, {batch['benchmark']}: {error}", file=sys.stderr)
                    break
                size = ",".join(f"{name}={value}" for name, value in sizes)
                metrics.append(
                    metric(
                        "/".join(filter(None, ["M12", batch["pallet"].split("::")[-1], batch["benchmark"], size])),
                        time / (computation + database),
                        "wall time / declared weight",
                        "<= 1.0",
                        runs,
                        micros=round(time / 1e6, 1),
                        without_database=round(time / computation, 3),
                    )
                )
    worst = max(metrics, key=lambda each: each["ratio"])
    runs = min(each["runs"] for each in metrics)
    summary = metric("M12", worst["ratio"], "largest wall time / declared weight", "<= 1.0", runs)
    summary["worst"] = worst["id"]
    summary["points"] = len(metrics)
    # What is only estimated keeps no promise, however well the rest does.
    summary["met"] = summary["met"] and not estimates
    summary["estimates"] = estimates
    # Of the last minutes, in which it was measured: on a quiet machine about 1, by the bencher alone.
    summary["load"] = round(os.getloadavg()[1], 2)
    json.dump([summary, *metrics], sys.stdout, indent="\t")


if __name__ == "__main__":
    main()
