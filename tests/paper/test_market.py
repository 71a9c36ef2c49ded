"""The vendor's own xtdata over the stand-in: every kind of question, on a clock that the test sets."""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qmtcli.paper import market
from qmtcli.paper.native_tables import MARKET_METHODS
from qmtcli.paper.sectors import OwnSectors

if TYPE_CHECKING:
    from worlds import World

pytest_plugins = ["worlds"]

ROOT = Path(__file__).resolve().parents[2]
#: 2026-11-23 00:00 in Shanghai, epoch ms
MIDNIGHT = 1_795_363_200_000
TEN = MIDNIGHT + 36_000_000
#: far above what a push takes; a push that does not come fails the test here
BOUND_SECONDS = 20.0


# -- quotes ------------------------------------------------------------------------------------------------------


def test_get_full_tick_is_the_snapshot_on_display(xtdata: Any) -> None:
    assert xtdata.get_full_tick(["600000.SH", "999999.SH"]) == {
        "600000.SH": {
            "timetag": "20261123 10:00:00",
            "time": TEN,
            "lastPrice": 9.03,
            "open": 9.03,
            "high": 9.05,
            "low": 9.03,
            "lastClose": 9.03,
            "amount": 174025537.0,
            "volume": 192581,
            "pvolume": 19258100,
            "stockStatus": 3,
            "openInt": 13,
            "transactionNum": 24072,
            "lastSettlementPrice": 9.03,
            "settlementPrice": 0.0,
            "pe": 0.0,
            "askPrice": [9.03, 9.04, 9.05, 9.06, 9.07],
            "bidPrice": [9.02, 9.01, 9.0, 8.99, 8.98],
            "askVol": [1012, 1068, 618, 393, 281],
            "bidVol": [900, 731, 1012, 900, 675],
            "volRatio": 0.0,
            "speed1Min": 0.0,
            "speed5Min": 0.0,
        }
    }


def test_get_full_tick_of_markets(xtdata: Any) -> None:
    assert list(xtdata.get_full_tick(["BJ"])) == ["920185.BJ"]
    shown = xtdata.get_full_tick(["SH", "SZ", "600000.SH"])
    assert {code[-2:] for code in shown} == {"SH", "SZ"}
    assert len(shown) == 24
    # indexes and suspended shares have no levels, bonds count in tens
    assert shown["000300.SH"]["askVol"] == shown["601118.SH"]["bidVol"] == [0, 0, 0, 0, 0]
    assert shown["601118.SH"]["lastPrice"] == shown["601118.SH"]["lastClose"] == 5.2
    assert shown["113052.SH"]["pvolume"] == shown["113052.SH"]["volume"] * 10


def test_before_the_first_snapshot_the_last_price_is_the_close_before(xtdata: Any, world: World) -> None:
    world.clock("2026-11-23T09:14:59")
    shown = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
    assert (shown["lastPrice"], shown["lastClose"], shown["volume"], shown["timetag"]) == (
        9.03,
        9.03,
        0,
        "20261123 09:14:59",
    )
    assert (shown["stockStatus"], shown["openInt"]) == (0, 11)


def test_a_call_auction_shows_what_would_match_and_what_would_be_left(xtdata: Any, world: World) -> None:
    def shown(at: str) -> dict[str, Any]:
        world.clock(f"2026-11-23T{at}")
        found: dict[str, Any] = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
        return {name: found[name] for name in ("lastPrice", "volume", "openInt", "stockStatus", "askPrice", "bidPrice",
                                               "askVol", "bidVol")}  # fmt: skip

    assert shown("09:24:59") == {
        "lastPrice": 9.03, "volume": 0, "openInt": 12, "stockStatus": 2,
        "askPrice": [9.02, 0, 0, 0, 0], "bidPrice": [9.02, 0, 0, 0, 0],
        "askVol": [18984, 450, 0, 0, 0], "bidVol": [18984, 0, 0, 0, 0],
    }  # fmt: skip
    print_ = shown("09:25:00")
    assert (print_["lastPrice"], print_["volume"], print_["openInt"]) == (9.03, 19080, 13)
    assert shown("14:59:59") == {
        "lastPrice": 9.03, "volume": 934920, "openInt": 18, "stockStatus": 8,
        "askPrice": [9.05, 0, 0, 0, 0], "bidPrice": [9.05, 0, 0, 0, 0],
        "askVol": [18762, 281, 0, 0, 0], "bidVol": [18762, 0, 0, 0, 0],
    }  # fmt: skip
    close = shown("15:00:00")
    assert (close["lastPrice"], close["volume"], close["openInt"], close["stockStatus"]) == (9.03, 954000, 15, 0)


def test_after_hours_the_volume_grows_at_the_close(xtdata: Any, world: World) -> None:
    found = []
    for at in ("15:04:59", "15:05:00", "15:20:00", "15:30:00", "22:00:00"):
        world.clock(f"2026-11-23T{at}")
        shown = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
        found.append((shown["openInt"], shown["stockStatus"], shown["lastPrice"], shown["volume"]))
    assert found == [
        (15, 0, 9.03, 954000),
        (22, 9, 9.03, 954000),
        (22, 9, 9.03, 955431),
        (23, 0, 9.03, 956385),
        (23, 0, 9.03, 956385),
    ]
    bars = xtdata.get_market_data_ex(["volume"], ["600000.SH"], "1m", "20261123145900")["600000.SH"]
    day = xtdata.get_market_data_ex(["volume"], ["600000.SH"], "1d", "20261123")["600000.SH"]
    assert list(bars.index) == ["20261123145900", "20261123150000"]
    assert (bars.volume.iloc[-1], day.volume.iloc[-1]) == (956385 - 934920, 956385)


def test_the_profiles_rules_are_the_markets(xtdata: Any, world: World) -> None:
    world.begin("2026-11-23T14:58:00", rules={"sh_bond_closing_auction": "true"})
    assert xtdata.get_full_tick(["113052.SH"])["113052.SH"]["openInt"] == 18
    assert xtdata.get_trading_period("113052.SH")["tradings"][-1]["status"] == 8


