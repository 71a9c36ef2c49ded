"""Plain xtquant scripts, unmodified, as users have them: the vendor's quick start, odd endings, children."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
from conftest import ROOT, Result, not_on_windows, not_on_wine

Qmt = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[bytes]"]

CLOCK = "2026-11-23T10:00:00"
POSIX = not_on_windows("signals, newlines and programs of POSIX")

#: a sitecustomize of the user's that tells lines of the main thread (M) from lines of other threads (C)
TELL_THREADS_APART = """
import sys, threading

class Apart:
    def __init__(self, stream):
        self._stream, self._own, self._main = stream, threading.local(), threading.main_thread()

    def write(self, text):
        *lines, self._own.rest = (getattr(self._own, "rest", "") + text).split("\\n")
        who = "M" if threading.current_thread() is self._main else "C"
        for line in lines:
            self._stream.write(f"{who} {line}\\n")
        self._stream.flush()

    def __getattr__(self, name):
        return getattr(self._stream, name)

sys.stdout = Apart(sys.stdout)
"""


@pytest.fixture
def environment(tmp_path: Path, clock: Callable[[str], None]) -> dict[str, str]:
    """What a run is started with; the folder of the user's own modules comes first on its path."""
    clock(CLOCK)
    folder = tmp_path / "site"
    folder.mkdir()
    path = os.pathsep.join([str(folder), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Starts qmt in the background; nothing it starts outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "qmtcli", *arguments]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _lines(stream: IO[bytes] | None, count: int) -> list[str]:
    assert stream is not None
    return [stream.readline().decode().rstrip("\r\n") for _ in range(count)]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a script in ``run_forever`` as Ctrl-C does; Windows has none for one process alone."""
    if sys.platform == "win32":
        process.kill()
        return
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 0


# -- the vendor's quick start --------------------------------------------------------------------------------------


def _quick_start(price: str = "10.5") -> str:
    """The first script that the installed package's own document prints."""
    spec = importlib.util.find_spec("xtquant")
    assert spec is not None
    assert spec.origin is not None
    text = (Path(spec.origin).parent / "doc" / "xttrader.md").read_text(encoding="utf-8")
    found = re.search(r"^## 快速入门.*?^### 创建策略.*?^```Python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert found[1].count("xtconstant.FIX_PRICE, 10.5, ") == 2
    return found[1].replace("xtconstant.FIX_PRICE, 10.5, ", f"xtconstant.FIX_PRICE, {price}, ")


BEFORE = ["demo test", "0", "0", "order using the fix price:", "1", "cancel order:"]
BETWEEN = ["order using async api:", "2", "query asset:", "asset:"]
THEN = ["query order:", "order:", "order 1", "query orders:", "orders: 2", "last order:"]
NO_TRADES = ["query trade:", "trades: 0", "query positions:", "positions: 0", "query position:"]

SUBSCRIBED = ["on_account_status", "1000000365 2 0"]
TURNED_AWAY = "-61 限价买入 [SH600000] [COUNTER] [43][高于涨停价: 委托 10.5, 涨停 9.93]"

#: above the limit-up of the sample market: both orders are turned away
ABOVE = (
    "10.5",
    [*BEFORE, "-1", *BETWEEN, "cash 1000000.0", *THEN, "600000.SH 200 10.5", *NO_TRADES],
    [
        *SUBSCRIBED,
        *["on order_error callback", f"1 {TURNED_AWAY}", "on order callback:", "600000.SH 57 xt1"],
        *["on cancel_error callback", "1 -1 委托状态不允许撤单"],
        *["on order_error callback", f"2 {TURNED_AWAY}", "on order callback:", "600000.SH 57 xt2"],
    ],
)
FILLED = (
    "9.09",
    [
        *[*BEFORE, "-1", *BETWEEN, "cash 996377.96", *THEN, "600000.SH 200 9.09"],
        *["query trade:", "trades: 2", "last trade:", "600000.SH 200 9.03"],
        *["query positions:", "positions: 1", "last position:", "1000000365 600000.SH 400"],
        *["query position:", "position:", "1000000365 600000.SH 400"],
    ],
    [
        *SUBSCRIBED,
        *["on order callback:", "600000.SH 50 ", "on order callback:", "600000.SH 50 1"],
        *["on trade callback", "1000000365 600000.SH 1"],
        *["on order callback:", "600000.SH 56 1", "on asset callback", "1000000365 998188.98 999994.98"],
        *["on position callback", "600000.SH 200", "on cancel_error callback", "1 -1 委托状态不允许撤单"],
        *["on order callback:", "600000.SH 50 ", "on order callback:", "600000.SH 50 2"],
        *["on trade callback", "1000000365 600000.SH 2"],
        *["on order callback:", "600000.SH 56 2", "on asset callback", "1000000365 996377.96 999989.96"],
        *["on position callback", "600000.SH 400"],
    ],
)
#: below the best bid: both orders rest, and the cancel of the first succeeds
RESTING = (
    "9.0",
    [*BEFORE, "0", *BETWEEN, "cash 998194.98", *THEN, "600000.SH 200 9.0", *NO_TRADES],
    [
        *SUBSCRIBED,
        *["on order callback:", "600000.SH 50 ", "on order callback:", "600000.SH 50 1"],
        *["on asset callback", "1000000365 998194.98 1000000.0"],
        *["on order callback:", "600000.SH 51 1", "on order callback:", "600000.SH 54 1"],
        *["on asset callback", "1000000365 1000000.0 1000000.0"],
        *["on order callback:", "600000.SH 50 ", "on order callback:", "600000.SH 50 2"],
        *["on asset callback", "1000000365 998194.98 1000000.0"],
    ],
)


@pytest.mark.parametrize(("price", "main", "callbacks"), [ABOVE, FILLED, RESTING], ids=["above", "filled", "resting"])
def test_the_quick_start_prints_what_a_terminal_would(
    start: Start, tmp_path: Path, price: str, main: list[str], callbacks: list[str]
) -> None:
    (tmp_path / "site" / "sitecustomize.py").write_text(TELL_THREADS_APART, encoding="utf-8")
    (tmp_path / "demo.py").write_text(_quick_start(price), encoding="utf-8")
    process = start("run-strategy", str(tmp_path / "demo.py"))
    lines = _lines(process.stdout, len(main) + len(callbacks))
    assert [line[2:] for line in lines if line.startswith("M ")] == main
    assert [line[2:] for line in lines if line.startswith("C ")] == callbacks
    _stop(process)


@POSIX
def test_the_quick_start_with_nothing_between_it_and_its_stdout(start: Start, tmp_path: Path) -> None:
    """As it is printed; its threads write at the same time, so only the characters can be told."""
    (tmp_path / "demo.py").write_text(_quick_start(), encoding="utf-8")
    process = start("run-strategy", str(tmp_path / "demo.py"))
    expected = "".join(f"{line}\n" for line in (*ABOVE[1], *ABOVE[2]))
    assert process.stdout is not None
    printed = process.stdout.read(len(expected.encode()))
    assert sorted(printed.decode()) == sorted(expected)
    _stop(process)


def test_a_second_process_sees_the_quick_starts_orders(start: Start, qmt: Qmt, tmp_path: Path) -> None:
    (tmp_path / "demo.py").write_text(_quick_start("9.0"), encoding="utf-8")
    process = start("run-strategy", str(tmp_path / "demo.py"))
    assert process.stdout is not None
    for line in process.stdout:
        if line.rstrip() == b"query position:":
            break
    rows = qmt("orders", "--json").json
    assert [(row["order_id"], row["order_status"], row["strategy_name"]) for row in rows] == [
        ("1", 54, "strategy_name"),
        ("2", 50, "strategy_name"),
    ]


# -- how a script ends ---------------------------------------------------------------------------------------------

ORDER = """
from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback
from xtquant.xttype import StockAccount
trader = XtQuantTrader('userdata_mini', 1)
trader.register_callback(XtQuantTraderCallback())
trader.start()
account = StockAccount('1000000365')
assert (trader.connect(), trader.subscribe(account)) == (0, 0)
assert trader.order_stock(account, '600000.SH', 23, 100, 11, 9.09, '', '') > 0
"""
WAIT = """
import atexit, time
atexit.register(print, 'at exit', flush=True)
try:
    print('ready', flush=True)
    time.sleep(600)
finally:
    print('tidied up', flush=True)
"""
UNANSWERED = "import xtquant.xtpythonclient as native\nnative.TRAFFIC.sent += 1\n"

STOPS = {
    "nothing sent": (WAIT, signal.SIGINT, 130),
    "nothing sent, terminated": (WAIT, signal.SIGTERM, 143),
    "answered": (ORDER + WAIT, signal.SIGINT, 0),
    "answered, terminated": (ORDER + WAIT, signal.SIGTERM, 0),
}


@POSIX
@pytest.mark.parametrize(("script", "number", "status"), STOPS.values(), ids=STOPS)
def test_a_stopped_script_tidies_up(start: Start, tmp_path: Path, script: str, number: int, status: int) -> None:
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    process = start("run-strategy", str(tmp_path / "script.py"))
    assert _lines(process.stdout, 1) == ["ready"]
    process.send_signal(number)
    assert process.communicate(timeout=30) == (b"tidied up\nat exit\n", b"")
    assert process.returncode == status


@POSIX
def test_stopped_with_an_order_unanswered_the_outcome_is_unknown(start: Start, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(ORDER + UNANSWERED + WAIT, encoding="utf-8")
    process = start("run-strategy", str(tmp_path / "script.py"), "--json")
    assert _lines(process.stdout, 1) == ["ready"]
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert stdout == b"tidied up\nat exit\n"
    assert json.loads(stderr)["error"]["code"] == "stopped_after_sending"
    assert process.returncode == 7


#: what Python itself does with these, qmt does
AS_PYTHON = {
    "names": """
import json, sys
names = {name: str(value) for name, value in globals().items() if name not in ('json', 'sys', '__loader__')}
print(json.dumps([names, sys.argv, sys.path[0], __loader__.name, __loader__.path], sort_keys=True, indent=1))
print(sys.modules['__main__'].__dict__ is globals())
import beside
""",
    "raises": "def inner():\n    raise ValueError('没有')\n\nprint('before')\ninner()\n",
    "raises in an import": "import raising\n",
    "raises while handling": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('x')\n",
    "no exception of Exception's": "import asyncio\nraise asyncio.CancelledError('gone')\n",
    "syntax error": "print('never')\ndef f(:\n",
    "exits with 3": "import sys\nsys.exit(3)\n",
    "exits with words": "import sys\nsys.exit('不行')\n",
    "exits with nothing": "print(0)\nraise SystemExit\n",
    "leaves a thread": """
import atexit, threading, time
def later():
    time.sleep(0.2)
    print('thread', __name__, flush=True)
atexit.register(print, 'at exit')
atexit.register(lambda: 1 / 0)
threading.Thread(target=later).start()
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print('main', flush=True)
""",
    "a thread raises": """
import threading
thread = threading.Thread(target=lambda: 1 / 0, name='T')
thread.start()
thread.join()
""",
    "its own excepthook": """
import sys
sys.excepthook = lambda kind, error, trace: print(kind, error, trace.tb_lineno)
1 / 0
""",
    "a deprecation of its own": "import warnings\nwarnings.warn('old', DeprecationWarning)\n",
    "pickles its own classes": """
import pickle
class Own:
    pass
print(type(pickle.loads(pickle.dumps(Own()))) is Own)
""",
}


@pytest.mark.parametrize("script", AS_PYTHON.values(), ids=AS_PYTHON)
def test_a_script_runs_as_python_runs_it(environment: dict[str, str], tmp_path: Path, script: str) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "script.py").write_text(script, encoding="utf-8")
    (folder / "beside.py").write_text("print(__name__)\n", encoding="utf-8")
    (folder / "raising.py").write_text("raise RuntimeError('while imported')\n", encoding="utf-8")
    file = os.path.join("..", "scripts", "script.py")  # noqa: PTH118 - as a user would type it
    ran = [
        subprocess.run([sys.executable, *words], env=environment, capture_output=True, encoding="utf-8", check=False)
        for words in ([file, "a", "--json"], ["-m", "qmtcli", "run-strategy", file, "--", "a", "--json"])
    ]
    python, ours = [(done.returncode, done.stdout, _no_address(done.stderr)) for done in ran]
    assert ours == python


def _no_address(text: str) -> str:
    return re.sub(r"0x[0-9A-Fa-f]+", "0x", text)


def test_what_is_no_file_is_refused(qmt: Qmt) -> None:
    done = qmt("run-strategy", "absent.py", "--json")
    assert (done.status, done.error["code"]) == (2, "no_strategy_file")


CONNECTS = """
from xtquant.xttrader import XtQuantTrader
trader = XtQuantTrader('userdata_mini', 7)
trader.start()
trader.connect()
"""


def test_what_the_paper_exchange_cannot_do_is_told_as_qmt_tells_it(
    qmt: Qmt, clock: Callable[[str], None], tmp_path: Path
) -> None:
    clock(CLOCK)
    assert qmt("buy", "600000.SH", "100", "--limit", "9.09").status == 0
    clock("2026-11-20T10:00:00")
    (tmp_path / "script.py").write_text(CONNECTS, encoding="utf-8")
    done = qmt("run-strategy", str(tmp_path / "script.py"), "--json")
    assert (done.status, done.stdout, done.error["code"]) == (3, "", "clock_behind_account")


# -- children ------------------------------------------------------------------------------------------------------

CHILD = """
import json, os, sys

def trade(how):
    from xtquant import xtdata
    from xtquant.xttrader import XtQuantTrader, XtQuantTraderCallback
    from xtquant.xttype import StockAccount
    xtdata.enable_hello = False
    trader = XtQuantTrader('userdata_mini', os.getpid())
    trader.register_callback(XtQuantTraderCallback())
    trader.start()
    account = StockAccount('1000000365')
    assert (trader.connect(), trader.subscribe(account)) == (0, 0)
    order_id = trader.order_stock(account, '600000.SH', 23, 100, 11, 9.09, 'child', how)
    last = xtdata.get_full_tick(['600000.SH'])['600000.SH']['lastPrice']
    native = [sys.modules['xtquant.xtpythonclient'], sys.modules['xtquant.datacenter']]
    trader.stop()
    return {
        'how': how, 'order_id': order_id, 'last': last, 'user': getattr(sys, 'of_the_user', None),
        'loaders': [type(module.__spec__.loader).__module__ for module in native],
        'files': [getattr(module, '__file__', None) for module in native],
        'vendor': sys.modules['xtquant'].__file__,
    }

if __name__ == '__main__':
    print(json.dumps(trade('subprocess')))
"""
PARENT = """
import json, multiprocessing, subprocess, sys
from child import trade

if __name__ == '__main__':
    found = [trade('parent')]
    done = subprocess.run([sys.executable, sys.argv[1]], stdout=subprocess.PIPE, check=True)
    found.append(json.loads(done.stdout))
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        found += pool.map(trade, ['spawn'])
    import joblib
    found += joblib.Parallel(n_jobs=2, backend='loky')(joblib.delayed(trade)(how) for how in ('joblib 1', 'joblib 2'))
    print(json.dumps(found))
"""


@not_on_wine("its pipes give the workers of joblib no work")
def test_children_trade_on_the_same_paper_account(qmt: Qmt, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys\nsys.of_the_user = 'chained'\n", encoding="utf-8")
    (tmp_path / "child.py").write_text(CHILD, encoding="utf-8")
    (tmp_path / "parent.py").write_text(PARENT, encoding="utf-8")
    done = qmt("run-strategy", str(tmp_path / "parent.py"), str(tmp_path / "child.py"), env=environment, timeout=110)
    assert (done.status, done.stderr) == (0, "")
    children = done.json
    assert [child["how"] for child in children] == ["parent", "subprocess", "spawn", "joblib 1", "joblib 2"]
    spec = importlib.util.find_spec("xtquant")
    assert spec is not None
    for child in children:
        assert child["loaders"] == ["qmtcli.paper.mount", "qmtcli.paper.mount"]
        assert child["files"] == [None, None]
        assert (child["user"], child["last"]) == ("chained", 9.03)
        assert Path(child["vendor"]) == Path(str(spec.origin))
    rows = qmt("orders", "--json").json
    assert {(row["order_remark"], int(row["order_id"])) for row in rows} == {
        (child["how"], child["order_id"]) for child in children
    }
    assert [row["volume"] for row in qmt("positions", "--json").json] == [500]


REFUSED = """
import os, subprocess, sys
def start(words, **more):
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, check=False, **more)
        print('started', done.stdout.decode().strip())
    except RuntimeError as error:
        print(str(error).partition(' would ')[0])
python, program = sys.executable, ['-c', 'import qmtcli.paper.mount as m; print(m.mounted())']
start([python, *program])
start([python, '-W', 'ignore', '-X', 'utf8', *program, '-I'])
start([python, '-I', *program])
start([python, '-W', 'ignore', '-sE', *program])
start([python, '-S', *program])
start([python, *program], env={})
start([python, *program], env={**os.environ, 'PYTHONPATH': 'mine'})
start(['python3', *program], env={'PATH': os.environ['PATH']})
start(['printenv', 'X'], env={'PATH': os.environ['PATH'], 'X': 'not a Python'})
try:
    os.execv(python, [python, '-I', '-c', 'print(1)'])
except RuntimeError as error:
    print(str(error).partition(' would ')[0])
if len(sys.argv) == 1:
    start([python, __file__, 'again'])
"""


@POSIX
def test_a_python_that_would_leave_the_paper_run_is_not_started(
    qmt: Qmt, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(REFUSED, encoding="utf-8")
    done = qmt("run-strategy", str(tmp_path / "script.py"), env=environment)
    ignoring = "a Python started ignoring the environment"
    without = "a Python started without QMTCLI_PAPER, QMTCLI_PAPER_PACKAGE, PYTHONPATH"
    expected = [
        *["started True", "started True", ignoring, ignoring, ignoring],
        *[without, "a Python started without PYTHONPATH", without, "started not a Python", ignoring],
    ]
    nested = f"started {chr(10).join(expected)}"
    assert (done.status, done.stdout.splitlines(), done.stderr) == (0, [*expected, *nested.splitlines()], "")


def test_a_paper_run_starts_no_live_qmt(
    qmt: Qmt, environment: dict[str, str], user_config: Callable[[str], Path], tmp_path: Path
) -> None:
    user_config(
        "profiles:\n  paper: {}\n  live: {live: true, path: 'C:\\broker\\userdata_mini', account: '1000000365'}\n"
    )
    environment["QMT_CONFIG"] = os.environ["QMT_CONFIG"]
    (tmp_path / "script.py").write_text(
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'qmtcli', '--profile', 'live', 'positions', '--json']\n"
        "sys.exit(subprocess.run(command).returncode)\n",
        encoding="utf-8",
    )
    done = qmt("run-strategy", str(tmp_path / "script.py"), "--profile", "paper", env=environment)
    assert (done.status, done.error["code"]) == (3, "live_within_paper")
