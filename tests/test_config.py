"""Where settings come from, which place may say what, and what each wrong setting is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path

import platformdirs
import pytest

from qmtcli.config import VARIABLES, Config, Limits, Profile, load, state_dir, template, user_file
from qmtcli.errors import ConfigError, ExitStatus
from qmtcli.messages import error_text
from qmtcli.rules.settings import DEFAULT, DEFAULT_SCHEDULE, FEES, RULES, write

LIVE = r"""
profiles:
  live:
    live: true
    path: D:\broker\userdata_mini
    account: "000123"
"""


class Place:
    """A folder to stand in, with the user's file beside it."""

    def __init__(self, folder: Path) -> None:
        self.cwd = folder / "cwd"
        self.cwd.mkdir()
        self.project = self.cwd / "qmt.yaml"
        self.user = folder / "home" / "config.yaml"
        self.user.parent.mkdir()
        self.user.touch()

    def load(
        self,
        user: str | bytes = "",
        project: str | None = None,
        env: Mapping[str, str] | None = None,
        **flags: object,
    ) -> Config:
        self.user.write_bytes(user if isinstance(user, bytes) else user.encode())
        if project is not None:
            self.project.write_text(project, encoding="utf-8")
        elif self.project.is_file():
            self.project.unlink()
        return load(flags, {"QMT_CONFIG": str(self.user), **(env or {})}, self.cwd)

    def refusal(
        self,
        user: str | bytes = "",
        project: str | None = None,
        env: Mapping[str, str] | None = None,
        **flags: object,
    ) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            self.load(user, project, env, **flags)
        error = caught.value
        assert error.exit_status is ExitStatus.CONFIG
        for lang in ("zh", "en"):
            message, hint = error_text(error.code, error.params, lang)
            assert message and hint
        return error


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def value_of(config: Config, key: str) -> object:
    return {setting.key: setting.value for setting in config.settings}[key]


def source_of(config: Config, key: str) -> str:
    return {setting.key: setting.source for setting in config.settings}[key]


# -- without any file ---------------------------------------------------------------------------------------


def test_a_paper_profile_is_there_without_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    config = load({}, {}, tmp_path)
    assert config == Config("paper", {"paper": Profile("paper")})
    paper = config.profile()
    assert (paper.mode, paper.account, paper.account_type) == ("paper", "1000000365", "STOCK")
    assert (paper.market, paper.hours, paper.writes, paper.limits) == ("sample", "always", "all", None)
    assert (paper.timeout, paper.cash, paper.fees) == (10.0, 1_000_000, {})
    assert {setting.source for setting in config.settings} == {"default"}


def test_yaml_is_imported_for_a_file_only(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from qmtcli.config import load;"
        "here = pathlib.Path(sys.argv[1]); load({}, {}, here);"
        "before = 'yaml' in sys.modules; (here / 'qmt.yaml').write_text('lang: en'); load({}, {}, here);"
        "print(before, 'yaml' in sys.modules)"
    )
    homes = dict.fromkeys(("XDG_CONFIG_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"), str(tmp_path))
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**homes, "PYTHONPATH": str(Path(__file__).parents[1]), "SYSTEMROOT": "C:\\Windows"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False True"


def test_nothing_can_be_changed_afterwards(place: Place) -> None:
    config = place.load()
    with pytest.raises(AttributeError):
        config.profile().live = True  # type: ignore[misc]


def test_folders_follow_the_system_and_the_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    assert user_file({}).name == "config.yaml"
    assert user_file({}).parent.name == state_dir({}).name == "qmt"
    assert user_file({"QMT_CONFIG": "mine.yaml"}) == Path("mine.yaml")
    assert state_dir({"QMT_STATE": "state"}) == Path("state")


