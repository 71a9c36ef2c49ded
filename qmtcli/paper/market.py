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
from qmtcli.paper import history, hours
from qmtcli.paper.clock import DAY_MS, day_of, midnight
from qmtcli.paper.exchange import current
from qmtcli.paper.feed import Feed, date_of, number_of
from qmtcli.paper.native_tables import MARKET_FUNCTIONS, MARKET_METHODS
from qmtcli.paper.pushes import BarSubscription, Callback, Pushes, TickSubscription, WholeSubscription
from qmtcli.paper.sectors import SECTORS, TAGS, TYPES, OwnSectors
from qmtcli.paper.settings import Settings
from qmtcli.paper.shapes import (
    BAR_COLUMNS,
    LEVEL2,
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
from qmtcli.rules.phases import Phase

#: the vendor's words for what a terminal does not serve
WORDS = "当前客户端未支持此功能"

_MARKETS = ("SH", "SZ", "BJ")
_PERIODS = ("tick", *history.MINUTES, *history.DAYS)
_UNKNOWN_INSTRUMENT = b"\x05\0\0\0\0"
_SUSPENDED = 17
_FIRST_DAY = date(1990, 12, 19)
#: the end of time in the vendor's calendar functions
_LAST_DAY = date(2038, 12, 31)
_NEVER = 99_999_999
#: number of bars and of ticks among the vendor's kinds of data, and the length of a bar in ms
_BARS, _TICKS = 3001, 3000
_DAY_MS = {period: days * DAY_MS for period, (_, days) in history.DAYS.items()}
_LENGTHS = {"tick": 0, **{period: length * 60_000 for period, length in history.MINUTES.items()}, **_DAY_MS}


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


def _dividend_type(kind: str | None) -> str:
    """What the vendor's functions were given for it. Raises RuntimeError for what is none."""
    if kind and kind not in history.DIVIDEND_TYPES:
        raise RuntimeError(f"除权类型错误: {kind}")
    return kind or "none"


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
        dividend_type = _dividend_type(wanted.get("dividendtype"))
        return self._pushes.add(BarSubscription(code, period, dividend_type, callback))

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
        return [name for name, holds in SECTORS.items() if any(map(holds, held))] + _own_sectors().names()

    def get_stock_list_in_sector(self, name: str, timetag: int) -> list[str]:
        """Members of a sector; of those of a day in the past (epoch ms) what was listed by then; none if unknown."""
        holds = SECTORS.get(name)
        if holds is None:
            return _own_sectors().members(name)
        on = date_of(day_of(timetag)) if timetag > 0 else date.max
        return [of.code for of in _instruments(_feed()) if holds(of) and (of.listed or date.min) <= on]

    def add_sector(self, name: str, codes: Sequence[str], timetag: int) -> None:
        """Add codes to a sector of the user's own."""
        if name not in SECTORS:
            _own_sectors().add(name, codes)

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

        Bars adjusted for ex-days as `qmtcli.paper.adjust` has it; ticks never are. Raises RuntimeError for a
        malformed code or dividend type, and for a period or a version it does not serve.
        """
        for code in codes:
            if "." not in code:
                raise RuntimeError(f"代码错误，代码:{code}")
        dividend_type = _dividend_type(dividend_type)
        if period in LEVEL2:
            return {code: table_of([], LEVEL2[period], fields) for code in codes}
        if version not in ("v2", "v3", "v4") or period not in _PERIODS:
            raise RuntimeError(WORDS)
        feed = _feed()
        first, last = _moment(start), _moment(end, end=True)
        if period == "tick":
            rows = {code: _ticks(feed, code, first, last, count) for code in codes}
            return {code: table_of(found, TICK_COLUMNS, fields) for code, found in rows.items()}
        rows = {code: _bars(feed, code, period, first, last, count, dividend_type) for code in codes}
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

    def get_divid_factors(self, code: str, start: str, end: str) -> dict[str, dict[str, float]]:
        """What each ex-day in [start, end] until today gave a share, by its date (``20260709``).

        Bonus and transferred shares together are ``stockBonus``.
        """
        from qmtcli.paper.adjust import ratio

        feed = _feed()
        first, last = _moment(start), _moment(end, end=True)
        days = date.min if first is None else date_of(day_of(first)), feed.tape_day
        return {
            f"{day:%Y%m%d}": {
                "time": float(_stamp(day)),
                "interest": float(action.cash),
                "stockBonus": float(action.bonus),
                "stockGift": 0.0,
                "allotNum": float(action.rights),
                "allotPrice": float(action.rights_price),
                "gugai": 0.0,
                "dr": float(ratio(feed.tape, code, day, action)),
            }
            for day, action in feed.tape.actions(code, *days)
            if last is None or _stamp(day) <= last
        }

    def get_financial_data(
        self, codes: Sequence[str], tables: Sequence[str], start: str, end: str, kind: str
    ) -> dict[str, dict[str, list[Any]]]:
        """Tables without rows of each code: a tape tells no figures of companies."""
        return {code: {table: [] for table in tables} for code in codes}

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
        return {"result": _own_sectors().create(param["sectorname"], not param["overwrite"], taken=SECTORS)}

    def _create_sector_folder(self, param: dict[str, Any]) -> dict[str, Any]:
        return {"result": _own_sectors().create(param["foldername"], not param["overwrite"], folder=True)}

    def _trading_days_ahead(self, param: dict[str, Any]) -> dict[str, Any]:
        from qmtcli.rules import calendar

        feed = _feed()
        last = _LAST_DAY if feed.always else calendar.current().last
        return {"result": [_stamp(day) for day in feed.trading_days(feed.day + timedelta(days=1), last)]}

    def _subscriptions(self, **more: Any) -> list[dict[str, Any]]:
        return [
            {
                "subId": number,
                "stockCode": code,
                "period": _LENGTHS[of.period],
                "metaId": _TICKS if of.period == "tick" else _BARS,
                **more,
            }
            for number, of in self._pushes.all()
            for code in of.codes
        ]


def _changed(change: Callable[..., bool | None]) -> Callable[[IPythonApiClient, dict[str, Any]], dict[str, Any]]:
    """A change of a sector of the user's own, and whether it came about: to a terminal's there is none."""

    def answer(client: IPythonApiClient, param: dict[str, Any]) -> dict[str, Any]:
        name = param["sectorname"]
        codes = [param["stocklist"]] if "stocklist" in param else []
        return {"result": name not in SECTORS and change(_own_sectors(), name, *codes) is not False}

    return answer


#: what `commonControl` serves
_COMMANDS: dict[str, Callable[[IPythonApiClient, dict[str, Any]], dict[str, Any]]] = {
    "getapiversion": lambda client, param: {"downloadversion": "1"},
    "getperiodlist": lambda client, param: {"result": [{"name": period, "desc": ""} for period in _PERIODS]},
    "getauthorizedmarketlist": lambda client, param: {"result": list(_MARKETS)},
    "getfullkline": IPythonApiClient._full_kline,
    "createsector": IPythonApiClient._create_sector,
    "createsectorfolder": IPythonApiClient._create_sector_folder,
    "addsector": _changed(OwnSectors.add),
    "removestockfromsector": _changed(OwnSectors.drop),
    "removesector": _changed(OwnSectors.remove),
    "resetsector": _changed(OwnSectors.reset),
    "getcomingtradedate": IPythonApiClient._trading_days_ahead,
    "getopenclosetradetimebystock": lambda client, param: hours.of_one(*_one(param), hours.trading),
    "getopencloseklinetimebystock": lambda client, param: hours.of_one(*_one(param), hours.bars),
    "getopenclosealltradetime": lambda client, param: {"result": hours.of_all(*_all(), hours.trading)},
    "getopencloseallklinetime": lambda client, param: {"result": hours.of_all(*_all(), hours.bars)},
    "getcurrentsubinfo": lambda client, param: {"result": client._subscriptions(isSub=True)},
    "getallsubinfo": lambda client, param: {"result": client._subscriptions(addr=client.get_peer_addr())},
    "getdatafilepath": lambda client, param: {
        "result": {code: str(Path(client.get_data_dir()) / code) for code in param["stocklist"]}
    },
    "getwpmarketlist": lambda client, param: {"result": []},
    "getindexmirrordata": lambda client, param: {},
    "getl2thousandqueue": lambda client, param: {"result": {}},
    "getquoteserverconfig": lambda client, param: {"result": []},
    "getquoteserverstatus": lambda client, param: {"result": []},
    "watchquoteserverstatus": lambda client, param: {},
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
    "get_etf_info": dict,
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


def _all() -> tuple[Feed, Iterable[Instrument]]:
    feed = _feed()
    return feed, _instruments(feed)


def _one(param: dict[str, Any]) -> tuple[Feed, Instrument | None]:
    feed = _feed()
    return feed, feed.tape.instrument(param["stockcode"])


def _own_sectors() -> OwnSectors:
    return OwnSectors(Path(Settings.from_environment().home) / "sectors.sqlite")


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
        return feed.now_ms(), Tick(0, 0, 0, 0, 0, preclose, 0, 0, 0, Phase.PRE_OPEN.open_int, (), ())
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


def _bars(
    feed: Feed, code: str, period: str, start: int | None, end: int | None, count: int, dividend_type: str
) -> list[dict[str, Any]]:
    instrument = feed.tape.instrument(code)
    if instrument is None:
        return []
    lot = lot_of(instrument)
    found = history.bars(feed, code, period, start, end, count, dividend_type)
    return [bar_row(stamp, bar, lot) for stamp, bar in found]


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
