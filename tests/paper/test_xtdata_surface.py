"""Every public function of the vendor's xtdata, found by introspection: what it answers, and that it does.

Each either answers from the market at hand, or has nothing in the right shape, or is refused in the vendor's words.
Some fail in the vendor's own code whatever serves them; those are named with how they do.
"""

from __future__ import annotations

import builtins
import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from worlds import World

pytest_plugins = ["worlds"]

SH, BOND, PAYS = "600000.SH", "113052.SH", "920185.BJ"
#: 2026-11-23 00:00 in Shanghai, epoch ms
MIDNIGHT = 1_795_363_200_000
#: far above what any of them takes
BOUND_SECONDS = 20.0

Check = Callable[[Any], object]


def is_(expected: object) -> Check:
    return lambda found: found == expected and type(found) is type(expected)


def nothing(kind: type) -> Check:
    """An empty one of a type."""
    return lambda found: type(found) is kind and len(found) == 0


def all_of(kind: type, least: int = 1) -> Check:
    """A list of so many of a type."""
    return lambda found: type(found) is list and len(found) >= least and all(type(one) is kind for one in found)


def frames(columns: tuple[str, ...], rows: int) -> Check:
    """``{code: DataFrame}`` of the one code, with columns and at least so many rows."""
    return lambda found: list(found) == [SH] and {*columns} <= {*found[SH].columns} and len(found[SH]) >= rows


def arrays(found: Any) -> bool:
    return list(found) == [SH] and {"time", "close"} <= {*found[SH].dtype.names} and len(found[SH]) > 100


def by_field(found: Any) -> bool:
    return {"time", "open", "close", "volume", "preClose"} <= {*found} and list(found["close"].index) == [SH]


def tables_without_rows(found: Any) -> bool:
    return list(found) == [SH] and len(found[SH]) == 8 and all(len(table) == 0 for table in found[SH].values())


def days(found: Any) -> bool:
    return all_of(str, 200)(found) and found == sorted(found) and all(len(day) == 8 for day in found)


def hours(found: Any) -> bool:
    return {*found} == {"market", "codeRegex", "product", "category", "tradings"} and len(found["tradings"]) > 2


def detail(found: Any) -> bool:
    numbers = ("PreClose", "UpStopPrice", "DownStopPrice", "PriceTick", "FloatVolume", "TotalVolume")
    return all(type(found[name]) is float for name in numbers) and found["OpenDate"] == "19991110"


def client(found: Any) -> bool:
    return type(found).__module__ == "xtquant.datacenter" and bool(found.is_connected())


def subscribed(found: Any) -> bool:
    return type(found) is int and found > 0


class Raises:
    """The function fails, with these words."""

    def __init__(self, kind: type[Exception] | tuple[type[Exception], ...], words: str) -> None:
        self.kind, self.words = kind, words


REFUSED = Raises(RuntimeError, "当前客户端未支持此功能")
#: needs a package that is not there, or a terminal's files, before it asks anybody
NEEDS_ARROW = Raises((ImportError, FileNotFoundError), "")
NONE = is_(None)


def hears(data: dict[str, Any]) -> None:
    """A callback."""


