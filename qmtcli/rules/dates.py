"""The days on which rules changed, by what changed: every dated table here is keyed by these."""

from __future__ import annotations

from datetime import date

#: closing call auction for Shanghai stocks
SH_CLOSING_AUCTION = date(2018, 8, 20)
#: STAR's first trading day: 20 %, no limit for five days, cage, after-hours trading
STAR_OPENED = date(2019, 7, 22)
#: ChiNext's registration reform: 20 %, no limit for five days, smaller orders, after-hours trading
CHINEXT_REFORM = date(2020, 8, 24)
#: BSE's first trading day
BSE_OPENED = date(2021, 11, 15)
#: transfer fee halved
TRANSFER_FEE_HALVED = date(2022, 4, 29)
#: convertible bonds get a daily limit
CONV_BOND_LIMITS = date(2022, 8, 1)
#: registration system on the main boards: no limit for five days, cage
MAIN_REFORM = date(2023, 4, 10)
#: stamp duty halved
STAMP_DUTY_HALVED = date(2023, 8, 28)
#: 上证发〔2026〕41号, 深证上〔2026〕551号, 北证公告〔2026〕17号: main-board ST 10 %, closing auction of
#: Shanghai funds, after-hours trading for every share and ETF of Shanghai and Shenzhen
RULES_2026 = date(2026, 7, 6)
#: daily buys of one risk-warning stock capped on BSE
BSE_ST_CAP = date(2026, 8, 31)
