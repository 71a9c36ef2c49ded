"""How a terminal without the permission answers: every request that the paper exchange does not simulate.

Borrowing, bank transfers, smart algorithms, securities lending, product and command accounts: the answer comes at
once and has the shape that the vendor's Python takes apart.
"""

from __future__ import annotations

import json
from typing import Any

from qmtcli.paper.native_tables import CALLBACKS
from qmtcli.paper.records import fill, record

WORDS = "账号无此业务权限"

#: requests whose answer comes through another request's callback
_SHARED = {
    "orderStockImmediateWithSeq": "bindOnOrderStockRespCallback",
    "sendCommandOrderReqWithSeq": "bindOnOrderStockRespCallback",
    "cancelOrderStockImmediateWithSeq": "bindOnCancelOrderStockRespCallback",
    "sendCancelCommandOrderReqWithSeq": "bindOnCancelOrderStockRespCallback",
    "smtAppointmentCancelWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtAppointmentOrderWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtCompactRenewalWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtCompactReturnWithSeq": "bindOnSmtAppointmentRespCallback",
    "smtNegotiateOrderWithSeq": "bindOnSmtAppointmentRespCallback",
}

#: answers that are JSON, each with the keys that its reader takes out
_DOCUMENTS: dict[str, dict[str, object]] = {
    "bindOnExportDataRespCallback": {"error": {"errorMsg": WORDS}},
    "bindOnGetSmartAlgoParamRespCallback": {"datas": {}},
    "bindOnQuerySmartAlgoTaskRespCallback": {"datas": []},
    "bindOnSmartOrderStockRespCallback": {
        "error": {"account_id": "", "task_id": -1, "strategy_name": "", "order_remark": "", "error_msg": WORDS}
    },
    "bindOnSyncTransactionFromExternalRespCallback": {"error": {"msg": WORDS}},
}

_FAILURES = {
    "OrderStockResp": {"order_id": -1, "error_id": -1},
    "CancelOrderStockResp": {"cancel_result": -1, "error_id": -1},
}


def callback_of(method: str) -> str:
    """The ``bindOn…`` through which a request is answered."""
    if method in _SHARED:
        return _SHARED[method]
    stem = "bindOn" + method[0].upper() + method[1 : -len("WithSeq")]
    return next(stem + end for end in ("Callback", "RespCallback") if stem + end in CALLBACKS)


def refusal(callback: str) -> object:
    """The answer, of the type that the callback declares."""
    kind = CALLBACKS[callback][1]
    if kind == "list[ComFund]":  # the vendor takes its first row without looking
        return [_failure("ComFund")]
    if kind.startswith("list["):
        return []
    if kind == "str":
        return json.dumps(_DOCUMENTS[callback], ensure_ascii=False)
    return -1 if kind == "int" else _failure(kind)


def _failure(kind: str) -> Any:
    row = record(kind)()
    said = next(name for name in ("m_strMsg", "error_msg") if hasattr(row, name))
    return fill(row, **{said: WORDS}, **_FAILURES.get(kind, {}))
