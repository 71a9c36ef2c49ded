"""Runs at the start of every Python process of a paper run: the stand-ins, then the user's own sitecustomize."""

import importlib.util
import os
import sys
from importlib.machinery import PathFinder


def _load(name: str, folders: list[str]) -> None:
    """Import a top-level module from these folders; nothing when there is none."""
    spec = PathFinder.find_spec(name, folders)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


_here = os.path.dirname(os.path.abspath(__file__))

if os.environ.get("QMTCLI_PAPER"):
    try:
        # the parent's own package, wherever it was started from, and nothing else of its folder
        _load("qmtcli", [os.path.dirname(os.path.dirname(os.path.dirname(_here)))])
        from qmtcli.paper.mount import attach

        attach()
    except BaseException as error:
        # going on would trade for real: Python itself would only print the error and start the program
        os.write(2, f"qmt: this child of a paper run has no stand-ins: {error!r}\n".encode())
        os._exit(3)

_load("sitecustomize", [folder for folder in sys.path if os.path.abspath(folder or ".") != _here])
