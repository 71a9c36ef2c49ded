"""The stand-in for ``xtquant.datacenter``: the market data client's native line, over the tape on display.

It answers all that xtdata asks and a tape can tell. Of what a service may lack it has none, in the right shape;
what it cannot serve it refuses in the vendor's words. Nothing waits for anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from qmtcli.model import Instrument, Kind
from qmtcli.paper import history
from qmtcli.paper.clock import DAY_MS, midnight
from qmtcli.paper.exchange import current
from qmtcli.paper.feed import Feed, number_of
from qmtcli.paper.native_tables import MARKET_FUNCTIONS, MARKET_METHODS
from qmtcli.paper.pushes import BarSubscription, Callback, Pushes, TickSubscription, WholeSubscription
from qmtcli.paper.sectors import SECTORS, TAGS, TYPES
from qmtcli.paper.settings import Settings
from qmtcli.paper.shapes import (
    BAR_COLUMNS,
    TICK_COLUMNS,
    bar_row,
    columns_of,
    index_label,
    lot_of,
    matrix_of,
    table_of,
    tick_row,
    timetag,
)
from qmtcli.paper.tape import Tick

#: the vendor's words for what a terminal does not serve
WORDS = "当前客户端未支持此功能"

_MARKETS = ("SH", "SZ", "BJ")
_PERIODS = ("tick", *history.MINUTES, *history.DAYS)
_UNKNOWN_INSTRUMENT = b"\x05\0\0\0\0"
_SUSPENDED = 17
_FIRST_DAY = date(1990, 12, 19)
_NEVER = 99_999_999


def _feed() -> Feed:
    """The market as it stands, on the account's trading day."""
    exchange = current()
    exchange.refresh()
    return exchange.feed


def _bson(document: dict[str, Any]) -> bytes:
    from xtquant import xtbson

    return bytes(xtbson.BSON.encode(document))


def _document(data: Any) -> dict[str, Any]:
    from xtquant import xtbson

    found: dict[str, Any] = xtbson.BSON.decode(data)
    return found


def _number(day: date) -> int:
    """20260105 of a date."""
    return day.year * 10_000 + day.month * 100 + day.day


def _stamp(day: date) -> int:
    return midnight(number_of(day))


def _moment(text: Any, end: bool = False) -> int | None:
    try:
        return history.moment(text.decode() if isinstance(text, bytes) else text, end)
    except ValueError:
        raise RuntimeError(f"时间格式错误: {text}") from None


