"""Every error that can be raised has its words in both languages, and they fit its parameters."""

from __future__ import annotations

import ast
import string
from collections import defaultdict

import pytest
from conftest import ROOT

from qmtcli import errors
from qmtcli.commands import columns
from qmtcli.messages import ERRORS, WORDS, error_text, word
from qmtcli.model import OrderStatus
from qmtcli.output import Column
from qmtcli.xt.codes import PRICE_KINDS

_ERRORS = {name for name in vars(errors) if isinstance(getattr(errors, name), type)}
#: functions that raise an error by the code they are given: name -> position of the code
_BY_CODE = {"_refuse": 1, "_positive": 1, "Violation": 0}


def _raised() -> dict[str, list[set[str] | None]]:
    """Codes -> the parameters of each place that raises it; None where they are not plain keywords."""
    found: dict[str, list[set[str] | None]] = defaultdict(list)
    for file in sorted((ROOT / "qmtcli").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            position = 0 if node.func.id in _ERRORS else _BY_CODE.get(node.func.id)
            if position is None or len(node.args) <= position:
                continue
            code = node.args[position]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                plain = node.func.id in _ERRORS and all(keyword.arg for keyword in node.keywords)
                found[code.value].append({str(keyword.arg) for keyword in node.keywords} if plain else None)
    return found


RAISED = _raised()


def _fields(text: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", sorted(RAISED))
def test_every_code_has_its_words(code: str) -> None:
    text = ERRORS[code]
    assert text.zh and text.en
    needed = set().union(*(_fields(part) for part in text))
    for given in RAISED[code]:
        if given is not None:
            assert needed <= given


def test_no_words_without_a_code() -> None:
    assert set(ERRORS) <= set(RAISED)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_both_languages_use_the_same_parameters(code: str) -> None:
    text = ERRORS[code]
    assert _fields(text.zh) | _fields(text.zh_hint) == _fields(text.en) | _fields(text.en_hint)


def test_an_error_is_filled_in() -> None:
    message, hint = error_text("off_tick", {"price": "9.095", "below": "9.09", "above": "9.10"}, "en")
    assert (message, hint) == ("price 9.095 is off the tick", "use 9.09 or 9.10, or --round")
    assert error_text("unknown_code", {"codes": ["1.SH", "2.SZ"]}, "zh")[0] == "没有这个代码: 1.SH, 2.SZ"


def test_words_of_every_status_and_price_kind() -> None:
    needed = [status.word for status in OrderStatus] + list(PRICE_KINDS.values())
    assert [name for name in needed if name not in WORDS] == []
    assert (word("filled", "zh"), word("filled", "en"), word("nothing", "zh")) == ("已成", "filled", "nothing")


def test_every_column_has_both_captions() -> None:
    tables = [
        value for value in vars(columns).values() if isinstance(value, tuple) and value and isinstance(value[0], Column)
    ]
    assert len(tables) >= 10
    for table in tables:
        for column in table:
            assert column.zh and column.en
            assert column.kind in {
                "text", "id", "word", "number", "price", "money", "percent", "time", "best", "value", "prose",
                "count", "share",
            }  # fmt: skip
