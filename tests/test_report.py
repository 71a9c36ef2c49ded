"""A replay's report: its figures by hand and against other computations, its files to the byte, its page."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict, deque
from datetime import datetime
from fractions import Fraction
from html.parser import HTMLParser
from io import StringIO
from math import inf, isfinite, nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from qmtcli import messages
from qmtcli.errors import UsageError
from qmtcli.model import Order, OrderStatus, Trade
from qmtcli.strategy.page import page
from qmtcli.strategy.report import Point, Replayed, drawdowns, figures, plain, write
from qmtcli.strategy.ticks import SHANGHAI

CODE, OTHER = "600000.SH", "000001.SZ"
MINUTE, DAY = 60_000, 86_400_000
FILES = [
    "orders.csv", "orders.json", "trades.csv", "trades.json", "equity.csv", "equity.json", "figures.json",
    "report.html",
]  # fmt: skip


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)


MONDAY = _ms("2026-11-23T00:00:00")


def _point(when: str | int, asset: float) -> Point:
    return Point(_ms(when) if isinstance(when, str) else when, asset, 0.0, asset)


def _trade(
    side: str, volume: int, price: float, fee: float = 0.0, code: str = CODE, order: str = "", day: int = 0, at: int = 0
) -> Trade:
    """A trade at ``at`` minutes after 10:00 of a day; without ``order`` of an order of its own."""
    when = (MONDAY + day * DAY) // 1000 + 36_000 + at * 60
    number = order or f"{side}{volume}@{price}-{day}-{at}"
    return Trade(
        "t1", number, "s1", code, "浦发银行", side, 23 if side == "buy" else 24, price, volume, price * volume, fee,
        when, datetime.fromtimestamp(when, SHANGHAI).isoformat(), "均线", "",
    )  # fmt: skip


def _order(status: OrderStatus) -> Order:
    return Order(
        "o1", "s1", CODE, "浦发银行", "buy", 23, 100, 11, "limit", 10.0, 0, 0.0, status.number, status.word, "资金不足",
        1795399200, "2026-11-23T10:00:00+08:00", "均线", "",
    )  # fmt: skip


def _run(**given: Any) -> Replayed:
    whole: dict[str, Any] = {
        "name": "均线", "params": {}, "first": "2026-11-23", "last": "2026-11-27", "opening": 1000.0, "orders": [],
        "trades": [], "equity": [], "prices": {},
    }  # fmt: skip
    return Replayed(**(whole | given))


def _rich() -> Replayed:
    """A run with something of everything."""
    return _run(
        params={"fast": 5, "名单": {CODE, OTHER, "300750.SZ"}, "from": datetime(2026, 1, 5).date(), "which": object()},
        orders=[_order(OrderStatus.SUCCEEDED), _order(OrderStatus.JUNK)],
        trades=[
            _trade("buy", 100, 9.5, 5, at=1),
            _trade("buy", 200, 20.5, 5, code=OTHER, at=3),
            _trade("sell", 100, 9.8, 6, day=1, at=2),
        ],
        equity=[
            _point("2026-11-23T10:00:00", 1000),
            _point("2026-11-23T15:00:00", 990),
            _point("2026-11-24T15:00:00", 1030),
        ],
        prices={
            CODE: [(MONDAY + day * DAY + 36_000_000 + n * MINUTE, 9.0 + n / 10) for day in (0, 1) for n in range(9)],
            OTHER: [(MONDAY + 36_000_000 + n * MINUTE, 20.0 + n / 10) for n in range(9)],
            "300750.SZ": [(MONDAY, 200.0)],
        },
    )


# -- figures ---------------------------------------------------------------------------------------------


def test_returns_and_drawdown_by_hand() -> None:
    """Days end at 1100, 990 and 1089: +10 %, -10 %, +10 %; the deepest fall is inside a day, from 1200 to 900."""
    points = [
        _point("2026-11-23T10:00:00", 1050),
        _point("2026-11-23T15:00:00", 1100),
        _point("2026-11-24T10:00:00", 1200),
        _point("2026-11-24T11:00:00", 900),
        _point("2026-11-24T15:00:00", 990),
        _point("2026-11-25T15:00:00", 1089),
    ]
    found = figures(_run(equity=points))
    deviation = sqrt(((0.1 - 1 / 30) ** 2 * 2 + (-0.1 - 1 / 30) ** 2) / 2)
    assert found["total_return"] == pytest.approx(0.089)
    assert found["annual_return"] == pytest.approx(1.089 ** (242 / 3) - 1)
    assert found["max_drawdown"] == pytest.approx(-0.25)
    assert found["volatility"] == pytest.approx(deviation * sqrt(242))
    assert found["sharpe"] == pytest.approx(1 / 30 / deviation * sqrt(242))
    assert (found["days"], found["drawdown_days"]) == (3, 2)
    assert (found["opening_asset"], found["final_asset"]) == (1000, 1089)


def test_the_opening_is_a_height_too() -> None:
    found = figures(_run(equity=[_point("2026-11-23T15:00:00", 800), _point("2026-11-24T15:00:00", 900)]))
    assert found["max_drawdown"] == pytest.approx(-0.2)
    assert found["drawdown_days"] == 2


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    points = [_point("2026-11-23T23:59:59", 1100), _point("2026-11-24T00:00:00", 1210)]
    assert figures(_run(equity=points))["days"] == 2
    points = [_point("2026-11-24T07:59:59", 1100), _point("2026-11-24T08:00:00", 1210)]
    assert figures(_run(equity=points))["days"] == 1


def _days() -> st.SearchStrategy[list[list[float]]]:
    """Total assets, some a day."""
    asset = st.floats(1e4, 1e7).map(lambda value: round(value, 2))
    return st.lists(st.lists(asset, min_size=1, max_size=4), min_size=1, max_size=12)


@settings(deadline=None, max_examples=150)
@given(days=_days(), opening=st.floats(1e4, 1e7).map(lambda value: round(value, 2)))
def test_figures_against_pandas(days: list[list[float]], opening: float) -> None:
    points = [
        _point(MONDAY + day * DAY + 36_000_000 + n * MINUTE, asset)
        for day, assets in enumerate(days)
        for n, asset in enumerate(assets)
    ]
    found = figures(_run(equity=points, opening=opening))
    when = pd.to_datetime([point.time for point in points], unit="ms", utc=True).tz_convert("Asia/Shanghai")
    series = pd.Series([point.total_asset for point in points], index=when)
    ends = series.groupby(series.index.date).last()
    returns = pd.Series([opening, *ends]).pct_change().dropna()
    whole = np.array([opening, *series])
    assert found["total_return"] == pytest.approx(ends.iloc[-1] / opening - 1, rel=1e-9, abs=1e-8)
    assert found["max_drawdown"] == pytest.approx((whole / np.maximum.accumulate(whole) - 1).min(), abs=1e-8)
    below = (pd.Series([opening, *ends]) < pd.Series([opening, *ends]).cummax()).astype(int)
    assert found["drawdown_days"] == below.groupby((below == 0).cumsum()).sum().max()
    growth = np.log(ends.iloc[-1] / opening) / len(days) * 242
    if growth < 700:
        assert found["annual_return"] == pytest.approx(np.expm1(growth), rel=1e-6, abs=1e-8)
    else:
        assert found["annual_return"] is None or growth < 710
    if len(returns) < 2:
        assert found["sharpe"] is found["volatility"] is None
    elif returns.std() < 1e-11:
        assert found["sharpe"] is None or returns.std() > 1e-13
    else:
        assert found["volatility"] == pytest.approx(returns.std() * np.sqrt(242), rel=1e-6, abs=1e-8)
        assert found["sharpe"] == pytest.approx(returns.mean() / returns.std() * np.sqrt(242), rel=1e-6, abs=1e-6)


def test_partial_closes_first_in_first_out() -> None:
    """100 at 10 and 100 at 12 are bought; 150 sold at 11.5 gain 150 less 25, the last 50 sold at 11 lose 50."""
    trades = [_trade("buy", 100, 10), _trade("buy", 100, 12), _trade("sell", 150, 11.5), _trade("sell", 50, 11)]
    found = figures(_run(trades=trades))
    assert (found["round_trips"], found["win_rate"]) == (2, 0.5)
    assert found["profit_factor"] == pytest.approx(125 / 50)


def test_a_profit_is_one_after_the_fees_of_both_sides() -> None:
    trades = [_trade("buy", 100, 10, 5), _trade("sell", 100, 10.1, 5)]
    assert figures(_run(trades=trades))["win_rate"] == 0
    assert figures(_run(trades=[trades[0], trades[1]._replace(commission=4.99)]))["win_rate"] == 1
    # half the buy's fee belongs to what is still held
    trades = [_trade("buy", 200, 10, 10), _trade("sell", 100, 10.11, 5)]
    assert figures(_run(trades=trades))["win_rate"] == 1


def test_the_trades_of_one_sell_order_are_one_round_trip() -> None:
    trades = [
        _trade("buy", 300, 10),
        _trade("sell", 100, 9, order="7"),
        _trade("buy", 300, 50, code=OTHER),
        _trade("sell", 100, 12, order="7"),
        _trade("sell", 100, 9, order="7", day=1),
    ]
    found = figures(_run(trades=trades))
    assert (found["round_trips"], found["win_rate"]) == (2, 0.5)
    assert found["profit_factor"] == pytest.approx(1.0)


def test_what_was_never_bought_makes_no_round_trip() -> None:
    trades = [_trade("sell", 100, 10), _trade("buy", 100, 10, code=OTHER), _trade("sell", 300, 11, 3, code=OTHER)]
    found = figures(_run(trades=trades))
    assert (found["round_trips"], found["win_rate"], found["profit_factor"]) == (1, 1.0, None)
    # only a third of the sell's fee is that of shares that were bought: 0.01 a share gained, 0.02 paid
    found = figures(_run(trades=[trades[1], _trade("sell", 300, 10.01, 6, code=OTHER)]))
    assert found["win_rate"] == 0


def _trips_share_by_share(trades: list[Trade]) -> list[Fraction]:
    """The same in another way: every share has its own cost, in fractions."""
    held: defaultdict[str, deque[Fraction]] = defaultdict(deque)
    found: dict[str, Fraction] = {}
    for trade in trades:
        amount, fee = Fraction(trade.traded_amount), Fraction(trade.commission)
        for _ in range(trade.traded_volume):
            if trade.side == "buy":
                held[trade.stock_code].append((amount + fee) / trade.traded_volume)
            elif held[trade.stock_code]:
                gain = (amount - fee) / trade.traded_volume - held[trade.stock_code].popleft()
                found[trade.order_id] = found.get(trade.order_id, Fraction(0)) + gain
    return list(found.values())


_TRADES = st.lists(
    st.tuples(
        st.sampled_from(("buy", "sell")),
        st.integers(1, 9),
        st.integers(900, 1100),
        st.integers(0, 500),
        st.sampled_from((CODE, OTHER)),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=200)
@given(_TRADES)
def test_round_trips_against_share_by_share(rows: list[tuple[str, int, int, int, str]]) -> None:
    # binary fractions, so that no rounding decides between a profit and none
    trades = [
        _trade(side, volume, price / 64, fee / 256, code, order=f"n{number // 2}{side}{code}")
        for number, (side, volume, price, fee, code) in enumerate(rows)
    ]
    found, trips = figures(_run(trades=trades)), _trips_share_by_share(trades)
    assert found["round_trips"] == len(trips)
    gains, losses = [trip for trip in trips if trip > 0], [-trip for trip in trips if trip < 0]
    assert found["win_rate"] == (pytest.approx(len(gains) / len(trips)) if trips else None)
    factor = float(sum(gains) / sum(losses)) if losses else None
    assert found["profit_factor"] == (None if factor is None else pytest.approx(factor, rel=1e-3, abs=1e-3))


def test_fees_turnover_and_counts() -> None:
    trades = [
        _trade("buy", 100, 10, 5.5),
        _trade("sell", 100, 15, 6.5),
        _trade("bonus", 100, 1000),
    ]
    orders = [_order(OrderStatus.SUCCEEDED), _order(OrderStatus.JUNK), _order(OrderStatus.CANCELED)]
    points = [
        _point("2026-11-23T10:00:00", 9999),
        _point("2026-11-23T15:00:00", 900),
        _point("2026-11-24T15:00:00", 1100),
    ]
    found = figures(_run(trades=trades, orders=orders, equity=points))
    assert found["fees"] == 12.0
    assert found["cost_share"] == pytest.approx(12 / 2500)
    assert found["turnover"] == pytest.approx(2.5)
    assert (found["orders"], found["trades"], found["rejected"]) == (3, 3, 1)


_AT = "2026-11-23T15:00:00"
_STRANGE = {
    "empty": _run(),
    "one point": _run(equity=[_point(_AT, 1010)]),
    "flat": _run(equity=[_point(MONDAY + day * DAY, 1000) for day in range(5)]),
    "flat but for floats": _run(opening=0.3, equity=[_point(MONDAY + n * DAY, 0.1 * 3 - n * 1e-17) for n in range(5)]),
    "no money": _run(opening=0.0, equity=[_point(_AT, 0), _point(MONDAY + 2 * DAY, 5)]),
    "all lost": _run(equity=[_point(_AT, 0), _point(MONDAY + 2 * DAY, 0), _point(MONDAY + 3 * DAY, 7)]),
    "in debt": _run(equity=[_point(_AT, 500), _point(MONDAY + 2 * DAY, -5)]),
    "hundredfold": _run(equity=[_point(_AT, 1e5)]),
    "no numbers": _run(
        opening=nan,
        equity=[_point(_AT, nan), _point(MONDAY + 2 * DAY, inf), _point(MONDAY + 3 * DAY, -inf)],
        trades=[_trade("buy", 100, nan, nan), _trade("sell", 100, inf, -inf), _trade("buy", 0, 1)],
        prices={CODE: [(MONDAY, nan), (MONDAY + 1, inf), (MONDAY + 2, 0.0)]},
    ),
    "too large": _run(equity=[_point(MONDAY + n * DAY, 1e308 / (n + 1)) for n in range(5)]),
}  # fmt: skip


@pytest.mark.parametrize("name", _STRANGE)
def test_no_figure_is_nan_or_infinite(name: str, tmp_path: Path) -> None:
    run = _STRANGE[name]
    found = figures(run)
    assert [key for key, value in found.items() if value is not None and not isfinite(value)] == []
    assert len(write(run, tmp_path)) == 8
    for file in tmp_path.glob("*.json"):
        json.loads(file.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    _charts((tmp_path / "report.html").read_text(encoding="utf-8"))


def test_what_is_not_defined_is_none() -> None:
    empty, flat, lost = (figures(_STRANGE[name]) for name in ("empty", "flat", "all lost"))
    assert {key for key, value in empty.items() if value is None} == {
        "annual_return", "volatility", "sharpe", "cost_share", "win_rate", "profit_factor",
    }  # fmt: skip
    assert (empty["total_return"], empty["max_drawdown"], empty["final_asset"]) == (0, 0, 1000)
    assert (flat["sharpe"], flat["volatility"], flat["max_drawdown"], flat["drawdown_days"]) == (None, 0, 0, 0)
    assert (lost["max_drawdown"], lost["sharpe"]) == (-1, None)
    assert figures(_STRANGE["flat but for floats"])["drawdown_days"] == 0
    assert figures(_STRANGE["hundredfold"])["annual_return"] is None


def test_growth_that_is_the_same_each_day_has_no_sharpe() -> None:
    points = [_point(MONDAY + day * DAY, 1e6 * 1.01 ** (day + 1)) for day in range(9)]
    assert figures(_run(opening=1e6, equity=points))["volatility"] == pytest.approx(0, abs=1e-8)
    doubling = [_point(MONDAY + day * DAY, 2.0 ** (day + 1)) for day in range(9)]
    assert figures(_run(opening=1.0, equity=doubling))["sharpe"] is None


# -- files -----------------------------------------------------------------------------------------------


def test_files_say_the_same_in_csv_and_json(tmp_path: Path) -> None:
    run = _rich()
    paths = write(run, tmp_path / "new" / "folder")
    assert [path.relative_to(tmp_path / "new" / "folder").as_posix() for path in paths] == FILES
    for name, rows in (("orders", run.orders), ("trades", run.trades), ("equity", run.equity)):
        data = paths[0].with_name(f"{name}.csv").read_bytes()
        assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\xef\xbb\xbf") == 1
        assert b"\r" not in data
        read = list(csv.DictReader(StringIO(data.decode("utf-8-sig"))))
        told = json.loads(paths[0].with_name(f"{name}.json").read_bytes())
        assert [{key: str(value) for key, value in row.items()} for row in told] == read
        assert [{key: row[key] for key in each._fields} for row, each in zip(told, rows, strict=True)] == [
            each._asdict() for each in rows
        ]
    assert read[0]["at"] == "2026-11-23T10:00:00.000+08:00"
    assert "浦发银行".encode() in paths[1].read_bytes()
    told = json.loads(paths[6].read_bytes())
    assert told.items() >= figures(run).items()
    assert (told["name"], told["params"]["名单"]) == ("均线", ["000001.SZ", "300750.SZ", "600000.SH"])


def test_the_same_bytes_wherever_it_runs(tmp_path: Path) -> None:
    """In processes that order sets differently, in other time zones, over an older report."""
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from test_report import _rich; from qmtcli.strategy.report import write\n"
        "write(_rich(), Path(sys.argv[2]))"
    )
    found = []
    for seed, zone in (("1", "Asia/Shanghai"), ("2", "America/New_York")):
        for place in (tmp_path / "same", tmp_path / seed):
            env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-c", script, str(Path(__file__).parent), str(place)]
            subprocess.run(command, check=True, env=env)
            found.append([hashlib.sha256((place / name).read_bytes()).hexdigest() for name in FILES])
    assert found == [found[0]] * 4


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here already")
    with pytest.raises(UsageError) as raised:
        write(_rich(), tmp_path / "file")
    assert raised.value.code == "report_not_written"
    assert raised.value.params["path"] == str(tmp_path / "file")
    assert raised.value.params["why"]


def test_without_plotly_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(UsageError) as raised:
        write(_rich(), tmp_path / "out")
    assert raised.value.code == "plotly_missing"
    assert not (tmp_path / "out").exists()


def test_plotly_is_imported_for_a_page_only() -> None:
    script = (
        "import sys, qmtcli.strategy.page, qmtcli.strategy.report as report\n"
        "report.figures(report.Replayed('', {}, '', '', 1.0, [], [], [], {}))\n"
        "sys.exit(','.join({'plotly', 'pandas', 'numpy'} & set(sys.modules)) or None)"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """The name of a file that is not UTF-8, as Python has it."""
    write(_run(name="a\udcff"), tmp_path)
    assert "<h1>a?" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_parameters_are_made_plain() -> None:
    assert plain({"a": {"y", "x"}, 1: (1, 2.5, None, True), "f": nan, "o": object()}) == {
        "a": ["x", "y"], "1": [1, 2.5, None, True], "f": "nan", "o": "<object object>",
    }  # fmt: skip


# -- the page --------------------------------------------------------------------------------------------

#: what has no end tag
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class _Page(HTMLParser):
    """The elements of a page, checked to be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: defaultdict[str, list[str]] = defaultdict(list)
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]].append(data)

    def ids(self, kind: str) -> list[str | None]:
        return [attrs.get("id") for tag, attrs in self.tags if tag == kind and "id" in attrs]


