"""Moving averages that cross, on five-minute bars: in above, out below."""

symbols = ["600000.SH", "510300.SH"]
period = "5m"
params = {"fast": 5, "slow": 20, "value": 50_000}

closes: dict = {}


def on_start(ctx):
    """Warm up: the averages are there from the first bar on. Nothing of this trades."""
    for code in symbols:
        closes[code] = list(ctx.history(code, period, ctx.params["slow"])["close"])


def on_bar_close(ctx, bar):
    seen = closes[bar.stock_code]
    seen.append(bar.close)
    fast, slow = (sum(seen[-count:]) / count for count in (ctx.params["fast"], ctx.params["slow"]))
    if fast > slow and not ctx.position(bar.stock_code).volume:
        ctx.target(bar.stock_code, value=ctx.params["value"])
    elif fast < slow:
        ctx.target(bar.stock_code, volume=0)


def on_trade(ctx, trade):
    ctx.log(trade.side, trade.stock_code, trade.traded_volume, trade.traded_price)
