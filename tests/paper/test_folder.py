"""A market from files: real ticks as the exchange displayed them, every spelling of a file, and bad files named."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qmtcli.errors import ConfigError
from qmtcli.model import Board, Kind
from qmtcli.paper.folder import FolderTape
from qmtcli.paper.tape import Bar, Tick

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
DAY = date(2023, 2, 7)
NEXT = date(2023, 2, 8)
WHOLE = (-1, 86_400_000)
#: 2023-02-07 00:00 in Shanghai, epoch ms
MIDNIGHT = 1_675_699_200_000

real = pytest.mark.skipif(not (DATA / "tick").is_dir(), reason="no real market data beside the repository")

PRICES = "lastPrice,open,high,low,lastClose"
LEVELS = ",".join(f"{side}{what}{n}" for side in ("ask", "bid") for what in ("Price", "Vol") for n in range(1, 6))
HEADER = f"time,{PRICES},amount,volume,{LEVELS}"


def row(ms: int, last: str = "10.00", *, volume: str = "5", amount: str = "5000", ask_vols: str = "1,2,3,4,5") -> str:
    asks, bids = "10.01,10.02,10.03,10.04,10.05", "10.00,9.99,9.98,0,0"
    return f"{ms},{last},10.00,10.10,9.90,9.95,{amount},{volume},{asks},{ask_vols},{bids},6,7,0,9,0"


def write(path: Path, *lines: str) -> None:
    text = "\n".join(lines) + "\n"
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    return MIDNIGHT + ((hour * 60 + minute) * 60 + second) * 1000


# -- the real tape ---------------------------------------------------------------------------------------------


@real
@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (
            33_848_500,
            Tick(
                ms=33_848_000, last=0, open=0, high=0, low=0, preclose=1_795_000,
                volume=0, amount=0, trades=0, phase=12,
                asks=((1_794_980, 18_700),), bids=((1_794_980, 18_700),),
                surplus=-218,
            ),
        ),
        (
            39_843_999,
            Tick(
                ms=39_841_000, last=1_798_540, open=1_808_080, high=1_808_800, low=1_787_730, preclose=1_795_000,
                volume=1_388_013, amount=249_617_859_516, trades=10_598, phase=13,
                asks=((1_798_650, 100), (1_798_770, 100), (1_798_960, 200), (1_800_470, 100), (1_801_000, 100)),
                bids=((1_798_420, 700), (1_798_000, 400), (1_797_950, 300), (1_797_930, 100), (1_797_440, 100)),
            ),
        ),
        (
            86_399_999,
            Tick(
                ms=54_001_000, last=1_797_000, open=1_808_080, high=1_808_800, low=1_787_730, preclose=1_795_000,
                volume=2_432_171, amount=437_367_173_548, trades=18_685, phase=15,
                asks=((1_797_020, 200), (1_798_000, 300), (1_798_780, 200), (1_799_000, 100), (1_799_290, 100)),
                bids=((1_797_000, 5_397), (1_796_900, 100), (1_796_890, 600), (1_796_880, 800), (1_796_800, 100)),
            ),
        ),
    ],
)  # fmt: skip
def test_real_ticks_are_what_the_exchange_displayed(ms: int, expected: Tick) -> None:
    assert FolderTape(DATA / "tick").tick("600519.SH", DAY, ms) == expected


@real
def test_the_real_day_as_a_whole() -> None:
    tape = FolderTape(DATA / "tick")
    assert tape.codes() == ["600519.SH"]
    assert tape.days() == [DAY]
    assert tape.preclose("600519.SH", DAY) == 1_795_000
    ticks = tape.ticks("600519.SH", DAY, *WHOLE)
    # ten of the 4,895 are of the same moment as the one after them
    assert len(ticks) == 4_885
    assert tape.tick("600519.SH", DAY, 33_239_999) is None
    assert tape.ticks("600519.SH", DAY, 33_240_000, 33_302_000) == ticks[1:3]
    assert tape.ticks("600519.SH", NEXT, *WHOLE) == []
    assert tape.tick("600519.SH", NEXT, 50_000_000) is None
    (bar,) = tape.bars("600519.SH", "1d", DAY, DAY)
    assert bar == Bar(DAY, 0, 1_808_080, 1_808_800, 1_787_730, 1_797_000, 2_432_171, 437_367_173_548, 1_795_000)
    minutes = tape.bars("600519.SH", "1m", DAY, DAY)
    # the auctions' known answers: 1808.08 x 42,718 and 1797.00 x 40,203
    assert minutes[0][1:7] == (34_200_000, 1_808_080, 1_808_080, 1_808_080, 1_808_080, 42_718)
    assert (minutes[-1].ms, minutes[-1].close, minutes[-1].volume) == (54_000_000, 1_797_000, 40_203)
    assert (max(b.high for b in minutes), min(b.low for b in minutes)) == (bar.high, bar.low)
    assert sum(b.volume for b in minutes) == bar.volume
    assert sum(b.amount for b in minutes) == bar.amount


@real
def test_real_bars_in_lots_and_in_shares() -> None:
    tape = FolderTape(DATA / "1d")
    midea = tape.bars("000333.SZ", "1d", date(2020, 1, 2), date(2020, 1, 3))
    assert midea[0] == Bar(date(2020, 1, 2), 0, 58_660, 59_890, 58_410, 59_750, 34_622_600, 205_014_132_800, 58_660)
    assert midea[1].preclose == midea[0].close
    (pufa,) = tape.bars("600000.SH", "1d", date(2010, 1, 4), date(2010, 1, 4))
    assert (pufa.close, pufa.volume) == (21_190, 66_191_338)
    assert tape.tick("000333.SZ", date(2020, 1, 2), 36_000_000) is None
    assert tape.preclose("000333.SZ", date(2020, 1, 3)) == 59_750
    assert tape.preclose("000333.SZ", date(2020, 1, 5)) == 58_260
    assert tape.days()[0] == date(2010, 1, 4)


# -- files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["600000.SH.csv", "600000.SH_20230207_tick.csv.gz", "600000.sh_x.csv"])
def test_xtquants_own_units_are_lots(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, HEADER, row(at(10)), row(at(10, 0, 3), "10.01", volume="7", amount="7000.5"))
    tape = FolderTape(tmp_path)
    assert tape.codes() == ["600000.SH"]
    assert tape.tick("600000.SH", DAY, 36_000_000) == Tick(
        36_000_000, 10_000, 10_000, 10_100, 9_900, 9_950, 500, 500_000, 0, 0,
        ((10_010, 100), (10_020, 200), (10_030, 300), (10_040, 400), (10_050, 500)),
        ((10_000, 600), (9_990, 700)),
    )  # fmt: skip
    after = tape.tick("600000.SH", DAY, 36_003_000)
    assert after is not None
    assert (after.last, after.volume, after.amount) == (10_010, 700, 700_050)


def test_levels_in_shares_are_recognised_when_enough_are_shown(tmp_path: Path) -> None:
    in_shares = [row(at(10, 0, 3 * n), ask_vols="100,250,300,400,777") for n in range(18)]
    write(tmp_path / "600000.SH.csv", HEADER, *in_shares)
    few = [row(at(10, 0, 3 * n), ask_vols="100,200,300,400,700") for n in range(3)]
    write(tmp_path / "600004.SH.csv", HEADER, *few)
    tape = FolderTape(tmp_path)
    sizes = {
        code: [size for _, size in tick.asks] for code in tape.codes() if (tick := tape.tick(code, DAY, 36_000_000))
    }
    assert sizes["600000.SH"] == [100, 250, 300, 400, 777]
    assert sizes["600004.SH"] == [10_000, 20_000, 30_000, 40_000, 70_000]


def test_bonds_count_in_tens(tmp_path: Path) -> None:
    lots = [row(at(10, 0, 3 * n), "120", amount="6000", ask_vols="10,25,30,40,77") for n in range(18)]
    write(tmp_path / "113052.SH.csv", HEADER, *lots)
    shares = [
        row(at(10, 0, 3 * n), "120", volume="50", amount="6000", ask_vols="10,20,30,40,80").replace(
            ",6,7,0,9,0", ",60,70,0,90,0"
        )
        for n in range(18)
    ]
    write(tmp_path / "123153.SZ.csv", HEADER, *shares)
    tape = FolderTape(tmp_path)
    first, second = (tape.tick(code, DAY, 36_000_000) for code in ("113052.SH", "123153.SZ"))
    assert first is not None
    assert second is not None
    assert (first.volume, first.asks[1]) == (50, (10_020, 250))
    assert (second.volume, second.asks[1]) == (50, (10_020, 20))


def test_list_columns_and_other_times(tmp_path: Path) -> None:
    write(
        tmp_path / "600000.SH.csv",
        f"time,{PRICES},amount,volume,pvolume,openInt,transactionNum,askPrice,askVol,bidPrice,bidVol",
        '20230207100000,10,10,10,10,9.95,5000,5,512,13,9,"[10.01, 10.02, 0, 0, 0]","[1, 2, 0, 0, 0]",[10.0],[3]',
        '2023-02-07 10:00:03,10,10,10,10,9.95,5000,5,513,13,9,"(10.01, 10.02)","(1, 2)",[],[]',
        "2023-02-07T02:00:06+00:00,10,10,10,10,9.95,5000,5,514,13,9,[],[],[],[]",
    )
    first, second, third = FolderTape(tmp_path).ticks("600000.SH", DAY, *WHOLE)
    assert [tick.ms for tick in (first, second, third)] == [36_000_000, 36_003_000, 36_006_000]
    assert (first.volume, first.phase, first.trades) == (512, 13, 9)
    assert (first.asks, first.bids) == (((10_010, 100), (10_020, 200)), ((10_000, 300),))
    assert (second.asks, second.bids, third.asks) == (((10_010, 100), (10_020, 200)), (), ())


def test_levels_of_xtquants_own_shape_are_lots_however_round(tmp_path: Path) -> None:
    levels = '"[10.01, 10.02]","[100, 200]","[10.0, 9.99]","[300, 400]"'
    lines = [f"{at(10, 0, 3 * n)},10,10,10,10,9.95,5000,5,{levels}" for n in range(50)]
    write(tmp_path / "600000.SH.csv", f"time,{PRICES},amount,volume,askPrice,askVol,bidPrice,bidVol", *lines)
    tick = FolderTape(tmp_path).tick("600000.SH", DAY, 36_000_000)
    assert tick is not None
    assert (tick.asks, tick.bids) == (((10_010, 10_000), (10_020, 20_000)), ((10_000, 30_000), (9_990, 40_000)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gbk"])
def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path, encoding: str) -> None:
    text = "\r\n".join([f"名称,{HEADER}", f"浦发银行,{row(at(10))}", ""])
    (tmp_path / "600000.SH.csv").write_bytes(text.encode(encoding))
    assert [tick.ms for tick in FolderTape(tmp_path).ticks("600000.SH", DAY, *WHOLE)] == [36_000_000]


def test_several_files_and_days_of_a_code_and_files_of_many_codes(tmp_path: Path) -> None:
    write(tmp_path / "600000.SH_20230208_tick.csv", HEADER, row(at(34), "10.08"))
    write(tmp_path / "600000.SH_pm.csv", HEADER, row(at(14), "10.03"), row(at(13), "10.02"))
    write(tmp_path / "600000.SH_am.csv", HEADER, row(at(10), "10.01"))
    write(
        tmp_path / "market.csv",
        f"stock_code,{HEADER}",
        f"600000.SH,{row(at(10, 30), '10.05')}",
        f"000001.SZ,{row(at(58), '11.00')}",
    )
    tape = FolderTape(tmp_path)
    assert tape.codes() == ["000001.SZ", "600000.SH"]
    assert tape.days() == [DAY, NEXT, date(2023, 2, 9)]
    assert [tick.last for tick in tape.ticks("600000.SH", DAY, *WHOLE)] == [10_010, 10_050, 10_020, 10_030]
    assert [tick.last for tick in tape.ticks("600000.SH", NEXT, *WHOLE)] == [10_080]
    assert [tick.last for tick in tape.ticks("000001.SZ", date(2023, 2, 9), *WHOLE)] == [11_000]


def test_only_the_files_of_the_code_asked_for_are_read(tmp_path: Path) -> None:
    write(tmp_path / "600000.SH_20230207_tick.csv", HEADER, row(at(10)))
    write(tmp_path / "600519.SH_20230208_tick.csv", "not a tape")
    tape = FolderTape(tmp_path)
    assert tape.days() == [DAY, NEXT]
    assert tape.tick("600000.SH", DAY, 36_000_000) is not None
    with pytest.raises(ConfigError):
        tape.tick("600519.SH", NEXT, 36_000_000)


def test_own_bars_come_before_made_ones(tmp_path: Path) -> None:
    write(tmp_path / "600000.SH.csv", HEADER, row(at(10), "10.01"))
    write(
        tmp_path / "600000.SH_1m.csv",
        "time,open,high,low,close,volume",
        "2023-02-06 09:31:00,9.90,9.99,9.90,9.95,1234",
        "2023-02-06 09:32:00,9.95,9.97,9.91,9.96,1000",
        "2023-02-07 09:31:00,9.97,9.98,9.92,9.97,1001",
    )
    write(
        tmp_path / "600000.SH_1d.csv",
        "date,open,high,low,close,volume,amount,preClose",
        "20230203,9,9.9,8.9,9.5,5,4750,8.8",
    )
    tape = FolderTape(tmp_path)
    assert tape.bars("600000.SH", "1d", date(2023, 1, 1), date(2023, 12, 31)) == [
        Bar(date(2023, 2, 3), 0, 9_000, 9_900, 8_900, 9_500, 500, 475_000, 8_800),
        Bar(date(2023, 2, 6), 0, 9_900, 9_990, 9_900, 9_960, 2_234, 0, 9_900),
        Bar(DAY, 0, 9_970, 9_980, 9_920, 9_970, 1_001, 0, 9_960),
    ]
    assert tape.bars("600000.SH", "1m", DAY, DAY) == [Bar(DAY, 34_260_000, 9_970, 9_980, 9_920, 9_970, 1_001, 0, 9_960)]
    assert tape.days() == [DAY]


def test_instruments_by_prefix_and_by_table(tmp_path: Path) -> None:
    for code in ("600000.SH", "159915.SZ", "002124.SZ"):
        write(tmp_path / f"{code}.csv", HEADER, *[row(at(10, 0, n)) for n in range(20)])
    write(
        tmp_path / "instruments.csv",
        "code,name,st,listed,t0,band,levels",
        "159915.SZ,创业板ETF,0,20111209,yes,0.20,shares",
        "002124.SZ,ST天邦,1,2007-04-03,,,",
    )
    tape = FolderTape(tmp_path)
    plain, fund, st = (tape.instrument(code) for code in ("600000.SH", "159915.SZ", "002124.SZ"))
    assert plain is not None
    assert fund is not None
    assert st is not None
    assert (plain.name, plain.kind, plain.board, plain.listed) == ("600000.SH", Kind.STOCK, Board.MAIN, None)
    assert (fund.name, fund.kind, fund.t0, fund.band) == ("创业板ETF", Kind.ETF, True, Decimal("0.20"))
    assert (st.name, st.st, st.listed, st.t0) == ("ST天邦", True, date(2007, 4, 3), None)
    assert tape.instrument("600001.SH") is None
    tick = tape.tick("159915.SZ", DAY, 36_000_000)
    assert tick is not None
    assert tick.asks[0] == (10_010, 1)


# -- bad files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        ([HEADER, row(at(10)), row(at(10, 1), "ten")], 3, "lastPrice is 'ten', not a number"),
        ([HEADER, "", row(at(10), "nan")], 3, "lastPrice is nan"),
        ([HEADER, row(at(10), "-1")], 2, "lastPrice is -1"),
        ([HEADER, row(at(10)), row(at(11)) + ",1"], 3, "29 cells under 28 columns"),
        ([HEADER.replace("bidVol5", "other"), row(at(10))], 1, "no column bidVol5"),
        ([HEADER, row(at(10)).replace(str(at(10)), "noon")], 2, "time is 'noon', not a time"),
        (["time,open", "1,2"], 1, "no column lastPrice, of ticks, and no column close, of bars"),
        (["time;lastPrice", "1;2"], 1, "no column lastPrice, of ticks, and no column close, of bars"),
        (["time,close", "1,2"], 1, "no column open"),
        ([""], 1, "empty file"),
    ],
)
def test_a_malformed_file_is_named_with_its_line_and_reason(
    tmp_path: Path, lines: list[str], line: int, why: str
) -> None:
    path = tmp_path / "600000.SH.csv"
    write(path, *lines)
    with pytest.raises(ConfigError) as caught:
        FolderTape(tmp_path).tick("600000.SH", DAY, 0)
    assert (caught.value.code, caught.value.params) == (
        "tape_unreadable",
        {"file": str(path), "line": line, "why": why},
    )


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("600000.SH.csv.gz", b"not gzip at all", 1),
        ("600000.SH.csv.gz", gzip.compress(HEADER.encode(), mtime=0)[:40], 1),
        ("600000.SH.csv", b"time,lastPrice\n1,\xff\xfe", 1),
        ("600000.SH.csv", b"\xff\xfe\x00", 1),
        ("600000.SH.csv", b"", 1),
        ("600000.SH.parquet", b"PAR?", 1),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, content: bytes, line: int) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        FolderTape(tmp_path).tick("600000.SH", DAY, 0)
    assert caught.value.code == "tape_unreadable"
    assert (caught.value.params["file"], caught.value.params["line"]) == (str(tmp_path / name), line)
    assert caught.value.params["why"]


@pytest.mark.parametrize(
    ("cell", "why"),
    [("600000.SH,,maybe,,,,", "st is 'maybe', expected: true | false"),
     ("600000.SH,,,,,,hands", "levels is 'hands', expected: lots | shares"),
     ("600000.SH,,,yesterday,,,", "listed is 'yesterday', expected: 2026-11-23"),
     ("600000.SH,,,,,wide,", "band is 'wide', expected: 10% | 0.1")],
)  # fmt: skip
def test_a_bad_line_of_the_instrument_table_is_named(tmp_path: Path, cell: str, why: str) -> None:
    write(tmp_path / "600000.SH.csv", HEADER, row(at(10)))
    write(tmp_path / "instruments.csv", "code,name,st,listed,t0,band,levels", "000001.SZ,,,,,,", cell)
    with pytest.raises(ConfigError) as caught:
        FolderTape(tmp_path).tick("600000.SH", DAY, 0)
    assert caught.value.params == {"file": str(tmp_path / "instruments.csv"), "line": 3, "why": why}


def test_a_file_of_no_code_is_named(tmp_path: Path) -> None:
    write(tmp_path / "market.csv", HEADER, row(at(10)))
    with pytest.raises(ConfigError) as caught:
        FolderTape(tmp_path).codes()
    assert caught.value.params["why"] == "no code in the file's name, and no column code"


@pytest.mark.parametrize("folder", ["missing", "."])
def test_a_folder_without_tapes_is_an_error(tmp_path: Path, folder: str) -> None:
    (tmp_path / "README.txt").write_text("nothing here")
    with pytest.raises(ConfigError) as caught:
        FolderTape(tmp_path / folder)
    assert (caught.value.code, caught.value.params) == ("tape_empty", {"path": str(tmp_path / folder)})


@pytest.mark.parametrize("header", [HEADER, "date,open,high,low,close,volume"])
def test_files_without_rows_have_no_day_to_show(tmp_path: Path, header: str) -> None:
    write(tmp_path / "600000.SH.csv", header)
    tape = FolderTape(tmp_path)
    assert tape.tick("600000.SH", DAY, 0) is None
    assert tape.bars("600000.SH", "1d", DAY, DAY) == []
    with pytest.raises(ConfigError) as caught:
        tape.days()
    assert caught.value.code == "tape_empty"