def test_a_monday_begins_where_friday_ended(xtdata: Any, world: World) -> None:
    bars = xtdata.get_market_data_ex(["close", "preClose"], ["300750.SZ"], "1d", "20260925", "20261123")["300750.SZ"]
    assert list(bars.index[:3]) == ["20260928", "20260929", "20260930"]
    assert list(bars.preClose.iloc[1:]) == list(bars.close.iloc[:-1])


def test_always_open_the_loop_is_stamped_with_the_clock(xtdata: Any, world: World) -> None:
    world.begin("2026-11-22T22:30:01", hours="always")
    shown = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
    assert shown["timetag"] == "20261122 22:30:00"
    assert shown["openInt"] == 13
    assert shown["askPrice"][0] <= 9.09
    (row,) = xtdata.get_market_data_ex([], ["600000.SH"], "tick", count=1)["600000.SH"].to_dict("records")
    assert (row["time"], row["lastPrice"]) == (shown["time"], shown["lastPrice"])


def test_real_ticks_come_in_lots(xtdata: Any, world: World, shared_data: Path) -> None:
    world.begin("2023-02-07T11:04:02", market=str(shared_data / "tick"))
    shown = xtdata.get_full_tick(["600519.SH"])["600519.SH"]
    assert (shown["time"], shown["lastPrice"], shown["volume"], shown["pvolume"]) == (
        1675739041000,
        1798.54,
        13880,
        1388013,
    )
    assert shown["askPrice"] == [1798.65, 1798.77, 1798.96, 1800.47, 1801.0]
    assert (shown["askVol"], shown["bidVol"]) == ([1, 1, 2, 1, 1], [7, 4, 3, 1, 1])