def _page(run: Replayed) -> str:
    return page(run, figures(run))


def _embedded(text: str, name: str) -> Any:
    start = f'<script type="application/json" id="{name}">'
    assert text.count(start) == 1
    return json.loads(text.partition(start)[2].partition("</script>")[0])


def _charts(text: str) -> dict[str, Any]:
    """The charts of a page, which plotly must find in order: it refuses what it does not know."""
    from plotly.graph_objects import Figure

    charts = _embedded(text, "charts")
    for chart in charts.values():
        Figure(data=chart["data"], layout=chart["layout"])
    return dict(charts)


def test_the_page_loads_nothing() -> None:
    text = _page(_rich())
    found = _Page(text)
    loads = [(tag, name) for tag, attrs in found.tags for name in attrs if name in ("src", "href", "srcset", "data")]
    assert loads == []
    assert "@import" not in text.partition("</style>")[0] and "url(" not in text.partition("</style>")[0]
    policies = [
        attrs["content"]
        for _, attrs in found.tags
        if str(attrs.get("http-equiv", "")).lower() == "content-security-policy"
    ]
    assert len(policies) == 1
    directives = dict(str(each).strip().split(" ", 1) for each in str(policies[0]).split(";"))
    assert directives["default-src"] == "'none'"
    assert "http" not in str(policies[0]) and "*" not in str(policies[0])
    assert sum(len(each) > 1_000_000 for each in found.texts["script"]) == 1


