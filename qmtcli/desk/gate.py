"""Whether a run may write at all: the profile's ``writes``, who has said yes, and the emergency stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from qmtcli import halt
from qmtcli.config import Profile
from qmtcli.errors import Refused, UsageError
from qmtcli.messages import say
from qmtcli.model import Credit, Side
from qmtcli.xt import codes


class Permission(NamedTuple):
    """What the person or the program that runs this command has said, or can be asked."""

    #: ``--yes``
    yes: bool = False
    #: whether this run named its profile, by flag or variable
    named: bool = False
    #: whether any profile is live
    live_exists: bool = False
    #: asks on the terminal; None where nobody can be asked
    ask: Callable[[str], bool] | None = None
    #: ``--next-session``: a broker that has closed for the day may keep orders for the next
    next_session: bool = False
    #: (what passed login-check, what is there now) when the vendor's package has changed since; only live
    changed: Callable[[], tuple[str, str] | None] = lambda: None
    #: whether what is sent is a plan that a person has looked at
    planned: bool = False
    #: tells a person something that must not be missed
    warn: Callable[[str], None] = lambda text: None


class Gate:
    """The gate of one profile."""

    def __init__(self, profile: Profile, permission: Permission, halt_file: Path) -> None:
        self.profile = profile
        self.permission = permission
        self._halt_file = halt_file

    def admit(self, question: str) -> None:
        """Hold that this run may place orders, asking where a person has to say so. Raises Refused."""
        profile, permission = self.profile, self.permission
        if profile.writes in ("none", "cancel") or (profile.writes == "plan" and not permission.planned):
            raise Refused("writes_not_allowed", profile=profile.name, writes=profile.writes)
        self._admit_profile()
        if profile.writes == "plan":
            # a plan is confirmed by a person, whatever was said beforehand
            if permission.ask is None:
                raise Refused("plan_needs_person", profile=profile.name)
        elif not profile.live:
            return
        if profile.live and (change := permission.changed()):
            raise Refused("package_changed", before=change[0], now=change[1], profile=profile.name)
        if permission.yes and profile.writes != "plan":
            if profile.limits is None:
                raise Refused("no_limits", profile=profile.name)
            if not profile.reported:
                zh = f"{profile.name}: 程序化交易须先向券商报告; 已报告则在该 profile 下写 reported: true"
                en = f"{profile.name}: report program trading to the broker first; once it is done, say reported: true"
                permission.warn(say(zh, en))
        elif permission.ask is None:
            raise Refused("needs_yes", profile=profile.name)
        elif not permission.ask(question):
            raise Refused("declined")

    def admit_cancel(self, question: str) -> None:
        """Hold that this run may cancel; no limit and no halt ever stops a cancel, and only ``writes: none`` does."""
        profile, permission = self.profile, self.permission
        if profile.writes == "none":
            raise Refused("writes_not_allowed", profile=profile.name, writes="none")
        self._admit_account()
        self._admit_profile()
        if not profile.live or permission.yes:
            return
        if permission.ask is None:
            raise Refused("needs_yes", profile=profile.name)
        if not permission.ask(question):
            raise Refused("declined")

    def admit_script(self, question: str) -> None:
        """Hold that a plain script may run, whose every order and cancel is held to ``writes`` again. Raises Refused.

        One that cannot write is not asked about.
        """
        if self.profile.writes == "all":
            self.admit(question)
        elif self.profile.writes != "none":
            self.admit_cancel(question)

    def hold_writes(self, cancel: bool = False) -> None:
        """Hold that the profile lets a script order, or cancel. Raises Refused."""
        writes = self.profile.writes
        if writes == "none" or (writes != "all" and not cancel):
            raise Refused("writes_not_allowed", profile=self.profile.name, writes=writes)

    def hold_halt(self, new_risk: bool) -> None:
        """Hold that nobody has stopped trading; it may be that sells go on. Raises Refused ``halted``."""
        found = halt.read(self._halt_file)
        if found is not None and (new_risk or not found.allow_sells):
            raise Refused("halted", since=found.since, allow_sells=found.allow_sells)

    def check_purpose(self, side: Side, credit: Credit | None) -> None:
        """Hold that an order says what it is for where the account is a margin one, and only there.

        A plain buy there is one of collateral (担保品买入), not with borrowed money. Raises UsageError, and Refused on
        an account that is for reading only.
        """
        kind = self.profile.account_type
        self._admit_account()
        if kind == "CREDIT" and credit is None:
            raise UsageError("credit_needed", profile=self.profile.name)
        if kind != "CREDIT" and credit is not None:
            raise UsageError("credit_not_taken", profile=self.profile.name, account_type=kind)
        if (side, credit) not in codes.ORDER_TYPES:
            raise UsageError("credit_of_other_side", side=str(side), credit=str(credit))

    def _admit_account(self) -> None:
        if self.profile.account_type not in ("STOCK", "CREDIT"):
            raise Refused("account_for_reading", profile=self.profile.name, account_type=self.profile.account_type)

    def _admit_profile(self) -> None:
        permission = self.permission
        if permission.live_exists and permission.ask is None and not permission.named:
            raise Refused("name_the_profile", profile=self.profile.name)
