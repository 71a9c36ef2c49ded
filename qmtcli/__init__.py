"""qmt: trade A-shares from the shell, through the vendor's own xtquant, live or on paper."""

__version__ = "0.1.0"
