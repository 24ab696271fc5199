"""Puts the parts of scripts/bench into one report and prints it as a table.

Arguments: REPORT.json PART..., where PART.json is a list of metrics. Exits with 1 if a target was missed. Metrics of others
name those of ours that they stand beside; a second table shows both, where the report has both.
"""

import json
import sys


def show(rows):
    rows = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def compare(metrics):
    """Others beside ours. No ratios: what is measured differs, as docs/peers.md says, and whom that flatters stands here."""
    ours = {each["id"]: each for each in metrics}
    rows = []
    for each in metrics:
        if each.get("beside") is None or each["value"] is None:
            continue
        beside, field = ours.get(each["beside"], {}), each["beside_field"]
        unit = beside.get("unit") if field == "value" else beside and field
        rows.append(
            [each["id"], each["value"], each["unit"], each["flatters"], each["beside"], beside.get(field), unit or None]
        )
    if rows:
        print()
        show([["peer", "value", "unit", "flatters", "beside", "value", "unit"], *rows])


def main():
    path, parts = sys.argv[1], sys.argv[2:]
    metrics = []
    for part in parts:
        with open(f"{part}.json", encoding="utf-8") as file:
            metrics += json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"metrics": metrics}, file, indent="\t")

    columns = ["id", "value", "unit", "ratio", "target", "met", "runs"]
    show([columns] + [[each[it] for it in columns] for each in metrics])
    compare(metrics)
    missed = [each["id"] for each in metrics if each["met"] is False]
    print(f"{len(metrics)} metrics in {path}, {len(missed)} targets missed")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