#: function: arguments, and what comes of them
SURFACE: dict[str, tuple[tuple[Any, ...], Check | Raises]] = {
    # the link
    "connect": ((), client),
    "disconnect": ((), NONE),
    "get_client": ((), client),
    "get_data_dir": ((), lambda found: type(found) is str and not Path(found).exists()),
    "hello": ((), NONE),
    "reconnect": ((), client),
    "run": ((), Raises(Exception, "行情服务连接断开")),
    "watch_quote_server_status": ((hears,), NONE),
    "watch_xtquant_status": ((None,), NONE),
    # history
    "get_market_data": (([], [SH]), by_field),
    "gmd": (([], [SH]), by_field),
    "get_market_data_ex": (([], [SH]), frames(("time", "close", "suspendFlag"), 600)),
    "gmd2": (([], [SH], "5m", "20261120", "20261120"), frames(("time", "close"), 48)),
    "get_market_data3": (([], [SH]), frames(("time", "close"), 600)),
    "gmd3": (([], [SH]), frames(("time", "close"), 600)),
    "get_local_data": (([], [SH]), frames(("time", "close"), 600)),
    "gld": (([], [SH], "tick", "20261123095900"), frames(("time", "lastPrice", "askPrice", "openInt"), 21)),
    "get_market_data_ori": (([], [SH]), lambda found: found[0][0] == [SH] and found[1]["close"].shape[0] == 1),
    "get_market_data_ex_ori": (([], [SH]), arrays),
    "get_full_kline": (([], [SH]), by_field),
    "get_full_tick": (([SH],), lambda found: found[SH]["lastPrice"] == 9.03 and len(found[SH]["askPrice"]) == 5),
    "get_divid_factors": ((PAYS,), lambda found: list(found.columns[[0, 1, -1]]) == ["time", "interest", "dr"]),
    # calls the native line with two arguments, which no version of it takes
    "getDividFactors": ((PAYS, "20260101"), NONE),
    "get_period_list": ((), lambda found: {"1d", "tick", "1mon"} <= {row["name"] for row in found}),
    "get_field_list": ((3001,), lambda found: found["3"] == "收盘价"),
    # downloads
    "download_cb_data": ((), NONE),
    "download_etf_info": ((), NONE),
    "download_financial_data": (([SH],), NONE),
    "download_financial_data2": (([SH],), NONE),
    "download_his_st_data": ((), nothing(dict)),
    "download_history_contracts": ((), NONE),
    "download_history_data": ((SH, "1d"), nothing(dict)),
    "supply_history_data": ((SH, "tick", "20261120", "", True), nothing(dict)),
    "download_history_data2": (([SH], "1d", "20260101", "", hears, False), nothing(dict)),
    "download_holiday_data": ((), nothing(dict)),
    "download_index_weight": ((), NONE),
    "download_sector_data": ((), NONE),
    # subscriptions
    "subscribe_quote": ((SH, "tick", "", "", 0, hears), subscribed),
    "subscribe_quote2": ((SH, "1m", "", "", 0, "front", hears), subscribed),
    "subscribe_whole_quote": ((["SH", "000001.SZ"], hears), subscribed),
    "unsubscribe_quote": ((1,), NONE),
    "subscribe_l2thousand": ((SH, 10, hears), is_(-1)),
    "subscribe_l2thousand_queue": ((SH, hears, 2), is_(-1)),
    "get_current_connect_sub_info": ((), nothing(list)),
    "get_all_sub_info": ((), nothing(list)),
    # level 2: none
    "get_l2_quote": (([], SH), lambda found: len(found) == 0 and "askVol" in found.dtype.names),
    "get_l2_order": (([], SH), lambda found: len(found) == 0 and "entrustNo" in found.dtype.names),
    "get_l2_transaction": (([], SH), lambda found: len(found) == 0 and "tradeFlag" in found.dtype.names),
    "get_l2thousand_queue": ((SH,), nothing(dict)),
    "get_transactioncount": (([SH],), nothing(dict)),
    "get_fullspeed_orderbook": (([SH],), nothing(dict)),
    "get_order_rank": ((SH, "20261123100000", "buy", 9.0, 100, 100), REFUSED),
    # the calendar
    "get_trading_dates": (("SH", "", "", 3), is_([MIDNIGHT - n * 86_400_000 for n in (4, 3, 0)])),
    "get_trading_calendar": (("SH", "20260101", "20261231"), lambda found: days(found) and len(found) == 242),
    "compute_coming_trading_calendar": (("SH",), lambda found: all_of(str, 28)(found) and found[-1] == "20261231"),
    "get_holidays": ((), days),
    "get_market_last_trade_date": (("SH",), is_(MIDNIGHT)),
    "get_trading_period": ((SH,), hours),
    "get_kline_trading_period": ((SH,), hours),
    "get_all_trading_periods": ((), all_of(dict, 3)),
    "get_all_kline_trading_periods": ((), all_of(dict, 3)),
    # instruments
    "get_instrument_detail": ((SH,), detail),
    "get_instrument_detail_list": (
        ([SH, "600001.SH"], True),
        lambda found: detail(found[SH]) and None in found.values(),
    ),
    "get_instrument_type": ((SH,), is_({"stock": True})),
    "get_stock_type": (("510300.SH",), is_({"fund": True, "etf": True})),
    "is_stock_type": ((SH, 100003), is_(True)),
    "get_ipo_info": ((), nothing(list)),
    "get_etf_info": ((), nothing(dict)),
    "get_cb_info": ((BOND,), nothing(dict)),
    "get_his_st_data": ((SH,), nothing(dict)),
    "get_index_weight": (("000300.SH",), nothing(dict)),
    "get_financial_data": (([SH],), tables_without_rows),
    "get_financial_data_ori": (([SH],), tables_without_rows),
    "get_markets": ((), lambda found: found["SH"] == "上交所"),
    "get_authorized_market_list": ((), is_(["SH", "SZ", "BJ"])),
    "get_wp_market_list": ((), is_({"result": []})),
    # sectors
    "get_sector_list": ((), all_of(str, 20)),
    "get_stock_list_in_sector": (("创业板",), is_(["300750.SZ"])),
    "gsl": (("科创板", "20260101"), is_(["688981.SH"])),
    "get_sector_info": (("",), NEEDS_ARROW),
    "create_sector": (("", "自选"), is_("自选")),
    "create_sector_folder": (("", "夹"), is_("夹")),
    "add_sector": (("自选", [SH]), is_(True)),
    "remove_stock_from_sector": (("自选", [SH]), is_(False)),
    "reset_sector": (("自选", [SH]), is_(True)),
    "remove_sector": (("自选",), is_(False)),
    # futures, options, Hong Kong: markets that are not here
    "get_main_contract": (("IF00.IF",), is_(".IF")),
    "get_sec_main_contract": (("IF00.IF",), is_(".IF")),
    "get_trading_contract_list": (("IF00.IF", "20261123"), nothing(list)),
    "get_option_detail_data": (("10000001.SHO",), NONE),
    "get_option_list": (("510300.SH", "20261123"), nothing(list)),
    "get_option_undl_data": (("510300.SH",), nothing(list)),
    "get_his_option_list": (("510300.SH", "20261123"), NONE),
    "get_his_option_list_batch": (("510300.SH",), nothing(dict)),
    "get_hk_broker_dict": ((), nothing(dict)),
    "get_broker_queue_data": ((["00700.HK"],), REFUSED),
    # servers and tables that a paper market does not have
    "get_quote_server_config": ((), nothing(list)),
    "get_quote_server_status": ((), nothing(dict)),
    "show_quote_server_status": ((), nothing(dict)),
    "fetch_quote_server_from_config": (("nowhere", []), REFUSED),
    "QuoteServer": (({"ip": "127.0.0.1", "port": 1},), lambda found: found.info["port"] == 1),
    "get_tabular_data": (([], [SH]), REFUSED),
    "get_tabular_formula": (([SH], ["MA.a"], "1d", "", ""), REFUSED),
    "get_tabular_bson": (([SH], ["a.b"], "1d", "", ""), REFUSED),
    "download_tabular_data": (([SH], "1d"), REFUSED),
    "download_metatable_data": ((), REFUSED),
    "get_metatable_list": ((), REFUSED),
    "get_metatable_config": (("a",), REFUSED),
    "get_metatable_info": (("a",), REFUSED),
    "get_metatable_fields": (("a",), REFUSED),
    "bnd_get_conversion_price": ((BOND,), REFUSED),
    "bnd_get_call_info": ((BOND,), REFUSED),
    "bnd_get_put_info": ((BOND,), REFUSED),
    "bnd_get_amount_change": ((BOND,), REFUSED),
    "reset_market_trading_day_list": (("SH", []), REFUSED),
    "reset_market_stock_list": (("SH", []), REFUSED),
    # asks for a name that its module does not have
    "push_custom_data": (({}, []), Raises(NameError, "period")),
    # formulas run in a terminal
    "call_formula": (("MA", SH, "1d"), REFUSED),
    "subscribe_formula": (("MA", SH, "1d"), REFUSED),
    "unsubscribe_formula": (("1",), REFUSED),
    "bind_formula": (("1",), REFUSED),
    "get_formula_result": (("1",), REFUSED),
    "create_formula": (("MA", ""), REFUSED),
    "import_formula": (("MA", "nowhere"), REFUSED),
    "del_formula": (("MA",), REFUSED),
    "get_formulas": ((), REFUSED),
    "gen_factor_index": (("a", "MA", [], []), REFUSED),
    "generate_index_data": (("MA",), REFUSED),
    # the vendor's tools, which ask nobody
    "datetime_to_timetag": (("20261123",), is_(float(MIDNIGHT))),
    "timetag_to_datetime": ((MIDNIGHT, "%Y%m%d"), is_("20261123")),
    "timetagToDateTime": ((MIDNIGHT, "%Y%m%d"), is_("20261123")),
    "t2d": ((MIDNIGHT, "%Y%m%d"), is_("20261123")),
    "try_except": ((len,), callable),
    "create_array": (((1,), [], None, 1), Raises(ValueError, "PyCapsule")),
    "subscribe_callback_wrapper": ((hears,), callable),
    "subscribe_callback_wrapper_1820": ((hears,), callable),
    "subscribe_callback_wrapper_convert": ((hears, 3001), callable),
    "read_feather": (("nowhere",), NEEDS_ARROW),
    "write_feather": (("nowhere", {}, None), Raises((ImportError, AttributeError, TypeError), "")),
}


