"""Plans: what a command would have sent, in a file that a person looks at and `qmt apply` sends. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from qmtcli.errors import Refused, UsageError
from qmtcli.ledger import Entry
from qmtcli.model import Asset, Order, Position

VERSION = 1
#: fields of an entry that a plan's order has, by the names that they have there
_FIELDS = {
    "client_id": "client_id", "ticket": "ticket", "batch": "batch", "row": "row", "command": "command",
    "stock_code": "stock_code", "instrument_name": "instrument_name", "side": "side", "order_type": "order_type",
    "order_volume": "order_volume", "price_type": "price_type", "price": "price", "strategy_name": "strategy_name",
    "as": "credit", "risk": "risk", "new_risk": "new_risk",
}  # fmt: skip


class Seen(NamedTuple):
    """The account and the market as they were when the plan was made."""

    #: CNY that could be spent
    cash: float
    #: shares held, by the codes of the plan
    volumes: dict[str, int]
    #: last prices, CNY, by the codes of the plan; those that are not known are missing
    prices: dict[str, float]


class Plan(NamedTuple):
    """What is to be sent: cancels first, then orders."""

    #: ``mode``, ``profile`` and ``account_id``
    identity: dict[str, str]
    day: str
    made: str
    seen: Seen
    orders: list[Entry]
    #: ids of orders to cancel
    cancels: list[str]
    #: by the id of the order to replace: its new price as typed, and the client id of what takes its place
    replaces: dict[str, tuple[str, str]]
    #: a rebalancing to carry out, see `qmtcli.rebalance.saved`; None: there is none
    rebalance: dict[str, Any] | None = None


def nothing(day: str) -> Plan:
    """A plan of nothing."""
    return Plan({}, day, "", Seen(0.0, {}, {}), [], [], {})


def seen(asset: Asset, positions: Iterable[Position], codes: Iterable[str], prices: Mapping[str, float | None]) -> Seen:
    """What a plan remembers of the account and the market."""
    wanted = set(codes)
    volumes = {row.stock_code: row.volume for row in positions if row.stock_code in wanted}
    known = {code: price for code, price in prices.items() if price}
    return Seen(asset.cash, {code: volumes.get(code, 0) for code in sorted(wanted)}, known)


def dump(plan: Plan) -> str:
    """The text of a plan's file."""
    told: dict[str, Any] = {
        "plan": VERSION,
        **plan.identity,
        "day": plan.day,
        "made": plan.made,
        "account": {"cash": plan.seen.cash, "volumes": plan.seen.volumes},
        "prices": plan.seen.prices,
        "cancels": [{"order_id": order_id} for order_id in plan.cancels],
        "replaces": [
            {"order_id": order_id, "price": price, "client_id": client_id}
            for order_id, (price, client_id) in plan.replaces.items()
        ],
        "orders": [_told(entry) for entry in plan.orders],
        **({"rebalance": plan.rebalance} if plan.rebalance is not None else {}),
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _told(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {name: getattr(entry, field) for name, field in _FIELDS.items()}
    return {**told, "price": float(entry.price), "typed": json.loads(entry.typed)}


def load(text: str, identity: Mapping[str, str], epoch: int = 0) -> Plan:
    """The plan of a file. Raises UsageError for what is none, Refused for one of another account."""
    try:
        told = json.loads(text)
        if told["plan"] != VERSION:
            raise UsageError("plan_version", found=told["plan"], known=VERSION)
        whose = {name: str(told[name]) for name in ("mode", "profile", "account_id")}
        for name in ("mode", "account_id"):
            if whose[name] != identity[name]:
                raise Refused("another_account", key=name, theirs=whose[name], ours=identity[name])
        account = told["account"]
        return Plan(
            whose,
            str(told["day"]),
            str(told["made"]),
            Seen(
                float(account["cash"]),
                {str(code): int(volume) for code, volume in account["volumes"].items()},
                {str(code): float(price) for code, price in told["prices"].items()},
            ),
            [_entry(order, str(told["day"]), epoch) for order in told["orders"]],
            [str(cancel["order_id"]) for cancel in told["cancels"]],
            {str(each["order_id"]): (str(each["price"]), str(each["client_id"])) for each in told["replaces"]},
            dict(told["rebalance"]) if "rebalance" in told else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError("no_plan", why=f"{type(error).__name__}: {error}") from None


def _entry(told: Mapping[str, Any], day: str, epoch: int) -> Entry:
    fields = {field: told[name] for name, field in _FIELDS.items()}
    typed = json.dumps(dict(told["typed"]), ensure_ascii=False, sort_keys=True)
    volume, price = int(fields.pop("order_volume")), Decimal(str(fields.pop("price")))
    if volume <= 0 or price < 0:
        raise ValueError("volume and price")
    return Entry(**fields, order_volume=volume, price=str(price), typed=typed, day=day, epoch=epoch, key=0)


def hold_fresh(plan: Plan, now: Seen, most: Decimal) -> None:
    """Hold that account and prices are as they were, prices within ``most`` (a fraction). Raises Refused."""
    for code, volume in plan.seen.volumes.items():
        if now.volumes.get(code, 0) != volume:
            raise Refused("plan_account_moved", code=code, then=volume, now=now.volumes.get(code, 0))
    if now.cash < plan.seen.cash * float(1 - most):
        raise Refused("plan_cash_moved", then=plan.seen.cash, now=now.cash)
    for code, price in plan.seen.prices.items():
        last = now.prices.get(code)
        if last is None:
            raise Refused("plan_price_unknown", code=code)
        if abs(last / price - 1) > most:
            raise Refused("plan_price_moved", code=code, then=price, now=last, most=float(most))


def hold_day(plan: Plan, day: str) -> None:
    """Hold that a plan is one of today's. Raises Refused."""
    if plan.day != day:
        raise Refused("plan_of_another_day", day=plan.day, today=day)


def codes_of(entries: Sequence[Entry], orders: Sequence[Order]) -> list[str]:
    """The codes that a plan is about."""
    return [*dict.fromkeys([*(entry.stock_code for entry in entries), *(order.stock_code for order in orders)])]
