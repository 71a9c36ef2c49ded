"""The exchanges' rules as they were on each date: pure functions and tables, no I/O, no clock.

Prices are `Decimal` yuan, volumes ``int`` in shares (张 for bonds), days `datetime.date`. What is known for
certain is a table here; what is not is a field of `settings.Settings`, and `marks.confirmed` says which of
the two stands behind a refusal. One file a subject:

    boards   codes, kinds, exchanges      phases      what may be done at which time of day
    funds    products that differ         order_types market orders and their vendor codes
    ticks    price steps                  fees        commission, stamp duty, transfer fee
    lots     volumes                      settlement  T+0 and T+1, repo terms
    bands    daily price limits, halts    corporate   dividends, splits, rights
    cage     effective price range        calendar    trading days
    auction  the one price of an auction
    close    the closing price            permissions what an account may buy
    settings what a user may set          instruments a user's own table of instruments
"""
