"""Runs at the start of every Python process that a guarded script starts: there is no trading in it, then the user's
own sitecustomize.

The guard is in the script's own process. `qmtcli.xt.loader` lifts the bar for qmt itself, whose orders pass the desk.
"""
# ruff: noqa: PTH100, PTH120

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _here]
sys.modules["xtquant.xttrader"] = None  # type: ignore[assignment]

_self = sys.modules.pop(__name__)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != __name__:
        raise
    sys.modules[__name__] = _self
