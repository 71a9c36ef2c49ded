from vendor.xttype import StockAccount as StockAccount
