"""A replay's report as one HTML page that asks for nothing from anywhere: the plotting library is inside it.

What the charts show is in the page as JSON, and drawn when it comes into view. Their x axes are of categories, one a
moment in order of time, so that nights and lunch breaks take no room.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from importlib import import_module
from math import isfinite
from typing import Any

from qmtcli.errors import UsageError
from qmtcli.messages import say
from qmtcli.model import Side, Trade
from qmtcli.strategy.report import Replayed, drawdowns, moment, plain

#: points that a line has at most; of all price lines together, and those that each has all the same
_MOST, _TOGETHER, _LEAST = 5_000, 200_000, 500
#: red is up, as terminals have it in China
_RED, _GREEN, _BLUE, _GREY = "#d62728", "#1a8f4c", "#2a5db0", "#5f6b7a"
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "form-action 'none'; base-uri 'none'"
)
_FONT = 'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'
_STYLE = f"""\
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; max-width: 1200px; padding: 16px 24px 48px; font: 15px/1.5 {_FONT}; color: #1d2733; }}
h1 {{ font-size: 24px; margin: 8px 0 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 18px; margin: 32px 0 8px; }}
h3 {{ font-size: 15px; margin: 20px 0 0; }}
p {{ margin: 4px 0; color: {_GREY}; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: 5px 0; text-align: left; font-weight: normal; overflow-wrap: anywhere; }}
th {{ color: {_GREY}; padding-right: 16px; }}
td {{ font-variant-numeric: tabular-nums; }}
tr {{ border-bottom: 1px solid #e3e7ec; }}
#figures tbody {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); column-gap: 32px; }}
#figures tr {{ display: flex; justify-content: space-between; }}
#figures th {{ flex: none; }}
#params th {{ width: 25%; vertical-align: top; }}
#params td {{ white-space: pre-wrap; }}
.chart {{ height: 340px; }}
#chart-equity {{ height: 520px; }}
"""
_SCRIPT = """\
const charts = JSON.parse(document.getElementById("charts").textContent);
const settings = JSON.parse(document.getElementById("settings").textContent);
function draw(id) {
  const chart = charts[id];
  if (!chart) return;
  delete charts[id];
  Plotly.newPlot(id, chart.data, chart.layout, settings);
}
const views = new IntersectionObserver(found => found.forEach(view => {
  if (view.isIntersecting) { views.unobserve(view.target); draw(view.target.id); }
}), { rootMargin: "600px" });
document.querySelectorAll(".chart").forEach(chart => views.observe(chart));
addEventListener("beforeprint", () => Object.keys(charts).forEach(draw));
"""


def page(run: Replayed, figures: Mapping[str, float | int | None]) -> str:
    """The page, in the language in use. ``figures`` as `qmtcli.strategy.report.figures` has them.

    Raises UsageError when plotly is not installed.
    """
    try:
        library = str(import_module("plotly.offline").get_plotlyjs()).replace("</script", "<\\/script")
    except ImportError:
        raise UsageError("plotly_missing") from None
    charts, sections = _charts(run)
    thinned = say(
        f"每条线最多画 {_MOST:,} 点, 高点和低点都在; 成交多时标记也如此.",
        f"A line has at most {_MOST:,} points, highs and lows among them; so have the markers where trades are many.",
    )
    title = escape(say(f"{run.name} 回放报告", f"{run.name}: replay"))
    params = [(str(key), each) for key, each in plain(run.params).items()]
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="{say("zh-CN", "en")}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{title}</h1>",
        f"<p>{escape(run.first)} – {escape(run.last)}</p>",
        f"<h2>{say('指标', 'Figures')}</h2>",
        _table("figures", _figure_rows(figures)),
        *sections,
        f"<p>{thinned}</p>",
        f"<h2>{say('参数', 'Parameters')}</h2>",
        _table("params", [(key, each if isinstance(each, str) else _json(each)) for key, each in params]),
        f'<script type="application/json" id="charts">{_embedded(charts)}</script>',
        f'<script type="application/json" id="settings">{_embedded(_settings())}</script>',
        f"<script>{library}</script>",
        f"<script>\n{_SCRIPT}</script>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _embedded(value: object) -> str:
    """JSON that nothing in it can end the element of."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


# -- tables ----------------------------------------------------------------------------------------------


def _table(name: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f'<tr><th scope="row">{escape(key)}</th><td>{escape(text)}</td></tr>' for key, text in rows]
    return f'<table id="{name}"><tbody>\n' + "\n".join(lines) + "\n</tbody></table>"


def _figure_rows(figures: Mapping[str, float | int | None]) -> list[tuple[str, str]]:
    """Caption and value of each figure."""
    captions = (
        ("opening_asset", say("期初总资产 (元)", "Opening asset (CNY)"), "{:,.2f}"),
        ("final_asset", say("期末总资产 (元)", "Final asset (CNY)"), "{:,.2f}"),
        ("total_return", say("总收益率", "Total return"), "{:+.2%}"),
        ("annual_return", say("年化收益率", "Annual return"), "{:+.2%}"),
        ("max_drawdown", say("最大回撤", "Max drawdown"), "{:.2%}"),
        ("drawdown_days", say("最长回撤 (交易日)", "Longest drawdown (days)"), "{:,}"),
        ("sharpe", say("夏普比率", "Sharpe ratio"), "{:.2f}"),
        ("volatility", say("年化波动率", "Annual volatility"), "{:.2%}"),
        ("days", say("交易日", "Trading days"), "{:,}"),
        ("round_trips", say("平仓次数", "Round trips"), "{:,}"),
        ("win_rate", say("胜率", "Win rate"), "{:.2%}"),
        ("profit_factor", say("总盈利/总亏损", "Profit factor"), "{:.2f}"),
        ("turnover", say("换手 (倍)", "Turnover (times)"), "{:.2f}"),
        ("fees", say("费用 (元)", "Fees (CNY)"), "{:,.2f}"),
        ("cost_share", say("费用占成交额", "Fees / traded amount"), "{:.4%}"),
        ("orders", say("委托", "Orders"), "{:,}"),
        ("trades", say("成交", "Trades"), "{:,}"),
        ("rejected", say("废单", "Rejected"), "{:,}"),
    )
    return [
        (caption, "–" if (value := figures[key]) is None else shown.format(value)) for key, caption, shown in captions
    ]


# -- charts ----------------------------------------------------------------------------------------------


def _charts(run: Replayed) -> tuple[dict[str, Any], list[str]]:
    """(the charts by the ids of their elements, the HTML with the elements)."""
    charts: dict[str, Any] = {}
    html = [f"<h2>{say('总资产和回撤', 'Total asset and drawdown')}</h2>"]
    if run.equity:
        charts["chart-equity"] = _equity_chart(run)
        html.append('<div class="chart" id="chart-equity"></div>')
    else:
        html.append(f"<p>{say('没有记录.', 'Nothing was recorded.')}</p>")
    html.append(f"<h2>{say('价格和成交', 'Prices and trades')}</h2>")
    trades: dict[str, list[Trade]] = {}
    for trade in run.trades:
        if trade.side in (Side.BUY, Side.SELL):
            trades.setdefault(trade.stock_code, []).append(trade)
    if not trades:
        html.append(f"<p>{say('没有成交.', 'There were no trades.')}</p>")
    most = min(_MOST, max(_LEAST, _TOGETHER // max(1, len(trades))))
    for number, (code, those) in enumerate(sorted(trades.items()), 1):
        charts[f"chart-price-{number}"] = _price_chart(run.prices.get(code, []), those, most)
        html.append(f"<h3>{escape(code)} {escape(those[-1].instrument_name)}</h3>")
        html.append(f'<div class="chart" id="chart-price-{number}"></div>')
    return charts, html


def _equity_chart(run: Replayed) -> dict[str, Any]:
    assets = _thinned([(point.time, round(point.total_asset, 2)) for point in run.equity], _MOST)
    times = [point.time for point in run.equity]
    falls = _thinned(list(zip(times, (round(fall, 6) for fall in drawdowns(run)), strict=True)), _MOST)
    label = _labels([when for when, _ in (*assets, *falls)])
    data = [
        _line(assets, label, say("总资产", "Total asset"), _BLUE, "%{y:,.2f}"),
        {**_line(falls, label, say("回撤", "Drawdown"), _RED, "%{y:.2%}"), "yaxis": "y2", "fill": "tozeroy"},
    ]
    layout = _layout()
    layout["xaxis"]["anchor"] = "y2"
    layout["yaxis"] |= {"domain": [0.36, 1], "title": {"text": say("总资产 (元)", "Total asset (CNY)")}}
    layout["yaxis2"] = {
        **_axis(), "domain": [0, 0.3], "title": {"text": say("回撤", "Drawdown")}, "tickformat": ".2%",
        "rangemode": "tozero",
    }  # fmt: skip
    if isfinite(run.opening):
        layout["shapes"] = [
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": run.opening, "y1": run.opening,
                "line": {"color": _GREY, "width": 1, "dash": "dot"},
            }
        ]  # fmt: skip
    return {"data": data, "layout": layout | {"showlegend": False}}


def _price_chart(prices: Sequence[tuple[int, float]], trades: Sequence[Trade], most: int) -> dict[str, Any]:
    line = _thinned([(when, price) for when, price in prices if price > 0], most)
    real = [trade for trade in trades if isfinite(trade.traded_price)]
    sides = [(side, [trade for trade in real if trade.side == side]) for side in (Side.BUY, Side.SELL)]
    label = _labels([*(when for when, _ in line), *(trade.traded_time * 1000 for trade in real)])
    data = [_line(line, label, say("价格", "Price"), _GREY, "%{y}")] if line else []
    data += [_markers(side, those, label, most) for side, those in sides if those]
    layout = _layout()
    layout["yaxis"]["title"] = {"text": say("价格 (元)", "Price (CNY)")}
    return {"data": data, "layout": layout}


def _line(
    points: Sequence[tuple[int, float]], label: Callable[[int], str], name: str, color: str, value: str
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines" if len(points) > 1 else "markers", "name": name,
        "x": [label(when) for when, _ in points], "y": [each for _, each in points],
        "line": {"color": color, "width": 1.5}, "marker": {"color": color},
        "hovertemplate": f"%{{x}}<br>{name} {value}<extra></extra>",
    }  # fmt: skip


def _markers(side: Side, trades: Sequence[Trade], label: Callable[[int], str], most: int) -> dict[str, Any]:
    buys = side is Side.BUY
    name = say("买入", "Buy") if buys else say("卖出", "Sell")
    words = say("价格 %{y} 数量 %{customdata:,}", "price %{y} volume %{customdata:,}")
    shown = [trades[n] for n in _kept([trade.traded_price for trade in trades], most)]
    return {
        "type": "scatter", "mode": "markers", "name": name,
        "x": [label(trade.traded_time * 1000) for trade in shown],
        "y": [trade.traded_price for trade in shown],
        "customdata": [trade.traded_volume for trade in shown],
        "marker": {
            "symbol": "triangle-up" if buys else "triangle-down", "size": 11, "color": _RED if buys else _GREEN,
            "line": {"color": "#ffffff", "width": 1},
        },
        "hovertemplate": f"%{{x}}<br>{name} {words}<extra></extra>",
    }  # fmt: skip


def _axis() -> dict[str, Any]:
    return {"gridcolor": "#e3e7ec", "zeroline": False, "separatethousands": True, "exponentformat": "none"}


def _layout() -> dict[str, Any]:
    return {
        "xaxis": {
            "type": "category", "categoryorder": "category ascending", "nticks": 8, "tickangle": 0,
            "showgrid": False, "linecolor": "#c3cad3", "ticks": "outside", "automargin": True,
        },
        "yaxis": {**_axis(), "automargin": True},
        "margin": {"l": 80, "r": 20, "t": 30, "b": 40},
        "font": {"family": _FONT, "size": 12, "color": "#1d2733"},
        "hovermode": "closest", "hoverdistance": 30,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff",
    }  # fmt: skip


def _settings() -> dict[str, Any]:
    """What all charts are drawn with; the library itself speaks English only."""
    words = {
        "Download plot as a PNG": "存为 PNG 图片", "Zoom": "缩放", "Pan": "平移", "Zoom in": "放大",
        "Zoom out": "缩小", "Reset axes": "复位", "Double-click to zoom back out": "双击复位",
    }  # fmt: skip
    found: dict[str, Any] = {
        "displaylogo": False,
        "responsive": True,
        # the library's own choice has one that hands the chart to its maker's cloud
        "modeBarButtons": [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
        "plotlyServerURL": "",
    }
    locale = say("zh-CN", "")
    return found | {"locale": locale, "locales": {locale: {"dictionary": words, "format": {}}}} if locale else found


def _labels(times: Iterable[int]) -> Callable[[int], str]:
    """What names a moment among those of a chart, in order of time as in order of letters: no finer than it takes."""
    found = set(times)
    if len({moment(each).date() for each in found}) == len(found):
        return lambda when: moment(when).date().isoformat()
    spec = "minutes" if all(each % 60_000 == 0 for each in found) else "seconds"
    spec = "milliseconds" if len({each // 1000 for each in found}) < len(found) else spec
    return lambda when: moment(when).replace(tzinfo=None).isoformat(" ", spec)


def _thinned(points: Sequence[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """At most so many of the points that have a value, see `_kept`."""
    real = [point for point in points if isfinite(point[1])]
    return [real[n] for n in _kept([value for _, value in real], most)]


def _kept(values: Sequence[float], most: int) -> list[int]:
    """Which values stand for all: first and last, and the highest and the lowest of each of even parts."""
    count = len(values)
    if count <= most:
        return list(range(count))
    parts = (most - 2) // 2
    found = {0, count - 1}
    for part in range(parts):
        span = range(part * count // parts, (part + 1) * count // parts)
        found |= {min(span, key=values.__getitem__), max(span, key=values.__getitem__)}
    return sorted(found)
