"""The table of attacks and faults, from the ledgers and the logs of runs.

    ledger.py [--page PAGE] FILE...
    ledger.py --beside PAGE
    ledger.py --check PAGE

Of the files those that end in `.jsonl` are ledgers, the others logs. Each figure of a ledger (a
line of JSON that a row's test wrote when it had passed) is a line of the table, which --page
writes as a page of the guide. Tests that carry a row's id and noted nothing are named. Fails
when a row of rows.toml has neither, or was not tried on a store that it applies to, and when a
test in a log failed: nothing is left out in silence. What is of no row, such as the fuzzing, stands
in the README and is copied below the table; --beside copies it into a page that is there. --check
says whether a page has all rows, and that copy.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROWS = Path(__file__).with_name("rows.toml")
README = Path(__file__).parents[2] / "README.md"
BESIDE = "\n## What is of no row\n\n"
# Figures of no row, such as those of the soak.
OTHER = ""
STORES = ("memory", "SQLite", "Redis", "PostgreSQL")
# The store and the place of suites whose tests note nothing themselves.
SUITES = {
    "email": ("", "inside"),
    "numbers": ("", "inside"),
    "postgres": ("PostgreSQL", "inside"),
    "providers": ("", "inside"),
    "redis": ("Redis", "inside"),
    "server": ("SQLite", "outside"),
    "sqlite": ("SQLite", "inside"),
}
# `test races::a01_a03_all_at_once ... ok`, with whatever a test printed in between, and what
# cargo says of the program that the tests are in.
LINE = re.compile(
    r"^test (?P<test>[\w:]+)(?: - [\w ]+)? \.\.\. (?P<outcome>\w+)"
    r"|^ +Running (?:unittests )?(?P<suite>\S+) \(",
    re.MULTILINE,
)
HEAD = """\
Every attack and fault that the suites try: what was tried, what it showed, and the bound.

Made by `./tests/run table` at commit {commit}; `./tests/run long` has the same rows with larger \
counts. A line is a figure that a test noted when it had passed, or the tests that carry the \
row's id. *Inside* is in the test's own process, *outside* over HTTP from another one: for the rows that \
stores decide on each of the four, but where a line says why not. Where chance decides, the seed is 1 unless a line names another (`COUNTERSIGN_SEED`). Nothing found in \
n tries means a rate below 3/n, with 95 % confidence: read n before the figure.

| row | attack or fault | store | from | tried | shown | bound |
|---|---|---|---|---|---|---|
"""


def rows_of(name: str) -> list[str]:
    """The rows whose ids begin a test's name."""
    found = []
    for part in name.rsplit("::", 1)[-1].split("_"):
        if not re.fullmatch(r"a\d\d", part):
            break
        found.append(part.upper())
    return found


def words(name: str) -> str:
    """What a test's name says after the ids."""
    return " ".join(name.rsplit("::", 1)[-1].split("_")[len(rows_of(name)) :])


class Shown:
    """What the ledgers and the logs hold, by row."""

    def __init__(self, files: list[Path]):
        self.figures = defaultdict(list)
        self.tests = defaultdict(lambda: defaultdict(list))
        self.failed = []
        for file in files:
            if file.suffix == ".jsonl":
                self.read_ledger(file.read_text())
            else:
                self.read_log(file.read_text(errors="replace"))

    def read_ledger(self, ledger: str):
        # A test that was stopped halfway and run again notes some of its figures twice.
        figures = {}
        for line in ledger.splitlines():
            figure = json.loads(line)
            about = (*figure["rows"], figure["store"], figure["from"], figure["tried"])
            figures[about] = figure
        for figure in figures.values():
            for row in figure["rows"] or [OTHER]:
                self.figures[row].append(figure)

    def read_log(self, log: str):
        suite = ""
        for found in LINE.finditer(log):
            if found["suite"]:
                suite = Path(found["suite"]).stem
                continue
            if found["outcome"] == "FAILED":
                self.failed.append(found["test"])
            if found["outcome"] == "ok":
                for row in rows_of(found["test"]):
                    place = SUITES.get(suite, ("", "inside"))
                    self.tests[row][place].append(words(found["test"]))

    def lines(self, row: str) -> list[tuple]:
        """The lines of one row: its figures in the stores' order, then the tests."""
        found = [
            (figure["store"], figure["from"], figure["tried"], figure["showed"])
            for figure in self.figures.get(row, [])
        ]
        # What a row shows with the long counts it may show with the short ones alike.
        found = sorted(dict.fromkeys(found), key=lambda line: order(line[0]))
        told = tuple(tried for _, _, tried, _ in found)
        for (store, way), names in sorted(self.tests.get(row, {}).items()):
            # Those that noted figures under their own names are there already.
            names = [
                name for name in sorted(set(names)) if not any(t.startswith(name) for t in told)
            ]
            if names:
                found.append((store, way, "tests: " + "; ".join(names), f"{len(names)} passed"))
        return found

    def stores(self, row: str, *ways: str) -> set[str]:
        """The stores over which figures show a row in one of these ways."""
        return {figure["store"] for figure in self.figures.get(row, []) if figure["from"] in ways}

    def from_outside(self, row: str) -> bool:
        """Whether anything shows a row from another process."""
        tested = any(way == "outside" for _, way in self.tests.get(row, {}))
        return tested or bool(self.stores(row, "outside"))

    def missing(self, row: str, about: dict) -> list[str]:
        """Why a row is not complete."""
        if not self.figures.get(row) and not self.tests.get(row):
            return [f"{row} ({about['attack']}): nothing shows it"]
        inside = about.get("inside", {})
        if isinstance(inside, str):
            inside = dict.fromkeys(STORES, inside)
        if not about["stores"]:
            if self.from_outside(row) or inside:
                return []
            return [f"{row} ({about['attack']}): not shown from outside, and nothing says why"]
        anyhow, outside = self.stores(row, "inside", "outside"), self.stores(row, "outside")
        problems = [
            f"{row}: rows.toml says why not from outside on {store}, which is no store or shown"
            for store in inside
            if store in outside or store not in STORES
        ]
        for store in STORES:
            if store in about.get("not", {}):
                continue
            if store not in anyhow:
                problems.append(f"{row} ({about['attack']}): not shown on {store}")
            elif store not in outside and store not in inside:
                problems.append(
                    f"{row} ({about['attack']}): not shown from outside on {store}, and nothing says why"
                )
        return problems


