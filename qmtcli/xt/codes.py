"""The vendor's numbers and ours, each in one table: sides, price types, account types and states.

Values are xtconstant's, held to it by a test over the installed package.
"""

from __future__ import annotations

from qmtcli.model import Credit, Side

#: by side, and on a margin account by what the order is for
ORDER_TYPES: dict[tuple[Side, Credit | None], int] = {
    (Side.BUY, None): 23,
    (Side.SELL, None): 24,
    (Side.BUY, Credit.COLLATERAL): 23,
    (Side.SELL, Credit.COLLATERAL): 24,
    (Side.BUY, Credit.FIN): 27,
    (Side.SELL, Credit.SLO): 28,
    (Side.BUY, Credit.REPAY): 29,
    (Side.SELL, Credit.REPAY): 31,
}
#: of order types that rows show; the last are the special ones (专项) of margin accounts
SIDES: dict[int, str] = {number: str(side) for (side, _), number in ORDER_TYPES.items()} | {
    40: "buy",
    41: "sell",
    42: "buy",
    44: "sell",
}

FIX_PRICE = 11
LATEST_PRICE = 5

#: ``price_type`` -> the word beside it; what is not here shows its number
PRICE_KINDS: dict[int, str] = {
    5: "latest",
    11: "limit",
    42: "best5-cancel",
    43: "best5-limit",
    44: "peer",
    45: "mine",
    46: "ioc",
    47: "best5-cancel",
    48: "fok",
    49: "after-hours",
    54: "subscription",
    # what rows of a terminal show for what was sent as 11 and 42 to 48: the broker's own numbers (users' reports)
    50: "limit",
    84: "peer",
    85: "best5-limit",
    86: "mine",
    87: "ioc",
    88: "best5-cancel",
    89: "fok",
}

ACCOUNT_TYPES: dict[str, int] = {"STOCK": 2, "CREDIT": 3, "HUGANGTONG": 7, "SHENGANGTONG": 11}

#: xtquant's ``openInt`` of what does not trade: suspended, halted for a while, halted until the close
SUSPENDED = frozenset({1, 17, 20})

#: account status: logged in; and the broker has closed for the day, where what was asked for is still answered
ACCOUNT_OK, ACCOUNT_CLOSED = 0, 6
#: account status -> (a terminal's word, English)
ACCOUNT_STATUS: dict[int, tuple[str, str]] = {
    -1: ("无效", "invalid"),
    0: ("正常", "ok"),
    1: ("连接中", "connecting"),
    2: ("登陆中", "logging in"),
    3: ("失败", "failed"),
    4: ("初始化中", "initialising"),
    5: ("数据刷新校正中", "correcting"),
    6: ("收盘后", "closed"),
    7: ("穿透副链接断开", "secondary link down"),
    8: ("系统停用", "disabled by the system"),
    9: ("用户停用", "disabled by the user"),
}
