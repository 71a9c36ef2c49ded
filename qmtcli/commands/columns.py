"""The columns of every table, in the terminal's own words."""

from __future__ import annotations

from qmtcli.output import Column

CODE = Column("stock_code", "代码", "Code")
NAME = Column("instrument_name", "名称", "Name")
SIDE = Column("side", "方向", "Side", "word")

POSITIONS = (
    CODE,
    NAME,
    Column("volume", "持仓", "Volume", "number"),
    Column("can_use_volume", "可用", "Sellable", "number"),
    Column("last_price", "现价", "Last", "price"),
    Column("avg_price", "成本", "Cost", "price"),
    Column("market_value", "市值", "Value", "money"),
    Column("profit", "盈亏", "Profit", "money"),
    Column("profit_rate", "盈亏比", "Rate", "percent"),
    Column("frozen_volume", "冻结", "Frozen", "number", plain=False),
    Column("yesterday_volume", "昨仓", "Yesterday", "number", plain=False),
    Column("on_road_volume", "在途", "On road", "number", plain=False),
)

ORDERS = (
    Column("order_id", "委托编号", "Order", "id"),
    CODE,
    NAME,
    SIDE,
    Column("status", "状态", "Status", "word"),
    Column("price", "委托价", "Price", "price"),
    Column("order_volume", "委托量", "Volume", "number"),
    Column("traded_volume", "成交量", "Traded", "number"),
    Column("traded_price", "成交均价", "Average", "price"),
    Column("time", "时间", "Time", "time"),
    Column("status_msg", "说明", "Message"),
    Column("price_kind", "报价方式", "Kind", "word", plain=False),
    Column("order_sysid", "合同编号", "Contract", "id", plain=False),
    Column("order_remark", "备注", "Remark", plain=False),
    Column("strategy_name", "策略", "Strategy", plain=False),
)

TRADES = (
    Column("traded_id", "成交编号", "Trade", "id"),
    CODE,
    NAME,
    SIDE,
    Column("traded_price", "成交价", "Price", "price"),
    Column("traded_volume", "成交量", "Volume", "number"),
    Column("traded_amount", "成交额", "Amount", "money"),
    Column("commission", "费用", "Fees", "money"),
    Column("time", "时间", "Time", "time"),
    Column("order_id", "委托编号", "Order", "id"),
    Column("order_sysid", "合同编号", "Contract", "id", plain=False),
    Column("order_remark", "备注", "Remark", plain=False),
    Column("strategy_name", "策略", "Strategy", plain=False),
)

#: before the others where rows of several profiles stand together
WHOSE = (Column("profile", "配置", "Profile"), Column("mode", "模式", "Mode", "word"))

ASSET = (
    Column("total_asset", "总资产", "Total", "money"),
    Column("cash", "可用", "Available", "money"),
    Column("frozen_cash", "冻结", "Frozen", "money"),
    Column("market_value", "市值", "Value", "money"),
    Column("fetch_balance", "可取", "Withdrawable", "money"),
)

#: of a margin account, after `ASSET`
CREDIT_DETAIL = (
    Column("total_debt", "总负债", "Debt", "money"),
    Column("fin_debt", "融资负债", "Money borrowed", "money"),
    Column("slo_debt", "融券负债", "Shares borrowed", "money"),
    Column("per_assurescale_value", "维持担保比例", "Collateral ratio", "number"),
    Column("enable_bail_balance", "可用保证金", "Margin left", "money"),
    Column("assure_asset", "净资产", "Net", "money", plain=False),
    Column("fin_enable_quota", "融资可用额度", "Money quota", "money", plain=False),
    Column("slo_enable_quota", "融券可用额度", "Shares quota", "money", plain=False),
)

QUOTE = (
    CODE,
    NAME,
    Column("last_price", "现价", "Last", "price"),
    Column("change", "涨跌幅", "Change", "percent"),
    Column("bid_price", "买一", "Bid", "best"),
    Column("bid_vol", "买一(手)", "Bid lots", "best"),
    Column("ask_price", "卖一", "Ask", "best"),
    Column("ask_vol", "卖一(手)", "Ask lots", "best"),
    Column("volume", "成交(手)", "Traded lots", "number"),
    Column("time", "时间", "Time", "time"),
    Column("open", "今开", "Open", "price", plain=False),
    Column("high", "最高", "High", "price", plain=False),
    Column("low", "最低", "Low", "price", plain=False),
    Column("last_close", "昨收", "Previous", "price", plain=False),
    Column("up_stop_price", "涨停", "Up limit", "price", plain=False),
    Column("down_stop_price", "跌停", "Down limit", "price", plain=False),
    Column("bid_price", "买一至五", "Bids 1-5", plain=False),
    Column("bid_vol", "买一至五(手)", "Bid lots 1-5", plain=False),
    Column("ask_price", "卖一至五", "Asks 1-5", plain=False),
    Column("ask_vol", "卖一至五(手)", "Ask lots 1-5", plain=False),
)

