"""A reading command on several profiles; what it says is in ``golden/several.txt``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import ROOT

QMT = "import sys; sys.path.remove(''); from qmtcli.__main__ import run; run()"


def test_nothing_of_the_folder_they_stand_in_is_run(user_config: Callable[[str], Path]) -> None:
    user_config("profiles: {other: {}}")
    for module in ("yaml", "click", "xtquant"):
        Path(f"{module}.py").write_text("raise SystemExit('a file of the folder was run')")
    done = subprocess.run(
        [sys.executable, "-c", QMT, "asset", "--profile", "paper", "--profile", "other", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