@pytest.mark.parametrize("home", ["/home/me", "/home/me/", "/", "me", "", None])
@pytest.mark.parametrize("xdg", ["/xdg", "xdg", "", None])
def test_folders_are_those_of_platformdirs(home: str | None, xdg: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", home), ("XDG_CONFIG_HOME", xdg), ("XDG_STATE_HOME", xdg)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    assert user_file({}) == platformdirs.user_config_path("qmt", appauthor=False) / "config.yaml"
    assert state_dir({}) == platformdirs.user_state_path("qmt", appauthor=False)


def test_empty_files_say_nothing(place: Place) -> None:
    assert place.load("# only a comment\n", "profiles:\n").profiles == {"paper": Profile("paper")}


# -- precedence ---------------------------------------------------------------------------------------------

FILE = "default: {0}\noutput: {1}\nlang: {2}\ntimeout: {3}\nprofiles: {{a: , b: , c: , d: }}\n"
USER = FILE.format("a", "wide", "zh", 1)
PROJECT = FILE.format("b", "csv", "en", 2)
ENV = {"QMT_PROFILE": "c", "QMT_OUTPUT": "json", "QMT_LANG": "zh", "QMT_TIMEOUT": "3"}
FLAGS = {"profile": "d", "output": "id", "lang": "en", "timeout": 4.5}


@pytest.mark.parametrize(
    ("project", "env", "flags", "expected", "sources"),
    [
        (None, {}, {}, ("a", "wide", "zh", 1.0), ("{user}:1", "{user}:2", "{user}:3", "{user}:4")),
        (PROJECT, {}, {}, ("b", "csv", "en", 2.0), tuple(f"./qmt.yaml:{line}" for line in (1, 2, 3, 4))),
        (PROJECT, ENV, {}, ("c", "json", "zh", 3.0), tuple(ENV)),
        (PROJECT, ENV, FLAGS, ("d", "id", "en", 4.5), tuple(f"--{name}" for name in FLAGS)),
        (None, ENV, {}, ("c", "json", "zh", 3.0), tuple(ENV)),
        (None, {}, FLAGS, ("d", "id", "en", 4.5), tuple(f"--{name}" for name in FLAGS)),
        (PROJECT, dict.fromkeys(ENV, ""), dict.fromkeys(FLAGS), ("b", "csv", "en", 2.0), None),
    ],
)
def test_the_upper_place_wins(
    place: Place,
    project: str | None,
    env: dict[str, str],
    flags: dict[str, object],
    expected: tuple[object, ...],
    sources: tuple[str, ...] | None,
) -> None:
    config = place.load(USER, project, env, **flags)
    profile = config.profile()
    assert (config.default, config.output, config.lang, profile.timeout) == expected
    assert profile.name == config.default
    if sources is not None:
        keys = ("default", "output", "lang", f"profiles.{profile.name}.timeout")
        shown = [source_of(config, key) for key in keys]
        assert shown == [source.format(user=place.user) for source in sources]


def test_each_value_is_taken_from_the_place_that_says_it(place: Place) -> None:
    config = place.load(USER, "output: csv\n", {"QMT_LANG": "en"}, timeout=7)
    assert (config.default, config.output, config.lang, config.profile().timeout) == ("a", "csv", "en", 7.0)


def test_a_profile_of_its_own_goes_before_what_holds_for_all(place: Place) -> None:
    config = place.load("timeout: 3\nprofiles: {slow: {timeout: 60}}")
    assert (config.profile("paper").timeout, config.profile("slow").timeout) == (3.0, 60.0)


def test_a_variable_holds_for_every_profile_and_a_flag_for_the_one_in_use(place: Place) -> None:
    user = "profiles: {a: {timeout: 1}, b: {timeout: 2}}"
    config = place.load(user, env={"QMT_TIMEOUT": "5"}, profile="b", timeout=9)
    assert [config.profile(name).timeout for name in ("paper", "a", "b")] == [5.0, 5.0, 9.0]


def test_a_profile_is_named_by_this_run_or_by_a_file(place: Place) -> None:
    user = "default: a\nprofiles: {a: }"
    assert not place.load(user).named
    assert not place.load(user, "default: paper").named
    assert place.load(user, env={"QMT_PROFILE": "paper"}).named
    assert place.load(user, profile="paper").named


def test_a_folder_may_add_a_paper_profile(place: Place) -> None:
    config = place.load(LIVE, "default: ticks\nprofiles: {ticks: {market: ./tapes, hours: exchange}}")
    ticks = config.profile()
    assert (ticks.mode, ticks.market, ticks.hours) == ("paper", str(place.cwd / "tapes"), "exchange")
    assert list(config.profiles) == ["paper", "live", "ticks"]
    assert config.has_live


def test_a_folder_whose_file_is_the_users_own_may_say_everything(place: Place) -> None:
    (place.cwd / "qmt.yaml").write_text(LIVE)
    config = load({}, {"QMT_CONFIG": "qmt.yaml"}, place.cwd)
    assert config.profile("live").live


# -- what may come from where -------------------------------------------------------------------------------

OWN = {
    "live": "true",
    "path": "./x",
    "account": '"1"',
    "account_type": "CREDIT",
    "module_path": "./x",
}


@pytest.mark.parametrize("key", OWN)
def test_a_folder_may_not_say_where_money_goes(place: Place, key: str) -> None:
    error = place.refusal(LIVE, f"profiles:\n  live:\n    {key}: {OWN[key]}\n")
    assert error.code == "forbidden_key"
    assert error.params == {"key": f"profiles.live.{key}", "source": "./qmt.yaml:3"}


@pytest.mark.parametrize("key", OWN)
def test_nor_at_the_top_of_its_file(place: Place, key: str) -> None:
    error = place.refusal("", f"# mine\n{key}: {OWN[key]}\n")
    assert (error.code, error.params) == ("forbidden_key", {"key": key, "source": "./qmt.yaml:2"})


def test_a_folder_may_not_name_a_file_to_write(place: Place) -> None:
    assert place.refusal("", "log: ./log").params == {"key": "log", "source": "./qmt.yaml:1"}
    assert place.load("log: ./log").log == str(place.user.parent / "log")


@pytest.mark.parametrize(
    "name",
    [*OWN, "writes", "limits", "limits_order_value", "yes", "market"],
)
def test_the_environment_may_not_say_where_money_goes(place: Place, name: str) -> None:
    variable = f"QMT_{name.upper()}"
    error = place.refusal(env={variable: "none"})
    assert (error.code, error.params) == ("forbidden_key", {"key": name, "source": variable})


@pytest.mark.parametrize(
    ("name", "near"),
    [("QMT_PROFIL", "QMT_PROFILE"), ("QMT_OUT", "QMT_OUTPUT"), ("QMT_timeout", "QMT_TIMEOUT")],
)
def test_an_unknown_variable_is_told_its_neighbour(place: Place, name: str, near: str) -> None:
    error = place.refusal(env={name: "x"})
    assert error.code == "unknown_key"
    assert error.params == {"key": name, "nearest": near, "source": "environment"}


def test_variables_of_others_and_empty_ones_are_none_of_ours(place: Place) -> None:
    env = {"QMTCLI_PAPER": "{}", "_QMT_COMPLETE": "bash_source", "MY_QMT_PATH": "x", "QMT_ACCOUNT": ""}
    assert place.load(env=env) == place.load()


def test_every_documented_variable_is_accepted(place: Place) -> None:
    values = {"PROFILE": "paper", "OUTPUT": "json", "LANG": "en", "DEBUG": "1", "TIMEOUT": "1"}
    env = {name: values.get(name.removeprefix("QMT_"), "x") for name in VARIABLES if name != "QMT_CONFIG"}
    config = place.load(env=env)
    assert (config.debug, config.log) == (True, str(place.cwd / "x"))


def test_flags_may_say_everything(place: Place) -> None:
    where = {"live": True, "path": r"D:\a", "account": "000123", "module_path": "./vendor"}
    profile = place.load("", None, {}, **where, writes="cancel", limits="none", yes=True).profile()
    assert (profile.mode, profile.path, profile.account) == ("live", r"D:\a", "000123")
    assert (profile.writes, profile.limits, profile.yes) == ("cancel", "none", True)
    assert profile.module_path == str(place.cwd / "vendor")


def test_a_flag_may_loosen(place: Place) -> None:
    user = LIVE + "    writes: none\n    limits: {order_value: 5}\n"
    profile = place.load(user, "writes: none", profile="live", writes="all", limits="none").profile()
    assert (profile.writes, profile.limits) == ("all", "none")


def test_a_flag_that_is_no_key_is_a_mistake_of_ours(place: Place) -> None:
    with pytest.raises(KeyError):
        place.load(colour="red")


# -- tighten, never loosen ----------------------------------------------------------------------------------

LIMITED = LIVE + (
    "    limits: {order_value: 5万, price_away: 3%, orders_per_day: 10, symbols: [600000.SH, 510300.SH]}\n"
)


@pytest.mark.parametrize("own", ["none", "cancel", "plan", "all", None])
@pytest.mark.parametrize("folder", ["none", "cancel", "plan", "all"])
def test_writes_of_a_folder_are_at_most_the_users(place: Place, own: str | None, folder: str) -> None:
    order = ["none", "cancel", "plan", "all"]
    user = LIVE + (f"    writes: {own}\n" if own else "")
    project = f"profiles: {{live: {{writes: {folder}}}}}"
    if order.index(folder) <= order.index(own or "all"):
        assert place.load(user, project).profile("live").writes == folder
    else:
        error = place.refusal(user, project)
        assert error.code == "may_only_tighten"
        assert error.params == {
            "key": "profiles.live.writes",
            "value": folder,
            "bound": own,
            "source": "./qmt.yaml:1",
        }


@pytest.mark.parametrize(
    ("limit", "held", "bound"),
    [
        ("order_value: 50000", "order_value", None),
        ("order_value: 4.9万", "order_value", None),
        ("order_value: 50001", "order_value", 50000),
        ("price_away: 3%", "price_away", None),
        ("price_away: 3.01%", "price_away", 0.03),
        ("orders_per_day: 11", "orders_per_day", 10),
        ("symbols: [sh600000]", "symbols", None),
        ("symbols: [600000.SH, 000001.SZ]", "symbols", ["510300.SH", "600000.SH"]),
        ("day_turnover: 1亿", "day_turnover", None),
    ],
)
def test_limits_of_a_folder_are_at_most_the_users(place: Place, limit: str, held: str, bound: object) -> None:
    project = f"profiles: {{live: {{limits: {{{limit}}}}}}}"
    if bound is None:
        config = place.load(LIMITED, project)
        assert source_of(config, f"profiles.live.limits.{held}") == "./qmt.yaml:1"
        limits = config.profile("live").limits
        assert isinstance(limits, Limits) and limits.orders_per_day == 10
    else:
        error = place.refusal(LIMITED, project)
        assert (error.code, error.params["bound"]) == ("may_only_tighten", bound)
        assert error.params["key"] == f"profiles.live.limits.{held}"


def test_what_a_folder_says_for_all_profiles_is_held_to_each(place: Place) -> None:
    config = place.load(LIMITED, "writes: none\nlimits:\n  order_value: 1万\n")
    assert [config.profile(name).writes for name in ("paper", "live")] == ["none", "none"]
    assert config.profile("paper").limits == Limits(order_value=Decimal(10000))
    error = place.refusal(LIMITED, "limits:\n  order_value: 6万\n")
    assert (error.code, error.params["source"]) == ("may_only_tighten", "./qmt.yaml:2")


def test_a_folder_cannot_undo_itself(place: Place) -> None:
    project = "writes: none\nprofiles: {live: {writes: all}}"
    assert place.refusal(LIVE, project).params["bound"] == "none"


def test_no_limits_can_be_said_by_the_user_only(place: Place) -> None:
    project = "profiles: {live: {limits: none}}"
    held = ["limits.order_value", "limits.price_away", "limits.orders_per_day", "limits.symbols"]
    for user, bound in ((LIMITED, held), (LIVE, "default")):
        error = place.refusal(user, project)
        assert (error.code, error.params["bound"]) == ("may_only_tighten", bound)
    assert place.load(LIVE + "    limits: none\n", project).profile("live").limits == "none"


def test_limits_of_a_folder_alone_do_not_open_the_way_to_unattended_writing(place: Place) -> None:
    project = "limits: {order_value: 1亿}"
    error = place.refusal(LIVE, project)
    assert error.code == "limits_of_folder_alone"
    assert error.params == {"profile": "live", "source": "./qmt.yaml:1"}
    assert place.load("", project).profile().limits == Limits(order_value=Decimal(100_000_000))
    limits = place.load(LIVE + "    limits: none\n", project).profile("live").limits
    assert limits == Limits(order_value=Decimal(100_000_000))


def test_a_folder_may_take_back_yes_but_not_give_it(place: Place) -> None:
    user = "profiles: {paper: {yes: true}}"
    assert place.load(user).profile().yes
    assert not place.load(user, "profiles: {paper: {yes: false}}").profile().yes
    assert place.refusal("", "profiles: {paper: {yes: true}}").code == "may_only_tighten"


# -- values -------------------------------------------------------------------------------------------------


def test_a_live_profile_whole(place: Place) -> None:
    user = LIVE + (
        "    account_type: credit\n    writes: plan\n    timeout: 2.5\n"
        "    fees: {commission: 0.01%, minimum: 0}\n"
        "    limits:\n      order_value: 5万\n      order_volume: 10000\n      price_away: 3%\n"
        "      orders_per_day: 200\n      orders_per_second: 5\n      day_turnover: 500_000\n"
        "      symbols: [600000, sz000001, '510300.SH']\n"
    )
    assert place.load(user).profile("live") == Profile(
        name="live",
        live=True,
        path=r"D:\broker\userdata_mini",
        account="000123",
        account_type="CREDIT",
        writes="plan",
        timeout=2.5,
        fees={"commission": Decimal("0.0001"), "minimum": Decimal(0)},
        limits=Limits(
            order_value=Decimal(50000),
            order_volume=10000,
            price_away=Decimal("0.03"),
            orders_per_day=200,
            orders_per_second=5,
            day_turnover=Decimal(500000),
            symbols=frozenset({"600000.SH", "000001.SZ", "510300.SH"}),
        ),
    )


def test_a_number_with_zeros_before_it_is_not_octal(place: Place) -> None:
    limits = place.load("limits: {order_value: 050000}").profile().limits
    assert limits == Limits(order_value=Decimal(50000))


@pytest.mark.parametrize("account", ["000123", "1000000365", "12.5", "2026-11-23", "true"])
def test_an_account_without_quotes_is_refused(place: Place, account: str) -> None:
    error = place.refusal(f"profiles:\n  paper:\n    account: {account}\n")
    source = f"{place.user}:3"
    assert error.code == "unquoted"
    assert error.params == {"key": "profiles.paper.account", "value": account, "source": source}
    assert f'"{account}"' in error_text(error.code, error.params, "en")[1]


def test_a_path_in_double_quotes_is_refused_where_yaml_reads_escapes(place: Place) -> None:
    for path, code in ((r"D:\broker\new", "escaped_text"), (r"D:\qmt", "unreadable_config")):
        error = place.refusal(f'profiles:\n  p:\n    live: true\n    account: "1"\n    path: "{path}"\n')
        assert (error.code, error.params["source"]) == (code, f"{place.user}:5")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("live", "maybe"),
        ("live", "2"),
        ("account", '""'),
        ("account", '"../x"'),
        ("account", '"123456789012345678901234"'),
        ("account", "[a]"),
        ("account", "{a: b}"),
        ("account", "~"),
        ("market", "smaple"),
        ("market", "5"),
        ("timeout", "0"),
        ("timeout", "-1"),
        ("timeout", ".nan"),
        ("timeout", ".inf"),
        ("timeout", "3601"),
        ("timeout", "soon"),
        ("cash", "1.5"),
        ("cash", "0"),
        ("limits", "all"),
        ("limits", "~"),
        ("limits", "[none]"),
        ("limits.order_value", "0"),
        ("limits.order_value", "true"),
        ("limits.order_volume", "1.5"),
        ("limits.price_away", "3"),
        ("limits.price_away", "0.03"),
        ("limits.price_away", "101%"),
        ("limits.price_away", "0%"),
        ("limits.price_away", "3%%"),
        ("limits.orders_per_day", "-1"),
        ("limits.symbols", "[]"),
        ("limits.symbols", "[000001]"),
        ("limits.symbols", "[[600000.SH]]"),
        ("fees", "5"),
        ("fees.commission", "2.5"),
        ("fees.commission", "0.31%"),
        ("fees.minimum", "-1"),
        ("fees.all_in", "5"),
        ("fees.repo_1", "1%"),
        ("rules", "true"),
        ("rules.bond_tick", "0"),
        ("rules.bond_tick", "0.0005"),
        ("rules.bond_cap", "1.5"),
        ("rules.sz_lunch_cancels", "sometimes"),
        ("rules.main_cage_from", "2023-04-31"),
        ("rules.b_share_rate", "10"),
        ("rules.conv_bond_cage", "~"),
        ("rules.conv_bond_cage", "[none]"),
        ("accounts", '["../x"]'),
        ("accounts", "[]"),
        ("accounts", "[[a]]"),
        ("instruments", '""'),
    ],
)
def test_bad_values_are_named_with_their_line(place: Place, key: str, value: str) -> None:
    group, _, part = key.partition(".")
    body = f"    {group}:\n      {part}: {value}\n" if part else f"    {key}: {value}\n"
    error = place.refusal(f"profiles:\n  paper:\n{body}")
    assert error.code == "bad_value"
    assert error.params["key"] == f"profiles.paper.{key}"
    assert error.params["source"] == f"{place.user}:{4 if part else 3}"


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("output: jsn", "output", "json"),
        ("lang: cn", "lang", "en"),
        ("writes: al", "writes", "all"),
        ("profiles: {paper: {hours: exchnage}}", "profiles.paper.hours", "exchange"),
        ("profiles: {paper: {account_type: CREDTI}}", "profiles.paper.account_type", "CREDIT"),
    ],
)
def test_a_misspelt_word_is_told_its_neighbour(place: Place, text: str, key: str, nearest: str) -> None:
    error = place.refusal(text)
    assert error.code == "bad_choice"
    assert (error.params["key"], error.params["nearest"]) == (key, nearest)
    assert error.params["source"] == f"{place.user}:1"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("QMT_OUTPUT", "xml", "bad_choice"),
        ("QMT_TIMEOUT", "fast", "bad_value"),
        ("QMT_DEBUG", "perhaps", "bad_value"),
        ("QMT_PROFILE", "nobody", "unknown_profile"),
    ],
)
def test_bad_values_of_variables_name_them(place: Place, name: str, value: str, code: str) -> None:
    error = place.refusal(env={name: value})
    assert (error.code, error.params["source"]) == (code, name)