def test_no_button_hands_the_data_to_a_cloud() -> None:
    chosen = _embedded(_page(_rich()), "settings")
    buttons = [button for group in chosen["modeBarButtons"] for button in group]
    assert "sendChartToCloud" not in buttons and "toImage" in buttons
    assert (chosen["plotlyServerURL"], chosen["displaylogo"]) == ("", False)


def test_what_users_write_is_text() -> None:
    bad = '</script><script>alert("x")</script>&amp;'
    trade = _trade("buy", 100, 9.5)._replace(instrument_name=bad, stock_code=bad)
    clean = _run(name="x", params={"k": "v"}, trades=[_trade("buy", 100, 9.5)], first="f", last="l")
    run = clean._replace(name=bad, params={bad: bad, "deep": [{bad}]}, trades=[trade], first=bad, last=bad)
    text = _page(run)
    found = _Page(text)
    assert found.ids("script") == ["charts", "settings"]
    assert sum(tag == "script" for tag, _ in found.tags) == sum(tag == "script" for tag, _ in _Page(_page(clean)).tags)
    assert "alert(" not in "".join(found.texts["script"])
    assert any(bad in each for each in found.texts["h1"]) and any(bad in each for each in found.texts["td"])


def test_the_page_has_the_figures_and_the_parameters() -> None:
    run = _rich()
    cells = "|".join(_Page(_page(run)).texts["td"])
    for shown in ("1,030.00", "+3.00%", "-1.00%", "100.00%", "16.00", '["000001.SZ", "300750.SZ", "600000.SH"]'):
        assert shown in cells
    assert "None" not in cells and "nan" not in cells
    assert len(_Page(_page(run)).texts["th"]) == len(figures(run)) + len(run.params)


