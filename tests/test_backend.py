"""What a paper run is told of its profile, and that it means the same to the exchange."""

from __future__ import annotations

from pathlib import Path

import pytest

from qmtcli.backend import calendar_file, now, paper_settings
from qmtcli.config import load
from qmtcli.errors import ConfigError
from qmtcli.paper.settings import Settings
from qmtcli.rules.settings import DEFAULT, DEFAULT_SCHEDULE, parse, parse_fees

PROFILE = """\
profiles:
  p:
    account: "1001"
    accounts: ["1002", "1003"]
    account_type: CREDIT
    hours: exchange
    rules: {bond_tick: 0.01, conv_bond_cage: none, main_cage_from: 2023-04-11, sz_lunch_cancels: yes, b_share_rate: 5%}
    fees: {commission: 0.001%, all_in: false}
    instruments: mine.csv
"""


def _settings(tmp_path: Path, user: str, account: str | None = None, clock: str = "") -> Settings:
    (tmp_path / "user.yaml").write_text(user)
    env = {"QMT_CONFIG": str(tmp_path / "user.yaml"), "QMT_STATE": str(tmp_path / "state"), "QMT_PAPER_CLOCK": clock}
    config = load({"profile": "p", "account": account}, env, tmp_path)
    return paper_settings(config.profile(), env)


def test_a_run_is_told_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(tmp_path, PROFILE, account="1002")
    assert (settings.account, settings.accounts, settings.account_type) == ("1002", ["1001", "1003"], "CREDIT")
    assert settings.account_file == tmp_path / "state" / "paper" / "p" / "1002.sqlite"
    assert settings.instruments == str(tmp_path / "mine.csv")
    rules, fees = parse(settings.rules), parse_fees(settings.fees)
    assert rules._asdict().items() - DEFAULT._asdict().items() == {
        ("bond_tick", parse({"bond_tick": "0.01"}).bond_tick),
        ("conv_bond_cage", None),
        ("main_cage_from", parse({"main_cage_from": "2023-04-11"}).main_cage_from),
        ("sz_lunch_cancels", True),
        ("b_share_rate", parse({"b_share_rate": "0.05"}).b_share_rate),
    }
    assert fees == DEFAULT_SCHEDULE._replace(**parse_fees({"commission": "0.00001", "all_in": "no"})._asdict())
    environ: dict[str, str] = {}
    settings.export(environ)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert Settings.from_environment() == settings


def test_a_run_without_any_of_it(tmp_path: Path) -> None:
    settings = _settings(tmp_path, "profiles: {p: {}}")
    assert (settings.accounts, settings.account_type, settings.rules, settings.fees) == ([], "STOCK", {}, {})
    assert (settings.instruments, settings.calendar) == ("", "")


def test_imported_days_are_named_once_there_are_some(tmp_path: Path) -> None:
    env = {"QMT_STATE": str(tmp_path / "state")}
    calendar_file(env).parent.mkdir()
    calendar_file(env).touch()
    assert _settings(tmp_path, "profiles: {p: {}}").calendar == str(tmp_path / "state" / "trading_days.txt")


def test_the_clock_of_a_profile(tmp_path: Path) -> None:
    (tmp_path / "user.yaml").write_text('profiles: {l: {live: true, path: /terminal, account: "1"}}')
    env = {"QMT_CONFIG": str(tmp_path / "user.yaml"), "QMT_PAPER_CLOCK": "1970-01-02T08:00:00"}
    config = load({}, env, tmp_path)
    assert now(config.profile("paper"), env) == 86_400
    assert now(config.profile("l"), env) > 1_700_000_000
    with pytest.raises(ConfigError, match="bad_clock"):
        now(config.profile("paper"), {"QMT_PAPER_CLOCK": "noon"})