def test_bad_values_of_flags_name_the_flag(place: Place) -> None:
    assert place.refusal(account_type="x").params["source"] == "--account-type"


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ("defualt: paper", "defualt", "default"),
        ("profile: {}", "profile", "profiles"),
        ("limits: {order_valu: 5}", "limits.order_valu", "order_value"),
        ("profiles: {paper: {acount: x}}", "profiles.paper.acount", "account"),
        ("profiles: {paper: {write: none}}", "profiles.paper.write", "writes"),
        ("profiles: {paper: {limits: {symbol: 5}}}", "profiles.paper.limits.symbol", "symbols"),
        ("profiles: {paper: {fees: {comission: 5}}}", "profiles.paper.fees.comission", "commission"),
        ("profiles: {paper: {rules: {bond_ticks: 5}}}", "profiles.paper.rules.bond_ticks", "bond_tick"),
        ("profiles: {paper: {rule: {}}}", "profiles.paper.rule", "rules"),
        ("profiles: {paper: {Live: true}}", "profiles.paper.Live", "live"),
    ],
)
def test_an_unknown_key_is_told_its_neighbour(place: Place, text: str, key: str, nearest: str) -> None:
    mine, folders = place.refusal(text), place.refusal("", text)
    assert mine.code == folders.code == "unknown_key"
    assert mine.params == {"key": key, "nearest": nearest, "source": f"{place.user}:1"}
    assert folders.params == {"key": key, "nearest": nearest, "source": "./qmt.yaml:1"}