def test_markers_are_where_the_trades_were() -> None:
    text = _page(_rich())
    charts = _charts(text)
    assert _Page(text).ids("div") == ["chart-equity", "chart-price-1", "chart-price-2"] == list(charts)
    line, buys, sells = charts["chart-price-2"]["data"]
    assert (buys["mode"], buys["x"], buys["y"], buys["customdata"]) == ("markers", ["2026-11-23 10:01"], [9.5], [100])
    assert (sells["mode"], sells["x"], sells["y"], sells["customdata"]) == (
        "markers",
        ["2026-11-24 10:02"],
        [9.8],
        [100],
    )
    assert buys["marker"]["symbol"] != sells["marker"]["symbol"] and buys["marker"]["color"] != sells["marker"]["color"]
    assert all("%{x}" in each["hovertemplate"] and "%{y}" in each["hovertemplate"] for each in (line, buys, sells))
    assert "%{customdata" in buys["hovertemplate"]
    assert set(buys["x"]) | set(sells["x"]) <= set(line["x"])
    assert [each["name"] for each in charts["chart-price-1"]["data"]] == [line["name"], buys["name"]]


def test_equity_and_drawdown_share_an_axis() -> None:
    run = _rich()
    chart = _charts(_page(run))["chart-equity"]
    asset, fall = chart["data"]
    assert asset["y"] == [1000, 990, 1030]
    assert fall["y"] == [0, -0.01, 0] == [round(each, 6) for each in drawdowns(run)]
    assert asset["x"] == fall["x"] and (asset.get("yaxis", "y"), fall["yaxis"]) == ("y", "y2")
    above, below = chart["layout"]["yaxis"]["domain"], chart["layout"]["yaxis2"]["domain"]
    assert below[1] < above[0]
    assert chart["layout"]["shapes"][0]["y0"] == run.opening