def order(store: str) -> tuple:
    return (STORES.index(store) if store in STORES else len(STORES), store)


def line(*cells: str) -> str:
    """A line of the table, in which nothing is a link or a tag, and names are code."""
    escaped = (re.sub(r"([\[\]<>])", r"\\\1", cell.replace("|", "/")) for cell in cells)
    escaped = (re.sub(r"(?<![`\w])\w+_\w+(?![`\w])", r"`\g<0>`", cell) for cell in escaped)
    return "| " + " | ".join(escaped) + " |"


def table(rows: dict, shown: Shown) -> list[str]:
    """All lines; a row's attack and bound are told once."""
    told = []
    for row, about in rows.items():
        lines = shown.lines(row)
        for store, why in about.get("not", {}).items():
            lines.append((store, "", "", f"does not apply: {why}"))
        inside = about.get("inside", {})
        for store, why in ({"": inside} if isinstance(inside, str) else inside).items():
            lines.append((store, "outside", "", f"not tried: {why}"))
        for n, cells in enumerate(lines):
            attack, bound = ("", "") if n else (about["attack"], about["bound"])
            told.append(line(row, attack, *cells, bound))
    return told + [line("", "", *cells, "") for cells in shown.lines(OTHER)]


def beside() -> str:
    """The README's table of what is of no row, without its links, which lead nowhere here."""
    _, rest = README.read_text().split("\nBeside it:\n\n")
    found, _ = rest.split("\n\n", 1)
    return BESIDE + re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", found) + "\n"


def commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=10", "HEAD") + (" and changes to it" if changed else "")


def check(page: Path, rows: dict) -> list[str]:
    """What a page lacks: it is to be made anew."""
    text = page.read_text()
    had = set(re.findall(r"^\| (A\d\d) \|", text, re.MULTILINE))
    lacks = [f"{page}: no row {row}: ./tests/run table makes it" for row in rows if row not in had]
    if not text.endswith(beside()):
        lacks.append(f"{page}: not the README's words on what is of no row: ledger.py --beside {page}")
    return lacks


def main() -> int:
    rows = tomllib.loads(ROWS.read_text())
    arguments = sys.argv[1:]
    if arguments[0] == "--check":
        problems = check(Path(arguments[1]), rows)
    elif arguments[0] == "--beside":
        page, problems = Path(arguments[1]), []
        page.write_text(page.read_text().split(BESIDE)[0] + beside())
    else:
        page = arguments[1] if arguments[0] == "--page" else None
        shown = Shown([Path(file) for file in arguments[2 if page else 0 :]])
        text = HEAD.format(commit=commit()) + "\n".join(table(rows, shown)) + "\n" + beside()
        print(text)
        problems = [f"the test {name} failed" for name in shown.failed]
        problems += [problem for row in rows for problem in shown.missing(row, rows[row])]
        if page and not problems:
            Path(page).write_text(text)
    for problem in problems:
        print(f"MISSING  {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