SENT = (
    Column("status", "结果", "Result", "word"),
    Column("order_id", "委托编号", "Order", "id"),
    SIDE,
    CODE,
    NAME,
    Column("price", "价格", "Price", "price"),
    Column("order_volume", "数量", "Volume", "number"),
    Column("traded_volume", "成交量", "Traded", "number"),
    Column("traded_price", "成交均价", "Average", "price"),
    Column("status_msg", "说明", "Message"),
    Column("client_id", "委托标识", "Client id"),
    Column("price_kind", "报价方式", "Kind", "word", plain=False),
    Column("worst_amount", "含费金额", "With fees", "money", plain=False),
    Column("order_sysid", "合同编号", "Contract", "id", plain=False),
    Column("time", "时间", "Time", "time", plain=False),
)

BATCH = (
    Column("row", "行", "Row", "id"),
    Column("status", "结果", "Result", "word"),
    Column("order_id", "委托编号", "Order", "id"),
    SIDE,
    CODE,
    Column("price", "价格", "Price", "price"),
    Column("order_volume", "数量", "Volume", "number"),
    Column("traded_volume", "成交量", "Traded", "number"),
    Column("error", "说明", "Message"),
    Column("client_id", "委托标识", "Client id", plain=False),
    Column("price_kind", "报价方式", "Kind", "word", plain=False),
    Column("worst_amount", "含费金额", "With fees", "money", plain=False),
    Column("line", "文件行", "Line", "number", plain=False),
)

REPLACED = (
    *SENT[:-1],
    Column("replaces", "原委托", "Replaces", "id"),
    Column("replaced_status", "原委托状态", "It is", "word"),
    Column("replaced_traded_volume", "原委托成交", "It traded", "number"),
)

#: where a terminal is narrow, what became of a name and why stay, and what it was to cost goes
REBALANCED = (
    CODE,
    NAME._replace(goes=6),
    Column("held_volume", "持仓", "Have", "number", goes=5),
    Column("target_volume", "目标", "Want", "number", goes=2),
    SIDE._replace(goes=4),
    Column("order_volume", "委托量", "Trade", "number", goes=3),
    Column("price", "价格", "Price", "price", goes=8),
    Column("value", "金额", "Value", "money", goes=9),
    Column("traded_volume", "成交量", "Traded", "number", goes=7),
    Column("final_volume", "结果", "Now", "number", goes=1),
    Column("reason", "原因", "Reason", "word"),
    Column("ideal_volume", "理论量", "Exactly", "number", plain=False),
    Column("last_price", "现价", "Last", "price", plain=False),
    Column("traded_price", "成交均价", "Average", "price", plain=False),
    Column("ex_date", "除权", "Ex date", "word", plain=False),
    Column("message", "说明", "Message", plain=False),
)

MOST = (
    CODE,
    NAME,
    Column("price", "价格", "Price", "price"),
    Column("buy_volume", "可买", "Can buy", "number"),
    Column("buy_volume_within_limits", "限制内可买", "Within limits", "number"),
    Column("sell_volume", "可卖", "Can sell", "number"),
    Column("held_volume", "持仓", "Held", "number"),
    Column("cash", "可用资金", "Available", "money"),
)

OPEN_ENTRIES = (
    Column("client_id", "委托标识", "Client id"),
    Column("state", "状态", "State", "word"),
    Column("day", "交易日", "Day"),
    Column("order_id", "委托编号", "Order", "id"),
    CODE,
    SIDE,
    Column("order_volume", "数量", "Volume", "number"),
    Column("price", "价格", "Price", "price"),
    Column("traded_volume", "成交量", "Traded", "number"),
    Column("result", "处理", "Done", "word"),
    Column("message", "说明", "Message", "prose"),
    Column("command", "命令", "Command", plain=False),
    Column("strategy_name", "策略", "Strategy", plain=False),
)

LOG = (
    Column("time", "时间", "Time", "time"),
    Column("event", "事件", "Event", "word"),
    Column("client_id", "委托标识", "Client id"),
    Column("order_id", "委托编号", "Order", "id"),
    CODE,
    SIDE,
    Column("order_volume", "数量", "Volume", "number"),
    Column("price", "价格", "Price", "price"),
    Column("traded_volume", "成交量", "Traded", "number"),
    Column("traded_price", "成交均价", "Average", "price"),
    Column("message", "说明", "Message"),
    Column("strategy_name", "策略", "Strategy", plain=False),
    Column("command", "命令", "Command", plain=False),
    Column("batch", "批次", "Batch", plain=False),
    Column("row", "行", "Row", "number", plain=False),
)

