"""``qmt asset``: money and value of the account."""

from __future__ import annotations

from qmtcli.commands.columns import ASSET, CREDIT_DETAIL
from qmtcli.commands.common import App, Reading, command
from qmtcli.messages import say
from qmtcli.model import Asset, CreditDetail
from qmtcli.output import emit_row

#: of an account that is no margin one
_NO_DEBTS = dict.fromkeys(CreditDetail._fields)


@command(
    "asset",
    "资金: 总资产、可用、冻结、市值、可取; 信用账户另有负债与担保比例。",
    "Money and value of the account, CNY; of a margin account its debts and ratios too.",
    reading=Reading((*ASSET, *CREDIT_DETAIL), (*Asset._fields, *CreditDetail._fields), "account_id", "资金", "Asset"),
)
def asset(app: App) -> None:
    app.profile  # noqa: B018 - names the account before anything is asked
    asset = app.session.asset()
    debts = app.session.credit_detail()._asdict() if app.profile.account_type == "CREDIT" else _NO_DEBTS
    emit_row(app.console, {**asset._asdict(), **debts}, (*ASSET, *CREDIT_DETAIL), "account_id", say("资金", "Asset"))
