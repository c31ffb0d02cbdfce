"""The table of attacks and faults, from a run's ledger and its log.

    ledger.py LEDGER LOG

Each figure of the ledger (a line of JSON that a row's test wrote when it had passed) is a line
of the table. Rows without a figure are shown by the tests that carry their id. Fails when a row
of rows.toml has neither, or was not tried on a store that it applies to, and when a test in the
log failed: nothing is left out in silence.
"""

import json
import re
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROWS = Path(__file__).with_name("rows.toml")
# Figures of no row, such as those of the soak.
OTHER = ""
STORES = ("memory", "SQLite", "Redis", "PostgreSQL")
# `test races::a01_a03_all_at_once ... ok`, with whatever a test printed in between.
TEST = re.compile(r"^test ([\w:]+)(?: - [\w ]+)? \.\.\. (\w+)", re.MULTILINE)


def rows_of(name: str) -> list[str]:
    """The rows whose ids begin a test's name."""
    found = []
    for part in name.rsplit("::", 1)[-1].split("_"):
        if not re.fullmatch(r"a\d\d", part):
            break
        found.append(part.upper())
    return found


def figures(path: Path) -> dict[str, list[dict]]:
    """What the ledger holds, by row."""
    by_row = defaultdict(list)
    for line in path.read_text().splitlines():
        figure = json.loads(line)
        for row in figure["rows"] or [OTHER]:
            by_row[row].append(figure)
    return by_row


def passed(log: str) -> tuple[dict[str, int], list[str]]:
    """How many passed tests carry each row's id, and the names of those that failed."""
    count, failed = defaultdict(int), []
    for name, outcome in TEST.findall(log):
        if outcome == "FAILED":
            failed.append(name)
        for row in rows_of(name):
            count[row] += outcome == "ok"
    return count, failed


def lines(row: str, by_row: dict, tests: dict) -> list[tuple]:
    """The lines of one row: its figures in the stores' order, or the tests that carry it."""

    def order(figure: dict) -> tuple:
        store = figure["store"]
        return (STORES.index(store) if store in STORES else len(STORES), store, figure["from"])

    found = [
        (figure["store"], figure["from"], figure["tried"], figure["showed"])
        for figure in sorted(by_row.get(row, []), key=order)
    ]
    if tests.get(row):
        found.append(("", "", f"{tests[row]} tests of this row", "passed"))
    return found


def missing(row: str, about: dict, by_row: dict, tests: dict) -> list[str]:
    """Why a row is not complete."""
    if not by_row.get(row) and not tests.get(row):
        return [f"{row} ({about['attack']}): nothing shows it"]
    if not about["stores"]:
        return []
    shown = {figure["store"] for figure in by_row.get(row, [])}
    return [
        f"{row} ({about['attack']}): not shown on {store}"
        for store in STORES
        if store not in shown and store not in about.get("not", {})
    ]


def main() -> int:
    ledger, log = map(Path, sys.argv[1:])
    rows = tomllib.loads(ROWS.read_text())
    by_row = figures(ledger)
    tests, failed = passed(log.read_text(errors="replace"))
    problems = [f"the test {name} failed" for name in failed]
    print("| row | attack or fault | store | from | tried | shown | bound |")
    print("|---|---|---|---|---|---|---|")
    for row, about in rows.items():
        for store, way, tried, showed in lines(row, by_row, tests):
            cells = (row, about["attack"], store, way, tried, showed, about["bound"])
            print("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
        for store, why in about.get("not", {}).items():
            print(f"| {row} | {about['attack']} | {store} | | | does not apply: {why} | |")
        problems += missing(row, about, by_row, tests)
    for store, way, tried, showed in lines(OTHER, by_row, tests):
        print(f"| | | {store} | {way} | {tried} | {showed} | |")
    for problem in problems:
        print(f"MISSING  {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
