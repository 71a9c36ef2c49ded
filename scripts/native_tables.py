"""Make `qmtcli/paper/native_tables.py` out of what was measured on the real native modules.

    python scripts/native_tables.py [--check]

Reads from tests/: native-contract.json (types, defaults, signatures), native-aliases.json (read-only names)
and native-layout.json (which names are faces of one field, and its size; made by native_layout.py).
``--check`` writes nothing and exits 1 when the table is stale.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("native-contract.json", "native-aliases.json", "native-layout.json")
TARGET = ROOT / "qmtcli" / "paper" / "native_tables.py"

#: letters of the `struct` module, by type in the contract and size in bytes
KINDS = {("int", 4): "i", ("int", 8): "q", ("float", 8): "d", ("bool", 1): "?"}

HEADER = '''\
"""Records and signatures of the native modules.

Made by scripts/native_tables.py from {}
in tests/; do not edit.
"""
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

'''

#: name in the table, what its comment says
TABLES = {
    "RECORDS": """\
class of xtpythonclient: its fields in the order of the C++ struct, ``;`` between them. A field is its kind
(a letter of `struct`; ``23s``: text of at most 23 bytes; ``i=-1``: a default that is not zero) and its names,
``!`` before a read-only one. ``127s>name``: while empty, the text of the shorter field ``name`` is read.""",
    "CLIENT_METHODS": "method of XtQuantAsyncClient: types of its arguments",
    "CALLBACKS": "bind method of XtQuantAsyncClient: types of the arguments its callback is called with",
    "MARKET_METHODS": "method of datacenter.IPythonApiClient: types of its arguments",
    "MARKET_FUNCTIONS": "function of datacenter: types of its arguments",
}


def record(fields: dict[str, Any], read_only: Iterable[str], layout: dict[str, list[int]]) -> str:
    """One line of RECORDS."""
    faces: dict[tuple[int, ...], list[str]] = {}
    for name in sorted(fields, key=lambda name: (not name.startswith("m_"), name)):
        faces.setdefault(tuple(layout[name]), []).append(name)
    line = []
    for place in sorted(faces):
        names = faces[place]
        type_, default = fields[names[0]]["type"], fields[names[0]]["default"]
        kind = f"{place[1] - 1}s" if type_ == "str" else KINDS[type_, place[1]]
        kind += f"={default}" if default else ""
        kind += f">{faces[place[2:]][0]}" if place[2:] else ""
        line.append(" ".join([kind, *("!" * (name in read_only) + name for name in names)]))
    return ";".join(line)


def arguments(signature: str) -> tuple[str, ...]:
    """Argument types of a pybind11 signature, ``a|b`` where its overloads differ."""
    signature = signature.replace("xtquant.xtpythonclient.", "").replace("xtquant.datacenter.", "")
    variants = [
        [part.split(": ", 1)[1] for part in re.split(r", (?=\w+: )", inner) if part and "self: " not in part]
        for inner in re.findall(r"\((.*)\) ->", signature)
    ]
    return tuple("|".join(dict.fromkeys(types)) for types in zip(*variants, strict=True))


def callback(signature: str) -> tuple[str, ...]:
    """Argument types of the callback that a bind method takes."""
    (function,) = arguments(signature)
    inner = function.removeprefix("Callable[[").removesuffix("], None]")
    return tuple(inner.split(", ")) if inner else ()


def tables(contract: Any, aliases: Any, layout: Any) -> dict[str, dict[str, Any]]:
    """The content of the generated module."""
    classes = dict(contract["xtpythonclient"]["classes"])
    client = classes.pop("XtQuantAsyncClient")["methods"]
    market = contract["datacenter"]
    return {
        "RECORDS": {n: record(c["fields"], aliases["readonly"][n], layout[n]) for n, c in classes.items()},
        "CLIENT_METHODS": {n: arguments(s) for n, s in client.items() if not n.startswith("bind")},
        "CALLBACKS": {n: callback(s) for n, s in client.items() if n.startswith("bind")},
        "MARKET_METHODS": {n: arguments(s) for n, s in market["classes"]["IPythonApiClient"]["methods"].items()},
        "MARKET_FUNCTIONS": {n: arguments(s) for n, s in market["functions"].items()},
    }


def render() -> str:
    """The generated module's text."""
    text = HEADER.format(", ".join(SOURCES))
    content = tables(*(json.loads((ROOT / "tests" / name).read_text("utf-8")) for name in SOURCES))
    for name, rows in content.items():
        text += "".join(f"#: {line}\n" for line in TABLES[name].splitlines())
        text += f"{name}: dict[str, {'str' if name == 'RECORDS' else 'tuple[str, ...]'}] = {{\n"
        text += "".join(f"    {quoted(key)}: {quoted(value)},\n" for key, value in rows.items()) + "}\n\n"
    return text.rstrip() + "\n"


def quoted(value: str | tuple[str, ...]) -> str:
    """``repr`` with the quotes of this house."""
    return repr(value).replace("'", '"')


def main() -> int:
    """Write the table, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when the table is stale")
    check = parser.parse_args().check
    text = render()
    if check and (not TARGET.exists() or TARGET.read_text("utf-8") != text):
        print(f"{TARGET.relative_to(ROOT)} is stale: run python scripts/native_tables.py", file=sys.stderr)
        return 1
    if not check:
        TARGET.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
