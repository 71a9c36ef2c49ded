"""Rows of the vendor's as ours."""

from __future__ import annotations

import pytest

from qmtcli.xt.rows import reason


@pytest.mark.parametrize(
    ("told", "words"),
    [
        # users' logs of terminals
        ("限价买入 [SZ162411] [COUNTER] [12313][当前时间不允许此类证券交易]", "当前时间不允许此类证券交易"),
        (
            "最优五档即时成交剩余撤销卖出 [SH688121] [COUNTER] [251005][证券可用数量不足][p_stock_code=688121,p_occu",
            "证券可用数量不足[p_stock_code=688121,p_occu",
        ),
        ("[COUNTER] [资金可用余额]不足，尚需[9554.540]", "资金可用余额不足，尚需[9554.540]"),
        ("[COUNTER] 资金可用余额不足，尚需[4789.630]", "资金可用余额不足，尚需[4789.630]"),
        # cut, or of another form
        ("限价买入 [SH600000] [COUNTER] [50][可用资金不足: 需", "可用资金不足: 需"),
        ("限价买入 [SH600000] [COUNTER] ", "限价买入 [SH600000] [COUNTER] "),
        ("资金账号未登录", "资金账号未登录"),
        ("[120144][非交易时间]", "[120144][非交易时间]"),
        ("", ""),
    ],
)
def test_the_words_of_a_counter(told: str, words: str) -> None:
    assert reason(told) == words
