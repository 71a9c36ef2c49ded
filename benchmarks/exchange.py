"""What the paper exchange costs: time and memory, over a day of 300 instruments.

Run by hand, with the Python of an environment that holds qmt, on a quiet machine:

    python benchmarks/exchange.py

It rewrites ``exchange.md`` beside it, in some ten minutes. The tapes are made in a temporary folder: the real day
of 600519.SH, where the folder of market data is beside the repository, else that of the sample market, 300 times with
its prices shifted; and all of it once more with a snapshot put between any two. Each case is a process of its own,
unless it says otherwise; the cases of a table run interleaved, and the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from startup import LAUNCHER, RSS_UNIT, machine

from qmtcli.paper.clock import midnight
from qmtcli.paper.codes import BUY, FIX_PRICE, SELL
from qmtcli.paper.counter import NewOrder
from qmtcli.paper.exchange import Exchange
from qmtcli.paper.feed import number_of
from qmtcli.paper.folder import FolderTape
from qmtcli.paper.sample import SampleTape
from qmtcli.paper.settings import Settings
from qmtcli.paper.tape import Tick

HERE = Path(__file__).resolve().parent
REAL = HERE.parents[1] / "shared" / "data" / "tick" / "600519.SH_20230207_tick.csv.gz"
DAY = date(2023, 2, 7)
CODES = [f"600{number:03d}.SH" for number in range(300)]
ORDERS = 1_000
ACCOUNT = "1000000365"
#: CNY; no order is turned away for want of money
CASH = 100_000_000_000
#: CNY between two instruments' prices
SHIFT = 0.07


# -- the tapes -------------------------------------------------------------------------------------------------


def make_tapes(folder: Path) -> str:
    """Folders ``one`` and ``two``, the latter with twice the snapshots; says what they were made of."""
    if REAL.is_file():
        header, *lines = gzip.decompress(REAL.read_bytes()).decode().splitlines()
        made_of = "the real day of 600519.SH"
    else:
        header, *lines = sample_day()
        made_of = "a generated day"
    names = header.split(",")
    rows = [line.split(",") for line in lines]
    time_at = names.index("time")
    prices = [at for at, name in enumerate(names) if "Price" in name or name in ("open", "high", "low", "lastClose")]
    for name, of in (("one", rows), ("two", list(doubled(rows, time_at)))):
        (folder / name).mkdir()
        for number, code in enumerate(CODES):
            shifted = [header, *(",".join(moved(row, prices, number * SHIFT)) for row in of), ""]
            path = folder / name / f"{code}_{DAY:%Y%m%d}_tick.csv.gz"
            path.write_bytes(gzip.compress("\n".join(shifted).encode(), 1))
    return f"{made_of}, {len(rows):,} snapshots"


def sample_day() -> Iterator[str]:
    """The lines of a tape of the sample market's 600519.SH."""
    sides = [f"{side}{what}{n}" for side in ("ask", "bid") for what in ("Price", "Vol") for n in range(1, 6)]
    yield ",".join(["time,lastPrice,open,high,low,lastClose,pvolume,amount,transactionNum,openInt", *sides])
    zero = midnight(number_of(DAY))
    for tick in SampleTape().ticks("600519.SH", DAY, -1, 86_400_000):
        cells = [zero + tick.ms, *(price / 1000 for price in tick[1:6]), tick.volume, tick.amount / 100, *tick[8:10]]
        for side in (tick.asks, tick.bids):
            levels = [*side, *[(0, 0)] * (5 - len(side))]
            cells += [*(price / 1000 for price, _ in levels), *(volume for _, volume in levels)]
        yield ",".join(map(str, cells))


def doubled(rows: list[list[str]], time_at: int) -> Iterator[list[str]]:
    """Each row, and the same half way to the next."""
    for row, following in zip(rows, [*rows[1:], rows[-1]], strict=True):
        yield row
        between = (int(row[time_at]) + int(following[time_at])) // 2
        if between > int(row[time_at]):
            yield [*row[:time_at], str(between), *row[time_at + 1 :]]


def moved(row: list[str], prices: list[int], by: float) -> list[str]:
    """A row with another price level."""
    cells = list(row)
    for at in prices:
        if price := float(cells[at]):
            cells[at] = f"{price + by:.2f}"
    return cells


# -- the account -----------------------------------------------------------------------------------------------


@contextmanager
def exchange_at(
    folder: Path, tapes: str, at: str, account: str = ACCOUNT
) -> Iterator[tuple[Exchange, Callable[[str], Any]]]:
    """An exchange over one of the folders of tapes, and what sets its clock."""
    home = folder / f"home_{tapes}"
    home.mkdir(exist_ok=True)
    clock = home / f"{account}.clock"

    def put(moment: str) -> None:
        clock.write_text(f"{DAY}T{moment}", encoding="utf-8")

    put(at)
    market = str(folder / tapes)
    settings = Settings(home=str(home), account=account, market=market, hours="exchange", clock=f"@{clock}", cash=CASH)
    exchange = Exchange(settings)
    yield exchange, put
    exchange.store.close()


