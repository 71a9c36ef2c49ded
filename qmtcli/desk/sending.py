"""Sending entries of the ledger, each once, and hearing what becomes of them.

Before an order goes out its entry is this process's own and says ``sending``, on the disk; what is heard is written
before it is told. What another process is at work on is waited for, what somebody left is looked for, and what was
sent before is told again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from qmtcli.desk import limits as limit_rules
from qmtcli.desk import settling
from qmtcli.errors import ExitStatus, NotConnected, OutcomeUnknown, QmtError, Rejected
from qmtcli.ledger import Claim, Entry, State, Used
from qmtcli.model import Credit, Order, OrderRequest, OrderStatus, Side
from qmtcli.xt.session import Answer

if TYPE_CHECKING:
    from qmtcli.desk import Desk

#: seconds that every write waits for its acknowledgement
ACK_SECONDS = 3.0
#: orders that are under way at once; and those whose intents are written together, where what a dead sender left can
#: be found out: at a terminal each of them would be a person's to decide
WINDOW, CHUNK = 128, 32
#: seconds between two looks at what another process is at work on, and those that it is given beyond one's own wait
_STEP, _OTHERS = 0.05, 10.0
#: seconds that what was sent is listened for when the run ends before its time
_LAST_WORDS = 1.0
#: seconds for which a reading of the day's orders is good enough
_FRESH = 1.0


class Outcome(NamedTuple):
    """What became of one order."""

    entry: Entry
    #: nothing was sent: it was sent before
    replayed: bool = False
    #: why no order stands, or why that is not known
    error: QmtError | None = None

    @property
    def order(self) -> Order | None:
        """The order's row as it was last seen."""
        return self.entry.order

    def status(self, waited: bool) -> int:
        """The exit status; ``waited``: a final state was waited for."""
        if self.error is not None:
            return int(self.error.exit_status)
        state, order = self.entry.state, self.order
        if state is State.PLANNED:
            return ExitStatus.OK
        if order is None or not order.state.acknowledged:
            return ExitStatus.OPEN
        if not waited or order.state is OrderStatus.SUCCEEDED:
            return ExitStatus.OK
        return ExitStatus.PARTIAL if order.state.done else ExitStatus.OPEN


class Manner(NamedTuple):
    """How entries are sent."""

    #: seconds to wait for the final state; None: for the acknowledgement only
    wait: float | None = None
    #: whether the one before has its outcome before the next is sent, and an error ends the rest
    in_turn: bool = False
    #: whether the day's orders are read once more for each outcome; else where nothing was heard
    look: bool = True
    #: orders and cancels a second, beside what the profile says
    rate: int | None = None
    #: an entry as it is to be sent now, where what it was made from may have changed. Raises QmtError
    prepare: Callable[[Entry], Entry] | None = None


class _Flight(NamedTuple):
    """An order under way."""

    entry: Entry
    answer: Answer
    #: by the monotonic clock
    begun: float

    def until(self, wait: float) -> float:
        """When nothing more is waited for; ``wait`` is for a final state."""
        order = self.answer.order
        acknowledged = order is not None and order.state.acknowledged
        return self.begun + (wait if acknowledged else max(ACK_SECONDS, wait))


