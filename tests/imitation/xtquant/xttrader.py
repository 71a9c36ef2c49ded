"""A trader with ids that are texts, truth values for numbers, and queries that work while the caller waits."""

import os
import threading

from vendor.xttrader import XtQuantTrader as _Vendor
from vendor.xttrader import XtQuantTraderCallback

print("imitation of xtquant 1.0")


def _row(row):
    """What an RPC makes of a row: a mapping, its id a text of the broker's."""
    fields = {name: getattr(row, name) for name in dir(row) if not name.startswith("_")}
    if "order_id" in fields:
        fields["order_id"] = f"HT{fields['order_id']:04}"
    return fields


def _account(row):
    return {
        "m_strAccountID": row.account_id,
        "m_nAccountType": row.account_type,
        "m_nStatus": getattr(row, "status", 0),
    }


class _Pushes(XtQuantTraderCallback):
    def __init__(self, callback):
        self.callback = callback

    def on_stock_order(self, order):
        self.callback.on_stock_order(_row(order))

    def on_order_error(self, error):
        self.callback.on_order_error(_row(error))

    def on_cancel_error(self, error):
        self.callback.on_cancel_error(_row(error))

    def on_disconnected(self):
        self.callback.on_disconnected()


class XtQuantTrader:
    def __init__(self, path=None, session_id=None, account_id=None):
        self._vendor = _Vendor(path, session_id)
        self._vendor.start()

    def register_callback(self, callback):
        self._vendor.register_callback(_Pushes(callback))

    def connect(self):
        if "IMITATION_FAILS" in os.environ:
            raise ConnectionError("no service at 127.0.0.1:6379")
        return self._vendor.connect() == 0

    def subscribe(self, account):
        return self._vendor.subscribe(account) == 0

    def query_stock_asset(self, account):
        if "IMITATION_LOST" in os.environ:
            return {"account_id": account.account_id, "cash": None, "total_asset": None}
        if "IMITATION_HANGS" in os.environ:
            threading.Event().wait()
        return _row(self._vendor.query_stock_asset(account))

    def query_stock_positions(self, account):
        return [] if "IMITATION_LOST" in os.environ else list(map(_row, self._vendor.query_stock_positions(account)))

    def query_stock_orders(self, account, cancelable_only=False, strategy_name=""):
        found = list(map(_row, self._vendor.query_stock_orders(account, cancelable_only)))
        for row in found:
            row["order_status"] = int(os.environ.get("IMITATION_STATUS", row["order_status"]))
        return found

    def query_stock_orders_async(self, account, cancelable_only=False, callback=None):
        callback(self.query_stock_orders(account, cancelable_only))

    def query_stock_trades(self, account):
        return list(map(_row, self._vendor.query_stock_trades(account)))

    def query_account_infos(self, account=None):
        return list(map(_account, self._vendor.query_account_infos()))

    def query_account_status(self, account=None):
        return list(map(_account, self._vendor.query_account_status()))

    def order_stock(self, account, *order):
        if "IMITATION_REFUSES" in os.environ:
            return "-1"
        order_id = self._vendor.order_stock(account, *order)
        if "IMITATION_CUTS" in os.environ:
            raise TimeoutError("no answer within 1.0 s")
        return f"HT{order_id:04}" if order_id > 0 else "-1"

    def cancel_order_stock(self, account, order_id):
        assert order_id.startswith("HT")
        return self._vendor.cancel_order_stock(account, int(order_id[2:])) == 0