class IPythonApiClient:
    """One connection to the paper market."""

    __module__ = "xtquant.datacenter"

    def __init__(self) -> None:
        self._address = ""
        self._connected = False
        self._pushes = Pushes(_feed)
        #: the user's own sectors, which live as long as the client
        self._sectors: dict[str, list[str]] = {}

    # -- the link --------------------------------------------------------------------------------------

    def init(self) -> int:
        """0: nothing to do before `connect`."""
        return 0

    def load_config(self, path: str, section: str) -> int:
        """0: nothing in the vendor's file concerns a market in the same process."""
        return 0

    def set_config_addr(self, address: str) -> None:
        """The address it is said to be at."""
        self._address = address

    def get_config_addr(self) -> str:
        """What `set_config_addr` said."""
        return self._address

    def connect(self) -> tuple[int, str]:
        """(0, ""): the paper market is always there."""
        self._connected = True
        return 0, ""

    def is_connected(self) -> bool:
        """True from `connect` to `shutdown`."""
        return self._connected

    def shutdown(self) -> int:
        """0; subscriptions end."""
        self._connected = False
        self._pushes.stop()
        return 0

    def get_server_tag(self) -> bytes:
        """Who serves, for the vendor's greeting."""
        return _bson({"tag": "qmt paper", "market": Settings.from_environment().market})

    def get_peer_addr(self) -> str:
        """As `get_config_addr`."""
        return self._address

    def get_app_dir(self) -> str:
        """The folder of the account files."""
        return Settings.from_environment().home

    def get_data_dir(self) -> str:
        """A folder that nobody makes: there are no data files."""
        return str(Path(Settings.from_environment().home) / "datadir")

    # -- quotes ----------------------------------------------------------------------------------------

    def get_full_tick(self, codes: Sequence[str]) -> str:
        """Snapshots on display as JSON, by code; codes may be markets. What is unknown is left out."""
        feed = _feed()
        rows = {}
        for code in _codes(feed, codes):
            shown = _snapshot(feed, code)
            instrument = feed.tape.instrument(code)
            if shown is not None and instrument is not None:
                row = tick_row(*shown, lot_of(instrument))
                rows[code] = {"timetag": timetag(shown[0]), **row}
        return json.dumps(rows)

    def subscribe_quote(self, meta: bytes, region: bytes, param: bytes, callback: Callback | None) -> int:
        """Pushes of one code and period; its number, or -1 for what the market does not have."""
        wanted = _document(meta)
        code, period = wanted["stockCode"], wanted["period"]
        if period not in _PERIODS or _feed().tape.instrument(code) is None:
            return -1
        if period == "tick":
            return self._pushes.add(TickSubscription([code], callback))
        return self._pushes.add(BarSubscription(code, period, callback))

    def subscribe_whole_quote(self, codes: Sequence[str], param: bytes, callback: Callback | None) -> int:
        """Pushes of codes or whole markets; its number."""
        return self._pushes.add(WholeSubscription(_codes(_feed(), codes), callback))

    def unsubscribe_quote(self, number: int) -> None:
        """End a subscription; an unknown number is none."""
        self._pushes.remove(number)

    def get_all_subscribe_quote(self) -> list[int]:
        """Numbers of the subscriptions in force."""
        return self._pushes.numbers()

    # -- instruments and sectors -----------------------------------------------------------------------

    def get_instrument_detail(self, code: str) -> bytes:
        """One BSON document; an empty one for an unknown code."""
        feed = _feed()
        instrument = feed.tape.instrument(code)
        return _UNKNOWN_INSTRUMENT if instrument is None else _bson(_detail(feed, instrument))

    def get_stock_type(self, code: str) -> dict[str, bool]:
        """Whether a code is of each type; empty for an unknown one."""
        instrument = _feed().tape.instrument(code)
        return {name: bool(holds(instrument)) for name, holds in TYPES.items()} if instrument else {}

    def is_stock_type(self, code: str, tag: int) -> bool:
        """Whether a code is of a type of xtstocktype."""
        instrument = _feed().tape.instrument(code)
        return instrument is not None and tag in TAGS and TAGS[tag](instrument)

    def get_sector_list(self) -> list[str]:
        """Sectors with a member, then the user's own."""
        held = list(_instruments(_feed()))
        return [name for name, holds in SECTORS.items() if any(map(holds, held))] + list(self._sectors)

    def get_stock_list_in_sector(self, name: str, timetag: int) -> list[str]:
        """Members of a sector, today's whatever the time; none of an unknown one."""
        if name in self._sectors:
            return list(self._sectors[name])
        holds = SECTORS.get(name)
        return [instrument.code for instrument in _instruments(_feed()) if holds(instrument)] if holds else []

    def add_sector(self, name: str, codes: Sequence[str], timetag: int) -> None:
        """Add codes to a sector of the user's own."""
        held = self._sectors.setdefault(name, [])
        held += [code for code in dict.fromkeys(codes) if code not in held]

    # -- the calendar ----------------------------------------------------------------------------------

    def get_trading_dates_by_market(self, market: str, start: str, end: str, count: int) -> list[int]:
        """Midnights (epoch ms) of the last ``count`` trading days in [start, end], until today; -1: all of them."""
        if market not in _MARKETS:
            return []
        feed = _feed()
        first, last = _moment(start), _moment(end, end=True)
        stamps = [_stamp(day) for day in feed.trading_days(_FIRST_DAY, feed.day)]
        found = [at for at in stamps if (first is None or first <= at) and (last is None or at <= last)]
        return found if count < 0 else found[-count:] if count else []

    def get_market_last_trade_date(self, market: str) -> int:
        """Midnight (epoch ms) of the trading day; 0 for a market it does not have."""
        return _stamp(_feed().day) if market in _MARKETS else 0

    def get_holidays(self) -> list[int]:
        """Weekdays (20261001) on which the exchanges were or will be closed, as far as published."""
        from qmtcli.rules import calendar

        known = calendar.current()
        trading = set(known.trading_days(_FIRST_DAY, known.last))
        days = (_FIRST_DAY + timedelta(days=n) for n in range((known.last - _FIRST_DAY).days + 1))
        return [_number(day) for day in days if day.weekday() < 5 and day not in trading]

    # -- history ---------------------------------------------------------------------------------------

    def get_market_data3(
        self,
        fields: Sequence[str],
        codes: Sequence[str],
        period: str,
        start: str | int,
        end: str | int,
        count: int,
        dividend_type: str,
        fill: bool,
        version: str,
        from_local: bool,
        from_server: bool,
        debug: int,
        data_dir: str,
    ) -> Any:
        """Bars or ticks of codes, in the shape of a version: v4 by column, v3 by code, v2 on one axis.

        Raises RuntimeError for a malformed code and for a period or a version it does not serve. No instrument of
        a tape has ex-days, so every dividend type is the plain price.
        """
        for code in codes:
            if "." not in code:
                raise RuntimeError(f"代码错误，代码:{code}")
        if version not in ("v2", "v3", "v4") or period not in _PERIODS:
            raise RuntimeError(WORDS)
        feed = _feed()
        first, last = _moment(start), _moment(end, end=True)
        if period == "tick":
            rows = {code: _ticks(feed, code, first, last, count) for code in codes}
            return {code: table_of(found, TICK_COLUMNS, fields) for code, found in rows.items()}
        rows = {code: _bars(feed, code, period, first, last, count) for code in codes}
        daily = period in history.DAYS
        if version == "v4":
            return [
                (code, [index_label(row["time"], daily) for row in found], columns_of(found, fields))
                for code, found in rows.items()
            ]
        if version == "v3":
            return {code: table_of(found, BAR_COLUMNS, fields) for code, found in rows.items()}
        stamps, matrix = matrix_of(list(rows.values()), fields, fill)
        return [list(rows), [index_label(stamp, daily) for stamp in stamps]], matrix

    def supply_history_data(self, code: str, period: str, start: str, end: str) -> bool:
        """True: all there is, is there."""
        return True

    def supply_history_data2(
        self, codes: Sequence[str], period: str, start: str, end: str, param: bytes, callback: Callable[..., Any]
    ) -> bool:
        """True, after the progress of each code; without codes once, or xtdata waits for ever."""
        total = len(codes)
        for finished, code in enumerate(codes, 1):
            callback({"finished": finished, "total": total, "stockcode": code, "message": ""})
        if not total:
            callback({"finished": 0, "total": 0, "stockcode": "", "message": ""})
        return True

    def supply_finance_data(self, codes: Sequence[str], tables: Sequence[str], callback: Callable[..., Any]) -> bool:
        """As `supply_history_data2`."""
        return self.supply_history_data2(codes, "", "", "", b"", callback)

    def supply_finance_data_with_region(
        self, codes: Sequence[str], tables: Sequence[str], start: str, end: str, callback: Callable[..., Any]
    ) -> bool:
        """As `supply_history_data2`."""
        return self.supply_history_data2(codes, "", start, end, b"", callback)

    # -- common control --------------------------------------------------------------------------------

    def commonControl(self, command: str, param: bytes) -> bytes:
        """One of `_COMMANDS`, BSON to BSON. Raises RuntimeError for any other."""
        answer = _COMMANDS.get(command)
        if answer is None:
            raise RuntimeError(WORDS)
        return _bson(answer(self, _document(param)))

    def _full_kline(self, param: dict[str, Any]) -> dict[str, Any]:
        codes, period = param["stocklist"], param["period"]
        axes, matrix = self.get_market_data3(
            param["fields"], codes, period, param["starttime"], param["endtime"], param["count"],
            param["dividendtype"], param["fillData"], "v2", True, True, 0, "",
        )  # fmt: skip
        return {
            "stock": axes[0],
            "stime": axes[1],
            "result": {name: column.tolist() for name, column in matrix.items()},
        }

    def _create_sector(self, param: dict[str, Any]) -> dict[str, Any]:
        name = param["sectorname"]
        if not param["overwrite"]:
            taken = {*SECTORS, *self._sectors}
            candidates = (name, *(f"{name}{n}" for n in range(1, len(taken) + 2)))
            name = next(candidate for candidate in candidates if candidate not in taken)
        self._sectors.setdefault(name, [])
        return {"result": name}

    def _add_to_sector(self, param: dict[str, Any]) -> dict[str, Any]:
        self.add_sector(param["sectorname"], param["stocklist"], -1)
        return {"result": True}

    def _remove_from_sector(self, param: dict[str, Any]) -> dict[str, Any]:
        held = self._sectors.get(param["sectorname"])
        if held is not None:
            held[:] = [code for code in held if code not in param["stocklist"]]
        return {"result": held is not None}

    def _remove_sector(self, param: dict[str, Any]) -> dict[str, Any]:
        return {"result": self._sectors.pop(param["sectorname"], None) is not None}

    def _reset_sector(self, param: dict[str, Any]) -> dict[str, Any]:
        self._sectors[param["sectorname"]] = list(dict.fromkeys(param["stocklist"]))
        return {"result": True}