def test_nights_and_lunch_take_no_room() -> None:
    """On an axis of categories each moment is as wide as any, and their letters are in order of time."""
    times = ["2026-11-23T11:30:00", "2026-11-23T13:00:00", "2026-11-23T14:59:57", "2026-11-30T09:30:03"]
    prices = {CODE: [(_ms(each), 9.0 + n) for n, each in enumerate(times)]}
    chart = _charts(_page(_run(trades=[_trade("buy", 100, 9)], prices=prices)))["chart-price-1"]
    axis = chart["layout"]["xaxis"]
    assert (axis["type"], axis["categoryorder"]) == ("category", "category ascending")
    assert chart["data"][0]["x"] == [each.replace("T", " ") for each in times] == sorted(chart["data"][0]["x"])


@pytest.mark.parametrize(
    ("times", "labels"),
    [
        (["2026-11-23T15:00:00", "2026-11-24T15:00:00"], ["2026-11-23", "2026-11-24"]),
        (["2026-11-23T10:00:00", "2026-11-23T10:01:00"], ["2026-11-23 10:00", "2026-11-23 10:01"]),
        (["2026-11-23T10:00:00", "2026-11-23T10:00:03"], ["2026-11-23 10:00:00", "2026-11-23 10:00:03"]),
        (
            ["2026-11-23T10:00:00.200", "2026-11-23T10:00:00.700"],
            ["2026-11-23 10:00:00.200", "2026-11-23 10:00:00.700"],
        ),
    ],
)
def test_moments_are_told_apart(times: list[str], labels: list[str]) -> None:
    run = _run(equity=[_point(each, 1000) for each in times])
    assert _charts(_page(run))["chart-equity"]["data"][0]["x"] == labels


