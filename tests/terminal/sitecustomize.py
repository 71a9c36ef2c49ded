"""The machine's clock as a test wants it: MACHINE_CLOCK holds the ISO moment at which it stands.

With a trailing ``+`` it runs on from there, since the process began. With NATIVE_TOO the native line is watched and
disturbed as well, see ``native``.
"""

import os
import runpy
import time
from datetime import datetime
from pathlib import Path

if "MACHINE_CLOCK" in os.environ:
    _text = os.environ["MACHINE_CLOCK"]
    _now = datetime.fromisoformat(_text.rstrip("+") + "+08:00").timestamp()
    if _text.endswith("+"):
        _begun = time.monotonic_ns() - int(_now * 1_000_000_000)
        time.time_ns = lambda: time.monotonic_ns() - _begun
        time.time = lambda: time.time_ns() / 1_000_000_000
    else:
        time.time = lambda: _now
if "NATIVE_TOO" in os.environ:
    runpy.run_path(str(Path(__file__).parents[1] / "native" / "sitecustomize.py"))
