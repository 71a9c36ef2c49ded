"""Bringing an account, or a strategy's book, to its targets.

`targets` reads what is wanted, `plan` makes of it and of what there is the trades of a day, `rounding` spends the cash
best, `running` carries a plan out over the desk.
"""
