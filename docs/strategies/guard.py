"""A stop-loss on every tick, for what the account holds: whoever bought it."""

symbols = ["600000.SH", "000001.SZ"]
params = {"fall": 0.05}


def on_tick(ctx, tick):
    if tick.phase != 13:  # continuous trading
        return
    stopped = ctx.state.setdefault("stopped", [])  # survives a restart
    if tick.stock_code in stopped:
        return
    held = [row for row in ctx.positions(account=True) if row.stock_code == tick.stock_code and row.can_use_volume]
    for row in held:
        if tick.last_price < row.avg_price * (1 - ctx.params["fall"]):
            # one id a day: however often this runs, it is one order
            ctx.sell(row.stock_code, row.can_use_volume, price="down", id=f"stop{row.stock_code[:6]}-{{date}}")
            stopped.append(tick.stock_code)
            ctx.log("stopped out of", row.stock_code, "at", tick.last_price)
