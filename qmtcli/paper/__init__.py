"""The embedded paper exchange: stand-ins for xtquant's two native modules, and what they stand on.

From the top down: `trading` and `market` are mounted as ``xtquant.xtpythonclient`` and ``xtquant.datacenter``
by `mount`; they speak to `exchange`, where an order's path runs through `counter` (what is wrong with it, by the
rules of the day, `terms`), `books` (money and holdings) and `matching`, over an account's file in `store` and a market
in `feed`; `sample` and `folder` are the tapes a feed shows. Where the run has a script of `faults`, `faulty` stands in
for `trading`. Nothing here knows the commands above the vendor's line.
"""

#: environment variables that carry a run to its children: its settings, and the folder of the proven ``xtquant``
SETTINGS, PACKAGE = "QMTCLI_PAPER", "QMTCLI_PAPER_PACKAGE"
