"""A terminal for tests of live profiles, whose ``module_path`` names this folder's parent.

The vendor's own code over the stand-ins of the paper exchange, without the paper run: what qmt sees of it is a package
named ``xtquant`` whose trader answers. QMTCLI_PAPER holds the settings of the account behind it.
"""

import sys
from pathlib import Path

from qmtcli.paper import market, trading

_packages = (Path(folder, "xtquant") for folder in sys.path)
__path__ = [next(str(package) for package in _packages if (package / "xttrader.py").exists())]
sys.modules["xtquant.xtpythonclient"] = trading
sys.modules["xtquant.datacenter"] = market
