"""The only room that knows xtquant: finding it, its codes, and a session over its XtQuantTrader."""
