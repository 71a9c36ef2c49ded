"""A terminal for tests of live profiles, whose ``module_path`` names this folder's parent.

The vendor's own code over the stand-ins of the paper exchange, without the paper run: what qmt sees of it is a package
named ``xtquant`` whose trader answers. QMTCLI_PAPER holds the settings of the account behind it.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path

from qmtcli.paper import market, trading

_HERE = Path(__file__).resolve().parents[1]
_spec = PathFinder.find_spec("xtquant", [folder for folder in sys.path if Path(folder or ".").resolve() != _HERE])
assert _spec is not None
assert _spec.submodule_search_locations is not None
__path__ = list(_spec.submodule_search_locations)
sys.modules["xtquant.xtpythonclient"] = trading
sys.modules["xtquant.datacenter"] = market