def test_a_key_of_a_profile_at_the_top_is_told_its_place(place: Place) -> None:
    error = place.refusal('account: "1"')
    assert (error.code, error.params) == ("profile_key", {"key": "account", "source": f"{place.user}:1"})


@pytest.mark.parametrize("key", ["path", "account"])
def test_a_live_profile_needs_path_and_account(place: Place, key: str) -> None:
    user = "\n".join(line for line in LIVE.splitlines() if not line.startswith(f"    {key}:"))
    error = place.refusal(user)
    assert error.code == "missing_key"
    assert error.params == {"key": key, "profile": "live", "source": f"{place.user}:4"}


@pytest.mark.parametrize(
    ("live", "line", "key"),
    [
        (False, "path: ./x", "path"),
        (False, "module_path: ./x", "module_path"),
        (True, "market: sample", "market"),
        (True, "hours: always", "hours"),
        (True, "cash: 100", "cash"),
        (True, 'accounts: ["1"]', "accounts"),
    ],
)
def test_keys_of_the_other_mode_are_refused(place: Place, live: bool, line: str, key: str) -> None:
    name = "live" if live else "paper"
    error = place.refusal((LIVE if live else "profiles:\n  paper:\n") + f"    {line}\n")
    assert (error.code, error.params["key"]) == ("wrong_mode", f"profiles.{name}.{key}")
    assert (error.params["mode"], error.params["profile"]) == (name, name)