def test_a_quote_imports_neither_numpy_nor_pandas(world: World) -> None:
    script = """
import sys
from qmtcli.paper.mount import mount
from qmtcli.paper.settings import Settings
mount(Settings.from_environment())
from qmtcli.xt.loader import data_module
assert data_module().get_full_tick(['600000.SH'])['600000.SH']['lastPrice'] == 9.03
print(sorted({'numpy', 'pandas', 'tabulate', 'yaml'} & set(sys.modules)))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")


# -- instruments, sectors, calendar ------------------------------------------------------------------------------


def test_instrument_detail(xtdata: Any) -> None:
    detail = xtdata.get_instrument_detail("600000.SH")
    assert {name: detail[name] for name in (
        "ExchangeID", "InstrumentID", "InstrumentName", "OpenDate", "ExpireDate", "TradingDay", "PreClose",
        "UpStopPrice", "DownStopPrice", "PriceTick", "VolumeMultiple", "InstrumentStatus", "IsTrading",
    )} == {
        "ExchangeID": "SH", "InstrumentID": "600000", "InstrumentName": "浦发银行", "OpenDate": "19991110",
        "ExpireDate": "99999999", "TradingDay": "20261123", "PreClose": 9.03, "UpStopPrice": 9.93,
        "DownStopPrice": 8.13, "PriceTick": 0.01, "VolumeMultiple": 1, "InstrumentStatus": 0, "IsTrading": True,
    }  # fmt: skip
    assert xtdata.get_instrument_detail("600000.SH", True)["MaxLimitOrderVolume"] == 1_000_000
    index = xtdata.get_instrument_detail("000300.SH")
    assert (index["UpStopPrice"], index["IsTrading"]) == (0.0, False)
    suspended = xtdata.get_instrument_detail("601118.SH")
    assert (suspended["InstrumentStatus"], suspended["IsTrading"]) == (1, False)
    assert xtdata.get_instrument_detail("600001.SH") is None
    assert xtdata.get_client().get_instrument_detail("600001.SH") == b"\x05\0\0\0\0"


def test_types(xtdata: Any) -> None:
    assert xtdata.get_instrument_type("510300.SH") == {"fund": True, "etf": True}
    assert xtdata.get_instrument_type("600000.SH", ["stock", "index"]) == {"stock": True, "index": False}
    assert xtdata.get_instrument_type("600001.SH") == {}
    assert xtdata.is_stock_type("600000.SH", 100003) is True
    assert xtdata.is_stock_type("000300.SH", 100003) is False
    assert xtdata.is_stock_type("600000.SH", 12345) is False


def test_sectors_of_what_the_tape_holds(xtdata: Any) -> None:
    named = xtdata.get_sector_list()
    assert "沪深A股" in named
    assert "沪深B股" not in named
    assert all(xtdata.get_stock_list_in_sector(name) for name in named)
    assert xtdata.get_stock_list_in_sector("创业板") == ["300750.SZ"]
    assert xtdata.get_stock_list_in_sector("科创板") == ["688981.SH"]
    assert xtdata.get_stock_list_in_sector("京市A股") == ["920185.BJ"]
    assert xtdata.get_stock_list_in_sector("沪深转债") == ["113052.SH", "123153.SZ"]
    assert xtdata.get_stock_list_in_sector("沪市指数") == ["000001.SH", "000300.SH"]
    assert "000001.SZ" in xtdata.get_stock_list_in_sector("深证A股")
    assert xtdata.get_stock_list_in_sector("没有的板块") == []


def test_the_users_own_sectors(xtdata: Any) -> None:
    assert xtdata.create_sector("", "自选") == "自选"
    assert xtdata.create_sector("", "自选", False) == "自选1"
    assert xtdata.add_sector("自选", ["600000.SH", "000001.SZ", "600000.SH"]) is True
    assert xtdata.get_stock_list_in_sector("自选") == ["600000.SH", "000001.SZ"]
    assert xtdata.remove_stock_from_sector("自选", ["600000.SH"]) is True
    assert xtdata.get_stock_list_in_sector("自选") == ["000001.SZ"]
    assert xtdata.reset_sector("自选", ["510300.SH"]) is True
    assert xtdata.create_sector("", "自选") == "自选"
    # a terminal keeps them, so the next connection finds them
    xtdata.reconnect()
    assert xtdata.get_stock_list_in_sector("自选") == ["510300.SH"]
    assert xtdata.remove_sector("自选") is True
    assert xtdata.remove_sector("自选") is False
    assert xtdata.get_stock_list_in_sector("自选") == []
    assert xtdata.get_sector_list()[-1] == "自选1"
    assert xtdata.remove_stock_from_sector("没有的板块", ["600000.SH"]) is False
    xtdata.get_client().add_sector("新的", ["600000.SH"], -1)
    assert xtdata.get_stock_list_in_sector("新的") == ["600000.SH"]
    assert [xtdata.create_sector_folder("", "夹", again) for again in (True, True, False, False)] == [
        "夹", "夹", "夹1", "夹2",
    ]  # fmt: skip


def test_a_terminals_sectors_are_nobodys_to_change(xtdata: Any) -> None:
    held = xtdata.get_stock_list_in_sector("创业板")
    assert xtdata.add_sector("创业板", ["600000.SH"]) is False
    assert xtdata.reset_sector("创业板", []) is False
    assert xtdata.remove_stock_from_sector("创业板", held) is False
    assert xtdata.remove_sector("创业板") is False
    xtdata.get_client().add_sector("创业板", ["600000.SH"], -1)
    assert xtdata.get_stock_list_in_sector("创业板") == held
    assert xtdata.create_sector("", "创业板") == "创业板"
    assert xtdata.create_sector("", "创业板", False) == "创业板1"
    assert xtdata.get_sector_list().count("创业板") == 1


def test_a_sector_of_a_day_in_the_past_has_what_was_listed_by_then(xtdata: Any) -> None:
    assert xtdata.get_stock_list_in_sector("科创板", "20200715") == []
    assert xtdata.get_stock_list_in_sector("科创板", "20200716") == ["688981.SH"]
    assert xtdata.get_stock_list_in_sector("上证A股", MIDNIGHT - 9_300 * 86_400_000) == ["600000.SH"]


def test_sectors_of_many_processes_at_once_are_all_kept(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from qmtcli.paper.sectors import OwnSectors
own = OwnSectors(Path({str(tmp_path / "new" / "sectors.sqlite")!r}))
for n in range(10):
    own.create('同名', True)
    own.add('共有', [f'{{sys.argv[1]}}{{n:05}}.SH'])
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen([sys.executable, "-c", script, str(n)], env=env) for n in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    own = OwnSectors(tmp_path / "new" / "sectors.sqlite")
    assert len(own.members("共有")) == 40
    assert {name for name in own.names() if name != "共有"} == {"同名", *(f"同名{n}" for n in range(1, 40))}


def test_trading_days_of_the_calendar(xtdata: Any) -> None:
    def days(*arguments: Any) -> list[str]:
        return [xtdata.timetag_to_datetime(at, "%Y%m%d") for at in xtdata.get_trading_dates(*arguments)]

    assert days("SH", "", "", 3) == ["20261119", "20261120", "20261123"]
    assert days("SZ", "20260930", "20261009") == ["20260930", "20261008", "20261009"]
    assert days("SH", "20261120", "20991231") == ["20261120", "20261123"]
    assert days("SH")[0] == "19901219"
    assert days("IF") == []
    assert xtdata.get_trading_calendar("SH", "20261230", "20261231") == ["20261230", "20261231"]
    assert xtdata.get_holidays()[-1] == "20261007"
    assert xtdata.get_market_last_trade_date("SH") == MIDNIGHT


def test_always_open_every_date_is_a_trading_day(xtdata: Any, world: World) -> None:
    world.begin("2027-02-01T03:00:00", hours="always")
    found = [xtdata.timetag_to_datetime(at, "%Y%m%d") for at in xtdata.get_trading_dates("SH", count=3)]
    assert found == ["20270130", "20270131", "20270201"]
    bars = xtdata.get_market_data_ex(["close"], ["600000.SH"], "1d", count=3)["600000.SH"]
    assert list(bars.index) == found


def test_trading_days_to_come_are_those_the_calendar_knows(xtdata: Any, world: World) -> None:
    coming = xtdata.compute_coming_trading_calendar("SH")
    assert (coming[0], coming[-1], len(coming)) == ("20261124", "20261231", 28)
    assert xtdata.compute_coming_trading_calendar("SZ", "20261201", "20261202") == ["20261201", "20261202"]
    world.begin("2026-11-23T10:00:00", hours="always")
    assert xtdata.compute_coming_trading_calendar("SH", "20261128", "20261130") == ["20261128", "20261129", "20261130"]


SHARE = [
    {"status": 2, "time": [0, [91500, 0], [92500, 0]]},
    {"status": 3, "time": [0, [93000, 0], [113000, 0]]},
    {"status": 3, "time": [0, [130000, 0], [145700, -1]]},
    {"status": 8, "time": [0, [145700, 0], [150000, 0]]},
    {"status": 9, "time": [0, [150500, 0], [153000, 0]]},
]


def test_trading_hours_by_kind_and_date(xtdata: Any, world: World) -> None:
    assert xtdata.get_trading_period("600000.SH") == {
        "market": "SH", "codeRegex": "600000", "product": [], "category": [], "tradings": SHARE,
    }  # fmt: skip
    assert xtdata.get_trading_period("600001.SH") == {}
    repo = xtdata.get_trading_period("131810.SZ")["tradings"]
    assert repo == [*SHARE[:2], {"status": 3, "time": [0, [130000, 0], [153000, 0]]}]
    assert xtdata.get_kline_trading_period("600000.SH")["tradings"] == [
        {"type": "auction", "source": [0, [91500, 0], [93000, -1]], "bartime": [0, 93000]},
        {"type": "continuous", "bartime": [0, 93000, 113000]},
        {"type": "continuous", "bartime": [0, 130000, 150000]},
        {"type": "auction", "source": [0, [150500, 0], [153000, 0]], "bartime": [0, 150000]},
    ]
    assert xtdata.get_kline_trading_period("113052.SH")["tradings"][1:] == [
        {"type": "continuous", "bartime": [0, 93000, 113000]},
        {"type": "continuous", "bartime": [0, 130000, 150000]},
    ]
    for found in (xtdata.get_all_trading_periods(), xtdata.get_all_kline_trading_periods()):
        codes = [code for group in found for code in group["codeRegex"].split("|")]
        assert len(codes) == 25
        assert {group["market"] for group in found} == {"SH", "SZ", "BJ"}
    world.begin(hours="always")
    assert xtdata.get_trading_period("600000.SH")["tradings"] == [{"status": 3, "time": [0, [0, 0], [240000, -1]]}]


def test_trading_hours_are_those_of_the_date(xtdata: Any, world: World) -> None:
    world.begin("2026-07-03T10:00:00")
    assert xtdata.get_trading_period("510300.SH")["tradings"] == [
        *SHARE[:2], {"status": 3, "time": [0, [130000, 0], [150000, 0]]},
    ]  # fmt: skip


# -- ex-days -----------------------------------------------------------------------------------------------------


def test_divid_factors_have_the_columns_of_a_terminal(xtdata: Any) -> None:
    found = xtdata.get_divid_factors("920185.BJ", "20250101")
    assert list(found.columns) == [
        "time", "interest", "stockBonus", "stockGift", "allotNum", "allotPrice", "gugai", "dr",
    ]  # fmt: skip
    assert list(found.index) == ["20250508", "20260514"]
    assert {str(kind) for kind in found.dtypes} == {"float64"}
    row = found.loc["20260514"]
    assert xtdata.timetag_to_datetime(row.time, "%Y%m%d") == "20260514"
    assert list(row.iloc[1:7]) == [0.2, 0.1, 0, 0, 0, 0]
    before, on = xtdata.get_market_data_ex([], ["920185.BJ"], "1d", "20260513", "20260514")["920185.BJ"].itertuples()
    assert on.preClose == round((before.close - 0.2) / 1.1, 2)
    assert row.dr == before.close / ((before.close - 0.2) / 1.1)
    # ranges, and nothing of days to come
    assert list(xtdata.get_divid_factors("920185.BJ", "20250509", "20260513").index) == []
    assert list(xtdata.get_divid_factors("920185.BJ", "", "20220601").index) == ["20210513", "20220512"]
    assert xtdata.get_divid_factors("600001.SH").empty


def test_an_ex_day_comes_to_light_on_its_day(xtdata: Any, world: World) -> None:
    world.begin("2026-07-08T10:00:00")
    assert list(xtdata.get_divid_factors("000333.SZ", "20260101").index) == []
    front = xtdata.get_market_data_ex([], ["000333.SZ"], "1d", count=1, dividend_type="front")["000333.SZ"]
    assert front.close.iloc[0] == xtdata.get_full_tick(["000333.SZ"])["000333.SZ"]["lastPrice"]
    close = xtdata.get_market_data_ex([], ["000333.SZ"], "1d", "20260707", "20260707")["000333.SZ"].close.iloc[0]
    world.begin("2026-07-09T10:00:00")
    assert list(xtdata.get_divid_factors("000333.SZ", "20260101").index) == ["20260709"]
    shown = xtdata.get_full_tick(["000333.SZ"])["000333.SZ"]
    raw, front = (
        xtdata.get_market_data_ex([], ["000333.SZ"], "1d", count=3, dividend_type=kind)["000333.SZ"]
        for kind in ("none", "front")
    )
    assert raw.close.iloc[0] == close
    assert shown["lastClose"] == round(raw.close.iloc[1] - 3.5, 2) == front.close.iloc[1]
    assert shown["lastPrice"] == raw.close.iloc[2] == front.close.iloc[2]
    detail = xtdata.get_instrument_detail("000333.SZ")
    assert detail["PreClose"] == shown["lastClose"]
    assert abs(detail["UpStopPrice"] - detail["PreClose"] * 1.1) < 0.0051


@pytest.mark.parametrize("kind", ["front", "back", "front_ratio", "back_ratio"])
def test_bars_of_every_length_are_adjusted_alike(xtdata: Any, kind: str) -> None:
    def bars(period: str, how: str) -> Any:
        return xtdata.get_market_data_ex([], ["920185.BJ"], period, "20260511", "20260515", -1, how)["920185.BJ"]

    days, raw = bars("1d", kind), bars("1d", "none")
    assert list(days.index) == ["20260511", "20260512", "20260513", "20260514", "20260515"]
    assert list(days.volume) == list(raw.volume)
    assert list(days.amount) == list(raw.amount)
    # no gap is left on the ex-day, where there was one
    assert abs(raw.close.iloc[2] / raw.preClose.iloc[3] - 1) > 0.09
    assert abs(days.close.iloc[2] / days.preClose.iloc[3] - 1) < 0.001
    for period in ("1m", "5m", "60m"):
        minutes = bars(period, kind)
        for day in days.itertuples():
            of_day = minutes[minutes.index.str.startswith(day.Index)]
            assert (of_day.iloc[0].open, of_day.high.max(), of_day.low.min(), of_day.iloc[-1].close) == (
                day.open, day.high, day.low, day.close,
            )  # fmt: skip
    week = bars("1w", kind).iloc[0]
    assert (week.open, week.high, week.low, week.close, week.preClose) == (
        days.open.iloc[0], days.high.max(), days.low.min(), days.close.iloc[-1], days.preClose.iloc[0],
    )  # fmt: skip


def test_every_way_to_ask_for_bars_takes_the_dividend_type(xtdata: Any) -> None:
    window = ("20260512", "20260515")
    days = xtdata.get_market_data_ex(["close"], ["920185.BJ"], "1d", *window, -1, "front")["920185.BJ"].close
    raw = xtdata.get_market_data_ex(["close"], ["920185.BJ"], "1d", *window)["920185.BJ"].close
    assert (days != raw).tolist() == [True, True, False, False]
    axis = xtdata.get_market_data(["close"], ["920185.BJ"], "1d", *window, dividend_type="front")["close"]
    assert axis.loc["920185.BJ"].tolist() == days.tolist()
    local = xtdata.get_local_data(["close"], ["920185.BJ"], "1d", *window, dividend_type="front")["920185.BJ"].close
    assert local.tolist() == days.tolist()
    kline = xtdata.get_full_kline(["close"], ["920185.BJ"], "1d", *window, -1, "front")["close"]
    assert kline.loc["920185.BJ"].tolist() == days.tolist()
    with pytest.raises(RuntimeError, match="除权类型错误: fornt"):
        xtdata.get_market_data_ex(["close"], ["920185.BJ"], "1d", *window, -1, "fornt")


def test_ticks_are_never_adjusted(xtdata: Any) -> None:
    window = ("20260513145500", "20260513145600")
    plain = xtdata.get_market_data_ex([], ["920185.BJ"], "tick", *window, -1, "none")["920185.BJ"]
    front = xtdata.get_market_data_ex([], ["920185.BJ"], "tick", *window, -1, "front")["920185.BJ"]
    assert len(plain) == 21
    assert plain.equals(front)


# -- history -----------------------------------------------------------------------------------------------------


def test_daily_bars_end_with_today_so_far(xtdata: Any) -> None:
    bars = xtdata.get_market_data_ex([], ["600000.SH"], "1d", count=3)["600000.SH"]
    assert list(bars.index) == ["20261119", "20261120", "20261123"]
    assert {name: str(kind) for name, kind in bars.dtypes.items()} == {
        "time": "int64", "open": "float64", "high": "float64", "low": "float64", "close": "float64", "volume": "int64",
        "amount": "float64", "settelementPrice": "float64", "openInterest": "int64", "preClose": "float64",
        "suspendFlag": "int32",
    }  # fmt: skip
    shown = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
    today = bars.iloc[-1]
    assert (today.time, today.open, today.high, today.low, today.close, today.volume, today.amount, today.preClose) == (
        MIDNIGHT,
        *(shown[name] for name in ("open", "high", "low", "lastPrice", "volume", "amount", "lastClose")),
    )
    assert (bars.suspendFlag == 0).all()


def test_a_suspended_share_is_flat_and_flagged(xtdata: Any) -> None:
    bars = xtdata.get_market_data_ex([], ["601118.SH"], "1d", "20261119", "20261120")["601118.SH"]
    assert bars[["close", "volume", "suspendFlag"]].to_numpy().tolist() == [[5.2, 0, 1], [5.2, 0, 1]]


def test_minutes_add_up_to_longer_bars(xtdata: Any) -> None:
    def bars(period: str) -> Any:
        return xtdata.get_market_data_ex([], ["300750.SZ"], period, "20261120", "20261120")["300750.SZ"]

    ones, fives, hours, day = bars("1m"), bars("5m"), bars("60m"), bars("1d").iloc[0]
    assert (len(ones), len(fives), len(bars("15m")), len(bars("30m")), len(hours)) == (241, 48, 16, 8, 4)
    assert list(ones.index[[0, 1, 120, 121, -1]]) == [
        f"20261120{time_}00" for time_ in ("0930", "0931", "1130", "1301", "1500")
    ]
    assert list(fives.index[[0, 23, 24, -1]]) == [f"20261120{time_}00" for time_ in ("0935", "1130", "1305", "1500")]
    assert list(hours.index) == [f"20261120{time_}00" for time_ in ("1030", "1130", "1400", "1500")]
    first = ones.iloc[:6]
    assert (fives.iloc[0].open, fives.iloc[0].close) == (first.iloc[0].open, first.iloc[-1].close)
    assert (fives.iloc[0].high, fives.iloc[0].low) == (first.high.max(), first.low.min())
    for made in (ones, fives, hours):
        assert (made.iloc[0].open, made.iloc[-1].close) == (day.open, day.close)
        assert (made.high.max(), made.low.min()) == (day.high, day.low)
        assert abs(made.amount.sum() - day.amount) < 0.01


def test_repo_has_bars_until_half_past_three(xtdata: Any, world: World) -> None:
    world.clock("2026-11-23T15:20:30")
    ones = xtdata.get_market_data_ex([], ["204001.SH"], "1m", "20261123")["204001.SH"]
    assert (len(ones), list(ones.index[-2:])) == (1 + 240 + 21, ["20261123152000", "20261123152100"])
    fives = xtdata.get_market_data_ex([], ["204001.SH"], "5m", count=2)["204001.SH"]
    assert list(fives.index) == ["20261123152000", "20261123152500"]
    world.clock("2026-11-24T10:00:00")
    ones = xtdata.get_market_data_ex([], ["204001.SH"], "1m", "20261123", "20261123")["204001.SH"]
    assert (len(ones), ones.index[-1]) == (271, "20261123153000")
    stock = xtdata.get_market_data_ex([], ["600000.SH"], "1m", "20261123", "20261123")["600000.SH"]
    assert (len(stock), stock.index[-1]) == (241, "20261123150000")


def test_weeks_and_months_carry_the_date_of_their_last_day(xtdata: Any) -> None:
    def labels(period: str, count: int) -> list[str]:
        return list(xtdata.get_market_data_ex([], ["600000.SH"], period, count=count)["600000.SH"].index)

    assert labels("1w", 3) == ["20261113", "20261120", "20261123"]
    assert labels("1mon", 3) == ["20260930", "20261030", "20261123"]
    assert labels("1q", 2) == ["20260930", "20261123"]
    week = xtdata.get_market_data_ex([], ["600000.SH"], "1w", "20261118", "20261122")["600000.SH"]
    days = xtdata.get_market_data_ex([], ["600000.SH"], "1d", "20261116", "20261120")["600000.SH"]
    assert list(week.index) == ["20261120"]
    assert week.iloc[0].volume == days.volume.sum()


@pytest.mark.parametrize(
    ("start", "end", "count", "expected"),
    [
        ("20261123095800", "20261123095900", -1, ["095800", "095900"]),
        ("", "20261123095900", 2, ["095800", "095900"]),
        ("20261123", "", 1, ["100100"]),
        ("20261123095900", "", -1, ["095900", "100000", "100100"]),
        ("20261123", "20261123095830", 2, ["095700", "095800"]),
        ("20261124", "", -1, []),
        ("", "", 0, []),
    ],
)
def test_ranges_are_closed_and_counts_are_the_last(
    xtdata: Any, start: str, end: str, count: int, expected: list[str]
) -> None:
    bars = xtdata.get_market_data_ex([], ["600000.SH"], "1m", start, end, count)["600000.SH"]
    assert [label[8:] for label in bars.index] == expected


@pytest.mark.parametrize("period", ["1m", "5m", "15m", "30m", "60m"])
@pytest.mark.parametrize("at", ["09:31:00", "10:00:01", "11:20:00", "12:00:00", "13:07:10", "15:30:00"])
def test_a_count_gives_the_end_of_the_whole_day(xtdata: Any, world: World, period: str, at: str) -> None:
    world.clock(f"2026-11-23T{at}")
    whole = xtdata.get_market_data_ex([], ["300750.SZ"], period, "20261120")["300750.SZ"]
    for count in (1, 2, 3):
        few = xtdata.get_market_data_ex([], ["300750.SZ"], period, count=count)["300750.SZ"]
        assert few.equals(whole.iloc[-count:])


def test_minutes_of_a_day_stay_what_they_were(xtdata: Any, world: World) -> None:
    world.clock("2026-11-23T16:00:00")
    today = xtdata.get_market_data_ex([], ["300750.SZ"], "1m", "20261123", "20261123")["300750.SZ"]
    world.clock("2026-11-24T16:00:00")
    assert xtdata.get_market_data_ex([], ["300750.SZ"], "1m", "20261123", "20261123")["300750.SZ"].equals(today)


def test_ticks(xtdata: Any) -> None:
    ticks = xtdata.get_market_data_ex([], ["600000.SH"], "tick", "20261123095951")["600000.SH"]
    assert list(ticks.index) == ["20261123095951", "20261123095954", "20261123095957", "20261123100000"]
    assert ticks.iloc[-1].bidVol == [900, 731, 1012, 900, 675]
    assert list(ticks.tickvol.iloc[1:]) == list(ticks.volume.diff().iloc[1:])
    assert ticks.tickvol.iloc[0] == 0
    assert list(xtdata.get_market_data_ex(["lastPrice"], ["600000.SH"], "tick", count=2)["600000.SH"].columns) == [
        "lastPrice"
    ]
    friday = xtdata.get_market_data_ex([], ["600000.SH"], "tick", "20261120145900", "20261120")["600000.SH"]
    # to the close, then after hours until half past three
    assert (len(friday), friday.index[20], friday.index[-1]) == (21 + 500 + 1, "20261120150000", "20261120153000")
    assert list(friday.openInt.iloc[[0, 19, 20, 21, -1]]) == [18, 18, 15, 22, 23]
    assert len(xtdata.get_market_data_ex([], ["600000.SH"], "tick")["600000.SH"]) == 200 + 1 + 601


def test_bars_of_several_codes_on_one_axis(xtdata: Any) -> None:
    found = xtdata.get_market_data(["close", "volume"], ["600000.SH", "601118.SH"], "1d", "20261120", "20261123")
    assert list(found) == ["close", "volume"]
    assert list(found["close"].index) == ["600000.SH", "601118.SH"]
    assert list(found["close"].columns) == ["20261120", "20261123"]
    # the suspended share has no bar yet today: it is filled with the close before
    assert found["close"].loc["601118.SH"].tolist() == [5.2, 5.2]
    assert found["volume"].loc["601118.SH"].tolist() == [0, 0]
    holes = xtdata.get_market_data(["close"], ["600000.SH", "601118.SH"], "1d", "20261120", "20261123", fill_data=False)
    assert holes["close"].loc["601118.SH"].isna().tolist() == [False, True]
    ticks = xtdata.get_market_data([], ["600000.SH"], "tick", count=1)["600000.SH"]
    assert (ticks["lastPrice"][0], ticks["askPrice"][0]) == (9.03, [9.03, 9.04, 9.05, 9.06, 9.07])
    by_code = xtdata.get_market_data_ex_ori(["close"], ["600000.SH"], "1d", count=1)["600000.SH"]
    assert by_code["close"].tolist() == [9.03]


def test_full_kline_is_the_newest_bar_of_each_code(xtdata: Any) -> None:
    found = xtdata.get_full_kline(["close"], ["600000.SH", "000001.SZ"], "1m")["close"]
    assert list(found.columns) == ["20261123100100"]
    assert found.loc["600000.SH"].tolist() == [9.03]


def test_unknown_codes_have_no_rows_and_malformed_ones_are_refused(xtdata: Any) -> None:
    assert len(xtdata.get_market_data_ex([], ["600001.SH"], "1d", count=3)["600001.SH"]) == 0
    with pytest.raises(RuntimeError, match="代码错误"):
        xtdata.get_market_data_ex([], ["600000"], "1d", count=3)
    with pytest.raises(RuntimeError, match="时间格式错误"):
        xtdata.get_market_data_ex([], ["600000.SH"], "1d", "2026-11-20")


def test_history_of_a_folder_is_all_it_holds(xtdata: Any, world: World, shared_data: Path) -> None:
    world.begin("2024-09-13T10:00:00", market=str(shared_data / "1d"))
    bars = xtdata.get_market_data_ex(["time", "close", "volume"], ["600000.SH"], "1d")["600000.SH"]
    assert (bars.index[0], bars.close.iloc[0], bars.volume.iloc[0]) == ("20100104", 21.19, 661913)
    assert xtdata.get_full_tick(["600000.SH"]) == {}
    assert xtdata.get_instrument_detail("600000.SH")["IsTrading"] is False
    assert xtdata.get_trading_dates("SH", count=1) == [1_726_156_800_000]


# -- subscriptions -----------------------------------------------------------------------------------------------


class Listener:
    """A callback that keeps what it is called with."""

    def __init__(self) -> None:
        self._heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __call__(self, datas: dict[str, Any]) -> None:
        self._heard.put(datas)

    def next(self) -> dict[str, Any]:
        return self._heard.get(timeout=BOUND_SECONDS)

    def silent(self) -> bool:
        return self._heard.empty()


def test_ticks_are_pushed_as_plain_dicts_one_by_one(xtdata: Any, world: World) -> None:
    listener = Listener()
    number = xtdata.subscribe_quote("600000.SH", "tick", callback=listener)
    assert number > 0
    first = listener.next()
    assert type(first) is dict
    assert first["600000.SH"][0]["time"] == TEN
    assert first["600000.SH"][0]["askVol"] == [1012, 1068, 618, 393, 281]
    world.clock("2026-11-23T10:00:07")
    assert [listener.next()["600000.SH"][0]["time"] for _ in range(2)] == [TEN + 3_000, TEN + 6_000]
    assert xtdata.get_client().get_all_subscribe_quote() == [number]
    xtdata.unsubscribe_quote(number)
    assert xtdata.get_client().get_all_subscribe_quote() == []
    # a later subscription hears of the next snapshot, the ended one does not
    later = Listener()
    xtdata.subscribe_quote("600000.SH", "tick", callback=later)
    later.next()
    world.clock("2026-11-23T10:00:10")
    later.next()
    assert listener.silent()


def test_bars_are_pushed_as_they_grow(xtdata: Any, world: World) -> None:
    world.clock("2026-11-23T10:00:55")
    listener = Listener()
    assert xtdata.subscribe_quote("600000.SH", "1m", callback=listener) > 0
    (bar,) = listener.next()["600000.SH"]
    assert bar["time"] == TEN + 60_000
    world.clock("2026-11-23T10:01:04")
    grown, fresh = (listener.next()["600000.SH"][0] for _ in range(2))
    assert (grown["time"], fresh["time"]) == (TEN + 60_000, TEN + 120_000)
    assert grown["volume"] > bar["volume"]
    held = xtdata.get_market_data_ex([], ["600000.SH"], "1m", count=2)["600000.SH"].to_dict("records")
    assert held == [grown, fresh]


def test_adjusted_bars_are_pushed(xtdata: Any, world: World) -> None:
    world.begin("2026-05-14T10:00:55")
    asked = {}
    for kind in ("none", "back"):
        listener = Listener()
        assert xtdata.subscribe_quote2("920185.BJ", "1m", dividend_type=kind, callback=listener) > 0
        (asked[kind],) = listener.next()["920185.BJ"]
    held = xtdata.get_market_data_ex([], ["920185.BJ"], "1m", count=1, dividend_type="back")["920185.BJ"]
    assert held.to_dict("records") == [asked["back"]]
    assert asked["back"]["close"] > asked["none"]["close"] * 1.5


def test_subscriptions_can_be_listed(xtdata: Any) -> None:
    ticks = xtdata.subscribe_quote("600000.SH", "tick", callback=Listener())
    minutes = xtdata.subscribe_quote("000001.SZ", "5m", callback=Listener())
    whole = xtdata.subscribe_whole_quote(["BJ"], Listener())
    assert xtdata.get_current_connect_sub_info() == [
        {"subId": ticks, "stockCode": "600000.SH", "period": 0, "metaId": 3000, "isSub": True},
        {"subId": minutes, "stockCode": "000001.SZ", "period": 300_000, "metaId": 3001, "isSub": True},
        {"subId": whole, "stockCode": "920185.BJ", "period": 0, "metaId": 3000, "isSub": True},
    ]
    assert {row["addr"] for row in xtdata.get_all_sub_info()} == {xtdata.get_client().get_peer_addr()}
    xtdata.unsubscribe_quote(minutes)
    assert [row["subId"] for row in xtdata.get_current_connect_sub_info()] == [ticks, whole]


def test_whole_quotes_come_together(xtdata: Any, world: World) -> None:
    listener = Listener()
    assert xtdata.subscribe_whole_quote(["BJ", "600000.SH", "999999.SH"], listener) > 0
    first = listener.next()
    assert set(first) == {"920185.BJ", "600000.SH"}
    full = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
    assert first["600000.SH"] == {name: value for name, value in full.items() if name != "timetag"}
    world.clock("2026-11-23T10:00:07")
    assert {row["time"] for row in listener.next().values()} == {TEN + 6_000}


def test_a_callback_that_fails_does_not_silence_the_others(
    xtdata: Any, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(datas: dict[str, Any]) -> None:
        raise ValueError("mine")

    listener = Listener()
    client = xtdata.get_client()
    bson = importlib.import_module("xtquant.xtbson").BSON
    meta = bson.encode({"stockCode": "600000.SH", "period": "tick", "metaid": -1, "periodnum": -1})
    assert client.subscribe_quote(meta, bson.encode({}), bson.encode({}), fail) > 0
    xtdata.subscribe_quote("600000.SH", "tick", callback=listener)
    listener.next()
    world.clock("2026-11-23T10:00:04")
    assert listener.next()["600000.SH"][0]["time"] == TEN + 3_000
    assert "ValueError: mine" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "period"), [("600001.SH", "tick"), ("600000.SH", "l2quote")])
def test_what_the_market_does_not_have_cannot_be_subscribed(xtdata: Any, code: str, period: str) -> None:
    assert xtdata.subscribe_quote(code, period, callback=Listener()) == -1


# -- downloads, and what there is not ----------------------------------------------------------------------------


def test_a_download_reports_its_progress(xtdata: Any) -> None:
    heard: list[tuple[int, int, str]] = []

    def progress(data: dict[str, Any]) -> None:
        heard.append((data["finished"], data["total"], data["stockcode"]))

    xtdata.download_history_data2(["600000.SH", "000001.SZ"], "1d", callback=progress)
    assert heard == [(1, 2, "600000.SH"), (2, 2, "000001.SZ")]
    assert xtdata.download_history_data2([], "1d") == {}
    assert xtdata.download_history_data("600000.SH", "1m", "20261120") == {}
    xtdata.download_sector_data()
    xtdata.download_financial_data(["600000.SH"], ["Balance"])
    xtdata.download_holiday_data()


def test_what_a_service_may_lack_is_empty_in_the_right_shape(xtdata: Any) -> None:
    assert xtdata.get_divid_factors("600000.SH").empty
    found = xtdata.get_financial_data(["600000.SH"], ["Balance", "Income"])["600000.SH"]
    assert {name: len(table) for name, table in found.items()} == {"Balance": 0, "Income": 0}
    assert xtdata.get_index_weight("000300.SH") == {}
    assert xtdata.get_cb_info("113052.SH") == {}
    assert xtdata.get_etf_info() == {}
    assert xtdata.get_ipo_info() == []
    assert xtdata.get_main_contract("IF00.IF") == ".IF"
    assert xtdata.get_authorized_market_list() == ["SH", "SZ", "BJ"]
    assert {"name": "1m", "desc": ""} in xtdata.get_period_list()
    assert not Path(xtdata.get_data_dir()).exists()


@pytest.mark.parametrize(
    "ask",
    [
        lambda xtdata: xtdata.get_tabular_data([], ["600000.SH"], "1d"),
        lambda xtdata: xtdata.get_market_data_ex([], ["600000.SH"], "transactioncount1d"),
        lambda xtdata: xtdata.call_formula("MA", "600000.SH", "1d"),
        lambda xtdata: xtdata.get_client().commonControl("nonsense", b"\x05\0\0\0\0"),
        lambda xtdata: xtdata.get_client().createView("", ""),
    ],
)
def test_what_cannot_be_served_is_refused_in_the_vendors_words(xtdata: Any, ask: Callable[[Any], object]) -> None:
    with pytest.raises(RuntimeError, match="当前客户端未支持此功能"):
        ask(xtdata)


@pytest.mark.parametrize("name", ["quote", "order", "transaction"])
def test_of_level_2_there_is_nothing_in_its_own_columns(xtdata: Any, name: str) -> None:
    found = getattr(xtdata, f"get_l2_{name}")([], "600000.SH")
    assert len(found) == 0
    assert found.dtype.names[0] == "time"
    assert {"quote": "askVol", "order": "entrustNo", "transaction": "tradeFlag"}[name] in found.dtype.names
    assert getattr(xtdata, f"get_l2_{name}")(["time"], "600000.SH").dtype.names == ("time",)
    frame = xtdata.get_market_data_ex([], ["600000.SH"], f"l2{name}")["600000.SH"]
    assert (len(frame), list(frame.columns)) == (0, list(found.dtype.names))


def test_arguments_of_the_wrong_type_are_refused(xtdata: Any) -> None:
    client = xtdata.get_client()
    for call in (
        lambda: client.get_full_tick("600000.SH"),
        lambda: client.get_full_tick([600000]),
        lambda: client.get_stock_list_in_sector("沪深A股", 1.5),
        lambda: client.get_instrument_detail(),
        market.rpc_init,  # type: ignore[attr-defined]
    ):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            call()


def test_every_method_answers_or_refuses_at_once(world: World, vendor_data: Any) -> None:
    client = market.IPythonApiClient()
    empty = b"\x05\0\0\0\0"
    made = {"str": "", "int": 0, "bool": True, "list[str]": [], "int|str": "", "object": lambda data: None}
    bson = {"subscribe_quote", "commonControl", "supply_history_data2"}
    answered = set()
    for name, kinds in MARKET_METHODS.items():
        arguments = [made[kind] for kind in kinds]
        if name in bson:
            arguments = [empty if kind == "str" else value for kind, value in zip(kinds, arguments, strict=True)]
        try:
            getattr(client, name)(*arguments)
        except (RuntimeError, KeyError) as error:
            if not isinstance(error, KeyError):
                assert str(error) == "当前客户端未支持此功能", name
        else:
            answered.add(name)
    assert len(answered) >= 38
    client.shutdown()


def test_the_data_centre_of_a_script_starts_and_listens(xtdata: Any) -> None:
    centre = importlib.import_module("xtquant.xtdatacenter")
    centre.set_token("token")
    centre.init()
    assert centre.listen("127.0.0.1", (58620, 58630)) == ("127.0.0.1", 58620)
    assert type(centre.RPCClient()).__module__ == "xtquant.datacenter"


def test_the_greeting_says_what_serves(vendor_data: Any, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    vendor_data.enable_hello = True
    try:
        vendor_data.reconnect()
    finally:
        vendor_data.enable_hello = False
        vendor_data.disconnect()
    said = capsys.readouterr().out
    assert "{'tag': 'qmt paper', 'market': 'sample'}" in said
    assert "127.0.0.1:58610" in said


def test_a_full_tick_is_json_text(world: World) -> None:
    assert json.loads(market.IPythonApiClient().get_full_tick(["000001.SZ"]))["000001.SZ"]["lastClose"] > 0