def new_orders(exchange: Exchange, codes: list[str], count: int) -> list[NewOrder]:
    """Buys below and sells above the first price of the day, by up to a percent; there is enough to sell."""
    chance = random.Random(7)
    with exchange.store.transaction():
        for code in codes:
            exchange.store.execute("INSERT INTO positions VALUES (?, ?, 1000000, 1000000, 0, 0, 0, '[]')", code, code)
    opens = {code: last_of(exchange.feed.tape.tick(code, DAY, 34_200_000)).last for code in codes}
    orders = []
    for number in range(count):
        code = codes[number % len(codes)]
        buying = chance.random() < 0.5
        away = 1 + chance.uniform(0, 0.01) * (-1 if buying else 1)
        price = round(opens[code] * away / 10) / 100
        volume = 100 * chance.randrange(1, 5)
        orders.append(NewOrder(code, BUY if buying else SELL, volume, FIX_PRICE, price, "", "", 1, number))
    return orders


def last_of(tick: Tick | None) -> Tick:
    """A snapshot that must be there."""
    assert tick is not None
    return tick


def account_file(folder: Path, tapes: str) -> Path:
    """The account that is brought up to date; the file beside it, with another ending, is of the morning."""
    return folder / f"home_{tapes}" / f"{ACCOUNT}.sqlite"


def restore(folder: Path, tapes: str) -> None:
    """Put the account back to the morning."""
    path = account_file(folder, tapes)
    for left in path.parent.glob(f"{path.name}-*"):
        left.unlink()
    shutil.copyfile(path.with_suffix(".morning"), path)


# -- cases: each a process, which prints its figures as JSON -----------------------------------------------------


def build(folder: Path, tapes: str) -> dict[str, float]:
    """Make the index of every tape, and an account with orders in the opening auction."""
    with exchange_at(folder, tapes, "09:16:00") as (exchange, _):
        started = time.perf_counter()
        for code in CODES:
            exchange.feed.tape.preclose(code, DAY)
        took = time.perf_counter() - started
        for order in new_orders(exchange, CODES, ORDERS):
            exchange.place(order)
        exchange.store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        resting = exchange.orders(open_only=True)
        assert len(resting) == ORDERS
    path = account_file(folder, tapes)
    shutil.copyfile(path, path.with_suffix(".morning"))
    size = sum(file.stat().st_size for file in path.parent.rglob("*.index"))
    return {"ms": took * 1000, "size": size / 1e6}


def catch_up(folder: Path, tapes: str) -> dict[str, float]:
    """Bring the account up to date after the day, in a new process; then again, the tape being open."""
    restore(folder, tapes)
    started = time.perf_counter()
    with exchange_at(folder, tapes, "16:00:00") as (exchange, _):
        exchange.refresh()
        cold = time.perf_counter() - started
        filled = len(exchange.trades())
        tape = exchange.feed.tape
        settings = exchange.settings
    restore(folder, tapes)
    started = time.perf_counter()
    exchange = Exchange(settings, tape)
    exchange.refresh()
    warm = time.perf_counter() - started
    assert len(exchange.trades()) == filled
    return {"ms": cold * 1000, "warm": warm * 1000, "trades": filled}


def approach(folder: Path, tapes: str) -> dict[str, float]:
    """Where each of the orders first meets the day, by the tape alone."""
    tape = FolderTape(folder / tapes, folder / f"home_{tapes}" / "tapes")
    chance = random.Random(7)
    limits = [(code, round(1_798_000 * chance.uniform(0.99, 1))) for code in CODES]
    for code, _ in limits:
        tape.preclose(code, DAY)
    started = time.perf_counter()
    for number in range(ORDERS):
        code, limit = limits[number % len(limits)]
        next(tape.approaches(code, DAY, 34_200_000, 54_000_000, limit + number, 0), None)
    return {"ms": (time.perf_counter() - started) * 1000}


def quotes(folder: Path, tapes: str) -> dict[str, float]:
    """Open the folder and read the closing snapshot of each code; then all of the day's."""
    started = time.perf_counter()
    tape = FolderTape(folder / tapes, folder / f"home_{tapes}" / "tapes")
    for code in CODES:
        last_of(tape.tick(code, DAY, 54_000_000))
    opened = time.perf_counter() - started
    started = time.perf_counter()
    count = sum(len(tape.ticks(code, DAY, -1, 86_400_000)) for code in CODES)
    return {"ms": opened * 1000, "all": (time.perf_counter() - started) * 1000, "ticks": count}


