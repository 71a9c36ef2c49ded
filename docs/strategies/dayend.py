"""Equal weights at the end of the day: what is above goes first, what is below comes with its money."""

symbols = ["600000.SH", "000001.SZ", "510300.SH"]
timers = {"sell": "14:50", "buy": "14:52", "tidy": "14:56"}
params = {"weight": 0.3}


def on_timer(ctx, name):
    if name == "tidy":
        ctx.cancel()  # every open order of this strategy, seen canceled
        return
    total = ctx.asset().total_asset
    for code in symbols:
        missing = total * ctx.params["weight"] - ctx.position(code).market_value
        if (missing < 0) == (name == "sell"):
            ctx.target(code, weight=ctx.params["weight"], price="peer")