@pytest.mark.parametrize("name", ["../x", "a b", "a/b", '""', "a.b"])
def test_a_profile_has_a_name_fit_for_files(place: Place, name: str) -> None:
    assert place.refusal(f"profiles: {{{name}: }}").code == "bad_value"


def test_profiles_may_have_chinese_names_and_numbers(place: Place) -> None:
    assert list(place.load("profiles: {实盘_1: , 2: }").profiles) == ["paper", "实盘_1", "2"]


def test_an_unknown_profile_is_told_the_known_ones(place: Place) -> None:
    error = place.refusal(LIVE, profile="lvie")
    assert error.code == "unknown_profile"
    known = ["paper", "live"]
    assert error.params == {"name": "lvie", "known": known, "nearest": "live", "source": "--profile"}
    assert place.refusal(LIVE, "default: lvie").params["source"] == "./qmt.yaml:1"
    with pytest.raises(ConfigError) as caught:
        place.load(LIVE).profile("lvie")
    assert caught.value.code == "unknown_profile"


# -- files --------------------------------------------------------------------------------------------------


def test_relative_paths_start_at_the_file_that_says_them(place: Place) -> None:
    home = place.user.parent
    config = place.load("profiles: {t: {market: ./tapes}}", env={"QMT_LOG": "my.log"})
    assert (config.profile("t").market, config.log) == (str(home / "tapes"), str(place.cwd / "my.log"))
    config = place.load("profiles: {t: {market: tapes/sh}}", "profiles: {t: {market: ../tapes}}")
    assert config.profile("t").market == str(place.cwd.parent / "tapes")


