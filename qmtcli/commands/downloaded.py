"""What a terminal has downloaded of the past, as a folder of tapes that a replay can run on.

It is read in a process of its own, since a process has one backend and the replay's is the paper exchange. That process
asks the data service alone: it connects no trader and takes no session id, so it can send nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qmtcli.errors import NoData
from qmtcli.orders import known_instrument

if TYPE_CHECKING:
    from qmtcli.commands.common import App
    from qmtcli.xt.session import Session

#: by period: days before the first that a strategy may look back on, and days of one request, which has one deadline
_STRETCHES = {"tick": (0, 7), "1m": (10, 180), "1d": (400, 4_000)}


def fetch(app: App, specs: Iterable[str], folder: Path, days: tuple[date, date]) -> dict[str, Any] | None:
    """Have what the strategies of ``specs`` are to be replayed on written to a folder; the body of an error, if any."""
    from qmtcli.commands.several import run_each

    span = [day.isoformat() for day in days]
    whose = ["--profile", app.profile.name]
    whose += [f"--{name}={app.flags[name]}" for name in ("account", "timeout") if name in app.flags]
    for number, spec in enumerate(specs):
        into = folder / str(number)
        into.mkdir()
        asked = json.dumps({**json.loads(spec), "days": span, "fetch": str(into)})
        (answer,) = run_each(app, [whose], ["run-strategy", "--as-child", asked])
        if answer.error is not None:
            return answer.error
    return None


def keep(session: Session, codes: Sequence[str], said: Mapping[str, Any]) -> None:
    """Be the process that reads: ``said["days"]`` of ``codes``, into ``said["fetch"]``.

    Raises NotConnected, NoData naming the codes of which there is nothing on these days.
    """
    first, last = map(date.fromisoformat, said["days"])
    folder = Path(said["fetch"])
    without = [code for code in codes if not _keep_prices(session, code, first, last, folder)]
    if without:
        raise NoData("not_downloaded", codes=without, first=first.isoformat(), last=last.isoformat())
    _write(folder / "instruments.csv", ("code", "name", "st", "listed", "levels"), _instruments(session, codes))
    columns = ("code", "ex_date", "cash", "bonus", "rights", "rights_price")
    _write(folder / "dividends.csv", columns, _dividends(session, codes, first, last))


def _keep_prices(session: Session, code: str, first: date, last: date, folder: Path) -> bool:
    """Write ticks and bars of a code; whether there are any of the days from first to last."""
    found = False
    for period, (before, length) in _STRETCHES.items():
        day, path = first - timedelta(days=before), folder / f"{code}_{period}.csv"
        while day <= last:
            table = session.held(code, period, day, min(last, day + timedelta(days=length - 1)))
            day += timedelta(days=length)
            if not table.empty:
                table.to_csv(path, index=False, header=not path.exists(), mode="a")
                found = found or str(table.index[-1])[:8] >= f"{first:%Y%m%d}"
    return found


def _instruments(session: Session, codes: Sequence[str]) -> Iterable[tuple[object, ...]]:
    for code in codes:
        known = known_instrument(code, session.instrument(code), {})
        yield code, known.name, str(known.st).lower(), known.listed or "", "lots"


def _dividends(session: Session, codes: Sequence[str], first: date, last: date) -> Iterable[tuple[object, ...]]:
    since = first - timedelta(days=_STRETCHES["1d"][0])
    for code in codes:
        for at, row in session.dividends(code, since, last).iterrows():
            bonus = float(row["stockBonus"]) + float(row["stockGift"])
            given = float(row["interest"]), bonus, float(row["allotNum"])
            if any(given):
                yield (code, f"{str(at)[:4]}-{str(at)[4:6]}-{str(at)[6:8]}", *given, float(row["allotPrice"]))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table, where there are rows."""
    found = [*rows]
    if found:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(columns)
            table.writerows(found)
