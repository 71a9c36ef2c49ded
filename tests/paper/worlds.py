"""The vendor's own xtdata over the stand-in, in a paper run whose clock the test sets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qmtcli.paper import mount
from qmtcli.paper.exchange import current
from qmtcli.paper.settings import Settings


@pytest.fixture(scope="module")
def vendor_data(vendor_modules: None) -> Iterator[Any]:
    """xtdata, imported over the stand-in; in Shanghai's time, as in a paper run."""
    zone = os.environ.get("TZ")
    mount.read_zone()  # whatever was done to the environment before
    mount.keep_shanghai_time()
    mount.attach()
    from qmtcli.xt.loader import data_module

    yield data_module()
    os.environ.pop("TZ", None)
    if zone is not None:
        os.environ["TZ"] = zone
    mount.read_zone()


class World:
    """A paper run of this process, whose clock stands where the test puts it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch

    def begin(
        self, at: str = "2026-11-23T10:00:01.5", hours: str = "exchange", market: str = "sample", **more: Any
    ) -> None:
        self.clock(at)
        environ: dict[str, str] = {}
        clock = f"@{self._folder / 'clock'}"
        Settings(home=str(self._folder), market=market, hours=hours, clock=clock, **more).export(environ)
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
def xtdata(vendor_data: Any, world: World) -> Iterator[Any]:
    vendor_data.reconnect()
    yield vendor_data
    vendor_data.disconnect()