def test_absolute_paths_stay(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    markets = {"a": str(tmp_path / "t"), "b": r"D:\tapes", "c": r"\\nas\share\tapes", "d": "~/tapes"}
    text = "profiles:\n" + "".join(f"  {name}: {{market: '{market}'}}\n" for name, market in markets.items())
    config = place.load(text)
    read = {name: config.profile(name).market for name in markets}
    assert read == {**markets, "d": f"{tmp_path}/tapes"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gbk"])
def test_files_are_read_in_the_encodings_of_windows(place: Place, encoding: str) -> None:
    assert place.load("profiles: {模拟: {timeout: 3}}".encode(encoding)).profile("模拟").timeout == 3.0


def test_a_file_that_is_no_text_is_unreadable(place: Place) -> None:
    error = place.refusal(b"\xef\xbb\xbf\xff")
    assert error.code == "unreadable_config"
    assert error.params["why"] == "not UTF-8, UTF-16 or GBK"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("default: paper\nprofiles: {paper\n", 3),
        ("default: paper\n\tlang: zh\n", 2),
        ("a: b: c\n", 1),
        ("profiles: *nobody\n", 1),
        ("default: paper\n---\ndefault: live\n", 2),
    ],
)
def test_broken_yaml_is_told_its_line(place: Place, text: str, line: int) -> None:
    error = place.refusal("", text)
    assert error.code == "unreadable_config"
    assert (error.params["line"], error.params["source"]) == (line, f"./qmt.yaml:{line}")
    assert error.params["path"] == str(place.cwd / "qmt.yaml")


def test_endless_nesting_is_unreadable_where_yaml_has_no_library(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    assert place.load("lang: en").lang == "en"
    error = place.refusal("[" * 5000)
    assert (error.code, error.params["why"]) == ("unreadable_config", "nested without end")


@pytest.mark.parametrize("text", ["[a]", "word", "profiles: [a]", "profiles: {a: [b]}", "profiles: {[a]: }"])
def test_what_is_no_mapping_is_refused(place: Place, text: str) -> None:
    error = place.refusal(text)
    assert (error.code, error.params["expected"]) == ("bad_value", "KEY: VALUE")
    assert error.params["source"] == f"{place.user}:1"


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("lang: zh\nlang: en\n", "lang", 2),
        ("profiles:\n  a:\n  a:\n", "a", 3),
        ("limits:\n  order_value: 1\n  order_value: 9\n", "order_value", 3),
    ],
)
def test_a_key_said_twice_is_refused(place: Place, text: str, key: str, line: int) -> None:
    error = place.refusal(text)
    assert (error.code, error.params) == ("duplicate_key", {"key": key, "source": f"{place.user}:{line}"})


def test_yaml_may_merge_one_profile_into_another(place: Place) -> None:
    second = '  second:\n    <<: *live\n    account: "000456"\n    limits: {order_value: 1万}\n'
    config = place.load(LIMITED.replace("  live:\n", "  live: &live\n") + second)
    first, other = config.profile("live"), config.profile("second")
    assert (other.live, other.path, other.account) == (True, first.path, "000456")
    assert other.limits == Limits(order_value=Decimal(10000))


