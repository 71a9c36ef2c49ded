"""The machine's clock as a test wants it: MACHINE_CLOCK holds the ISO moment at which it stands."""

import os
import time
from datetime import datetime

if "MACHINE_CLOCK" in os.environ:
    _now = datetime.fromisoformat(os.environ["MACHINE_CLOCK"] + "+08:00").timestamp()
    time.time = lambda: _now