#: what `commonControl` serves
_COMMANDS: dict[str, Callable[[IPythonApiClient, dict[str, Any]], dict[str, Any]]] = {
    "getapiversion": lambda client, param: {"downloadversion": "1"},
    "getperiodlist": lambda client, param: {"result": [{"name": period, "desc": ""} for period in _PERIODS]},
    "getauthorizedmarketlist": lambda client, param: {"result": list(_MARKETS)},
    "getfullkline": IPythonApiClient._full_kline,
    "createsector": IPythonApiClient._create_sector,
    "createsectorfolder": lambda client, param: {"result": param["foldername"]},
    "addsector": IPythonApiClient._add_to_sector,
    "removestockfromsector": IPythonApiClient._remove_from_sector,
    "removesector": IPythonApiClient._remove_sector,
    "resetsector": IPythonApiClient._reset_sector,
    "getdatafilepath": lambda client, param: {"result": {}},
    "getquoteserverconfig": lambda client, param: {"result": []},
    "getquoteserverstatus": lambda client, param: {"result": []},
    "downloadmetadata": lambda client, param: {},
    "downloadholidaydata": lambda client, param: {},
    "downloadhisstdata": lambda client, param: {},
}

#: methods that a service without such data answers with nothing
_NOTHING: dict[str, Callable[[], Any]] = {
    "down_all_sector_data": lambda: None,
    "down_cb_data": lambda: None,
    "down_history_contracts": lambda: None,
    "down_index_weight": lambda: None,
    "get_cb_info": lambda: _bson({}),
    "get_divid_factors": dict,
    "get_etf_info": dict,
    "get_financial_data": dict,
    "get_industry": list,
    "get_ipo_info": list,
    "get_main_contract": str,
    "get_weight_in_index": dict,
    "read_local_data": list,
    "registerCommonControlCallback": lambda: True,
    "register_external_resp_callback": lambda: True,
    "stop_supply_history_data2": lambda: True,
}

