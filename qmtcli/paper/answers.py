"""What of an account's books answers each query of the trading line.

A query that is not here is one of business that the paper exchange does not do, and is answered as a terminal
without the permission would. There are no new shares to subscribe: a market of these tapes has none.

Limits of new shares and ratios of collateral follow the exchanges' rules from memory: 首次公开发行股票网上发行实施细则
(the holdings of 20 days simplified to today's) and 融资融券交易实施细则 (the most that a broker may give).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from qmtcli.model import Instrument, Kind
from qmtcli.paper.codes import BUY, CREDIT, MARKETS
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.records import fill, record, whole
from qmtcli.paper.rows import Rows, clipped

#: rows of an answer; None for what this account has no permission to ask
Answer: TypeAlias = "Callable[[Exchange, Rows, Any], list[Any] | None]"

#: least value (fen) of a market's stocks with which one may subscribe to its new shares
_LEAST_VALUE = 10_000_00
#: key of a limit -> market whose holdings count, fen a unit, shares a unit
_LIMITS = {"KCB": ("SH", 5_000_00, 500), "SH": ("SH", 10_000_00, 1_000), "SZ": ("SZ", 5_000_00, 500)}
_SHARES = frozenset({Kind.STOCK, Kind.CDR})

#: part of a kind's value that counts as margin; nothing of what is not here, nor of ST
_COLLATERAL = {
    Kind.STOCK: 0.65, Kind.CDR: 0.65, Kind.ETF: 0.90, Kind.LOF: 0.80, Kind.REIT: 0.80,
    Kind.CONV_BOND: 0.80, Kind.EXCH_BOND: 0.80, Kind.TREASURY: 0.95,
}  # fmt: skip
_FUNDS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT})
#: ``assure_status``: it may be collateral (48), or not (50)
_TAKEN, _NOT_TAKEN = 48, 50
#: maintenance ratio of an account without debts: above every line, as counters show it
_NO_DEBTS = 999.0


def _asset(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    return [rows.asset(exchange.asset())]


def _orders(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    return [rows.order(order) for order in exchange.orders(req.m_nOrderID, req.m_bCanCancel)]


def _trades(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    return [rows.trade(trade, order) for trade, order in exchange.trades()]


def _positions(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    wanted = whole(req, "m_strStockCode")
    return [rows.position(held) for held in exchange.positions() if wanted in ("", held["code"])]


def _statistics(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    bought: Counter[str] = Counter()
    for trade, order in exchange.trades():
        bought[order.code] += trade.volume if order.type == BUY else 0
    return [_statistic(rows, held, bought[str(held["code"])]) for held in exchange.positions()]


def _statistic(rows: Rows, held: Mapping[str, Any], bought: int) -> Any:
    """``bought``: today; what was held before is sold first."""
    code, _, market = held["code"].partition(".")
    volume, cost, value = held["volume"], held["cost"] / 100, held["value"] / 100
    average = cost / volume if volume else 0.0
    today = min(volume, bought) if held["yesterday"] else volume
    return fill(
        record("PositionStatistics")(),
        account_id=rows.account_id,
        exchange_id=market,
        exchange_name=_MARKET_NAMES[market],
        instrument_id=code,
        instrument_name=clipped(held["name"], 23),
        direction=48,
        position=volume,
        yesterday_position=volume - today,
        yesterday_init_position=held["yesterday"],
        today_position=today,
        can_close_vol=held["sellable"],
        position_cost=cost,
        open_cost=cost,
        avg_price=average,
        open_price=average,
        position_profit=value - cost,
        float_profit=value - cost,
        instrument_value=value,
        last_price=held["last"] / 1000,
    )


_MARKET_NAMES = {"SH": "上交所", "SZ": "深交所", "BJ": "北交所"}


def _shareholder_accounts(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    return [
        fill(record("SecuAccount")(), market=market, secu_account=rows.holders[market], main=True)
        for market in ("SH", "SZ")
    ]


def _purchase_limits(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    values = dict.fromkeys(MARKETS, 0)
    for held, instrument in _holdings(exchange):
        if instrument is not None and instrument.kind in _SHARES:
            values[instrument.exchange] += held["value"]
    return [
        fill(
            record("NewPurchaseLimitInfo")(),
            new_purchase_limit_key=key,
            new_purchase_limit_value=values[market] // unit * shares if values[market] >= _LEAST_VALUE else 0,
        )
        for key, (market, unit, shares) in _LIMITS.items()
    ]


def _holdings(exchange: Exchange) -> Iterator[tuple[Mapping[str, Any], Instrument | None]]:
    """Holdings, each with its instrument; None where the market does not have it any more."""
    for held in exchange.positions():
        yield held, exchange.feed.tape.instrument(str(held["code"]))


# -- the ordinary counter, which is the only one ----------------------------------------------------------


def _fund(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    body = exchange.asset()
    return [
        fill(
            record("ComFund")(),
            m_bSuccess=True,
            m_strMoneyType="0",
            m_dCurrentBalance=(body["cash"] + body["frozen"]) / 100,
            m_dEnableBalance=body["cash"] / 100,
            m_dFetchBalance=body["fetch"] / 100,
            m_dAssetBalance=body["total"] / 100,
            m_dFetchCash=body["fetch"] / 100,
            m_dMarketValue=body["value"] / 100,
        )
    ]


def _fund_positions(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    return [_fund_position(rows, held) for held in exchange.positions()]


def _fund_position(rows: Rows, held: Mapping[str, Any]) -> Any:
    code, _, market = held["code"].partition(".")
    volume, cost, value = held["volume"], held["cost"] / 100, held["value"] / 100
    return fill(
        record("ComPosition")(),
        m_bSuccess=True,
        m_strAccountID=rows.holders[market],
        m_strExchangeType=market,
        m_strStockCode=code,
        m_strStockCode1=code,
        m_strStockName=clipped(held["name"], 23),
        m_dTotalAmt=float(volume),
        m_dEnableAmount=float(held["sellable"]),
        m_dLastPrice=held["last"] / 1000,
        m_dCostPrice=cost / volume if volume else 0.0,
        m_dCostBalance=cost,
        m_dMarketValue=value,
        m_dIncome=value - cost,
        m_dIncomeRate=(value - cost) / cost if volume and cost else 0.0,
    )


# -- credit accounts, which lend and borrow nothing ---------------------------------------------------------


def _credit(answer: Answer) -> Answer:
    """An answer for credit accounts only."""
    return lambda exchange, rows, req: answer(exchange, rows, req) if rows.account_type == CREDIT else None


def _credit_detail(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    body = exchange.asset()
    stocks = funds = cost = 0
    margin = body["cash"] / 100
    for held, instrument in _holdings(exchange):
        cost += held["cost"]
        if instrument is not None:
            stocks += held["value"] if instrument.kind in _SHARES else 0
            funds += held["value"] if instrument.kind in _FUNDS else 0
            margin += held["value"] / 100 * _ratio(instrument)
    return [
        fill(
            record("XtCreditDetail")(),
            account_id=rows.account_id,
            account_type=rows.account_type,
            update_time=exchange.feed.now_ms() // 1000,
            frozen_cash=body["frozen"] / 100,
            balance=body["total"] / 100,
            available=body["cash"] / 100,
            position_profit=(body["value"] - cost) / 100,
            market_value=body["value"] / 100,
            fetch_balance=body["fetch"] / 100,
            stock_value=stocks / 100,
            fund_value=funds / 100,
            enable_bail_balance=round(margin, 2),
            per_assurescale_value=_NO_DEBTS,
            assure_asset=body["total"] / 100,
        )
    ]


def _ratio(instrument: Instrument) -> float:
    return 0.0 if instrument.st else _COLLATERAL.get(instrument.kind, 0.0)


def _collateral(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    tape = exchange.feed.tape
    known = filter(None, map(tape.instrument, tape.codes()))
    return [
        fill(
            record("CreditAssure")(),
            account_id=rows.account_id,
            account_type=rows.account_type,
            exchange_id=MARKETS[instrument.exchange],
            instrument_id=instrument.code[:6],
            assure_status=_TAKEN if _ratio(instrument) else _NOT_TAKEN,
            assure_ratio=_ratio(instrument),
        )
        for instrument in known
        if instrument.kind in _COLLATERAL
    ]


def _none(exchange: Exchange, rows: Rows, req: Any) -> list[Any]:
    """No contracts, nothing that may be bought on credit or borrowed."""
    return []


ANSWERS: dict[str, Answer] = {
    "queryStockAssetWithSeq": _asset,
    "queryStockOrdersWithSeq": _orders,
    "queryStockTradesWithSeq": _trades,
    "queryStockPositionsWithSeq": _positions,
    "queryPositionStatisticsWithSeq": _statistics,
    "querySecuAccountWithSeq": _shareholder_accounts,
    "queryNewPurchaseLimitWithSeq": _purchase_limits,
    "queryComFundWithSeq": _fund,
    "queryComPositionWithSeq": _fund_positions,
    "queryCreditDetailWithSeq": _credit(_credit_detail),
    "queryCreditAssureWithSeq": _credit(_collateral),
    "queryStkCompactsWithSeq": _credit(_none),
    "queryCreditSubjectsWithSeq": _credit(_none),
    "queryCreditSloCodeWithSeq": _credit(_none),
}