def replay(folder: Path, codes: int, count: int) -> dict[str, float]:
    """A day, minute by minute, with orders all along the way."""
    account = f"9{codes:04d}{count:05d}"
    for left in (folder / "home_one").glob(f"{account}*"):
        left.unlink()
    with exchange_at(folder, "one", "09:15:00", account) as (exchange, put):
        orders = new_orders(exchange, CODES[:codes], count)
        minutes = [*range(9 * 60 + 31, 11 * 60 + 30), *range(13 * 60, 14 * 60 + 57)]
        started = time.perf_counter()
        for at, minute in enumerate(minutes):
            put(f"{minute // 60:02d}:{minute % 60:02d}:00")
            for order in orders[at * count // len(minutes) : (at + 1) * count // len(minutes)]:
                exchange.place(order)
            exchange.refresh()
        put("16:00:00")
        exchange.refresh()
        took = time.perf_counter() - started
        return {"ms": took * 1000, "trades": len(exchange.trades())}


def order_stock(folder: Path, rounds: int) -> dict[str, float]:
    """Orders through the vendor's trader: that rest, that trade at once, and on a stand-in that does nothing."""
    from qmtcli.paper.mount import mount

    settings = Settings(home=str(folder / "orders"), account=ACCOUNT, clock="2026-11-23T10:00:00", cash=CASH)
    mount(settings)
    from xtquant import xttrader
    from xtquant.xtpythonclient import OrderStockResp, XtQuantAsyncClient
    from xtquant.xttype import StockAccount

    class Nothing(XtQuantAsyncClient):  # type: ignore[misc]
        """Answers at once, always the same."""

        answer = OrderStockResp()

        def connect(self) -> int:
            return 0

        def subscribeWithSeq(self, seq: int, request: object) -> int:
            self._callbacks["bindOnSubscribeRespCallback"](seq, 0)
            return seq

        def orderStockWithSeq(self, seq: int, request: object) -> int:
            self._callbacks["bindOnOrderStockRespCallback"](seq, self.answer)
            return seq

    account = StockAccount(ACCOUNT)

    def trader(client: type, session: int) -> Any:
        xttrader._XTQC_.XtQuantAsyncClient = client
        made = xttrader.XtQuantTrader("paper", session, xttrader.XtQuantTraderCallback())
        made.start()
        assert made.connect() == made.subscribe(account) == 0
        return made

    nothing, paper = trader(Nothing, 1), trader(XtQuantAsyncClient, 2)

    def once(to: Any, price: float) -> float:
        started = time.perf_counter_ns()
        to.order_stock(account, "600000.SH", BUY, 100, FIX_PRICE, price, "script", "remark")
        return (time.perf_counter_ns() - started) / 1000

    kinds = {"nothing": (nothing, 9.0), "rests": (paper, 8.9), "trades": (paper, 9.09)}
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, asked in kinds.items():
            took[kind].append(once(*asked))
    return {kind: statistics.median(times[rounds // 10 :]) for kind, times in took.items()}


CASES: dict[str, Callable[..., dict[str, float]]] = {
    of.__name__: of for of in (build, catch_up, approach, quotes, replay, order_stock)
}


# -- running them ------------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """One run of a case."""

    figures: dict[str, float]
    #: wall time of the process, ms
    ms: float
    #: peak resident memory, MB (10**6 bytes)
    mb: float


def run(folder: Path, case: str, *arguments: object) -> Run:
    """Run a case once in a process of its own. Ends the benchmark when it fails."""
    words = [sys.executable, str(Path(__file__).resolve()), "--case", case, str(folder), *map(str, arguments)]
    launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, *words]
    done = subprocess.run(launch, capture_output=True, text=True, check=False)
    told = folder / "figures.json"
    if done.returncode or not done.stdout.endswith(" 0\n"):
        sys.exit(f"{case} {arguments}: {done.stdout}{done.stderr}")
    ns, _, peak, _ = map(float, done.stdout.split())
    return Run(json.loads(told.read_text()), ns / 1e6, peak * RSS_UNIT / 1e6)


def interleaved(folder: Path, rounds: int, *cases: tuple[object, ...]) -> list[list[Run]]:
    """Runs of each case, all of them once a round."""
    turns = [[run(folder, *case) for case in cases] for _ in range(rounds)]
    return [list(runs) for runs in zip(*turns, strict=True)]


def median(runs: list[Run], figure: str = "ms") -> float:
    """Of one figure of a case over its runs."""
    return statistics.median(one.figures[figure] for one in runs)


def memory(runs: list[Run]) -> float:
    """Peak memory of a case, MB, median."""
    return statistics.median(one.mb for one in runs)


def measure(folder: Path, rounds: int) -> list[str]:
    """All of the report but its head."""
    made_of = make_tapes(folder)
    one, two = interleaved(folder, 1, ("build", "one"), ("build", "two"))
    (met_one, met_two), (near_one, near_two), (read_one, read_two) = (
        interleaved(folder, rounds, (case, "one"), (case, "two")) for case in ("catch_up", "approach", "quotes")
    )
    sizes = [(75, 500), (150, 1_000), (300, 2_000), (300, 500), (300, 1_000)]
    days = interleaved(folder, max(1, rounds // 3), *[("replay", *size) for size in sizes])
    (orders,) = interleaved(folder, rounds, ("order_stock", 200))
    nothing, rests, trades = (median(orders, kind) for kind in ("nothing", "rests", "trades"))
    by_both, by_orders = median(days[2]) / median(days[0]), median(days[2]) / median(days[3])

    def row(title: str, one: str, two: str) -> str:
        return f"| {title} | {one} | {two} |"

    def ms(runs: list[Run], figure: str = "ms") -> str:
        return f"{median(runs, figure):,.1f}"

    def aim(title: str, figure: float, most: float, unit: str) -> str:
        return f"| {title} | {figure:.2f}{unit} | ≤ {most:g}{unit} | {'held' if figure <= most else 'missed'} |"

    return [
        f"## A day of {len(CODES)} instruments",
        "",
        f"Tapes: {made_of}; then twice the snapshots. {ORDERS:,} orders rest from the opening auction on.",
        "",
        "| | one | twice the snapshots |",
        "|---|---:|---:|",
        row("making the index, once, s", f"{median(one) / 1000:.1f}", f"{median(two) / 1000:.1f}"),
        row("its size, MB", f"{median(one, 'size'):.1f}", f"{median(two, 'size'):.1f}"),
        row("peak memory of making it, MB", f"{memory(one):.1f}", f"{memory(two):.1f}"),
        row("**orders brought up to date after the day, new process, ms**", ms(met_one), ms(met_two)),
        row("the same, the tape being open, ms", ms(met_one, "warm"), ms(met_two, "warm")),
        row("trades of it", f"{median(met_one, 'trades'):,.0f}", f"{median(met_two, 'trades'):,.0f}"),
        row("peak memory, MB", f"{memory(met_one):.1f}", f"{memory(met_two):.1f}"),
        row(f"the tape alone: the first snapshot near each of {ORDERS:,} limits, ms", ms(near_one), ms(near_two)),
        row(f"opening the tape, a quote of {len(CODES)} instruments, ms", ms(read_one), ms(read_two)),
        row("reading all their snapshots, ms", ms(read_one, "all"), ms(read_two, "all")),
        row("peak memory of that, MB", f"{memory(read_one):.1f}", f"{memory(read_two):.1f}"),
        "",
        "## A day replayed, minute by minute, with orders all along the way",
        "",
        "| instruments | orders | trades | ms | µs an order | peak memory, MB |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {codes} | {count:,} | {median(runs, 'trades'):,.0f} | {median(runs):,.0f} "
            f"| {median(runs) * 1000 / count:,.0f} | {memory(runs):.1f} |"
            for (codes, count), runs in zip(sizes, days, strict=True)
        ),
        "",
        "## An order through `XtQuantTrader.order_stock`",
        "",
        "| | µs | × a stand-in that does nothing |",
        "|---|---:|---:|",
        f"| a stand-in that does nothing | {nothing:.0f} | 1 |",
        f"| it rests | {rests:.0f} | {rests / nothing:.1f} |",
        f"| it trades at once | {trades:.0f} | {trades / nothing:.1f} |",
        "",
        "## Aims",
        "",
        "| | measured | aim | |",
        "|---|---:|---:|---|",
        aim("orders brought up to date, new process", median(met_one), 500, " ms"),
        aim("twice the snapshots to one", median(met_two) / median(met_one), 1.2, " ×"),
        aim("an order that rests to a stand-in that does nothing", rests / nothing, 6, " ×"),
        aim("an order that trades at once, likewise", trades / nothing, 6, " ×"),
        aim("replay of 4 × the instruments and orders", by_both, 4.8, " ×"),
        aim("replay of 4 × the orders", by_orders, 4.8, " ×"),
    ]


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=HERE / "exchange.md")
    parser.add_argument("--case", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        name, folder, *rest = asked.case
        figures = CASES[name](Path(folder), *[int(word) if word.isdecimal() else word for word in rest])
        (Path(folder) / "figures.json").write_text(json.dumps(figures), encoding="utf-8")
        return
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), asked.rounds)
    head = [
        "# What the paper exchange costs",
        "",
        "Made by `benchmarks/exchange.py`, whose first lines say how to make it again.",
        f"Python {platform.python_version()}; {machine()}; {asked.rounds} interleaved rounds;",
        f"load {before:.2f} before and {os.getloadavg()[0]:.2f} after them, of which 1 is the benchmark's own.",
        "",
    ]
    text = "\n".join([*head, *found]) + "\n"
    asked.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
