"""The vendor's own xtdata over the stand-in: every kind of question, on a clock that the test sets."""

from __future__ import annotations

import importlib
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qmtcli.paper import market, mount
from qmtcli.paper.exchange import current
from qmtcli.paper.native_tables import MARKET_METHODS
from qmtcli.paper.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
#: 2026-11-23 00:00 in Shanghai, epoch ms
MIDNIGHT = 1_795_363_200_000
TEN = MIDNIGHT + 36_000_000
#: far above what a push takes; a push that does not come fails the test here
BOUND_SECONDS = 20.0


@pytest.fixture(scope="module")
def vendor() -> Iterator[Any]:
    """xtdata, imported over the stand-in and put away afterwards."""
    zone, modules = os.environ.get("TZ"), set(sys.modules)
    os.environ["TZ"] = "Asia/Shanghai"
    time.tzset()
    mount.attach()
    from qmtcli.xt.loader import data_module

    yield data_module()
    for name in set(sys.modules) - modules:
        if name.startswith("xtquant"):
            del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != mount.__name__]
    os.environ.pop("TZ")
    if zone is not None:
        os.environ["TZ"] = zone
    time.tzset()


class World:
    """A paper run of this process, whose clock stands where the test puts it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch

    def begin(self, at: str = "2026-11-23T10:00:01.5", hours: str = "exchange", market: str = "sample") -> None:
        self.clock(at)
        environ: dict[str, str] = {}
        Settings(home=str(self._folder), market=market, hours=hours, clock=f"@{self._folder / 'clock'}").export(environ)
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)
        current.cache_clear()

    def clock(self, text: str) -> None:
        """Written aside and moved: a reader never sees half of it."""
        (self._folder / "next").write_text(text, encoding="utf-8")
        (self._folder / "next").replace(self._folder / "clock")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    folder = tmp_path / "paper"
    folder.mkdir()
    world = World(folder, monkeypatch)
    world.begin()
    yield world
    current.cache_clear()


@pytest.fixture
def xtdata(vendor: Any, world: World) -> Iterator[Any]:
    vendor.reconnect()
    yield vendor
    vendor.disconnect()


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
    world.clock("2026-11-23T09:20:00")
    shown = xtdata.get_full_tick(["600000.SH"])["600000.SH"]
    assert (shown["lastPrice"], shown["stockStatus"], shown["openInt"]) == (9.03, 2, 12)
    assert shown["askPrice"][0] == shown["bidPrice"][0] > 0


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
    assert xtdata.get_stock_list_in_sector("自选") == ["510300.SH"]
    assert xtdata.remove_sector("自选") is True
    assert xtdata.remove_sector("自选") is False
    assert xtdata.get_sector_list()[-1] == "自选1"


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
    assert (len(friday), friday.index[-1]) == (21, "20261120150000")
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
    assert xtdata.get_financial_data(["600000.SH"]) == {}
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
        lambda xtdata: xtdata.get_market_data_ex([], ["600000.SH"], "l2quote"),
        lambda xtdata: xtdata.get_l2_quote([], "600000.SH"),
        lambda xtdata: xtdata.get_trading_period("600000.SH"),
        lambda xtdata: xtdata.call_formula("MA", "600000.SH", "1d"),
        lambda xtdata: xtdata.get_client().commonControl("nonsense", b"\x05\0\0\0\0"),
        lambda xtdata: xtdata.get_client().createView("", ""),
    ],
)
def test_what_cannot_be_served_is_refused_in_the_vendors_words(xtdata: Any, ask: Callable[[Any], object]) -> None:
    with pytest.raises(RuntimeError, match="当前客户端未支持此功能"):
        ask(xtdata)


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


def test_every_method_answers_or_refuses_at_once(world: World, vendor: Any) -> None:
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


def test_the_greeting_says_what_serves(vendor: Any, world: World, capsys: pytest.CaptureFixture[str]) -> None:
    vendor.enable_hello = True
    try:
        vendor.reconnect()
    finally:
        vendor.enable_hello = False
        vendor.disconnect()
    said = capsys.readouterr().out
    assert "{'tag': 'qmt paper', 'market': 'sample'}" in said
    assert "127.0.0.1:58610" in said


def test_a_full_tick_is_json_text(world: World) -> None:
    assert json.loads(market.IPythonApiClient().get_full_tick(["000001.SZ"]))["000001.SZ"]["lastClose"] > 0