DAYS = (
    Column("day", "交易日", "Day"),
    Column("total_asset", "总资产", "Total", "money"),
    Column("profit", "盈亏", "Profit", "money"),
    Column("profit_rate", "盈亏比", "Rate", "percent"),
    Column("orders", "委托", "Orders", "number"),
    Column("trades", "成交", "Trades", "number"),
    Column("buy_amount", "买入额", "Bought", "money"),
    Column("sell_amount", "卖出额", "Sold", "money"),
    Column("fees", "费用", "Fees", "money"),
    Column("other_orders", "手工委托", "By hand", "number", plain=False),
    Column("cash", "可用", "Available", "money", plain=False),
    Column("market_value", "市值", "Value", "money", plain=False),
)

DAY_CLOSE = (
    Column("day", "交易日", "Day"),
    Column("closed_at", "时间", "Time", "time"),
    Column("orders", "委托", "Orders", "number"),
    Column("other_orders", "其中手工", "By hand", "number"),
    Column("trades", "成交", "Trades", "number"),
    Column("positions", "持仓", "Holdings", "number"),
    Column("total_asset", "总资产", "Total", "money"),
    Column("profit", "盈亏", "Profit", "money"),
    Column("unknown", "结果未知", "Unknown", "value"),
)

REPORT = (
    Column("period", "期间", "Period"),
    Column("orders", "委托", "Orders", "number"),
    Column("cancels", "撤单", "Cancels", "number"),
    Column("cancel_share", "撤单占比", "Cancel share", "share"),
    Column("most_in_a_second", "每秒最高", "Most a second", "number"),
    Column("most_in_a_day", "每日最高", "Most a day", "number"),
    Column("whole_account", "全账户", "Whole account"),
    Column("high_frequency", "高频", "High frequency"),
    Column("software", "软件", "Software"),
    Column("version", "版本", "Version"),
    Column("interface", "接口", "Interface", plain=False),
    Column("reported", "已报告", "Reported", plain=False),
    Column("other_orders", "手工委托", "By hand", "number", plain=False),
    Column("days", "交易日数", "Days", "number", plain=False),
)

BOOK = (
    Column("strategy_name", "策略", "Strategy"),
    CODE,
    NAME,
    Column("volume", "持仓", "Volume", "number"),
    Column("avg_price", "成本", "Cost", "price"),
    Column("cost", "总成本", "Paid", "money"),
    Column("cash", "资金", "Money", "money"),
    Column("bought", "买入额", "Bought", "money"),
    Column("sold", "卖出额", "Sold", "money"),
    Column("fees", "费用", "Fees", "money"),
    Column("unknown", "结果未知", "Unknown", "number", plain=False),
)

ADJUSTED = (
    Column("strategy_name", "策略", "Strategy"),
    CODE,
    Column("volume", "数量", "Volume", "number"),
    Column("amount", "金额", "Amount", "money"),
    Column("held_volume", "账本持仓", "Now held", "number"),
    Column("cash", "账本资金", "Money now", "money"),
    Column("note", "说明", "Note"),
)

PLANNED = (
    Column("plan", "计划文件", "Plan"),
    Column("day", "交易日", "Trading day"),
    Column("orders", "委托", "Orders", "number"),
    Column("cancels", "撤单", "Cancels", "number"),
    Column("replaces", "改价", "Replacements", "number"),
    Column("buy_amount", "买入最多", "Buys at most", "money"),
    Column("sell_amount", "卖出至少", "Sells at least", "money"),
)

CANCELED = (
    Column("order_id", "委托编号", "Order", "id"),
    CODE,
    NAME,
    SIDE,
    Column("result", "结果", "Result", "word"),
    Column("order_volume", "委托量", "Volume", "number"),
    Column("traded_volume", "成交量", "Traded", "number"),
    Column("status", "状态", "Status", "word"),
    Column("message", "说明", "Message", "prose"),
)

CHECKS = (
    Column("check", "检查", "Check", "word"),
    Column("result", "结果", "Result", "word"),
    Column("seen", "看到", "Seen", "prose"),
    Column("fix", "处理", "What to do", "prose"),
)

TERMINALS = (
    Column("path", "文件夹", "Folder"),
    Column("source", "来源", "Found by", "word"),
    Column("minimal", "极简模式", "Minimal mode", "value"),
    Column("running", "运行中", "Running", "value"),
)

SETTINGS = (
    Column("key", "键", "Key"),
    Column("value", "值", "Value", "value"),
    Column("source", "来源", "Source"),
)

HALT = (
    Column("halted", "停止", "Halted"),
    Column("since", "自", "Since", "time"),
    Column("allow_sells", "可卖出", "Sells allowed"),
    Column("canceled", "撤单", "Canceled", "count"),
)

