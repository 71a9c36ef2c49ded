"""A package that imitates xtquant as those do that people install; live profiles of tests name it as ``module_path``.

Behind it is the vendor's own code, under another name and over the stand-ins of the paper exchange, QMTCLI_PAPER holds
the settings of its account. In front of it is everything in which such packages were seen to differ.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from qmtcli.paper import market, trading

_packages = (Path(folder, "xtquant") for folder in sys.path)
_vendor = ModuleType("vendor")
_vendor.__path__ = [next(str(package) for package in _packages if (package / "xtdatacenter.py").exists())]
sys.modules.update({"vendor": _vendor, "vendor.xtpythonclient": trading, "vendor.datacenter": market})


def __getattr__(name):
    if name == "xtbson":  # the stand-ins' codec
        return importlib.import_module("vendor.xtbson")
    raise AttributeError(name)