def test_a_file_that_the_environment_names_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "typo.yaml"
    with pytest.raises(ConfigError) as caught:
        load({}, {"QMT_CONFIG": str(missing)}, tmp_path)
    assert caught.value.code == "no_config_file"
    assert (caught.value.params["path"], caught.value.params["source"]) == (str(missing), "QMT_CONFIG")


def test_a_folder_in_place_of_a_file_is_unreadable(place: Place) -> None:
    (place.cwd / "qmt.yaml").mkdir()
    error = place.refusal()
    assert (error.code, error.params["source"]) == ("unreadable_config", "./qmt.yaml")


# -- rules, instruments, accounts ---------------------------------------------------------------------------


def test_rules_are_read_by_their_types(place: Place) -> None:
    user = (
        "profiles:\n  t:\n    rules:\n      bond_tick: 0.01\n      sz_lunch_cancels: true\n"
        "      main_cage_from: 2023-04-10\n      conv_bond_cage: none\n      b_share_rate: 5%\n      repo_year: 360\n"
    )
    config = place.load(user)
    assert config.profile("t").rules == {
        "bond_tick": Decimal("0.01"),
        "sz_lunch_cancels": True,
        "main_cage_from": date(2023, 4, 10),
        "conv_bond_cage": None,
        "b_share_rate": Decimal("0.05"),
        "repo_year": 360,
    }
    shown = {setting.key: setting.value for setting in config.settings if setting.key.startswith("profiles.t.rules")}
    assert shown == {
        "profiles.t.rules.bond_tick": 0.01,
        "profiles.t.rules.b_share_rate": 0.05,
        "profiles.t.rules.main_cage_from": "2023-04-10",
        "profiles.t.rules.conv_bond_cage": None,
        "profiles.t.rules.sz_lunch_cancels": True,
        "profiles.t.rules.repo_year": 360,
    }
    assert source_of(config, "profiles.t.rules.conv_bond_cage") == f"{place.user}:7"
    assert config.profile("paper").rules == {}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_can_be_said_of_both_kinds_of_profiles(place: Place, name: str) -> None:
    text = write(getattr(DEFAULT, name))
    config = place.load(f"profiles: {{paper: {{rules: {{{name}: {text}}}}}}}")
    assert config.profile().rules == {name: getattr(DEFAULT, name)}
    config = place.load(f"{LIVE}    rules: {{{name}: {text}}}\n")
    assert config.profile("live").rules == {name: getattr(DEFAULT, name)}


@pytest.mark.parametrize("name", FEES)
def test_every_fee_can_be_said(place: Place, name: str) -> None:
    text = write(getattr(DEFAULT_SCHEDULE, name))
    assert place.load(f"profiles: {{p: {{fees: {{{name}: {text}}}}}}}").profile("p").fees == {
        name: getattr(DEFAULT_SCHEDULE, name)
    }


def test_the_folder_says_rules_of_paper_profiles_alone(place: Place) -> None:
    folder = "profiles: {ticks: {rules: {bond_tick: 0.01}, instruments: mine.csv}}"
    profile = place.load("profiles: {ticks: {rules: {bond_tick: 0.005, repo_year: 360}}}", folder).profile("ticks")
    assert profile.rules == {"bond_tick": Decimal("0.01"), "repo_year": 360}
    assert profile.instruments == str(place.cwd / "mine.csv")
    for key, body in (("rules.bond_tick", "rules: {bond_tick: 0.001}"), ("instruments", "instruments: mine.csv")):
        error = place.refusal(LIVE, f"profiles: {{live: {{{body}}}}}")
        assert error.code == "forbidden_key"
        assert error.params == {"key": f"profiles.live.{key}", "source": "./qmt.yaml:1"}
    error = place.refusal(env={"QMT_RULES_BOND_TICK": "0.01"})
    assert (error.code, error.params["source"]) == ("forbidden_key", "QMT_RULES_BOND_TICK")


def test_a_table_of_instruments_lies_beside_the_file_that_names_it(place: Place) -> None:
    assert place.load("profiles: {t: {instruments: mine.csv}}").profile("t").instruments == str(
        place.user.parent / "mine.csv"
    )
    live = place.load(LIVE + "    instruments: mine.csv\n").profile("live")
    assert live.instruments == str(place.user.parent / "mine.csv")
    assert live.rules == {}


ACCOUNTS = 'profiles: {paper: {account: "1", accounts: ["2", "3", "2", "1"], account_type: CREDIT}}'


@pytest.mark.parametrize(("flag", "others"), [(None, "23"), ("1", "23"), ("2", "13"), ("3", "12")])
def test_a_paper_terminal_has_several_accounts(place: Place, flag: str | None, others: str) -> None:
    config = place.load(ACCOUNTS, account=flag)
    profile = config.profile()
    assert (profile.account, profile.accounts, profile.account_type) == (flag or "1", tuple(others), "CREDIT")
    assert value_of(config, "profiles.paper.accounts") == [*others]


