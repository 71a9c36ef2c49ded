"""Make the table of outcomes in `docs/testing.md` out of `qmtcli.paper.faults`.

    python scripts/fault_table.py [--check]

``--check`` writes nothing and exits 1 when the table is stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from qmtcli.paper.faults import CALLS, OUTCOMES, QUERIES, Outcome  # noqa: E402

PAGE = ROOT / "docs" / "testing.md"
BEGIN, END = "<!-- outcomes: made by scripts/fault_table.py -->\n", "<!-- end of outcomes -->\n"
#: requests and calls, but for the word that stands for any query
ANY = frozenset(CALLS) - {"query"}


def requests(outcome: Outcome) -> str:
    """The requests an outcome can happen to, in few words."""
    missing = [name for name in CALLS if name in ANY - outcome.calls]
    if not QUERIES & set(missing):
        return f"any but {', '.join(missing)}" if missing else "any"
    return ", ".join(name for name in CALLS if name in outcome.calls)


def parameters(outcome: Outcome) -> str:
    """Its parameters, with their values where nothing is said; without one where something must be."""
    shown = []
    for name, (_, default) in outcome.takes.items():
        if default is None:
            shown.append(f"`{name}`")
        else:
            shown.append(f"`{name}: {json.dumps(default, ensure_ascii=False)}`")
    return "<br>".join(shown)


def table() -> str:
    """The rows, in the order of the module."""
    rows = ["| outcome | requests | parameters | native sends | the program sees |", "|---|---|---|---|---|"]
    rows += [
        f"| `{name}` | {requests(outcome)} | {parameters(outcome)} | {outcome.sends} | {outcome.sees} |"
        for name, outcome in OUTCOMES.items()
    ]
    return "\n".join(rows) + "\n"


def page(text: str) -> str:
    """A page with the table as it should be."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin and end, f"{PAGE.name} has lost the marks of the table"
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when the table is stale")
    check = parser.parse_args().check
    text = PAGE.read_text(encoding="utf-8")
    made = page(text)
    if check and made != text:
        print(f"{PAGE.relative_to(ROOT)} is stale: run python scripts/fault_table.py", file=sys.stderr)
        return 1
    if not check:
        PAGE.write_text(made, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