def test_long_lines_are_thinned_and_keep_their_extremes() -> None:
    """The deepest fall is not where the lowest asset is, and beside lower ones: each line keeps its own."""
    assets = [(1e6 if n < 20_000 else 2.9e6) + n * 7919 % 1000 for n in range(40_000)]
    assets[3], assets[20_001], assets[20_002] = 5e5, 3e6, 1.2e6
    points = [_point(MONDAY + n * 3000, asset) for n, asset in enumerate(assets)]
    prices = {CODE: [(point.time, point.total_asset) for point in points]}
    run = _run(opening=1e6, equity=points, prices=prices, trades=[_trade("buy", 100, 9)])
    charts = _charts(_page(run))
    asset, fall = charts["chart-equity"]["data"]
    price = charts["chart-price-1"]["data"][0]
    for line in (asset, fall, price):
        assert 4000 < len(line["x"]) <= 5000
        assert len(line["x"]) == len(line["y"])
        assert line["x"] == sorted(set(line["x"]))
    assert {5e5, 3e6, assets[0], assets[-1]} <= set(asset["y"]) & set(price["y"])
    assert min(fall["y"]) == pytest.approx(-0.6) == figures(run)["max_drawdown"]


def test_a_run_with_nothing_says_so() -> None:
    text = _page(_run())
    assert _charts(text) == {} and "chart-" not in "".join(map(str, _Page(text).ids("div")))
    assert "There were no trades." in text


def test_the_page_speaks_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for lang in ("zh", "en"):
        monkeypatch.setattr(messages, "_language", lang)
        found[lang] = _page(_rich())
    assert '<html lang="zh-CN">' in found["zh"] and '<html lang="en">' in found["en"]
    assert "夏普比率" in found["zh"] and "Sharpe ratio" in found["en"]
    assert _charts(found["zh"])["chart-price-1"]["data"][1]["name"] == "买入"
    assert _charts(found["en"])["chart-price-1"]["data"][1]["name"] == "Buy"
    assert _embedded(found["zh"], "settings")["locales"]["zh-CN"]["dictionary"]["Pan"] == "平移"