def _public(xtdata: Any) -> set[str]:
    return {
        name
        for name, value in vars(xtdata).items()
        if not name.startswith("_")
        and callable(value)
        and not hasattr(builtins, name)
        and str(getattr(value, "__module__", "")).startswith("xtquant")
    }


def test_no_public_function_is_forgotten(xtdata: Any) -> None:
    public = _public(xtdata)
    assert public == {*SURFACE}
    # and none of those it names itself, but for what it forgot to define
    assert {*xtdata.__all__} <= public


def _within_bound(call: Callable[[], Any]) -> Any:
    """What a call answers or raises, which it does in time."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(BOUND_SECONDS)
    assert found, "it hangs"
    return found[0]


@pytest.mark.parametrize("name", sorted(SURFACE))
def test_it_answers_or_says_why_not(xtdata: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, expected = SURFACE[name]
    if name == "run":  # it looks after three seconds whether the link is there
        monkeypatch.setattr(xtdata._TIME_, "sleep", lambda seconds: xtdata.get_client().shutdown())
    found = _within_bound(lambda: getattr(xtdata, name)(*arguments))
    if isinstance(expected, Raises):
        assert isinstance(found, expected.kind)
        assert expected.words in str(found)
    else:
        assert not isinstance(found, Exception), found
        assert expected(found), found


def test_what_the_document_names_is_there(xtdata: Any) -> None:
    """But for the one function that it says was removed and documents still."""
    text = Path(inspect.getfile(xtdata)).with_name("doc").joinpath("xtdata.md").read_text(encoding="utf-8")
    named = {
        line.partition("(")[0]
        for line in text.splitlines()
        if line[:1].isalpha() and line.isascii() and "(" in line and line.partition("(")[0].isidentifier()
    }
    assert len(named) > 40
    assert named - {*SURFACE} == {"get_trading_time"}


def test_a_folder_of_tapes_answers_as_much(xtdata: Any, world: World, tmp_path: Path) -> None:
    """Of what it holds, and nothing in the right shape of the rest."""
    folder = tmp_path / "tapes"
    folder.mkdir()
    bars = [f"2026-11-{day},9,9.1,8.9,9.05,100" for day in (18, 19, 20)]
    (folder / f"{SH}_1d.csv").write_text("\n".join(["date,open,high,low,close,volume", *bars]))
    world.begin(market=str(folder))
    for name, (arguments, expected) in SURFACE.items():
        if not isinstance(expected, Raises):
            found = _within_bound(lambda: getattr(xtdata, name)(*arguments))  # noqa: B023 - called before it changes
            assert not isinstance(found, Exception), (name, found)
    assert list(xtdata.get_market_data_ex([], [SH])[SH].index) == ["20261118", "20261119", "20261120"]
