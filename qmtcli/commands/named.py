"""Orders by what a person calls them: the terminal's order id, or ``sys:`` and the contract number (合同编号)."""

from __future__ import annotations

from collections.abc import Sequence

from qmtcli.errors import NoData, UsageError
from qmtcli.model import Order

_CONTRACT = "sys:"


def named(rows: Sequence[Order], ids: Sequence[str]) -> list[Order]:
    """The orders of these names, each once, in their order.

    Raises NoData naming those that are none, UsageError for a contract number that two markets have given out.
    """
    found: dict[str, Order] = {}
    missing = []
    for name in ids:
        fit = [row for row in rows if name == (row.order_id if _CONTRACT not in name else _CONTRACT + row.order_sysid)]
        if not fit:
            missing.append(name)
        elif len(fit) > 1:
            raise UsageError("ambiguous_order", id=name, ids=[row.order_id for row in fit])
        else:
            found.setdefault(fit[0].order_id, fit[0])
    if missing:
        raise NoData("unknown_order", ids=missing)
    return list(found.values())
