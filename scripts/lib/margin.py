"""Adds a margin to the measured times of a weights.rs, and takes out the lists of what each call reads and writes.

Arguments: the file, and the margin in per cent. Times vary by some per cent from run to run, more between machines, and
a call that takes longer than it declares lets blocks grow beyond their slot. Accesses to the database and sizes of
proofs are counted and not measured: they stay as they are. Their numbers are in the weights; the names behind them,
two lines for each item of the storage, are most of what is generated, and say nothing that the calls do not.
"""

import re
import sys


def main():
    path, percent = sys.argv[1], int(sys.argv[2])

    def with_margin(found):
        time = int(found[1].replace("_", ""))
        # Rounded up, so that nothing small is left without a margin.
        return f"Weight::from_parts({-(-time * (100 + percent) // 100):_},"

    with open(path, encoding="utf-8") as file:
        text, count = re.subn(r"Weight::from_parts\(([\d_]+),", with_margin, file.read())
    text = re.sub(r"^[ \t]*/// (?:Storage|Proof): .*\n", "", text, flags=re.MULTILINE)
    if count == 0:
        sys.exit(f"{path} holds no weight in the generated form")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