#: functions of the module, which configure a data centre that a paper market does not have
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "fetch_auth_markets": lambda: {"done": 1, "markets": list(_MARKETS)},
    "fetch_init_result": lambda keys: {key: _bson({"done": 1, "errorcode": 0, "resultcode": 0}) for key in keys},
    "fetch_server_list_status": lambda: _bson({}),
    "get_local_server_port": lambda: 0,
    "get_status": lambda: {"init_done": 1},
    "listen": lambda address, first, last: (address, first),
    "register_create_nparray": lambda make: True,
    "rpc_init": lambda folder: 0,
}


# -- what the answers are made of --------------------------------------------------------------------------


def _instruments(feed: Feed) -> Iterable[Instrument]:
    found = (feed.tape.instrument(code) for code in feed.tape.codes())
    return (instrument for instrument in found if instrument is not None)


def _codes(feed: Feed, asked: Sequence[str]) -> list[str]:
    """Codes, with every market among them spelled out."""
    found: list[str] = []
    for code in asked:
        found += [held for held in feed.tape.codes() if held.endswith(f".{code}")] if code in _MARKETS else [code]
    return list(dict.fromkeys(found))


def _snapshot(feed: Feed, code: str) -> tuple[int, Tick] | None:
    """The snapshot on display; before the first of a day that has some, one without prices, as of now."""
    shown = feed.tick(code)
    if shown is None and feed.tape.tick(code, feed.tape_day, DAY_MS) is not None:
        preclose = feed.tape.preclose(code, feed.tape_day)
        return feed.now_ms(), Tick(0, 0, 0, 0, 0, preclose, 0, 0, 0, 0, (), ())
    return shown


