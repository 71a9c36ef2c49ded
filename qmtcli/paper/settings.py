"""What a paper run is: one value, handed to child processes through the environment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from qmtcli.paper import SETTINGS

#: environment variable that carries the settings to every process of a paper run
VARIABLE = SETTINGS


@dataclass(frozen=True)
class Settings:
    """Settings of one paper profile."""

    #: folder of the account files
    home: str
    #: account id, as a terminal would list it
    account: str = "1000000365"
    #: ids of the terminal's other accounts
    accounts: list[str] = field(default_factory=list)
    #: ``STOCK`` or ``CREDIT``
    account_type: str = "STOCK"
    #: ``sample`` or the path of a folder of tapes
    market: str = "sample"
    #: ``always`` or ``exchange``
    hours: str = "always"
    #: text of a set clock (see `qmtcli.paper.clock`), empty for the real one
    clock: str = ""
    #: epoch ms at which a running set clock was started
    clock_started: int = 0
    #: CNY a new account begins with
    cash: int = 1_000_000
    #: overrides of the fee schedule, by the names of `qmtcli.rules.fees.FeeSchedule`
    fees: dict[str, str] = field(default_factory=dict)
    #: overrides of `qmtcli.rules.settings.Settings`, by name
    rules: dict[str, str] = field(default_factory=dict)
    #: path of the user's table of instruments, empty for none
    instruments: str = ""
    #: path of the user's imported trading days, empty for none
    calendar: str = ""
    #: path of a script of faults, empty for none
    faults: str = ""
    #: folder in which indexes of tapes are kept, empty for one beside the account files
    kept: str = ""

    @property
    def account_file(self) -> Path:
        """The SQLite file of the account."""
        return Path(self.home) / f"{self.account}.sqlite"

    @property
    def indexes(self) -> Path:
        """The folder in which indexes of tapes are kept."""
        return Path(self.kept or Path(self.home) / "tapes")

    def export(self, environ: dict[str, str] | os._Environ[str]) -> None:
        """Write the settings where children find them."""
        environ[VARIABLE] = json.dumps(asdict(self), ensure_ascii=True)

    @classmethod
    def from_environment(cls) -> Settings:
        """The settings of the run this process belongs to. Raises RuntimeError outside of one."""
        text = os.environ.get(VARIABLE)
        if not text:
            raise RuntimeError(f"{VARIABLE} is not set: the paper exchange has no account")
        return cls(**json.loads(text))
