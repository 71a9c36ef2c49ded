"""The ex-days of a folder of tapes, and bars adjusted for them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import ScriptedTape

from qmtcli.errors import ConfigError
from qmtcli.paper.adjust import adjustment, ratio
from qmtcli.paper.folder import FolderTape
from qmtcli.paper.tape import Bar
from qmtcli.rules.corporate import Action, ex_reference

SH, ETF = "600000.SH", "510300.SH"
EX = date(2017, 5, 25)
ALWAYS = date.min, date.max
HEADER = "code,ex_date,cash,bonus,rights,rights_price"
BARS = ["date,open,high,low,close,volume", "20170523,15,16,14,15.5,1", "20170524,15.4,15.6,15.3,15.47,1"]


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def folder(path: Path, *dividends: str, bars: list[str] = BARS, code: str = SH) -> FolderTape:
    write(path / f"{code}_1d.csv", *bars)
    write(path / "dividends.csv", *dividends)
    return FolderTape(path)


# -- the table ---------------------------------------------------------------------------------------------------


def test_ex_days_are_told_a_share_or_ten(tmp_path: Path) -> None:
    tape = folder(
        tmp_path,
        "code,ex_date,cash_per_10,bonus_per_10,rights_per_10,rights_price,cash",
        "600000.SH,2018-07-13,1,,,,",
        "600000.sh,20170525,2,3,,,",
        "510300.SH,2017-01-01,,,,,0.05",
        "600000.SH,2019-06-11,,,2,7.5,0.35",
    )
    assert tape.actions(SH, *ALWAYS) == [
        (EX, Action(Decimal("0.2"), Decimal("0.3"))),
        (date(2018, 7, 13), Action(Decimal("0.1"))),
        (date(2019, 6, 11), Action(Decimal("0.35"), rights=Decimal("0.2"), rights_price=Decimal("7.5"))),
    ]
    assert tape.actions(SH, EX, EX) == tape.actions(SH, *ALWAYS)[:1]
    assert tape.actions(SH, EX + timedelta(days=1), date(2018, 7, 12)) == []
    assert tape.actions("000001.SZ", *ALWAYS) == []
    # the table is no tape
    assert tape.codes() == [SH]


def test_a_folder_without_the_table_has_no_ex_days(tmp_path: Path) -> None:
    write(tmp_path / f"{SH}_1d.csv", *BARS)
    assert FolderTape(tmp_path).actions(SH, *ALWAYS) == []


def test_a_table_alone_is_no_market(tmp_path: Path) -> None:
    write(tmp_path / "dividends.csv", HEADER, "600000.SH,20170525,0.2,,,")
    with pytest.raises(ConfigError) as caught:
        FolderTape(tmp_path)
    assert caught.value.code == "tape_empty"


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        ([HEADER, "", "600000.SH,20170525,x,,,"], 3, "cash is 'x', not a number"),
        ([HEADER, "600000.SH,20170525,nan,,,"], 2, "cash is 'nan', not a number"),
        ([HEADER, "600000.SH,20170525,-1,,,"], 2, "cash is '-1'"),
        ([HEADER, "600000.SH,20170525,,inf,,"], 2, "bonus is 'inf'"),
        ([HEADER, "600000,20170525,0.2,,,"], 2, "code is '600000'"),
        ([HEADER, "600000.SH,tomorrow,0.2,,,"], 2, "ex_date is 'tomorrow', not a date"),
        ([HEADER, "600000.SH,20170532,0.2,,,"], 2, "ex_date is '20170532', not a date"),
        ([HEADER, "600000.SH,20170525,0.2,,,", "600000.SH,2017-05-25,,0.3,,"], 3,
         "a second line of 600000.SH on 2017-05-25"),
        ([HEADER, "600000.SH,20170525,,,0.2,"], 2, "rights and rights_price go together"),
        ([HEADER, "600000.SH,20170525,,,,7"], 2, "rights and rights_price go together"),
        ([HEADER, "600000.SH,20170525,0.2"], 2, "3 cells under 6 columns"),
        (["code,ex_date,dividend", "600000.SH,20170525,10派2元"], 1, "no column cash, bonus or rights"),
        (["code,cash", "600000.SH,1"], 1, "no column ex_date"),
        (["ex_date,cash", "20170525,1"], 1, "no column code"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_its_reason(tmp_path: Path, lines: list[str], line: int, why: str) -> None:
    tape = folder(tmp_path, *lines)
    with pytest.raises(ConfigError) as caught:
        tape.actions(SH, *ALWAYS)
    assert caught.value.code == "tape_unreadable"
    assert caught.value.params == {"file": str(tmp_path / "dividends.csv"), "line": line, "why": why}


def test_the_preclose_of_an_ex_day_is_the_reference_where_no_tape_says_it(tmp_path: Path) -> None:
    more = [*BARS, "20170526,11.8,12,11.7,11.9,1"]
    tape = folder(tmp_path, HEADER, "600000.SH,20170525,0.2,0.3,,", "600000.SH,20170601,0.1,,,", bars=more)
    assert tape.preclose(SH, date(2017, 5, 24)) == 15_500
    assert tape.preclose(SH, EX) == 11_750
    # the ex-day itself was not recorded: the day after it begins where it began
    assert [bar.preclose for bar in tape.bars(SH, "1d", *ALWAYS)] == [15_000, 15_500, 11_750]
    assert tape.preclose(SH, date(2017, 5, 31)) == 11_900
    assert tape.preclose(SH, date(2017, 6, 1)) == tape.preclose(SH, date(2017, 6, 5)) == 11_800


def test_the_preclose_that_a_tape_says_is_the_exchanges(tmp_path: Path) -> None:
    bars = [
        "date,open,high,low,close,volume,preClose",
        "20170524,15,16,15,15.47,1,15.5",
        "20170525,12,12,12,12,1,11.74",
    ]
    tape = folder(tmp_path, HEADER, "600000.SH,20170525,0.2,0.3,,", bars=bars)
    assert tape.preclose(SH, EX) == 11_740
    assert [bar.preclose for bar in tape.bars(SH, "1d", *ALWAYS)] == [15_500, 11_740]


def test_funds_have_references_on_their_own_step(tmp_path: Path) -> None:
    tape = folder(tmp_path, HEADER, "510300.SH,20170525,0.0456,,,", code=ETF)
    assert tape.preclose(ETF, EX) == 15_424


def test_an_ex_day_counts_once(tmp_path: Path) -> None:
    more = [*BARS, "20170525,11.7,11.9,11.6,11.8,1", "20170526,11.8,12,11.7,11.9,1"]
    tape = folder(tmp_path, HEADER, "600000.SH,20170525,0.2,0.3,,", bars=more)
    assert [bar.preclose for bar in tape.bars(SH, "1d", *ALWAYS)] == [15_000, 15_500, 11_750, 11_800]
    assert tape.preclose(SH, date(2017, 5, 27)) == 11_900


# -- adjusted bars -----------------------------------------------------------------------------------------------


def test_real_bars_around_the_ex_day_of_2017(tmp_path: Path, shared_data: Path) -> None:
    (tmp_path / f"{SH}_1d.csv").write_bytes((shared_data / "1d" / f"{SH}_1d.csv").read_bytes())
    write(tmp_path / "dividends.csv", "code,ex_date,cash_per_10,bonus_per_10", "600000.SH,2017-05-25,2,3")
    tape = FolderTape(tmp_path)
    before, on = tape.bars(SH, "1d", EX - timedelta(days=1), EX)
    assert (before.close, on.preclose, tape.preclose(SH, EX)) == (15_470, 11_750, 11_750)
    ((_, action),) = tape.actions(SH, EX, EX)
    assert ratio(tape, SH, EX, action) == Fraction("15.47") * Fraction("1.3") / Fraction("15.27")
    adjusted = {}
    for kind in ("front", "back", "front_ratio", "back_ratio"):
        adjust = adjustment(tape, SH, date(2018, 1, 1), kind)
        assert adjust is not None
        adjusted[kind] = adjust(before), adjust(on)
    assert (before.open, before.low, on.close) == (15_380, 15_210, 12_930)
    assert [bar.close for bar in adjusted["front"]] == [11_750, 12_930]
    assert (adjusted["front"][0].open, adjusted["front"][0].low) == (11_680, 11_550)
    assert adjusted["front"][1] == on
    assert adjusted["back"][0] == before
    assert (adjusted["back"][1].close, adjusted["back"][1].preclose) == (17_010, 15_480)
    assert [bar.close for bar in adjusted["front_ratio"]] == [11_750, 12_930]
    assert (adjusted["back_ratio"][0], adjusted["back_ratio"][1].close) == (before, 17_030)
    # as of the day before it there is nothing to adjust for
    assert adjustment(tape, SH, EX - timedelta(days=1), "front") is None


class BarTape(ScriptedTape):
    """Days of one share, and what it paid."""

    def __init__(self, closes: dict[date, int], actions: dict[date, Action]) -> None:
        super().__init__({SH: {}})
        self._closes, self._actions = closes, actions

    def bars(self, code: str, period: str, first: date, last: date) -> list[Bar]:
        return [Bar(day, 0, at, at, at, at, 1, 1, at) for day, at in self._closes.items() if first <= day <= last]

    def actions(self, code: str, first: date, last: date) -> list[tuple[date, Action]]:
        return [(day, action) for day, action in sorted(self._actions.items()) if first <= day <= last]


def _published(closes: dict[date, int], actions: dict[date, Action], kind: str) -> dict[date, int]:
    """Each close by the loops that the vendor publishes for its dividend types, in exact numbers, then rounded."""
    found = {}
    days = sorted(closes)
    for day in days:
        value = Fraction(closes[day], 1000)
        later = [action for ex, action in sorted(actions.items()) if ex > day]
        earlier = [action for ex, action in sorted(actions.items(), reverse=True) if ex <= day]
        if kind == "front":
            for action in later:
                paid = Fraction(action.rights_price) * Fraction(action.rights) - Fraction(action.cash)
                value = (value + paid) / (1 + Fraction(action.bonus) + Fraction(action.rights))
        elif kind == "back":
            for action in earlier:
                paid = Fraction(action.cash) - Fraction(action.rights_price) * Fraction(action.rights)
                value = value * (1 + Fraction(action.bonus) + Fraction(action.rights)) + paid
        else:
            for ex, action in actions.items():
                before = [closes[one] for one in days if one < ex]
                if not before or (ex > day) != (kind == "front_ratio"):
                    continue
                close = Fraction(before[-1], 1000)
                paid = Fraction(action.rights_price) * Fraction(action.rights) - Fraction(action.cash)
                dr = close / ((close + paid) / (1 + Fraction(action.bonus) + Fraction(action.rights)))
                value = value / dr if kind == "front_ratio" else value * dr
        found[day] = int((value * 100 + Fraction(1, 2)) // 1) * 10
    return found


FIRST = date(2020, 1, 6)
parts = st.decimals(0, 2, places=3)
actions_ = st.builds(
    lambda cash, bonus, rights: Action(cash, bonus, *rights),
    parts,
    parts,
    st.one_of(st.just((Decimal(0), Decimal(0))), st.tuples(parts, st.decimals("0.1", 20, places=2))),
)


@given(
    st.lists(st.integers(500, 50_000).map(lambda cents: cents * 10), min_size=2, max_size=6),
    st.dictionaries(st.integers(-1, 6), actions_, max_size=5),
    st.sampled_from(["front", "back", "front_ratio", "back_ratio"]),
)
def test_adjusted_closes_are_those_of_the_published_loops(
    closes: list[int], given_: dict[int, Action], kind: str
) -> None:
    held = {FIRST + timedelta(days=n): close for n, close in enumerate(closes)}
    actions = {FIRST + timedelta(days=n): action for n, action in given_.items()}
    today = FIRST + timedelta(days=len(closes) - 1)
    known = {day: action for day, action in actions.items() if day <= today}
    tape = BarTape(held, actions)
    adjust = adjustment(tape, SH, today, kind) or (lambda bar: bar)
    got = {bar.day: adjust(bar).close for bar in tape.bars(SH, "1d", *ALWAYS)}
    assert got == _published(held, known, kind)
    for day in held:  # what an ex-day leaves of the close before is its reference price
        if kind == "front" and day in known and [ex for ex in known if ex >= day] == [day] and day > FIRST:
            before = held[day - timedelta(days=1)]
            assert got[day - timedelta(days=1)] == ex_reference(Decimal(before) / 1000, known[day]) * 1000


@pytest.mark.parametrize(
    ("close", "action", "expected"),
    [
        # 000001.SZ on 2012-10-19 and 2013-06-20, as a terminal has them
        ("13.51", Action(Decimal("0.1")), "1.007457"),
        ("19.47", Action(Decimal("0.17"), Decimal("0.6")), "1.614093"),
    ],
)
def test_dr_as_a_terminal_has_it(close: str, action: Action, expected: str) -> None:
    tape = BarTape({FIRST: int(Decimal(close) * 1000)}, {})
    assert f"{float(ratio(tape, SH, FIRST + timedelta(days=9), action)):.6f}" == expected
    # without a close before it, it counts for nothing
    assert ratio(tape, SH, FIRST, action) == 1
