"""What people read, in Chinese and English, by code. Keys of JSON, codes and options are English and not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Text(NamedTuple):
    """An error's message and what to do next, in both languages; ``str.format`` fills in the error's params."""

    zh: str
    zh_hint: str
    en: str
    en_hint: str


#: an error's words by its code
ERRORS: dict[str, Text] = {
    # -- usage ------------------------------------------------------------------------------------------
    "usage": Text("{detail}", "看 {command} --help", "{detail}", "see {command} --help"),
    # -- the exchanges' rules (qmtcli.rules) --------------------------------------------------------------
    "code_unknown": Text(
        "不认识代码 {code}",
        "写成 600000.SH 的样子, 交易所为 SH, SZ 或 BJ",
        "unknown code {code}",
        "write it like 600000.SH, with exchange SH, SZ or BJ",
    ),
    "not_tradable": Text(
        "{code} 是指数, 不能买卖",
        "换成股票, 基金或债券的代码",
        "{code} is an index and cannot be traded",
        "use the code of a share, fund or bond",
    ),
    "volume_not_positive": Text(
        "{code} 的数量 {volume} 不是正数",
        "数量至少为 1",
        "volume {volume} of {code} is not positive",
        "give a volume of at least 1",
    ),
    "below_min": Text(
        "{code} 最少买 {minimum}, 委托数量 {volume} 不足",
        "买入 {minimum} 或以上",
        "the smallest buy of {code} is {minimum}, not {volume}",
        "buy {minimum} or more",
    ),
    "odd_lot": Text(
        "{code} 的数量 {volume} 不是 {step} 的整数倍",
        "改为 {below} 或 {above}",
        "volume {volume} of {code} is not a multiple of {step}",
        "make it {below} or {above}",
    ),
    "below_min_sell": Text(
        "{code} 最少卖 {minimum}, 不足时须一次卖完 (可卖 {sellable}), 委托数量 {volume}",
        "卖出 {minimum} 或以上, 或全部卖出 (all)",
        "a sell of {code} is at least {minimum}, or all of what can be sold ({sellable}), not {volume}",
        "sell {minimum} or more, or 'all'",
    ),
    "odd_lot_sell": Text(
        "{code} 的卖出数量 {volume} 不是 {step} 的整数倍 (零股 {remainder})",
        "卖出 {step} 的整数倍, 零股须一次全部卖出",
        "sell volume {volume} of {code} is not a multiple of {step} (odd lot: {remainder})",
        "sell a multiple of {step}; an odd lot goes whole",
    ),
    "over_cap": Text(
        "{code} 单笔委托最多 {cap}, 委托数量 {volume} 超限",
        "分成几笔委托",
        "one order of {code} is at most {cap}, not {volume}",
        "split it into several orders",
    ),
    "off_hours": Text(
        "{time} 交易所不接受 {code} 的这种委托",
        "等交易时间; 或加 --next-session 照样发送, 由券商或交易所决定",
        "the exchange takes no such order of {code} at {time}",
        "wait for trading hours, or send it all the same with --next-session for broker and exchange to decide",
    ),
    "not_continuous": Text(
        "市价委托只在连续竞价时有效, {time} {code} 不在连续竞价",
        "用限价; 或加 --next-session 照样发送, 由券商或交易所决定",
        "market orders are for continuous trading, and {code} is not in it at {time}",
        "use a limit order, or send it all the same with --next-session for broker and exchange to decide",
    ),
    "no_after_hours": Text(
        "{code} 没有盘后定价交易",
        "在交易时间内委托",
        "{code} does not trade after hours",
        "order in trading hours",
    ),
    "after_hours_not_live": Text(
        "实盘 {profile}: miniQMT 是否接受盘后定价委托未经证实",
        "在用户配置该 profile 下写 rules: {{after_hours_live: true}} 即发送",
        "live profile {profile}: nobody has seen miniQMT take an after-hours order",
        "to send it say rules: {{after_hours_live: true}} below that profile in your own file",
    ),
    "repo_is_lent": Text(
        "{code}: 逆回购借出资金是卖出, 买入是借入资金, 这里不做",
        "借出: qmt sell {code} 10 --limit 年利率",
        "{code}: money is lent by selling repo; buying it borrows, which is not done here",
        "to lend: qmt sell {code} 10 --limit RATE",
    ),
    "all_of_repo": Text(
        "逆回购没有可卖的持仓, all 无意义",
        "写数量 (每份 100 元), 或 --value 元",
        "repo is not held, so all of it means nothing",
        "give units of 100 CNY, or the CNY to lend with --value",
    ),
    "all_of_borrowed": Text(
        "融券卖出的是借来的股票, all 无意义",
        "写数量, 或 --value 元",
        "borrowed shares are sold, so all of what is held means nothing",
        "give the number of shares, or CNY with --value",
    ),
    "no_market_orders": Text(
        "{code} 不接受市价委托",
        "用限价: --limit 或 --price",
        "{code} takes no market orders",
        "use a limit order: --limit or --price",
    ),
    "market_kind_unavailable": Text(
        "{exchange} 没有市价类型 {kind}",
        "可用的类型: {available}",
        "{exchange} has no market order type {kind}",
        "it has: {available}",
    ),
    "calendar_ended": Text(
        "交易日历只到 {last}",
        "交易所公布新一年的休市安排后, 用 qmt calendar import FILE 导入",
        "the trading calendar ends on {last}",
        "import the days the exchanges published since: qmt calendar import FILE",
    ),
    "calendar_damaged": Text(
        "导入的交易日历已损坏: {path} 第 {line} 行: {text}",
        "删除它, 再用 qmt calendar import FILE 导入",
        "the imported calendar is damaged: {path}, line {line}: {text}",
        "delete it and import the days again: qmt calendar import FILE",
    ),
    "calendar_empty": Text(
        "里面没有一个交易日",
        "每行一个日期, 如 20270104 或 2027-01-04, 从早到晚",
        "there is no trading day in it",
        "one day a line, like 20270104 or 2027-01-04, earliest first",
    ),
    "calendar_contradicts": Text(
        "第 {line} 行: {day} 与 qmt 自带的交易日历不符",
        "用交易所公布的交易日; 没有改动任何东西",
        "line {line}: {day} contradicts the calendar that came with qmt",
        "use the days that the exchanges published; nothing was changed",
    ),
    "calendar_closed_day": Text(
        "第 {line} 行: {day} 是周末或法定节日, 交易所不开市",
        "用交易所公布的交易日; 没有改动任何东西",
        "line {line}: {day} is a weekend or a holiday by law, on which no exchange trades",
        "use the days that the exchanges published; nothing was changed",
    ),
    "calendar_gap": Text(
        "第 {line} 行: {first} 到 {last} 相隔 {days} 天, 中间缺交易日",
        "补全中间的交易日; 没有改动任何东西",
        "line {line}: {days} days from {first} to {last}, so days are missing",
        "add the days between; nothing was changed",
    ),
    "calendar_year": Text(
        "第 {line} 行: {year} 年不像交易所的日历: {days} 个交易日, 春节休市 {pause} 天",
        "工作日或节假日软件包不是交易所的日历; 用交易所公布的交易日",
        "line {line}: {year} cannot be right: {days} trading days, {pause} days over the Spring Festival",
        "weekdays or a package of holidays are not the exchanges' calendar: use the days they published",
    ),
    "instruments_unreadable": Text(
        "读不了证券表 {file} 第 {line} 行: {why}",
        "改正这一行; 列: code 及 name, kind, board, st, listed, t0, band, delisting, relisted",
        "cannot read the table of instruments {file}, line {line}: {why}",
        "correct that line; columns: code and name, kind, board, st, listed, t0, band, delisting, relisted",
    ),
    "calendar_line": Text(
        "第 {line} 行不是按顺序的日期: {text}",
        "每行一个日期, 如 20270104 或 2027-01-04, 从早到晚",
        "line {line} is not a date in order: {text}",
        "one day a line, like 20270104 or 2027-01-04, earliest first",
    ),
    # -- codes and text (qmtcli.symbols, qmtcli.text) ------------------------------------------------------
    "malformed_code": Text(
        "{code} 不是证券代码",
        "写成 600000.SH, sh600000 或 600000.XSHG 的样子",
        "{code} is not a security code",
        "write it like 600000.SH, sh600000 or 600000.XSHG",
    ),
    "short_code": Text(
        "代码 {code} 不足六位",
        "电子表格会吃掉前面的零; 若是 {padded}, 请写全, 并把该列设为文本",
        "code {code} has fewer than six digits",
        "spreadsheets eat leading zeros: if {padded} is meant write it in full, and make the column text",
    ),
    "ambiguous_code": Text(
        "代码 {code} 可能是 {candidates}",
        "写上交易所",
        "code {code} may be any of {candidates}",
        "say the exchange",
    ),
    "undecodable_text": Text(
        "输入的文字编码无法识别",
        "存为 UTF-8, UTF-16 或 GBK",
        "the encoding of the input cannot be told",
        "save it as UTF-8, UTF-16 or GBK",
    ),
    "unreadable_file": Text(
        "读不了文件 {path}: {why}",
        "检查路径与权限; 文字存为 UTF-8, UTF-16 或 GBK",
        "cannot read the file {path}: {why}",
        "check path and permissions; save text as UTF-8, UTF-16 or GBK",
    ),
    # -- configuration (qmtcli.config) ---------------------------------------------------------------------
    "unreadable_config": Text(
        "读不了配置 {source}: {why}",
        "检查该文件; 双引号里的反斜杠是转义, 路径不要加双引号",
        "cannot read the configuration {source}: {why}",
        "mend that file; a backslash inside double quotes is an escape, so leave paths unquoted",
    ),
    "no_config_file": Text(
        "{source} 指定的配置文件不存在: {path}",
        "改正 {source}, 或用 qmt config init 建立它",
        "{source} names a configuration that does not exist: {path}",
        "correct {source}, or make the file with qmt config init",
    ),
    "log_not_written": Text(
        "日志文件写不了: {path}: {why}",
        "检查路径与权限, 或去掉 --log",
        "the log cannot be written: {path}: {why}",
        "check path and permissions, or leave --log out",
    ),
    "unknown_key": Text(
        "{source}: 没有 {key} 这一项",
        "是 {nearest} 吗?",
        "{source}: there is no {key}",
        "did you mean {nearest}?",
    ),
    "profile_key": Text(
        "{source}: {key} 属于某个 profile",
        "写到 profiles: 下该 profile 的名下",
        "{source}: {key} belongs to a profile",
        "put it under profiles:, below the name of a profile",
    ),
    "duplicate_key": Text(
        "{source}: {key} 写了两次",
        "留下一个",
        "{source}: {key} stands there twice",
        "keep one of them",
    ),
    "forbidden_key": Text(
        "{source}: {key} 不能在这里设置",
        "写到用户配置文件 (qmt config path), 或用命令行选项",
        "{source}: {key} may not be set here",
        "put it into your own file (qmt config path) or use a flag",
    ),
    "may_only_tighten": Text(
        "{source}: {key}: {value} 比用户配置 ({bound}) 宽松, 这里只能收紧",
        "改为不超过 {bound}, 或修改用户配置文件 (qmt config path)",
        "{source}: {key}: {value} is looser than your own setting ({bound}); this place may only tighten",
        "stay within {bound}, or change your own file (qmt config path)",
    ),
    "limits_of_folder_alone": Text(
        "{source}: 实盘 {profile} 在用户配置里没有 limits, 不能只由当前目录给出",
        "先在用户配置文件 (qmt config path) 的 {profile} 下写 limits, 或 limits: none",
        "{source}: live profile {profile} has no limits of its own, and a folder alone cannot give them",
        "first say limits: (or limits: none) for {profile} in your own file (qmt config path)",
    ),
    "bad_value": Text(
        "{source}: {key} 的值 {value} 不对",
        "应为 {expected}",
        "{source}: {value} is no value for {key}",
        "expected: {expected}",
    ),
    "bad_choice": Text(
        "{source}: {key} 的值 {value} 不对, 可选 {choices}",
        "是 {nearest} 吗?",
        "{source}: {value} is no value for {key}, which is one of {choices}",
        "did you mean {nearest}?",
    ),
    "unquoted": Text(
        "{source}: {key} 的值 {value} 没有加引号, 会被当成数字等而丢掉前面的零",
        '写成 "{value}"',
        "{source}: {key} is text, and {value} without quotes is not: leading zeros would be lost",
        'write "{value}"',
    ),
    "escaped_text": Text(
        "{source}: {key} 含有控制字符",
        r"双引号里的 \b, \n, \t 是转义: 去掉双引号, 或换成单引号",
        "{source}: {key} holds control characters",
        r"\b, \n and \t inside double quotes are escapes: drop the quotes or use single ones",
    ),
    "wrong_mode": Text(
        "{source}: {key} 对 {mode} 的 profile 没有意义",
        "删去; path 和 module_path 只用于 live: true, market, hours, cash 和 accounts 只用于模拟",
        "{source}: {key} means nothing on a {mode} profile",
        "remove it: path and module_path are for live: true only, market, hours, cash and accounts for paper only",
    ),
    "missing_key": Text(
        "{source}: 实盘 profile {profile} 缺少 {key}",
        "实盘须写明 path 和 account",
        "{source}: live profile {profile} has no {key}",
        "a live profile needs path and account",
    ),
    "unknown_profile": Text(
        "没有名为 {name} 的 profile ({source})",
        "已有: {known}; 最接近的是 {nearest}",
        "there is no profile {name} ({source})",
        "there are: {known}; the nearest is {nearest}",
    ),
    "unknown_account": Text(
        "{source}: 没有模拟账号 {account}",
        "有: {known}; 其他的写到该 profile 的 accounts:",
        "{source}: there is no paper account {account}",
        "there are: {known}; name more under accounts: of the profile",
    ),
    # -- environment ------------------------------------------------------------------------------------
    "state_unusable": Text(
        "状态目录不可用: {path}: {why}",
        "检查权限与磁盘空间, 或用环境变量 QMT_STATE 指定别处",
        "the state folder cannot be used: {path}: {why}",
        "check permissions and disk space, or name another folder in QMT_STATE",
    ),
    "account_file_version": Text(
        "模拟账户文件的版本是 {found}, 本程序认识 {known}",
        "用写它的那一版 qmt, 或用 QMT_STATE 指定新目录",
        "the paper account's file has version {found}, this qmt knows {known}",
        "use the qmt that wrote it, or name a new folder in QMT_STATE",
    ),
    "account_file_damaged": Text(
        "模拟账户文件已损坏: {path}: {why}",
        "放回备份; 或把它移走, 账户从头开始",
        "the paper account's file is damaged: {path}: {why}",
        "put a copy back; or move it away, and the account begins anew",
    ),
    "no_xtquant": Text(
        "找不到 xtquant: {why}",
        "python -m pip install xtquant, 或在配置里设 module_path",
        "xtquant cannot be imported: {why}",
        "python -m pip install xtquant, or set module_path in the profile",
    ),
    "no_xtquant_there": Text(
        "module_path {path} 里没有 xtquant",
        "module_path 是含有 xtquant 文件夹的文件夹; 去掉它则用终端自带的或已安装的",
        "there is no xtquant in module_path {path}",
        "it is the folder that holds a folder xtquant; without it the terminal's own copy or the installed one is used",
    ),
    "another_xtquant": Text(
        "{other} 已先被导入, 而配置要用 {path} 里的 xtquant",
        "在新进程里运行 qmt",
        "{other} was imported before, and the profile says xtquant of {path}",
        "run qmt in a process of its own",
    ),
    "python_misfit": Text(
        "xtquant 的原生模块只支持 64 位 (x86-64) Windows 上的 Python {pythons}, 这里是 {python}",
        "实盘: 在 x86-64 版 Python {newest} 里安装 qmt (ARM 的 Windows 也用这一版); 模拟盘不受影响: --profile paper",
        "xtquant's native modules are for Python {pythons} on 64-bit (x86-64) Windows; this is {python}",
        "for live trading install qmt in the x86-64 build of Python {newest}, on Windows for ARM too; "
        "paper runs here: --profile paper",
    ),
    "imitation_failed": Text(
        "xtquant 的替代软件包: {call} 出错: {why}",
        "看该软件包自己的说明; 它连接的终端或服务可能没有运行",
        "the package in the place of xtquant failed in {call}: {why}",
        "see that package's own documentation; the terminal or service behind it may not be running",
    ),
    "package_differs": Text(
        "这个 xtquant 没有: {missing}",
        "qmt 能绕开的已绕开, 其余用到时会报错; 可更新终端, 或换一个 xtquant",
        "this xtquant has no {missing}",
        "qmt does without where it can and says so elsewhere; update the terminal or use another xtquant",
    ),
    "no_native_module": Text(
        "xtquant 的原生模块 {module} 无法加载: {why}",
        "重新安装 xtquant: python -m pip install --force-reinstall xtquant, 或改正 module_path",
        "xtquant's native module {module} cannot be loaded: {why}",
        "install xtquant anew: python -m pip install --force-reinstall xtquant, or correct module_path",
    ),
    "paper_not_proved": Text(
        "不能证明这是模拟: {file} 不是迅投原版 xtquant, 已停止",
        "有软件包覆盖了 xtquant; 在新的虚拟环境安装, 或 python -m pip install --force-reinstall xtquant",
        "this cannot be proved to be paper: {file} is not the vendor's own xtquant; nothing was done",
        "a package has overwritten xtquant: use a fresh virtual environment, "
        "or python -m pip install --force-reinstall xtquant",
    ),
    "too_late_for_paper": Text(
        "xtquant 已先被导入, 无法再换成模拟: {why}",
        "在新进程里运行 qmt",
        "xtquant was imported before the paper exchange could take its place: {why}",
        "run qmt in a process of its own",
    ),
    "live_within_paper": Text(
        "这是模拟运行启动的进程, 不能用实盘配置 {profile}",
        "不要在 run-strategy 的模拟脚本里调用实盘; 在另一个终端运行",
        "this process was started by a paper run and cannot use the live profile {profile}",
        "run it outside of the script that runs on paper",
    ),
    "market_not_served": Text(
        "模拟盘还不支持行情来源 {market}",
        "market: sample, 或一个行情文件夹",
        "the paper exchange does not serve market {market} yet",
        "market: sample, or a folder of tapes",
    ),
    "faults_unreadable": Text(
        "读不了故障脚本 {source}: {why}",
        "检查该文件; 写法见 docs/testing.md",
        "cannot read the script of faults {source}: {why}",
        "mend that file; docs/testing.md says how it is written",
    ),
    "fault_not_for_call": Text(
        "{source}: {outcome} 不能用于 {call}, 只能用于 {choices}",
        "换一种结果或换一种请求; 全表见 docs/testing.md",
        "{source}: {outcome} cannot happen to {call}, only to {choices}",
        "choose another outcome or another call; docs/testing.md has the table",
    ),
    "faults_on_live": Text(
        "QMT_PAPER_FAULTS 已设置, 实盘配置 {profile} 不接受故障脚本",
        "去掉该变量再运行实盘",
        "QMT_PAPER_FAULTS is set, and the live profile {profile} takes no script of faults",
        "unset the variable before a live run",
    ),
    "bad_clock": Text(
        "QMT_PAPER_CLOCK 不是时间: {text}: {why}",
        "例: 2023-02-07T10:00:00",
        "QMT_PAPER_CLOCK is no time: {text}: {why}",
        "for example 2023-02-07T10:00:00",
    ),
    "clock_behind_account": Text(
        "时钟 {clock} 早于模拟账户所在的日期 {day}",
        "qmt paper reset 清空账户, 从时钟的日期重新开始; 或另用一个 profile",
        "the clock, {clock}, is before the day that the paper account stands at, {day}",
        "qmt paper reset begins anew at the day of the clock; or use another profile",
    ),
    "config_exists": Text(
        "配置文件已存在: {path}",
        "编辑它, 或加 --force (旧的留作 .bak)",
        "there is a configuration already: {path}",
        "edit it, or use --force (the old one is kept as .bak)",
    ),
    "config_not_written": Text(
        "配置文件写不了: {path}: {why}",
        "检查权限, 或用 QMT_CONFIG 指定别处",
        "the configuration cannot be written: {path}: {why}",
        "check permissions, or name another file in QMT_CONFIG",
    ),
    "no_folder": Text(
        "没有这个文件夹: {path}",
        "path 应为券商终端安装目录下的 userdata_mini",
        "there is no folder {path}",
        "path is userdata_mini in the folder of the broker's terminal",
    ),
    "not_userdata_mini": Text(
        "这不是极简模式的文件夹: {path}",
        "path 应为 {better}",
        "this is not the folder of the minimal mode: {path}",
        "the path should be {better}",
    ),
    "no_minimal_mode": Text(
        "这是完整版 QMT 的文件夹, 旁边没有 userdata_mini: {path}",
        "以极简模式 (独立交易) 登录一次终端; 有的券商版本没有极简模式, 问券商",
        "this is the folder of a full QMT, without a userdata_mini beside it: {path}",
        "log in to the terminal once in minimal mode; some brokers' editions have none: ask the broker",
    ),
    "folder_not_written": Text(
        "不能写入 {path}: {why}",
        "以管理员运行, 或给当前用户写权限",
        "cannot write to {path}: {why}",
        "run as administrator, or give this user the right to write there",
    ),
    "not_administrator": Text(
        "终端在 C 盘, 而当前不是管理员: {path}",
        "以管理员运行 qmt 与终端, 或把终端装到别的盘",
        "the terminal is on C: and this is no administrator: {path}",
        "run qmt and the terminal as administrator, or install the terminal on another disk",
    ),
    "disk_full": Text(
        "磁盘只剩 {free}, 放不下一个队列文件; 已有 {count} 个, {size}",
        "用 qmt session clean 清理, 或腾出空间",
        "{free} left on the disk, too little for a queue file; there are {count}, {size}",
        "qmt session clean, or make room",
    ),
    "disk_low": Text(
        "磁盘剩余 {free}; 队列文件 {count} 个, {size}",
        "用 qmt session clean 清理; 其他程序的会话编号应固定在小范围内",
        "{free} left on the disk; {count} queue files, {size}",
        "qmt session clean; other programs should keep to a few session ids",
    ),
    "no_up_queue": Text(
        "没有 up_queue_xtquant: {path}",
        "账号可能未开通接口权限, 问券商; 或终端从未以极简模式登录",
        "there is no up_queue_xtquant in {path}",
        "the account may have no API permission: ask the broker; or nobody has logged in in minimal mode yet",
    ),
    "terminal_not_running": Text(
        "没有运行中的极简模式终端: {path}",
        "启动终端, 勾选极简模式 (独立交易) 登录",
        "no terminal runs in minimal mode: {path}",
        "start it and log in with minimal mode (独立交易) ticked",
    ),
    "clock_apart": Text(
        "本机时钟与行情相差 {seconds} 秒",
        "校准系统时间; 或行情已停, 重启终端",
        "the clock is {seconds} s from the ticks",
        "set the system's time; or the ticks have stopped: restart the terminal",
    ),
    # -- the link ---------------------------------------------------------------------------------------
    "connect_failed": Text(
        "连不上终端 (connect 返回 {result}): {path}",
        "按可能性: 终端未以极简模式登录; 路径不对; 终端装在 C 盘而未以管理员运行; 无写权限; 账号未开通接口权限",
        "no connection to the terminal (connect answered {result}): {path}",
        "most likely first: it is not logged in in minimal mode; the path is wrong; it is on C: without "
        "administrator rights; no write permission; the account has no API permission",
    ),
    "subscribe_failed": Text(
        "终端没有账号 {account_id}",
        "核对配置里的 account 与终端登录的资金账号",
        "the terminal has no account {account_id}",
        "compare the profile's account with the one the terminal is logged in to",
    ),
    "account_not_found": Text(
        "终端没有账号 {account_id} {account_type}, 有: {known}",
        "改正配置里的 account 或 account_type",
        "the terminal has no account {account_id} {account_type}; it has {known}",
        "correct the profile's account or account_type",
    ),
    "not_a_live_profile": Text(
        "{profile} 是模拟配置, 没有终端",
        "用 --profile 指定实盘配置",
        "{profile} is a paper profile, which has no terminal",
        "name a live profile with --profile",
    ),
    "one_profile": Text(
        "{command} 一次只用于一个配置",
        "只给一个 --profile; 多个配置仅用于查询",
        "{command} is for one profile at a time",
        "name one --profile; several are for commands that read",
    ),
    "credit_needed": Text(
        "{profile} 是信用账户, 须说明委托的用途",
        "加上 --as collateral (担保品), fin (融资), slo (融券) 或 repay (还券、还款)",
        "{profile} is a margin account, where an order says what it is for",
        "add --as collateral, fin, slo or repay; a plain buy there is one of collateral",
    ),
    "credit_not_taken": Text(
        "{profile} 是 {account_type} 账户, 没有信用委托",
        "去掉 --as, 或用信用账户的配置",
        "{profile} is a {account_type} account, without margin orders",
        "leave --as out, or use the profile of a margin account",
    ),
    "credit_of_other_side": Text(
        "没有这样的委托: {side} --as {credit}",
        "融资是买, 融券是卖",
        "there is no such order: {side} --as {credit}",
        "fin is a buy, slo a sell",
    ),
    "account_for_reading": Text(
        "{profile} 是 {account_type} 账户, 只能查询",
        "下单用 STOCK 或 CREDIT 账户",
        "{profile} is a {account_type} account, for reading only",
        "orders go through STOCK and CREDIT accounts",
    ),
    "account_not_ready": Text(
        "账号 {account_id} 未就绪: {word} ({status})",
        "等终端与柜台的连接恢复, 或在终端重新登录",
        "account {account_id} is not ready: {word} ({status})",
        "wait for the terminal's link to the broker, or log in again there",
    ),
    "no_answer": Text(
        "{seconds} 秒内没有回应: {call}",
        "看终端是否卡住; 或加大 --timeout",
        "no answer within {seconds} s: {call}",
        "see whether the terminal hangs, or raise --timeout",
    ),
    "link_lost": Text(
        "连接断开: {call}",
        "看终端是否还在运行并已登录; 用 qmt login-check 检查",
        "the link was lost: {call}",
        "see whether the terminal still runs and is logged in: qmt login-check",
    ),
    "lists_disagree": Text(
        "{call} 答复为空, 而终端的其他答复表明并非如此: 不可信",
        "稍后再试; 一直如此则看终端与 qmt login-check",
        "{call} was answered with nothing, and the terminal's other answers say that there is something",
        "try again in a moment; if it stays so look at the terminal, and at qmt login-check",
    ),
    "query_failed": Text(
        "查询失败: {call}",
        "连接已断或账号未登录; 用 qmt login-check 检查",
        "the query failed: {call}",
        "the link is down or the account is not logged in; see qmt login-check",
    ),
    "no_data_service": Text(
        "连不上行情服务: {why}",
        "启动并登录终端; 用 qmt login-check 检查",
        "there is no data service: {why}",
        "start the terminal and log in; see qmt login-check",
    ),
    "no_free_session": Text(
        "{count} 个会话编号都在使用",
        "等其他 qmt 命令结束",
        "all {count} session ids are in use",
        "wait until other qmt commands have ended",
    ),
    # -- data -------------------------------------------------------------------------------------------
    "unknown_code": Text(
        "没有这个代码: {codes}",
        "核对代码与市场后缀; 样本行情只有二十来个: 600000.SH, 000001.SZ, 510300.SH ...",
        "unknown code: {codes}",
        "check code and market suffix; the sample market has some twenty: 600000.SH, 000001.SZ, 510300.SH ...",
    ),
    "no_quote": Text(
        "没有行情: {codes}",
        "该证券今日可能没有交易, 或行情还没开始",
        "no quote: {codes}",
        "it may not trade today, or the day has not begun",
    ),
    "service_without_data": Text(
        "行情服务在, 但没有给出 {codes} 的行情: {why}",
        "在终端登录行情; 刚启动的服务要等它收到数据",
        "the data service is there and gives no tick of {codes}: {why}",
        "log in to quotes in the terminal; a service that has just started has to receive some first",
    ),
    "stale_quote": Text(
        "行情太旧 (超过 {max_age} 秒): {codes}",
        "看行情连接是否中断",
        "older than {max_age} s: {codes}",
        "see whether the data link is down",
    ),
    "no_such_price": Text(
        "{code} 现在没有 {name} 价",
        "改用 --limit 指定价格",
        "{code} has no {name} price now",
        "name a price with --limit",
    ),
    "unknown_order": Text(
        "今日没有这些委托: {ids}",
        "qmt orders 列出今日委托",
        "no such order today: {ids}",
        "qmt orders lists the orders of the day",
    ),
    "ambiguous_order": Text(
        "合同编号 {id} 是几笔委托的: {ids}",
        "写委托编号",
        "{id} is the contract number of several orders: {ids}",
        "name the order by its id",
    ),
    # -- the command line -------------------------------------------------------------------------------
    "bad_volume": Text(
        "不是数量: {text}",
        "正整数, 单位股; 也可写 3手 或 2万; 卖出可写 all",
        "this is no volume: {text}",
        "a positive whole number of shares; 3手 and 2万 are understood, and all when selling",
    ),
    "bad_money": Text(
        "不是金额: {text}",
        "正数, 单位元, 至多到分; 也可写 5万 或 1.2亿",
        "this is no amount: {text}",
        "a positive number of CNY, to the cent at most; 5万 and 1.2亿 are understood",
    ),
    "bad_price": Text(
        "不是价格: {text}",
        "正数, 或 peer own last mid up down, 可加 ±N 跳",
        "this is no price: {text}",
        "a positive number, or peer own last mid up down, with ±N ticks if wanted",
    ),
    "one_price": Text(
        "要且只要一个价格: --limit, --price 或 --market",
        "例: --limit 9.09; 市价没有默认值",
        "exactly one of --limit, --price and --market is needed",
        "for example --limit 9.09; no price is taken for granted",
    ),
    "bad_day": Text(
        "不是日期: {text}",
        "例: 2026-11-23",
        "this is no day: {text}",
        "for example 2026-11-23",
    ),
    "bad_span": Text(
        "{last} 在 {first} 之前",
        "--from 不晚于 --to",
        "{last} is before {first}",
        "--from is not after --to",
    ),
    "protect_needs_market": Text(
        "--protect 只用于 --market",
        "去掉 --protect",
        "--protect goes with --market only",
        "leave --protect out",
    ),
    "unknown_market_kind": Text(
        "没有市价类型 {kind}",
        "有: {known}",
        "there is no market order type {kind}",
        "there are: {known}",
    ),
    "volume_or_value": Text(
        "数量与 --value 二选一",
        "例: qmt buy 600000.SH 100 --limit 9.09",
        "either a volume or --value is needed",
        "for example qmt buy 600000.SH 100 --limit 9.09",
    ),
    "all_is_for_selling": Text(
        "all 只用于卖出",
        "买入请写数量或 --value",
        "all is for selling",
        "to buy, give a volume or --value",
    ),
    "bad_client_id": Text(
        "委托标识不合要求: {text}",
        "1-20 个 ASCII 字母、数字或 -_.: , 至少一个字母",
        "this is no client id: {text}",
        "1 to 20 ASCII letters, digits or -_.: with a letter among them",
    ),
    "bad_strategy": Text(
        "策略名不合要求: {text}",
        "1-23 字节 (一个汉字 3 字节)",
        "this is no strategy name: {text}",
        "1 to 23 bytes; a Chinese character counts 3",
    ),
    "ids_or_all": Text(
        "给出委托编号, 或 --all",
        "qmt orders --open 列出未完成的委托",
        "name orders, or use --all",
        "qmt orders --open lists what is not final",
    ),
    "narrowing_needs_all": Text(
        "--code, --side, --mine 只与 --all 同用",
        "去掉编号, 加 --all",
        "--code, --side and --mine go with --all",
        "leave the ids out and use --all",
    ),
    "empty_stdin": Text(
        "标准输入是空的",
        "看上一条命令是否有输出",
        "stdin is empty",
        "see whether the command before printed anything",
    ),
    "bad_json": Text(
        "标准输入不是可读的 JSON: {why}",
        "用 qmt 命令的 --json 输出",
        "stdin is no readable JSON: {why}",
        "feed it what a qmt command prints with --json",
    ),
    "row_without_key": Text(
        "JSON 的行里没有 {keys}",
        "用 qmt 命令的 --json 输出",
        "a row of the JSON has none of {keys}",
        "feed it what a qmt command prints with --json",
    ),
    "unknown_field": Text(
        "没有字段 {field}",
        "有: {known}",
        "there is no field {field}",
        "there are: {known}",
    ),
    "no_strategy_file": Text(
        "没有这个文件: {path}",
        "给出一个 Python 文件",
        "there is no file {path}",
        "name a Python file",
    ),
    "no_strategy_given": Text(
        "没有给出策略文件",
        "qmt run-strategy FILE, 或 --new NAME 生成模板",
        "no strategy was given",
        "qmt run-strategy FILE, or --new NAME for a template",
    ),
    "unknown_period": Text(
        "没有 {period} 这种周期",
        "可用: {periods}",
        "there is no period {period}",
        "one of {periods}",
    ),
    "bad_strategy_words": Text(
        "{what} 应为映射",
        "例如 {what}: {{a: 1}}",
        "{what} has to be a mapping",
        "for example {what}: {{a: 1}}",
    ),
    "no_one_strategy": Text(
        "{path}: 应有一个策略类, 有: {names}",
        "保留一个带 on_tick 等方法的类",
        "{path}: one class of a strategy is needed, there are: {names}",
        "keep one class with methods such as on_tick",
    ),
    "timer_too_short": Text(
        "定时器间隔 {milliseconds} 毫秒太短",
        "至少 {shortest} 毫秒",
        "an interval of {milliseconds} ms is too short",
        "{shortest} ms at least",
    ),
    "bad_timer": Text(
        "不认识时间 {text}",
        "写成 14:50, 14:50:30, 30s, 100ms, 5m",
        "{text} is no time of a timer",
        "write 14:50, 14:50:30, 30s, 100ms or 5m",
    ),
    "unknown_order_words": Text(
        "委托没有这些参数: {words}",
        "可用: value limit price market protect round id credit",
        "an order has no {words}",
        "value, limit, price, market, protect, round, id, credit",
    ),
    "one_target": Text(
        "目标要给出 volume, value, weight 之一",
        "例如 ctx.target(code, volume=100)",
        "a target is one of volume, value and weight",
        "for example ctx.target(code, volume=100)",
    ),
    "replay_without_symbols": Text(
        "回放需要代码",
        "文件里写 symbols, 或 --symbols 600000.SH",
        "a replay needs codes",
        "say symbols in the file, or --symbols 600000.SH",
    ),
    "bad_days": Text(
        "不认识日期 {text}",
        "写成 2026-11-02:2026-11-20",
        "{text} is no stretch of days",
        "write 2026-11-02:2026-11-20",
    ),
    "not_downloaded": Text(
        "终端没有 {codes} 在 {first} 至 {last} 的行情",
        "在终端的数据管理里下载, 或用 xtdata.download_history_data",
        "the terminal has nothing of {codes} from {first} to {last}",
        "download it in the terminal's data management, or by xtdata.download_history_data",
    ),
    "replay_failed": Text(
        "{name} 的回放失败 (状态 {status}): {why}",
        "单独运行看原因",
        "the replay of {name} failed (status {status}): {why}",
        "run it alone to see why",
    ),
    "report_not_written": Text(
        "无法写入 {path}: {why}",
        "换一个目录",
        "cannot write {path}: {why}",
        "choose another folder",
    ),
    "plotly_missing": Text(
        "报告页需要 plotly",
        "pip install 'qmtcli[replay]'",
        "the report's page needs plotly",
        "pip install 'qmtcli[replay]'",
    ),
    "bad_backend": Text(
        "不认识的后端: {text}",
        "dask:tcp://主机:8786, ray, 或 ray:地址",
        "no backend: {text}",
        "dask:tcp://HOST:8786, ray, or ray:ADDRESS",
    ),
    "backend_unusable": Text(
        "后端 {name} 不可用: {why}",
        "pip install distributed 或 ray; 地址可达吗?",
        "backend {name} cannot be used: {why}",
        "pip install distributed, or ray; can the address be reached?",
    ),
    "joblib_missing": Text(
        "参数扫描需要 joblib",
        "pip install 'qmtcli[replay]'",
        "a sweep needs joblib",
        "pip install 'qmtcli[replay]'",
    ),
    "strategy_failed": Text(
        "策略 {path} 第 {line} 行出错:\n{why}",
        "修改策略文件",
        "{path} failed in line {line}:\n{why}",
        "mend the strategy's file",
    ),
    "bad_param": Text(
        "不认识参数 {text}",
        "写成 key=value",
        "{text} is no parameter",
        "write key=value",
    ),
    "bad_strategy_plan": Text(
        "{path} 不是策略清单: {why}",
        "写成 strategies: 下的列表, 每项有 file",
        "{path} is no list of strategies: {why}",
        "a list under strategies:, each with a file",
    ),
    "strategy_twice": Text(
        "策略名 {name} 出现两次",
        "在清单里用 name 区分",
        "two strategies are called {name}",
        "tell them apart by name in a plan",
    ),
    "plain_script": Text(
        "{path} 是普通脚本, 没有 on_tick 等函数",
        "这些选项只用于策略",
        "{path} is a plain script without on_tick and the like",
        "these options are for strategies",
    ),
    "file_exists": Text(
        "{path} 已存在",
        "换一个名字",
        "{path} exists",
        "choose another name",
    ),
    "no_such_own_order": Text(
        "策略没有这笔委托: {ids}",
        "看 ctx.orders()",
        "the strategy has no order {ids}",
        "see ctx.orders()",
    ),
    "strategy_waits": Text(
        "策略在等待连接 ({what}), 未发送",
        "连接恢复后 on_link 会收到 back",
        "the strategy waits for its link ({what}), nothing was sent",
        "on_link hears back when it is there again",
    ),
    "no_ticks": Text(
        "这些天没有 {codes} 的快照",
        "回放需要逐笔快照 (tick) 的行情文件; 只有K线的不能回放",
        "there is no snapshot of {codes} on these days",
        "a replay needs a tape of ticks; bars alone cannot be replayed",
    ),
    "no_days": Text(
        "{first} 至 {last} 没有行情",
        "换日期, 或换行情目录",
        "the market has nothing from {first} to {last}",
        "choose other days, or another folder of tapes",
    ),
    # -- refused here, nothing sent ---------------------------------------------------------------------
    "strategy_runs": Text(
        "策略 {name} 已在运行",
        "qmt run-strategy --status 查看",
        "strategy {name} runs already",
        "see qmt run-strategy --status",
    ),
    "off_tick": Text(
        "价格 {price} 不在最小变动单位上",
        "用 {below} 或 {above}, 或加 --round",
        "price {price} is off the tick",
        "use {below} or {above}, or --round",
    ),
    "outside_band": Text(
        "价格 {price} 超出涨跌停 {down}-{up}",
        "改到范围之内",
        "price {price} is outside the day's limits {down}-{up}",
        "choose one within",
    ),
    "outside_cage": Text(
        "价格 {price} 超出有效申报价格范围 {bound}",
        "不要越过 {bound}, 或用 --price peer",
        "price {price} is outside the effective price range, which ends at {bound}",
        "do not go past {bound}, or use --price peer",
    ),
    "outside_opening_range": Text(
        "价格 {price} 超出无涨跌停日开盘集合竞价的范围 {down}-{up}",
        "改到范围之内",
        "price {price} is outside what the opening auction takes on a day without limits, {down}-{up}",
        "choose one within",
    ),
    "protect_not_taken": Text(
        "{exchange} 的市价委托不带保护价: {code}",
        "去掉 --protect, 或用限价",
        "market orders on {exchange} carry no protection price: {code}",
        "leave --protect out, or use a limit order",
    ),
    "protect_needed": Text(
        "{code} 没有可用的涨跌停价, 不能代为设定保护价",
        "用 --protect 给出",
        "{code} has no price limits to take a protection price from",
        "name one with --protect",
    ),
    "below_lend": Text(
        "{value} 元不足 {code} 的最小借出金额 {least} 元",
        "加大 --value",
        "{value} CNY are less than the {least} that {code} lends at least",
        "raise --value",
    ),
    "not_withdrawable": Text(
        "{value:,.2f} 元超过可取资金 {most:,.2f} 元",
        "当日卖出所得下一交易日才可取; 买单冻结的先撤单",
        "{value:,.2f} CNY are more than the {most:,.2f} that can be withdrawn",
        "money of today's sales can be withdrawn on the next trading day; cancel open buys first",
    ),
    "below_lot": Text(
        "{value} 元不够一手 {code}: {volume} 股需 {least} 元",
        "加大 --value",
        "{value} CNY do not buy one lot of {code}: {volume} shares cost {least}",
        "raise --value",
    ),
    "too_many_parts": Text(
        "{code} 的数量 {volume} 要拆成 {parts} 笔以上",
        "每次不超过 {most}",
        "volume {volume} of {code} would be more than {parts} orders",
        "order {most} at most",
    ),
    "not_held": Text(
        "没有 {code} 的持仓",
        "qmt positions 列出持仓",
        "{code} is not held",
        "qmt positions lists the holdings",
    ),
    "nothing_to_sell": Text(
        "{code} 现在没有可卖的: 持有 {volume}, 冻结 {frozen}, 其余为 T+1",
        "今日买入的下一交易日才可卖; 冻结的先撤单",
        "nothing of {code} can be sold now: {volume} held, {frozen} frozen, the rest is T+1",
        "what was bought today can be sold on the next trading day; cancel open sells first",
    ),
    "another_account": Text(
        "输入的行属于 {key} {theirs}, 当前是 {ours}",
        "用 --profile 选对应的配置",
        "a row belongs to {key} {theirs}, this is {ours}",
        "choose the profile it belongs to with --profile",
    ),
    "id_of_another_order": Text(
        "标识 {client_id} 今日已用于另一笔委托 {order_id}",
        "换一个 --id",
        "id {client_id} belongs to another order of today, {order_id}",
        "choose another --id",
    ),
    "needs_yes": Text(
        "配置 {profile}: 这里不能询问, 需要 --yes",
        "确认后加 --yes",
        "profile {profile}: nobody can be asked here, so --yes is needed",
        "add --yes when you mean it",
    ),
    "declined": Text(
        "已取消, 什么也没有发送或改动", "回答 y 即继续", "declined: nothing was sent or changed", "answer y to go on"
    ),
    "package_changed": Text(
        "xtquant 换了版本: 上次通过检查的是 {before}, 现在是 {now}, 什么都没有发送",
        "先运行 qmt login-check --profile {profile}; 全部通过后即可委托 (撤单不受限制)",
        "xtquant is another one: {before} passed the last login-check, {now} is there now; nothing was sent",
        "run qmt login-check --profile {profile} first; once it passes orders go out again (cancels always do)",
    ),
    "name_the_profile": Text(
        "有实盘配置时, 无人值守的写操作必须指明配置",
        "加 --profile {profile}",
        "there is a live profile, so an unattended write must name the one it means",
        "add --profile {profile}",
    ),
    "writes_not_allowed": Text(
        "配置 {profile} 只允许 writes: {writes}",
        "在用户配置文件里修改 writes",
        "profile {profile} allows writes: {writes} only",
        "change writes in the user's configuration",
    ),
    "no_limits": Text(
        "配置 {profile} 没有 limits, 不能无人值守下实盘单",
        "在用户配置文件里写 limits, 或明确写 limits: none",
        "profile {profile} has no limits, so it does not trade live unattended",
        "set limits in the user's configuration, or say limits: none",
    ),
    "limit_orders_per_day": Text(
        "今日已有 {used} 笔委托, 达到 limits.orders_per_day {limit}",
        "看 qmt limits; 卖出与撤单不受限",
        "there are {used} orders today, which is limits.orders_per_day {limit}",
        "see qmt limits; sells and cancels go on",
    ),
    "limit_day_turnover": Text(
        "今日买入已用 {used} 元, 加上 {value} 元超过 limits.day_turnover {limit} 元",
        "看 qmt limits; 卖出与撤单不受限",
        "today's buys come to {used} CNY, and {value} CNY more are over limits.day_turnover {limit} CNY",
        "see qmt limits; sells and cancels go on",
    ),
    "halted": Text(
        "已于 {since} 全部停止 (qmt halt), 不发送新委托",
        "撤单照常; 恢复: qmt resume",
        "trading was halted at {since} (qmt halt): no new orders",
        "cancels go on; qmt resume ends it",
    ),
    "plan_needs_person": Text(
        "配置 {profile} 为 writes: plan: 委托须由人在终端确认",
        "加 --plan 文件 存为计划, 由人执行 qmt apply 文件",
        "profile {profile} says writes: plan: a person confirms orders on a terminal",
        "make a plan with --plan FILE, which a person sends with qmt apply FILE",
    ),
    "id_of_another_day": Text(
        "标识 {client_id} 属于 {day} 的委托, 今天是 {today}",
        "标识只在一个交易日内有效: 换一个, 或在其中写 {{date}}",
        "id {client_id} belongs to an order of {day}, and today is {today}",
        "an id lives one trading day: choose another, or write {{date}} in it",
    ),
    "limit_symbols": Text(
        "{code} 不在 limits.symbols 之内",
        "允许的: {allowed}",
        "{code} is not among limits.symbols",
        "allowed: {allowed}",
    ),
    "limit_order_volume": Text(
        "数量 {volume} 超过 limits.order_volume {limit}",
        "减少数量",
        "volume {volume} is over limits.order_volume {limit}",
        "order less",
    ),
    "limit_order_value": Text(
        "金额 {value} 超过 limits.order_value {limit}",
        "减少数量",
        "value {value} is over limits.order_value {limit}",
        "order less",
    ),
    "limit_price_away": Text(
        "价格离现价 {away:.2%}, 超过 limits.price_away {limit:.2%}",
        "改价格",
        "the price is {away:.2%} from the last one, over limits.price_away {limit:.2%}",
        "choose another price",
    ),
    "limit_price_away_unknown": Text(
        "{code} 没有现价, 无法核对 limits.price_away",
        "等行情恢复",
        "{code} has no last price to hold limits.price_away against",
        "wait for quotes",
    ),
    "ledger_version": Text(
        "台账 {path} 的版本是 {found}, 本程序用 {known}",
        "用写它的 qmt 版本, 或升级 qmt",
        "the ledger {path} is of version {found}, and this qmt knows {known}",
        "use the qmt that wrote it, or upgrade",
    ),
    "ledger_unusable": Text(
        "台账 {path} 不能使用: {why}",
        "检查磁盘空间与文件权限; 没有台账不发送委托",
        "the ledger {path} cannot be used: {why}",
        "check the disk and the file's permissions; nothing is sent without a ledger",
    ),
    "state_on_network": Text(
        "状态文件夹 {path} 在网络驱动器上 ({kind}): 那里的锁靠不住, 委托可能重复",
        "把 QMT_STATE 设为本机磁盘上的文件夹",
        "the state folder {path} is on a network drive ({kind}), where locks do not hold and orders could be doubled",
        "set QMT_STATE to a folder on a disk of this machine",
    ),
    "state_synchronised": Text(
        "状态文件夹 {path} 在同步文件夹 {folder} 里: 被替换的台账会忘记已发的委托",
        "把 QMT_STATE 设为不同步的文件夹",
        "the state folder {path} is in the synchronised folder {folder}: a replaced ledger forgets what was sent",
        "set QMT_STATE to a folder that is not synchronised",
    ),
    "batch_refused": Text(
        "{rows} 行中 {count} 行有误, 未发送任何委托: {shown}",
        "改正后再运行",
        "{count} of {rows} rows are wrong, and nothing was sent: {shown}",
        "correct them and run again",
    ),
    "empty_batch": Text(
        "没有一行委托", "第一行写列名, 其后每行一笔", "no orders in it", "a line of column names, then a line each"
    ),
    "unknown_column": Text(
        "不认识列 {column} (第 {line} 行)",
        "是否指 {nearest}?",
        "unknown column {column} (line {line})",
        "do you mean {nearest}?",
    ),
    "batch_row_too_long": Text(
        "第 {line} 行有 {cells} 格, 列名只有 {columns} 个",
        "含逗号的值写在引号里",
        "line {line} has {cells} cells for {columns} columns",
        "put a value that has a comma in quotes",
    ),
    "row_without_code": Text("没有代码", "列名: stock_code 或 code", "it has no code", "a column stock_code or code"),
    "row_without_side": Text(
        "没有买卖方向",
        "列名: side (buy, sell) 或 order_type (23, 24)",
        "it says neither buy nor sell",
        "a column side or order_type",
    ),
    "bad_side": Text("不认识方向 {text}", "写 buy 或 sell", "{text} is no side", "write buy or sell"),
    "bad_cell": Text("读不懂 {why}", "改正这一格", "cannot read {why}", "correct that cell"),
    "unknown_price_type": Text(
        "不认识报价方式 {price_type}",
        "用 price 或 market 列",
        "unknown price type {price_type}",
        "use a column price or market",
    ),
    "id_twice": Text(
        "标识 {client_id} 与第 {line} 行重复",
        "每笔一个标识",
        "id {client_id} is line {line}'s too",
        "an id for each order",
    ),
    "no_such_file": Text(
        "读不了 {path}: {why}", "检查文件名; - 为标准输入", "cannot read {path}: {why}", "check the name; - is stdin"
    ),
    "order_is_final": Text(
        "委托 {order_id} 已是最终状态 ({status})", "重新下单", "order {order_id} is final ({status})", "order anew"
    ),
    "only_limit_orders": Text(
        "委托 {order_id} 不是限价委托 ({kind})",
        "撤单后重新下单",
        "order {order_id} is no limit order ({kind})",
        "cancel it, then order anew",
    ),
    "filled_first": Text(
        "委托 {order_id} 已先全部成交",
        "没有余量, 未发送新委托",
        "order {order_id} filled first",
        "nothing was left, and nothing was sent",
    ),
    "rest_below_lot": Text(
        "委托 {order_id} 已撤, 余下 {volume} 股不足一笔",
        "未发送新委托",
        "order {order_id} is canceled; {volume} shares are left, too few",
        "nothing was sent",
    ),
    "cancel_refused": Text(
        "委托 {order_id} 的撤单被拒: {reason}",
        "原委托仍有效, 未发送新委托",
        "the cancel of order {order_id} was refused: {reason}",
        "it stands, and nothing was sent",
    ),
    "cancel_pending": Text(
        "委托 {order_id} 的撤单尚无结果",
        "未发送新委托; 再次运行同样的命令即继续",
        "the cancel of order {order_id} has no outcome yet",
        "nothing was sent; the same command goes on",
    ),
    "cancel_unknown": Text(
        "委托 {order_id} 是否已撤未知",
        "未发送新委托; 再次运行同样的命令即继续",
        "whether order {order_id} is canceled is unknown",
        "nothing was sent; the same command goes on",
    ),
    "plan_version": Text(
        "计划的版本是 {found}, 本程序用 {known}",
        "用同一版本的 qmt",
        "the plan is of version {found}, not {known}",
        "use the qmt that made it",
    ),
    "no_plan": Text(
        "不是完整的计划文件: {why}", "用 --plan 重新生成", "that is no plan: {why}", "make it again with --plan"
    ),
    "plan_of_another_day": Text(
        "计划属于 {day}, 今天是 {today}", "重新生成计划", "the plan is of {day}, and today is {today}", "make it again"
    ),
    "plan_account_moved": Text(
        "{code} 的持仓由 {then} 变为 {now}",
        "重新生成计划",
        "the holding of {code} was {then} and is {now}",
        "make the plan again",
    ),
    "plan_cash_moved": Text(
        "可用资金由 {then} 变为 {now}", "重新生成计划", "there were {then} CNY and are {now}", "make the plan again"
    ),
    "plan_price_unknown": Text(
        "{code} 没有现价, 无法与计划核对",
        "等行情恢复",
        "{code} has no price to hold the plan's against",
        "wait for quotes",
    ),
    "plan_price_moved": Text(
        "{code} 现价由 {then} 变为 {now}, 超过 {most:.2%}",
        "重新生成计划, 或放宽 --max-move",
        "{code} was at {then} and is at {now}, over {most:.2%}",
        "make the plan again, or allow more with --max-move",
    ),
    "bad_percent": Text("不是百分数: {text}", "例如 1%", "no percentage: {text}", "such as 1%"),
    "unwritable_file": Text(
        "写不了 {path}: {why}", "检查路径与权限", "cannot write {path}: {why}", "check the path and its permissions"
    ),
    "none_to_sell": Text(
        "现在都不可卖: {codes}",
        "T+1 的明日可卖; 冻结的先撤单",
        "none of {codes} can be sold now",
        "wait a day for T+1, or cancel what freezes it",
    ),
    "everything_or_code": Text(
        "--everything 不带代码", "去掉代码, 或去掉 --everything", "--everything takes no code", "leave out one of them"
    ),
    "code_or_everything": Text(
        "没有代码", "写代码, - 或 --everything", "no code", "give a code, a dash, or --everything"
    ),
    "decision_needs_id": Text(
        "--resend 与 --drop 要写明标识",
        "qmt reconcile 标识 --drop",
        "--resend and --drop need an id",
        "qmt reconcile ID --drop",
    ),
    "one_decision": Text("--resend 与 --drop 只能选一个", "二选一", "--resend or --drop, not both", "choose one"),
    "unknown_client_id": Text(
        "台账里没有标识 {client_id}", "看 qmt log --all", "the ledger has no id {client_id}", "see qmt log --all"
    ),
    "not_undecided": Text(
        "委托 {client_id} 的结果是已知的: {state}",
        "不需要处理",
        "what became of {client_id} is known: {state}",
        "nothing is to be decided",
    ),
    "in_other_hands_now": Text(
        "另一进程正在处理 {client_id}", "等它结束", "another process is at work on {client_id}", "wait until it ends"
    ),
    "listed_after_all": Text(
        "券商列出了 {client_id} 的委托",
        "不再发送; 运行 qmt reconcile",
        "the broker lists an order of {client_id} after all",
        "it is not sent again; run qmt reconcile",
    ),
    "date_alone": Text(
        "--date 不与 --open、--follow 同用", "去掉其一", "--date goes with neither --open nor --follow", "leave one out"
    ),
    "days_alone": Text(
        "--days 不与其他条件同用", "去掉其他条件", "--days goes with no other condition", "leave the others out"
    ),
    "bad_period": Text("不是年、月或日: {text}", "例如 2026-11", "no year, month or day: {text}", "such as 2026-11"),
    "day_not_closed": Text(
        "{day} 没有归档",
        "每日收盘后运行 qmt day-close; 台账流水看 qmt log --date {day}",
        "{day} was not closed",
        "run qmt day-close after each close; the ledger's own are in qmt log --date {day}",
    ),
    "no_book": Text(
        "没有策略 {name} 的账本, 已有: {known}",
        "qmt book 列出全部",
        "strategy {name} has no book; there are: {known}",
        "qmt book lists them",
    ),
    "adjust_what": Text(
        "写 buy 或 sell、代码、数量与 --price, 或只写 --cash",
        "qmt book adjust 策略 sell 600000.SH 100 --price 9.05",
        "give buy or sell, a code, a volume and --price, or --cash alone",
        "qmt book adjust NAME sell 600000.SH 100 --price 9.05",
    ),
    "day_follows_calendar": Text(
        "hours: exchange 的交易日跟随日历",
        "只有 hours: always 的模拟盘可用 next-day",
        "with hours: exchange the day follows the calendar",
        "next-day is for paper profiles with hours: always",
    ),
    "not_a_paper_profile": Text(
        "{profile} 不是模拟配置",
        "用 --profile 选一个模拟配置",
        "{profile} is no paper profile",
        "choose one with --profile",
    ),
    "script_needs_unguarded": Text(
        "实盘配置 {profile}: 它的 xtquant 不是迅投原版, 脚本下的单无法经过 qmt 的检查",
        "改写成 qmt 的策略 (on_tick 等); 确要如此加 --unguarded",
        "live profile {profile}: its xtquant is not the vendor's, so a script's orders cannot pass qmt's checks",
        "make it a strategy of qmt's (on_tick and the like); if you mean it, --unguarded",
    ),
    "script_call_refused": Text(
        "未发送: {call} 不受 qmt 检查, 脚本不能调用",
        "委托与撤单照常; 确要如此加 --unguarded",
        "not sent: {call} is a call that qmt cannot check",
        "orders and cancels go on; if you mean it, --unguarded",
    ),
    "script_order_type": Text(
        "未发送: 配置 {profile} 的账号没有委托类型 {order_type}",
        "普通账号 23 买 24 卖; 其他类型 qmt 不检查, 需 --unguarded",
        "not sent: an account of profile {profile} has no order type {order_type}",
        "23 buys and 24 sells; what qmt cannot check needs --unguarded",
    ),
    "script_order_unclear": Text(
        "未发送: 委托的 {field} 自相矛盾: {one} 与 {other}",
        "数量须为整数; 两个字段须一致",
        "not sent: the order says {field} twice, {one} and {other}",
        "volumes are whole numbers; both fields have to agree",
    ),
    "script_other_account": Text(
        "未发送: 账号 {account} 不是配置 {profile} 的账号, 或账号类型不同",
        "用 --profile 选该账号的配置",
        "not sent: account {account}, or its type, is not that of profile {profile}",
        "choose the profile that it belongs to with --profile",
    ),
    "script_line_closed": Text(
        "未发送: 脚本已结束, 或这是它 fork 出的子进程",
        "只在脚本自己的进程里下单",
        "not sent: the script has ended, or this is a process that it forked",
        "order in the script's own process",
    ),
    # -- refused by broker or exchange ------------------------------------------------------------------
    "rejected": Text(
        "废单 {order_id}: {reason}",
        "按原因修改后重新下单; 没有委托成立",
        "order {order_id} was rejected: {reason}",
        "correct that and order again; no order stands",
    ),
    "not_taken": Text(
        "终端不接受委托: {reason}",
        "用 qmt login-check 检查账号; 没有委托成立",
        "the terminal did not take the order: {reason}",
        "see qmt login-check; no order stands",
    ),
    "dropped_before": Text(
        "委托 {client_id} ({stock_code}) 已由人确认不成立 (qmt reconcile --drop)",
        "再次下单请换一个 --id",
        "a person has said that order {client_id} ({stock_code}) does not stand (qmt reconcile --drop)",
        "to order again choose another --id",
    ),
    # -- outcome unknown --------------------------------------------------------------------------------
    "no_answer_to_order": Text(
        "委托 {client_id} ({stock_code}) 已发出, 没有回应: 结果未知",
        "不要重发; 先看 qmt orders 与终端",
        "order {client_id} ({stock_code}) was sent and not answered: its outcome is unknown",
        "do not resend; look at qmt orders and at the terminal first",
    ),
    "answered_minus_one": Text(
        "委托 {client_id} 得到 -1 ({reason}), 但它可能成立: 结果未知",
        "不要重发; 先看 qmt orders 与终端",
        "order {client_id} was answered -1 ({reason}) and may stand all the same: its outcome is unknown",
        "do not resend; look at qmt orders and at the terminal first",
    ),
    "in_other_hands": Text(
        "委托 {client_id} ({stock_code}) 正由另一进程处理, 尚无结果: 结果未知",
        "不要重发; 稍后看 qmt log {client_id}",
        "order {client_id} ({stock_code}) is in another process's hands and has no outcome yet",
        "do not resend; see qmt log {client_id} in a while",
    ),
    "stopped_after_sending": Text(
        "发出之后被中断 ({why}): {ids}",
        "不要重发; 先看 qmt orders",
        "stopped ({why}) after something was sent: {ids}",
        "do not resend; look at qmt orders first",
    ),
    # -- the paper exchange's tapes -------------------------------------------------------------------------
    "tape_empty": Text(
        "{path} 里没有行情文件, 或其中没有一行数据",
        "market: 写 sample, 或放有 CSV, CSV.gz 或 Parquet 行情文件的文件夹",
        "no tape in {path}, or none that holds a row",
        "set market: to sample, or to a folder of CSV, CSV.gz or Parquet tapes",
    ),
    "tape_unreadable": Text(
        "读不了行情文件 {file} 第 {line} 行: {why}",
        "改正这个文件, 或把它移出文件夹",
        "cannot read the tape {file}, line {line}: {why}",
        "correct the file, or move it out of the folder",
    ),
    # -- a bug ------------------------------------------------------------------------------------------
    "bug": Text(
        "qmt 内部错误: {detail}",
        "加 --debug 再运行一次, 把输出报告给开发者",
        "a bug in qmt: {detail}",
        "run again with --debug and report what it prints",
    ),
    # -- rebalancing -------------------------------------------------------------------------------------
    "old_excel": Text(
        "这是旧版 Excel 文件 (.xls)",
        "另存为 .xlsx 或 CSV",
        "this is a file of an old Excel (.xls)",
        "save it as .xlsx or CSV",
    ),
    "bad_excel": Text(
        "Excel 文件读不出: {why}",
        "文件可能不完整; 重新保存",
        "the Excel file cannot be read: {why}",
        "it may be incomplete; save it again",
    ),
    "no_targets": Text(
        "文件里没有目标",
        "需要表头和至少一行: code,weight",
        "the file holds no targets",
        "it takes a header and at least one row: code,weight",
    ),
    "plan_is_no_target": Text(
        "这是计划文件, 不是目标",
        "用 qmt apply 执行计划",
        "this is a plan, not targets",
        "qmt apply sends a plan",
    ),
    "one_target_column": Text(
        "须有且只有一列目标: weight, value 或 volume; 现有: {found}",
        "保留其中一列",
        "one column of targets is needed, weight, value or volume; found: {found}",
        "keep one of them",
    ),
    "target_twice": Text(
        "{code} 出现两次, 已在第 {line} 行",
        "每个代码一行",
        "{code} is there twice, before on line {line}",
        "give each code one row",
    ),
    "row_without_target": Text(
        "{code} 没有 {column}",
        "补上, 或检查文件是否完整",
        "{code} has no {column}",
        "fill it in, or see whether the file is whole",
    ),
    "weight_in_percent": Text(
        "{code} 的权重 {text} 像是百分数",
        "权重写成小数: 5% 写 0.05",
        "weight {text} of {code} looks like a percent",
        "weights are fractions: 0.05 for 5%",
    ),
    "bad_target": Text(
        "{code} 的目标 {text} 不能用",
        "目标为不小于 0 的数; 数量为整数",
        "{text} is no target for {code}",
        "a target is a number, 0 or more; a volume is whole",
    ),
    "weights_sum": Text(
        "权重之和为 {total}, 应在 {least} 与 1 之间",
        "检查文件是否完整; 若其余本就留作现金, 用 --cash-ok",
        "the weights come to {total}, not to {least} to 1",
        "see whether the file is whole; --cash-ok if the rest is to stay cash",
    ),
    "no_target_for": Text(
        "{code} 不能作目标",
        "可作目标: A 股, 存托凭证, 基金, 可转债",
        "{code} can have no target",
        "A shares, depositary receipts, funds and convertible bonds can",
    ),
    "others_needed": Text(
        "账户持有文件未列出的 {codes}",
        "--others keep 保留, --others sell 卖出",
        "the account holds what the file does not name: {codes}",
        "--others keep leaves them, --others sell sells them",
    ),
    "no_capital": Text(
        "没有可用的资金作权重基数 ({capital}, {strategy})",
        "给策略账本入金: qmt book adjust {strategy} --cash 100000, 或 --capital",
        "there is no capital that weights could be of ({capital}, {strategy})",
        "give the book money: qmt book adjust {strategy} --cash 100000, or --capital",
    ),
    "named_price": Text(
        "再平衡的价格不能是一个数: {text}",
        "用 peer, own, last, mid, up, down, 可加减跳数",
        "a rebalancing takes no single price: {text}",
        "use peer, own, last, mid, up or down, with ticks if wanted",
    ),
    "book_needs_strategy": Text(
        "--capital book 须与 --strategy 同用",
        "加 --strategy NAME, 或 --capital account",
        "--capital book goes with --strategy",
        "add --strategy NAME, or use --capital account",
    ),
    "bad_time": Text(
        "时间 {text} 不对",
        "写成 14:56 或 14:56:20",
        "{text} is no time of day",
        "write it like 14:56 or 14:56:20",
    ),
    "until_too_late": Text(
        "--until {text} 太晚: 14:57 起不能撤单",
        "最晚 {latest}; 或 --rest auction",
        "--until {text} is too late: from 14:57 on nothing can be canceled",
        "{latest} at the latest; or --rest auction",
    ),
    "until_passed": Text(
        "已过 {until} (现在 {now})",
        "给更晚的 --until, 或 --rest auction",
        "{until} is past (it is {now})",
        "give a later --until, or --rest auction",
    ),
    "no_closing_auction": Text(
        "{profile} 不分时段, 没有收盘集合竞价",
        "在该 profile 写 hours: exchange",
        "{profile} keeps no hours and has no closing auction",
        "set hours: exchange in the profile",
    ),
    "rebalance_running": Text(
        "另一个再平衡正在进行 ({strategy})",
        "等它结束; 再次运行同样的命令即继续",
        "another rebalancing is under way ({strategy})",
        "wait for its end; the same command goes on",
    ),
}

#: captions and words by key: (Chinese, English)
WORDS: dict[str, tuple[str, str]] = {
    "in_use": ("使用中", "in use"),
    "resting": ("歇息中", "resting"),
    "killed": ("进程已死", "killed"),
    "free": ("可用", "free"),
    "paper": ("模拟", "paper"),
    "live": ("实盘", "live"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "mon": ("周一", "Mon"),
    "tue": ("周二", "Tue"),
    "wed": ("周三", "Wed"),
    "thu": ("周四", "Thu"),
    "fri": ("周五", "Fri"),
    "sat": ("周六", "Sat"),
    "sun": ("周日", "Sun"),
    # sides and order states
    "buy": ("买入", "buy"),
    "sell": ("卖出", "sell"),
    "unreported": ("未报", "unreported"),
    "wait_reporting": ("待报", "to be reported"),
    "reported": ("已报", "reported"),
    "reported_cancel": ("已报待撤", "cancel pending"),
    "partsucc_cancel": ("部成待撤", "part-filled, cancel pending"),
    "part_canceled": ("部撤", "part-canceled"),
    "canceled": ("已撤", "canceled"),
    "part_filled": ("部成", "part-filled"),
    "filled": ("已成", "filled"),
    "rejected": ("废单", "rejected"),
    "unknown": ("未知", "unknown"),
    "sent": ("已发送", "sent"),
    "not_sent": ("未发送", "not sent"),
    "mixed": ("不一", "mixed"),
    # price kinds
    "limit": ("限价", "limit"),
    "latest": ("最新价", "latest"),
    "best5-cancel": ("五档即成剩撤", "best5-cancel"),
    "best5-limit": ("五档即成剩转限价", "best5-limit"),
    "peer": ("对手方最优", "peer"),
    "mine": ("本方最优", "mine"),
    "ioc": ("即成剩撤", "ioc"),
    "fok": ("全成或撤", "fok"),
    "after-hours": ("盘后定价", "after-hours"),
    "subscription": ("申购", "subscription"),
    # states and events of the ledger
    "planned": ("计划", "planned"),
    "sending": ("发送", "sending"),
    "accepted": ("已受理", "accepted"),
    "open": ("未完成", "open"),
    "dropped": ("认定不成立", "dropped"),
    "resent": ("已再发送", "sent again"),
    "resend": ("再发送", "sent again"),
    "cancel": ("请求撤单", "cancel asked"),
    "cancel_canceled": ("已撤", "canceled"),
    "cancel_filled_first": ("撤单前已成", "filled before the cancel"),
    "cancel_final": ("已是最终状态", "already final"),
    "cancel_pending": ("撤单中", "cancel pending"),
    "cancel_refused": ("撤单被拒", "cancel refused"),
    "cancel_unknown": ("撤单结果未知", "cancel unknown"),
    "day_close": ("收盘归档", "day closed"),
    "adjust": ("账本调整", "book adjusted"),
    # results of a cancel
    "would_cancel": ("将撤", "would be canceled"),
    "final": ("已是最终状态", "already final"),
    "filled_first": ("已先成交", "filled first"),
    "too_late": ("早已成交", "too late"),
    "locked": ("集合竞价不可撤", "locked in auction"),
    "refused": ("撤单被拒", "refused"),
    "pending": ("撤单中", "pending"),
    # checks
    "ok": ("通过", "ok"),
    "warn": ("注意", "warn"),
    "fail": ("失败", "FAIL"),
    "skipped": ("跳过", "skipped"),
    "running": ("运行中", "running"),
    "registry": ("注册表", "registry"),
    "folder": ("文件夹", "folder"),
    "writable": ("写权限", "writable"),
    "administrator": ("管理员", "administrator"),
    "disk": ("磁盘", "disk"),
    "permission": ("接口权限", "permission"),
    "terminal": ("终端", "terminal"),
    "session": ("会话编号", "session id"),
    "accounts": ("账号", "accounts"),
    "status": ("账号状态", "account status"),
    "subscribe": ("订阅", "subscribe"),
    "data": ("行情服务", "data service"),
    "tick": ("行情", "tick"),
    "clock": ("时钟", "clock"),
    "trading_day": ("交易日", "trading day"),
    "configuration": ("配置", "configuration"),
    "python": ("Python", "Python"),
    "module": ("接口模块", "module"),
    "interface": ("接口对照", "interface"),
    "connect": ("连接", "connect"),
    "asset": ("资金", "asset"),
    # why a name is not at its target
    "limit_up": ("涨停", "limit up"),
    "limit_down": ("跌停", "limit down"),
    "suspended": ("停牌", "suspended"),
    "no_quote": ("无行情", "no quote"),
    "stale_price": ("行情过旧", "stale price"),
    "t1_locked": ("T+1 不可卖", "T+1"),
    "frozen": ("冻结", "frozen"),
    "below_lot": ("不足一手", "below a lot"),
    "below_threshold": ("偏离小", "below threshold"),
    "below_min_value": ("金额小", "below min value"),
    "turnover_cap": ("换手上限", "turnover cap"),
    "no_cash": ("资金不足", "no cash"),
    "kept": ("保留", "kept"),
    "not_stock": ("非股票", "not a stock"),
    "over_limit": ("超出限制", "over a limit"),
    "halted": ("已停止", "halted"),
    "unfilled": ("未成交", "unfilled"),
}


def word(key: str, lang: str) -> str:
    """The word for ``key`` in ``lang`` (``zh`` or ``en``); the key itself when it has none."""
    pair = WORDS.get(key)
    return key if pair is None else pair[0 if lang == "zh" else 1]


def error_text(code: str, params: Mapping[str, object], lang: str) -> tuple[str, str]:
    """(message, hint) of an error code, filled in.

    Raises KeyError for a code without text: a test holds that every raised code has one.
    """
    text = ERRORS[code]
    message, hint = (text.zh, text.zh_hint) if lang == "zh" else (text.en, text.en_hint)
    shown = {key: _shown(value) for key, value in params.items()}
    return message.format_map(shown), hint.format_map(shown)


def _shown(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value


_language = "en"


def set_language(lang: str) -> None:
    """Choose the language of `say`, before the modules of commands are imported."""
    global _language
    _language = lang


def language() -> str:
    """The language of `say`."""
    return _language


def say(zh: str, en: str) -> str:
    """One of two wordings, in the language of this run."""
    return zh if _language == "zh" else en


def error_line(code: str, params: Mapping[str, object]) -> str:
    """The message of an error code and what to do about it, in a line, in the language that was set."""
    message, hint = error_text(code, params, language())
    return f"{message} — {hint}" if hint else message