LIMITS = (
    Column("limit", "限制", "Limit"),
    Column("value", "设为", "Set to", "value"),
    Column("used", "已用", "Used", "number"),
    Column("left", "剩余", "Left", "number"),
    Column("rule", "规则", "Rule", "prose"),
    Column("source", "来源", "Source", plain=False),
)

PAPER = (
    Column("day", "交易日", "Trading day"),
    Column("market", "行情", "Market"),
    Column("hours", "时段", "Hours"),
    Column("synthetic", "生成的行情", "Generated", plain=False),
    Column("total_asset", "总资产", "Total", "money"),
    Column("cash", "可用", "Available", "money"),
    Column("frozen_cash", "冻结", "Frozen", "money"),
    Column("market_value", "市值", "Value", "money"),
    Column("orders", "当日委托", "Orders today", "number"),
    Column("positions", "持仓", "Holdings", "number"),
    Column("file", "文件", "File"),
    Column("account_type", "账号类型", "Type", plain=False),
    Column("accounts", "账号", "Accounts", "value", plain=False),
    Column("clock", "时钟", "Clock"),
    Column("faults", "故障脚本", "Faults"),
)

SESSIONS = (
    Column("session_id", "会话编号", "Session", "id"),
    Column("state", "状态", "State", "word"),
    Column("size", "字节", "Bytes", "number"),
    Column("file", "队列文件", "Queue file", plain=False),
)

TRADING_DAYS = (
    Column("day", "交易日", "Trading day"),
    Column("weekday", "星期", "Weekday", "word"),
    Column("next", "下一交易日", "Next"),
    Column("known_until", "日历到", "Known until", plain=False),
)

IMPORTED = (
    Column("known_until", "日历到", "Known until"),
    Column("added", "新增交易日", "Days added", "number"),
    Column("file", "文件", "File"),
)

STRATEGY_EVENTS = (
    Column("time", "时间", "Time", "time", goes=1),
    Column("strategy", "策略", "Strategy"),
    Column("event", "事件", "Event"),
    Column("message", "说明", "Message", "prose"),
    CODE._replace(plain=False),
    SIDE._replace(plain=False),
    Column("order_volume", "委托量", "Volume", "number", plain=False),
    Column("price", "委托价", "Price", "price", plain=False),
    Column("traded_volume", "成交量", "Traded", "number", plain=False),
    Column("traded_price", "成交价", "At", "price", plain=False),
    Column("status", "状态", "Status", "word", plain=False),
    Column("what", "行情/连接", "Link", plain=False),
    Column("client_id", "委托标识", "Id", "id", plain=False),
    Column("order_id", "委托编号", "Order", "id", plain=False),
    Column("exit_status", "退出码", "Exit", "number", plain=False),
)

STRATEGIES = (
    Column("strategy", "策略", "Strategy"),
    Column("state", "状态", "State"),
    Column("pid", "进程", "Process", "id"),
    Column("restarts", "重启", "Restarts", "number"),
    Column("orders", "委托", "Orders", "number"),
    Column("trades", "成交", "Trades", "number"),
    Column("time", "时间", "Time", "time"),
    Column("exit_status", "退出码", "Exit", "number"),
    Column("log", "日志", "Log", plain=False),
)

REPLAYS = (
    Column("strategy", "策略", "Strategy"),
    Column("params", "参数", "Parameters", "value"),
    Column("first", "首日", "First"),
    Column("last", "末日", "Last"),
    Column("final_asset", "期末资产", "Final", "money"),
    Column("total_return", "收益率", "Return", "percent"),
    Column("max_drawdown", "最大回撤", "Drawdown", "percent"),
    Column("sharpe", "夏普", "Sharpe", "number"),
    Column("trades", "成交", "Trades", "number"),
    Column("win_rate", "胜率", "Wins", "share"),
    Column("fees", "费用", "Fees", "money"),
    Column("turnover", "换手", "Turnover", "number"),
    Column("annual_return", "年化", "A year", "percent", plain=False),
    Column("volatility", "波动率", "Volatility", "share", plain=False),
    Column("drawdown_days", "回撤天数", "Days below", "number", plain=False),
    Column("cost_share", "费用占比", "Cost share", "share", plain=False),
    Column("round_trips", "回合", "Round trips", "number", plain=False),
    Column("profit_factor", "盈亏比", "Profit factor", "number", plain=False),
    Column("orders", "委托", "Orders", "number", plain=False),
    Column("rejected", "废单", "Rejected", "number", plain=False),
    Column("errors", "错误", "Errors", "number", plain=False),
    Column("ticks", "快照", "Ticks", "number", plain=False),
    Column("days", "天数", "Days", "number", plain=False),
    Column("opening_asset", "期初资产", "Opening", "money", plain=False),
)
