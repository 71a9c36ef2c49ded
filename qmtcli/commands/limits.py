"""``qmt limits``: the limits of a profile, what of them is used up today, and by which rule."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from qmtcli.commands.columns import LIMITS
from qmtcli.commands.common import App, command
from qmtcli.messages import say
from qmtcli.output import emit_rows

if TYPE_CHECKING:
    from qmtcli.config import Limits


class _Row(NamedTuple):
    limit: str
    value: Any
    #: None where it is not one of a day or a second
    used: Any
    left: Any
    rule: str
    source: str


#: what each limit means: (Chinese, English)
_RULES = {
    "order_value": (
        "单笔买入金额 (费用在内; 市价按涨停价, 逆回购按借出额)",
        "CNY of one buy, fees in; market orders at limit-up, repo by what it lends",
    ),
    "order_volume": ("单笔买入数量", "shares of one buy"),
    "price_away": ("委托价离现价, 买卖都算", "distance of a price from the last one, buys and sells"),
    "orders_per_day": (
        "全账户当日委托笔数, 到数拒绝买入; 卖出不限",
        "orders of the whole account today; stops buys, never sells",
    ),
    "orders_per_second": (
        "每秒委托与撤单笔数, 超出则等待",
        "orders and cancels a second; the next one waits",
    ),
    "day_turnover": (
        "全账户当日买入: 已成按成交额, 未完成按最多可能花费",
        "the whole account's buys today: what traded, and what open ones may cost",
    ),
    "symbols": ("只可买入这些代码", "the only codes that may be bought"),
}


@command(
    "limits", "限制、今日已用与剩余, 以及各按什么规则。", "Limits: what is used up today, what is left, by which rule."
)
def limits(app: App) -> None:
    from qmtcli import halt
    from qmtcli.backend import halt_file
    from qmtcli.desk import limits as rules

    profile = app.profile
    held = rules.of(profile)
    used = _used(app, held) if rules.binds_day(held) or held.orders_per_second is not None else {}
    sources = app.config.sources
    rows = []
    for name, text in _RULES.items():
        value = getattr(held, name)
        if value is None:
            continue
        spent = used.get(name)
        left = None if spent is None else max(value - spent, 0)
        source = sources.get(f"profiles.{profile.name}.limits.{name}", "default")
        rows.append(_Row(name, _plain(value), _plain(spent), _plain(left), say(*text), source)._asdict())
    caption = say(f"限制: {len(rows)}", f"Limits: {len(rows)}") + f", writes: {profile.writes}"
    if halt.read(halt_file(app.console.env)) is not None:
        caption += say(", 已全部停止 (qmt halt)", ", halted (qmt halt)")
    emit_rows(app.console, rows, _Row._fields, LIMITS, "limit", caption)


def _used(app: App, held: Limits) -> dict[str, Any]:
    """What is used up now, by limit. Raises NotConnected."""
    from qmtcli.desk import limits as rules

    orders = app.session.orders()
    day = app.session.today().isoformat()
    used = app.ledger.used(day) + rules.outside(orders, app.ledger.of_day(day))
    return {
        "orders_per_day": used.orders,
        "day_turnover": used.turnover,
        "orders_per_second": app.ledger.writes_within(1000),
    }


def _plain(value: Any) -> Any:
    """A value in the types of JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return sorted(value) if isinstance(value, frozenset) else value
