"""Puts the parts of scripts/bench into one report and prints it as a table.

Arguments: REPORT.json PART..., where PART.json is a list of metrics. Exits with 1 if a target was missed.
"""

import json
import sys


def main():
    path, parts = sys.argv[1], sys.argv[2:]
    metrics = []
    for part in parts:
        with open(f"{part}.json", encoding="utf-8") as file:
            metrics += json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"metrics": metrics}, file, indent="\t")

    columns = ["id", "value", "unit", "ratio", "target", "met", "runs"]
    rows = [columns] + [["" if each[it] is None else str(each[it]) for it in columns] for each in metrics]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    missed = [each["id"] for each in metrics if each["met"] is False]
    print(f"{len(metrics)} metrics in {path}, {len(missed)} targets missed")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
