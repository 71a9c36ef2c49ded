"""The vendor's own xtdata over the stand-in, in a paper run whose clock the test sets."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qmtcli.paper import mount
from qmtcli.paper.exchange import current
from qmtcli.paper.settings import Settings


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