def test_an_account_that_a_paper_profile_does_not_name_is_a_mistake(place: Place) -> None:
    error = place.refusal(ACCOUNTS, account="4")
    assert error.code == "unknown_account"
    assert error.params == {"account": "4", "known": ["1", "2", "3"], "source": "--account"}
    error = place.refusal(account="4")
    assert (error.code, error.params["known"]) == ("unknown_account", ["1000000365"])
    assert place.load(account="1000000365").profile() == Profile("paper")
    assert place.load(LIVE, profile="live", account="4").profile().account == "4"


def test_what_the_paper_terminal_has_no_accounts_of(place: Place) -> None:
    error = place.refusal("profiles: {paper: {account_type: HUGANGTONG}}")
    assert (error.code, error.params["choices"]) == ("bad_choice", ["STOCK", "CREDIT"])
    assert error.params["source"] == f"{place.user}:1"
    assert place.load(LIVE + "    account_type: HUGANGTONG\n").profile("live").account_type == "HUGANGTONG"


# -- config show and init -----------------------------------------------------------------------------------


def test_settings_tell_value_and_source_of_every_key(place: Place) -> None:
    user = LIVE + "    limits: {price_away: 3%, symbols: [sh600000]}\n    fees: {commission: 0.02%}\n"
    config = place.load(user, "writes: plan", {"QMT_OUTPUT": "json"}, profile="live")
    shown = {setting.key: (setting.value, setting.source) for setting in config.settings}
    file = f"{place.user}:"
    assert shown == {
        "default": ("live", "--profile"),
        "output": ("json", "QMT_OUTPUT"),
        "lang": (None, "default"),
        "log": (None, "default"),
        "debug": (False, "default"),
        "profiles.paper.live": (False, "default"),
        "profiles.paper.account": ("1000000365", "default"),
        "profiles.paper.accounts": ([], "default"),
        "profiles.paper.account_type": ("STOCK", "default"),
        "profiles.paper.market": ("sample", "default"),
        "profiles.paper.hours": ("always", "default"),
        "profiles.paper.writes": ("plan", "./qmt.yaml:1"),
        "profiles.paper.yes": (False, "default"),
        "profiles.paper.limits": (None, "default"),
        "profiles.paper.timeout": (10.0, "default"),
        "profiles.paper.wait_ready": (0.0, "default"),
        "profiles.paper.cash": (1_000_000, "default"),
        "profiles.paper.instruments": (None, "default"),
        "profiles.live.live": (True, file + "4"),
        "profiles.live.path": (r"D:\broker\userdata_mini", file + "5"),
        "profiles.live.account": ("000123", file + "6"),
        "profiles.live.account_type": ("STOCK", "default"),
        "profiles.live.module_path": (None, "default"),
        "profiles.live.writes": ("plan", "./qmt.yaml:1"),
        "profiles.live.yes": (False, "default"),
        "profiles.live.reported": (False, "default"),
        "profiles.live.limits.price_away": (0.03, file + "7"),
        "profiles.live.limits.symbols": (["600000.SH"], file + "7"),
        "profiles.live.timeout": (10.0, "default"),
        "profiles.live.wait_ready": (0.0, "default"),
        "profiles.live.fees.commission": (0.0002, file + "8"),
        "profiles.live.instruments": (None, "default"),
    }


def test_explicitly_no_limits_are_shown(place: Place) -> None:
    config = place.load(LIVE + "    limits: none\n")
    assert value_of(config, "profiles.live.limits") == "none"
    assert source_of(config, "profiles.live.limits") == f"{place.user}:7"


def test_the_first_file_loads_and_changes_nothing(place: Place) -> None:
    config = place.load(template())
    assert (config.default, config.profiles) == ("paper", {"paper": Profile("paper")})


def test_its_examples_load_when_uncommented(place: Place) -> None:
    def uncommented(line: str) -> str:
        before, mark, rest = line.partition("#")
        prose = rest.startswith(" ") and not rest.startswith("  ")
        return line if before.strip() or not mark or prose else before + rest

    config = place.load("\n".join(map(uncommented, template().splitlines())))
    assert (config.default, list(config.profiles)) == ("paper", ["paper", "ticks", "live"])
    ticks, live = config.profile("ticks"), config.profile("live")
    assert (ticks.market, ticks.hours) == (str(place.user.parent / "tapes"), "exchange")
    assert (ticks.accounts, ticks.account_type) == (("1000000366",), "STOCK")
    assert (ticks.fees["minimum"], ticks.instruments) == (5, str(place.user.parent / "mine.csv"))
    assert ticks.rules == {"star_permission": False, "bond_tick": Decimal("0.001")}
    assert (live.path, live.account, live.account_type) == (r"D:\broker\userdata_mini", "1000000365", "STOCK")
    assert live.limits == Limits(
        order_value=Decimal(50000),
        price_away=Decimal("0.03"),
        orders_per_day=200,
        orders_per_second=5,
        day_turnover=Decimal(500000),
    )
