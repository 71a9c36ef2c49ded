"""What an account is to hold, from the rows of a file: by weight, by value or by volume. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from qmtcli.errors import QmtError, Refused, UsageError
from qmtcli.model import Kind, Position, Quote, StrEnum
from qmtcli.rules.boards import classify
from qmtcli.symbols import parse_code
from qmtcli.tables import Line
from qmtcli.text import nearest, number

#: what a sum of weights may be where nobody has said that the rest is to stay cash
LEAST_SUM, MOST_SUM = Decimal("0.9"), Decimal("1.000001")


#: what may be brought to a target: what trades in CNY, at a price that a share of it costs
_TRADED = frozenset({Kind.STOCK, Kind.CDR, Kind.ETF, Kind.LOF, Kind.REIT, Kind.CONV_BOND})


def may_trade(code: str) -> bool:
    """Whether a code is one of what may be brought to a target; repo, 标准券, B shares and indexes are not."""
    found = classify(code)
    return found is not None and found[0] in _TRADED


class Unit(StrEnum):
    """What a target is said in."""

    #: a fraction of the capital: 0.05
    WEIGHT = "weight"
    #: CNY
    VALUE = "value"
    #: shares (张 for bonds)
    VOLUME = "volume"


class Target(NamedTuple):
    """What is wanted of one code."""

    #: where it is in the file, from 1
    line: int
    code: str
    unit: Unit
    #: in its unit, 0 or more
    amount: Decimal


class Targets(NamedTuple):
    """What a file says."""

    targets: list[Target]
    #: ``mode`` and ``account_id`` of each row that says whose it is
    whose: list[dict[str, str]]
    #: (line, what is wrong with it)
    problems: list[tuple[int, QmtError]]


_NAMES: dict[str, str] = {
    "stock_code": "code", "code": "code", "symbol": "code", "代码": "code", "证券代码": "code", "股票代码": "code",
    "weight": "weight", "权重": "weight", "目标权重": "weight", "target_weight": "weight",
    "value": "value", "金额": "value", "市值": "value", "目标金额": "value", "target_value": "value",
    "volume": "volume", "数量": "volume", "持仓": "volume", "目标数量": "volume", "target_volume": "volume",
}  # fmt: skip
#: columns that say nothing of what is wanted
_ASIDE = frozenset({
    *Position._fields, *Quote._fields, "mode", "profile", "account_id", "name", "note", "名称", "证券名称", "股票名称",
    "证券简称", "简称", "备注", "行业", "industry", "date", "日期",
}) - set(_NAMES)  # fmt: skip


def read(lines: Sequence[Line]) -> Targets:
    """The targets of a file, and what is wrong with its rows. Raises UsageError for one that is none of targets."""
    if not lines:
        raise UsageError("no_targets")
    if any("plan" in line.cells and "orders" in line.cells for line in lines):
        raise UsageError("plan_is_no_target")
    columns = _columns(lines)
    units = [unit for unit in Unit if unit in columns.values()]
    if len(units) != 1:
        raise UsageError("one_target_column", found=[str(unit) for unit in units])
    found: dict[str, Target] = {}
    problems: list[tuple[int, QmtError]] = []
    for line in lines:
        try:
            target = _target(line, columns, units[0])
            if target.code in found:
                raise UsageError("target_twice", code=target.code, line=found[target.code].line)
            found[target.code] = target
        except QmtError as error:
            problems.append((line.number, error))
    names = ("mode", "account_id")
    whose = [{name: line.cells[name] for name in names if line.cells.get(name)} for line in lines]
    return Targets([*found.values()], whose, problems)


def _columns(lines: Iterable[Line]) -> dict[str, str]:
    """What each column that counts says. Raises UsageError for one that nobody knows."""
    columns: dict[str, str] = {}
    for line in lines:
        for name in line.cells:
            key = _NAMES.get(name.lower())
            if key is not None:
                columns[name] = key
            elif name and name.lower() not in _ASIDE:
                raise UsageError("unknown_column", column=name, nearest=nearest(name, _NAMES), line=line.number)
    return columns


def _target(line: Line, columns: Mapping[str, str], unit: Unit) -> Target:
    words = {columns[name]: text for name, text in line.cells.items() if name in columns and text}
    if "code" not in words:
        raise UsageError("row_without_code")
    code = _code(words["code"])
    if classify(code) is None:
        raise UsageError("code_unknown", code=code)
    if not may_trade(code):
        raise UsageError("no_target_for", code=code)
    if line.short or unit not in words:
        raise UsageError("row_without_target", code=code, column=str(unit))
    text = words[unit]
    if unit is Unit.WEIGHT and text.rstrip().endswith(("%", "％")):
        raise UsageError("weight_in_percent", code=code, text=text)
    try:
        amount = number(text.replace(",", ""))
    except ValueError:
        raise UsageError("bad_target", code=code, text=text) from None
    if amount < 0 or (unit is Unit.VOLUME and amount % 1):
        raise UsageError("bad_target", code=code, text=text)
    if unit is Unit.WEIGHT and amount > 1:
        raise UsageError("weight_in_percent", code=code, text=text)
    return Target(line.number, code, unit, amount)


def _code(text: str) -> str:
    """A code; of bare digits that an index has too, what can be held. Raises UsageError."""
    try:
        return parse_code(text)
    except UsageError as error:
        candidates = error.params.get("candidates")
        held = [code for code in candidates if may_trade(code)] if isinstance(candidates, list) else []
        if len(held) != 1:
            raise
        return str(held[0])


def hold_sum(targets: Sequence[Target], cash_ok: bool) -> None:
    """Hold that weights come to what a whole account is. Raises Refused ``weights_sum``.

    ``cash_ok``: what they leave is meant to stay cash.
    """
    if targets[0].unit is not Unit.WEIGHT:
        return
    total = sum((target.amount for target in targets), Decimal(0))
    if total > MOST_SUM or (total < LEAST_SUM and not cash_ok):
        raise Refused("weights_sum", total=round(float(total), 6), least=float(LEAST_SUM))


def content(targets: Iterable[Target], **more: str) -> str:
    """What tells one day's targets from another's, whatever the file looks like; ``more``: what they are of."""
    rows = sorted([target.code, str(target.unit), f"{target.amount.normalize():f}"] for target in targets)
    told = json.dumps({"targets": rows, **more}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
