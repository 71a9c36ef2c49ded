"""Runs at the start of every Python process of a paper run: the stand-ins, then the user's own sitecustomize.

Every child pays for what is imported here, so it is next to nothing.
"""
# ruff: noqa: PTH100, PTH120

import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != _here]

if os.environ.get("QMTCLI_PAPER"):
    _path = sys.path[:]
    try:
        # the parent's own package, wherever it was started from, and nothing else of its folder
        sys.path[:] = [os.path.dirname(os.path.dirname(os.path.dirname(_here)))]
        import qmtcli  # noqa: F401

        sys.path[:] = _path
        from qmtcli.paper.mount import attach, keep_children

        attach()
        keep_children()
    except BaseException as error:
        # going on would trade for real: Python itself would only print the error and start the program
        os.write(2, f"qmt: this child of a paper run has no stand-ins: {error!r}\n".encode())
        os._exit(3)

_self = sys.modules.pop(__name__)
try:
    import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != __name__:
        raise
    sys.modules[__name__] = _self
