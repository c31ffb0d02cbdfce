"""Holds `tests/features` complete: a build of the whole workspace has the features of its tests.

Prints each crate that tests and benches would build anew, with the features it lacks, and fails
if there is one.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def crates(edges: str) -> set[tuple[str, str]]:
    """Every crate with its features, in a build that follows these edges."""
    tree = ["cargo", "tree", "--locked", "--workspace", "--edges", edges]
    shape = ["--prefix", "none", "--no-dedupe", "--format", "{p}\t{f}"]
    listed = subprocess.run(tree + shape, cwd=ROOT, check=True, capture_output=True, text=True)
    lines = (line.partition("\t") for line in listed.stdout.splitlines())
    return {(re.sub(r" \(.*\)", "", crate), features.strip(" (*)")) for crate, _, features in lines}


def main() -> int:
    plain, tests = crates("normal,build"), crates("normal,build,dev")
    lacking = sorted(plain - tests)
    for crate, features in lacking:
        others = sorted(more for name, more in tests if name == crate)
        print(f"{crate}: has [{features}], in tests [{'] or ['.join(others)}]: see tests/features")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
