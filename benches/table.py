"""Prints criterion's last results as a Markdown table, each beside the floor's.

    python3 benches/table.py target/criterion

A name is a folder of the group's; what counts is the median of a run.
"""

import json
import sys
from pathlib import Path

GROUPS = ["right", "wrong", "send"]


def medians(group: Path) -> dict[str, float]:
    found = {}
    for estimates in group.glob("*/new/estimates.json"):
        name = estimates.parent.parent.name
        found[name] = json.loads(estimates.read_text())["median"]["point_estimate"]
    return found


def main(folder: str) -> None:
    results = {group: medians(Path(folder) / group) for group in GROUPS}
    names = sorted(results["wrong"], key=lambda name: results["wrong"][name])
    print("| | right ns | of the floor | wrong ns | of the floor | send ns |")
    print("|---|---|---|---|---|---|")
    for name in names:
        cells = [name]
        for group in GROUPS[:2]:
            took, floor = results[group][name], results[group]["floor"]
            cells += [f"{took:.0f}", f"{took / floor:.2f}"]
        sent = results["send"].get(name)
        cells.append("" if sent is None else f"{sent:.0f}")
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(sys.argv[1])
