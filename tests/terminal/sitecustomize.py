"""The machine's clock as a test wants it: MACHINE_CLOCK holds the ISO moment at which it stands.

With NATIVE_TOO the native line is watched and disturbed as well, see ``native``.
"""

import os
import runpy
import time
from datetime import datetime
from pathlib import Path

if "MACHINE_CLOCK" in os.environ:
    _now = datetime.fromisoformat(os.environ["MACHINE_CLOCK"] + "+08:00").timestamp()
    time.time = lambda: _now
if "NATIVE_TOO" in os.environ:
    runpy.run_path(str(Path(__file__).parents[1] / "native" / "sitecustomize.py"))