def _detail(feed: Feed, instrument: Instrument) -> dict[str, Any]:
    from qmtcli.paper.terms import terms_of
    from qmtcli.rules.lots import lot_rule

    code, exchange = instrument.code.split(".")
    preclose = feed.tape.preclose(instrument.code, feed.tape_day)
    terms = terms_of(instrument, preclose, feed.day, ())
    shown = feed.tick(instrument.code)
    suspended = shown is not None and shown[1].phase == _SUSPENDED
    rule = None if instrument.kind is Kind.INDEX else lot_rule(instrument, feed.day)
    return {
        "ExchangeID": exchange,
        "InstrumentID": code,
        "InstrumentName": instrument.name,
        "ProductID": "",
        "ProductName": "",
        "ProductType": "",
        "ExchangeCode": code,
        "UniCode": code,
        "CreateDate": 0,
        "OpenDate": _number(instrument.listed) if instrument.listed else 0,
        "ExpireDate": _NEVER,
        "TradingDay": _number(feed.day),
        "PreClose": preclose / 1000,
        "SettlementPrice": preclose / 1000,
        "UpStopPrice": terms.up / 1000,
        "DownStopPrice": terms.down / 1000,
        "FloatVolume": 0.0,
        "TotalVolume": 0.0,
        "LongMarginRatio": 0.0,
        "ShortMarginRatio": 0.0,
        "PriceTick": terms.tick / 1000,
        "VolumeMultiple": 1,
        "MainContract": 0,
        "LastVolume": 0,
        "InstrumentStatus": int(suspended),
        "IsTrading": shown is not None and not suspended and rule is not None,
        "IsRecent": False,
        "MaxLimitOrderVolume": rule.limit_cap if rule else 0,
        "MinLimitOrderVolume": rule.min_buy if rule else 0,
        "MaxMarketOrderVolume": rule.market_cap or 0 if rule else 0,
        "MinMarketOrderVolume": rule.min_buy if rule and rule.market_cap else 0,
        "ExtendInfo": {
            "OptionType": -1,
            "ProductTradeQuota": 0,
            "ContractTradeQuota": 0,
            "ProductOpenInterestQuota": 0,
            "ContractOpenInterestQuota": 0,
        },
    }


def _bars(feed: Feed, code: str, period: str, start: int | None, end: int | None, count: int) -> list[dict[str, Any]]:
    instrument = feed.tape.instrument(code)
    if instrument is None:
        return []
    lot = lot_of(instrument)
    return [bar_row(stamp, bar, lot) for stamp, bar in history.bars(feed, code, period, start, end, count)]


def _ticks(feed: Feed, code: str, start: int | None, end: int | None, count: int) -> list[dict[str, Any]]:
    instrument = feed.tape.instrument(code)
    if instrument is None:
        return []
    lot, before = lot_of(instrument), 0
    rows: list[dict[str, Any]] = []
    for stamp, tick in history.ticks(feed, code, start, end, count):
        row = tick_row(stamp, tick, lot)
        row["tickvol"] = row["volume"] - before if rows and row["volume"] >= before else 0
        before = row["volume"]
        rows.append(row)
    return rows


# -- the contract ------------------------------------------------------------------------------------------


def _texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, (str, bytes)) for item in value)


#: type in the contract -> whether a value is taken for it
_TAKES: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, (str, bytes)),
    "int": lambda value: hasattr(value, "__index__"),
    "bool": lambda value: isinstance(value, bool),
    "list[str]": _texts,
    "int|str": lambda value: isinstance(value, (str, bytes)) or hasattr(value, "__index__"),
    "object": lambda value: True,
    "Callable": callable,
}


def _typed(name: str, function: Callable[..., Any], kinds: Sequence[str], skip: int) -> Callable[..., Any]:
    """``function`` behind a native signature: TypeError for arguments that the real one does not take."""

    @wraps(function)
    def native(*arguments: Any) -> Any:
        given = arguments[skip:]
        if len(given) != len(kinds) or not all(_TAKES[kind](value) for kind, value in zip(kinds, given, strict=True)):
            raise TypeError(f"{name}(): incompatible function arguments.")
        return function(*arguments)

    return native


def _refuse(self: IPythonApiClient, *_: object) -> Any:
    raise RuntimeError(WORDS)


def _answering(make: Callable[[], Any]) -> Callable[..., Any]:
    return lambda self, *_: make()


for _name, _kinds in MARKET_METHODS.items():
    _method = vars(IPythonApiClient).get(_name) or (_answering(_NOTHING[_name]) if _name in _NOTHING else _refuse)
    setattr(IPythonApiClient, _name, _typed(_name, _method, _kinds, 1))

for _name, _kinds in MARKET_FUNCTIONS.items():
    globals()[_name] = _typed(_name, _FUNCTIONS.get(_name, lambda *_: None), _kinds, 0)
