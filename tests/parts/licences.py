"""Every licence in the tree, held to the `[licenses]` of deny.toml.

It reads what the crates say of themselves, as `cargo deny check licenses` does, but needs no
tool beside cargo. Prints each crate whose licence is not allowed, and fails if there is one.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def allows(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met: AND binds more tightly than OR."""
    # The older crates' `MIT/Apache-2.0` means OR.
    words = re.findall(r"[()]|[\w.+-]+", expression.replace("/", " OR "))

    def either() -> bool:
        met = both()
        while words[:1] == ["OR"]:
            words.pop(0)
            met |= both()
        return met

    def both() -> bool:
        met = one()
        while words[:1] == ["AND"]:
            words.pop(0)
            met &= one()
        return met

    def one() -> bool:
        word = words.pop(0)
        if word == "(":
            met = either()
            words.pop(0)
            return met
        if words[:1] == ["WITH"]:
            words.pop(0)
            word += f" WITH {words.pop(0)}"
        return word in allowed

    return either() and not words


def main() -> int:
    metadata = subprocess.run(
        ["cargo", "metadata", "--locked", "--all-features", "--format-version", "1"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    crates = [crate for crate in json.loads(metadata)["packages"] if crate["source"]]
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    refused = [
        f"{crate['name']} {crate['version']}: {crate['license']}"
        for crate in crates
        if not allows(crate["license"] or "none", allowed)
    ]
    print("\n".join([*refused, f"{len(crates)} crates, {len(refused)} with a licence not in deny.toml"]))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