class Sending:
    """One run over some entries."""

    def __init__(self, desk: Desk, entries: Sequence[Entry], manner: Manner) -> None:
        self._desk, self._session, self._ledger = desk, desk.session, desk.ledger
        self._manner = manner
        self._queue = deque(entries)
        self._flights: dict[str, _Flight] = {}
        #: what other processes are at work on, until when it is waited for
        self._others: deque[tuple[Entry, float]] = deque()
        #: outcomes to be written and told; their orders were sent by this run
        self._ended: list[tuple[_Flight, bool]] = []
        self._told: list[Outcome] = []
        self._over: QmtError | None = None
        self._stopped = False
        self._rows: tuple[list[Order], float] | None = None
        limits = limit_rules.of(desk.profile)
        rates = [rate for rate in (limits.orders_per_second, manner.rate) if rate is not None]
        self._limits, self._rate = limits, min(rates, default=None)

    def run(self) -> Generator[Outcome, None, None]:
        """Send the entries; their outcomes as they come."""
        try:
            while self._queue or self._flights or self._others or self._ended or self._told:
                pause = self._launch()
                yield from self._outcomes()
                if self._flights:
                    self._hear(pause)
                elif (self._queue or self._others) and not self._told:
                    time.sleep(pause)
                yield from self._outcomes()
        finally:
            if self._flights or self._ended:
                self._hear_last_words()

    # -- without waiting, for whoever has other things to hear ------------------------------------------

    def post(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Send entries now; where a rate holds them back, when it is their turn. Those that are not sent, or were
        before: when this returns, nothing of them is left to be sent."""
        kept, self._told, self._over = self._told, [], None
        self._queue.extend(entries)
        found: list[Outcome] = []
        while True:
            pause = self._launch()
            found += self._told
            self._told = []
            if not self._queue:
                break
            if self._flights:
                self._hear(min(pause, _STEP))
            else:
                time.sleep(min(pause, _STEP))
        posted = {entry.client_id for entry in entries}
        self._told = [*kept, *(outcome for outcome in found if outcome.entry.client_id not in posted)]
        return [outcome for outcome in found if outcome.entry.client_id in posted]

    def heard(self) -> list[Outcome]:
        """The outcomes that are known by now, written down."""
        self._end_what_is_decided()
        now, wait = time.monotonic(), self._manner.wait or 0.0
        for flight in [flight for flight in self._flights.values() if flight.until(wait) <= now]:
            self._end(flight, False)
        if self._others:
            self._launch()
        return [*self._outcomes()]

    @property
    def under_way(self) -> bool:
        """Whether there are entries whose outcome is not known yet."""
        return bool(self._flights or self._queue or self._others or self._ended or self._told)

    # -- out -------------------------------------------------------------------------------------------

    def _launch(self) -> float:
        """Send what may be sent now; the seconds after which there may be more to send."""
        pause = _STEP if self._others else 3600.0
        room = 1 if self._manner.in_turn else WINDOW
        while self._queue and len(self._flights) < room and not self._told_enough():
            if self._over is not None or self._stopped:
                self._told.append(Outcome(self._queue.popleft(), error=self._over))
                continue
            together = CHUNK if self._session.stands is not None else 1
            chunk = self._chunk(min(together, room - len(self._flights)))
            if not chunk:
                continue
            try:
                self._session.subscribe(closed=self._desk.gate.permission.next_session)
                claims = self._ledger.claim(chunk, self._admit, self._desk.made_elsewhere(), self._rate)
            except NotConnected as error:
                self._queue.extendleft(reversed(chunk))
                self._over = error
                continue
            if later := self._take(claims):
                return min(pause, later)
        if self._queue and not self._flights:
            return 0.0  # there are outcomes to be told first
        if self._others and not self._queue and not self._told:
            self._look_at_others()
        return pause

    def _told_enough(self) -> bool:
        """Whether there are outcomes to be told before more is sent."""
        return len(self._told) >= CHUNK or (self._manner.in_turn and bool(self._ended or self._told))

    def _chunk(self, most: int) -> list[Entry]:
        """The next entries, as they are to be sent now."""
        chunk: list[Entry] = []
        while self._queue and len(chunk) < most:
            entry = self._queue.popleft()
            try:
                if entry.state is State.PLANNED:
                    self._desk.gate.hold_halt(bool(entry.new_risk))
                    if self._manner.prepare is not None:
                        entry = self._manner.prepare(entry)
            except QmtError as error:
                self._fail(entry, error)
                continue
            chunk.append(entry)
        return chunk

    def _fail(self, entry: Entry, error: QmtError) -> None:
        """An entry is not sent, nor is, where its turn mattered, what comes after it."""
        self._tell(Outcome(entry, error=error))

    def _tell(self, outcome: Outcome) -> None:
        self._told.append(outcome)
        self._stopped = self._stopped or (self._manner.in_turn and outcome.error is not None)

    def _admit(self, entry: Entry, used: Used) -> QmtError | None:
        return limit_rules.check_day(self._limits, entry, used)

    def _take(self, claims: Sequence[Claim]) -> float:
        """Act on claims in their order; seconds to wait for the sake of a rate, 0 without one."""
        undecided: list[Entry] = []
        wait = 0.0
        for number, claim in enumerate(claims):
            if claim.word == "ours":
                self._send(claim.entry)
            elif claim.word == "undecided":
                undecided.append(claim.entry)
            elif claim.word == "known":
                self._replay(claim.entry)
            elif claim.word == "theirs":
                self._others.append((claim.entry, time.monotonic() + (self._manner.wait or 0) + _OTHERS))
            elif claim.word == "refused":
                assert claim.error is not None, "a refusal has its reason"
                self._fail(claim.entry, claim.error)
            else:
                self._queue.extendleft(reversed([later.entry for later in claims[number:]]))
                wait = claim.wait / 1000
                break
        if undecided:
            self._decide(undecided)
        return wait

    def _send(self, entry: Entry) -> None:
        if self._over is not None or self._stopped:
            self._ledger.settle([entry._replace(state=State.PLANNED, sent=0)])
            self._told.append(Outcome(entry._replace(state=State.PLANNED), error=self._over))
            return
        if not self._session.asked:  # the link was lost since the intent was written: over the next one, then
            planned = entry._replace(state=State.PLANNED, sent=0)
            self._ledger.settle([planned])
            self._queue.append(planned)
            return
        self._desk.sent[entry.client_id] = None
        try:
            answer = self._session.place(request_of(entry))
        except NotConnected as error:  # before the call
            del self._desk.sent[entry.client_id]
            self._ledger.settle([entry._replace(state=State.PLANNED, sent=0)])
            self._over = error
            self._told.append(Outcome(entry._replace(state=State.PLANNED), error=error))
            return
        self._flights[entry.client_id] = _Flight(entry, answer, time.monotonic())

    # -- what was sent before ----------------------------------------------------------------------------

    def _decide(self, entries: list[Entry]) -> None:
        """Look for what somebody left; on paper what was never sent is sent now."""
        try:
            found = self._found(entries)
        except NotConnected:
            found = [entry._replace(state=State.UNKNOWN) for entry in entries]
        self._ledger.settle(found)
        again = [entry for entry in found if entry.state is State.PLANNED]
        self._queue.extendleft(reversed(again))
        for entry in found:
            if entry.state is not State.PLANNED:
                self._tell(replay(entry))

    def _found(self, entries: list[Entry]) -> list[Entry]:
        """Entries as the broker's orders of the day have them. Raises NotConnected.

        A reading of a moment ago will do for what is in it; what is not in it may have been sent since.
        """
        now, claims, stands = time.monotonic(), self._ledger.claims(self._desk.day), self._session.stands
        if self._rows is None or now - self._rows[1] > _FRESH:
            self._read_day()
        assert self._rows is not None, "the day was just read"
        found = settling.looked_for(entries, self._rows[0], claims, stands)
        if self._rows[1] < now and any(entry.state in (State.UNKNOWN, State.PLANNED) for entry in found):
            self._read_day()
            found = settling.looked_for(entries, self._rows[0], claims, stands)
        return found

    def _read_day(self) -> None:
        """Read the broker's orders of the day. Raises NotConnected."""
        self._rows = self._session.orders(), time.monotonic()

    def _replay(self, entry: Entry) -> None:
        if entry.state.final or not self._ledger.owners.take(entry.key):
            self._tell(replay(entry))
            return
        entry = self._ledger.select("key = ?", entry.key)[0]
        if not entry.state.final:
            self._decide([entry])
        else:
            self._ledger.owners.leave(entry.key)
            self._tell(replay(entry))

    def _look_at_others(self) -> None:
        for _ in range(len(self._others)):
            entry, until = self._others.popleft()
            if self._ledger.owners.take(entry.key):
                self._ledger.owners.leave(entry.key)
                self._queue.append(self._ledger.select("key = ?", entry.key)[0])
            elif time.monotonic() > until:
                error = OutcomeUnknown("in_other_hands", client_id=entry.client_id, stock_code=entry.stock_code)
                self._tell(Outcome(entry, error=error))
            else:
                self._others.append((entry, until))

    # -- back ------------------------------------------------------------------------------------------

    def _hear(self, pause: float) -> None:
        """Wait for word of what is under way, and end what has its outcome or has waited long enough."""
        wait = self._manner.wait or 0.0
        first = min(flight.until(wait) for flight in self._flights.values())
        left = max(0.0, first - time.monotonic())
        heard = self._session.listen(min(left, pause), look=pause >= left)
        self._end_what_is_decided()
        now = time.monotonic()
        late = [flight for flight in self._flights.values() if flight.until(wait) <= now or not heard]
        for flight in late:
            self._end(flight, False)

    def _end_what_is_decided(self) -> None:
        for answer in self._session.told():
            flight = self._flights.get(answer.request.client_id)
            if flight is None or flight.answer is not answer:
                continue
            if answer.order_id not in ("", "-1"):
                self._desk.sent[answer.order_id] = None
            if self._is_decided(answer):
                self._end(flight, True)

    def _is_decided(self, answer: Answer) -> bool:
        # on paper one look tells whether an order that was answered with -1 stands, a terminal may need a while
        if answer.error_id or (answer.order_id == "-1" and not self._desk.profile.live):
            return True
        if answer.order is None:
            return False
        return answer.order.state.done or (not self._manner.wait and answer.order.state.acknowledged)

    def _end(self, flight: _Flight, decided: bool) -> None:
        del self._flights[flight.entry.client_id]
        self._ended.append((flight, decided))

    def _outcomes(self) -> Iterator[Outcome]:
        """The outcomes that are there, each written before it is told."""
        if self._ended:
            ended, self._ended = self._ended, []
            unheard = [
                flight.answer
                for flight, decided in ended
                if not flight.answer.error_id and (self._manner.look or not decided or flight.answer.order_id == "-1")
            ]
            if unheard:
                self._session.look(unheard)
            outcomes = [self._outcome(flight) for flight, _ in ended]
            self._ledger.settle([outcome.entry for outcome in outcomes])
            for (flight, _), outcome in zip(ended, outcomes, strict=True):
                self._session.forget(flight.answer)
                self._hold(outcome)
                self._tell(outcome)
        while self._told:
            yield self._told.pop(0)

    def _hold(self, outcome: Outcome) -> None:
        """Keep what was sent in mind until it is reported; what was turned away is nobody's concern."""
        sent = self._desk.sent
        if isinstance(outcome.error, Rejected):
            sent.pop(outcome.entry.client_id, None)
            sent.pop(outcome.entry.order_id, None)
        elif outcome.entry.order_id:
            sent[outcome.entry.order_id] = None

    def _outcome(self, flight: _Flight) -> Outcome:
        """What is known of an order now that nothing more is waited for."""
        entry, answer, live = flight.entry, flight.answer, self._desk.profile.live
        told = answer.order_id not in ("", "-1")
        if answer.refused and told:
            seen = entry.seen(answer.order) if answer.order is not None else entry._replace(order_id=answer.order_id)
            entry = seen._replace(state=State.REJECTED, message=answer.message, error_id=answer.error_id)
            return Outcome(entry, error=rejected(entry))
        if answer.refused or (answer.order_id == "-1" and answer.looked and not live):
            entry = entry._replace(state=State.REJECTED, message=answer.message or "-1", error_id=answer.error_id or -1)
            return Outcome(entry, error=rejected(entry))
        if told:
            if answer.order is not None:
                return Outcome(entry.seen(answer.order))
            return Outcome(entry._replace(state=State.ACCEPTED, order_id=answer.order_id))
        return _unknown(entry._replace(state=State.UNKNOWN, message=answer.message), answer.order_id)

    def _hear_last_words(self) -> None:
        """The run ends before its time: nothing more is sent, and what comes in a moment is written."""
        until = time.monotonic() + _LAST_WORDS
        while self._flights and time.monotonic() < until:
            if not self._session.listen(until - time.monotonic(), look=False):
                break
            self._end_what_is_decided()
        ended = [flight for flight, _ in self._ended] + [*self._flights.values()]
        self._flights.clear()
        self._ended.clear()
        self._ledger.settle([self._outcome(flight).entry for flight in ended])


def request_of(entry: Entry) -> OrderRequest:
    """What is sent for an entry."""
    return OrderRequest(
        entry.stock_code,
        Side(entry.side),
        entry.order_volume,
        entry.price_type,
        Decimal(entry.price),
        entry.client_id,
        entry.strategy_name,
        Credit(entry.credit) if entry.credit else None,
    )


def replay(entry: Entry) -> Outcome:
    """The outcome of an entry that this run has not sent."""
    if entry.state is State.REJECTED:
        return Outcome(entry, True, rejected(entry, replayed=True))
    if entry.state.undecided:
        return Outcome(entry, True, _unknown(entry, "").error)
    if entry.state is State.DROPPED:
        return Outcome(entry, True, Rejected("dropped_before", client_id=entry.client_id, stock_code=entry.stock_code))
    return Outcome(entry, True)


def rejected(entry: Entry, replayed: bool = False) -> Rejected:
    """The error of an entry whose order was turned away."""
    more = {"client_id": entry.client_id, "stock_code": entry.stock_code, "replayed": replayed}
    if not entry.order_id:
        return Rejected("not_taken", reason=entry.message, **more)
    error_id = entry.error_id or -1
    return Rejected("rejected", reason=entry.message, error_id=error_id, order_id=entry.order_id, **more)


def _unknown(entry: Entry, order_id: str) -> Outcome:
    if order_id == "-1":
        # -1 has been answered for orders that stood
        more = {"client_id": entry.client_id, "stock_code": entry.stock_code}
        error = OutcomeUnknown("answered_minus_one", reason=entry.message, **more)
    else:
        error = OutcomeUnknown("no_answer_to_order", client_id=entry.client_id, stock_code=entry.stock_code)
    return Outcome(entry, error=error)
