"""Runs at the start of every Python process of a paper run: the stand-ins, then the user's own sitecustomize."""

import importlib.machinery
import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))

if os.environ.get("QMTCLI_PAPER"):
    try:
        # the package may not be on this child's path: the parent found it from wherever it was started
        sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(_here))))
        from qmtcli.paper.mount import attach

        attach()
    except BaseException as error:
        # going on would trade for real: Python itself would only print the error and start the program
        os.write(2, f"qmt: this child of a paper run has no stand-ins: {error!r}\n".encode())
        os._exit(3)

_others = [folder for folder in sys.path if os.path.abspath(folder or ".") != _here]
_spec = importlib.machinery.PathFinder.find_spec("sitecustomize", _others)
if _spec is not None and _spec.loader is not None:
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["sitecustomize"] = _module
    _spec.loader.exec_module(_module)
