"""``qmt asset``: money and value of the account."""

from __future__ import annotations

from qmtcli.commands.columns import ASSET
from qmtcli.commands.common import App, command
from qmtcli.messages import say
from qmtcli.output import emit_row


@command("asset", "资金: 总资产、可用、冻结、市值、可取。", "Money and value of the account, CNY.")
def asset(app: App) -> None:
    app.profile  # noqa: B018
    emit_row(app.console, app.session.asset()._asdict(), ASSET, "account_id", say("资金", "Asset"))
