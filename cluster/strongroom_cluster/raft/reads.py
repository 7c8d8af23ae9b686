"""Read indexes: one heartbeat round proves leadership for all requests that waited before it. Pure.

A read at index i is linearizable if i was the leader's commit index when the request came, a majority answered a
round that was sent later, and the reader has applied i. Source: Raft dissertation §6.4.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

# Called once, with the index, or None if it cannot be known here.
Answer = Callable[[int | None], None]


@dataclass(slots=True)
class _Waiting:
    answer: Answer
    deadline: float
    index: int = 0
    round: int = 0  # 0: not sent yet


@dataclass(slots=True)
class LeaderReads:
    """Requests at the leader, in order of arrival."""

    _queue: deque[_Waiting] = field(default_factory=deque)
    _unsent: int = 0

    @property
    def needs_round(self) -> bool:
        """Whether a request waits that no round was sent for."""
        return self._unsent > 0

    def add(self, answer: Answer, deadline: float) -> None:
        """Take a request."""
        self._queue.append(_Waiting(answer, deadline))
        self._unsent += 1

    def begin(self, commit_index: int, number: int) -> None:
        """Round `number` is about to be sent, while `commit_index` is committed."""
        for waiting in list(self._queue)[len(self._queue) - self._unsent :]:
            waiting.index = commit_index
            waiting.round = number
        self._unsent = 0

    def settle(self, answered_round: int, applied_index: int) -> None:
        """A majority has answered up to `answered_round`."""
        queue = self._queue
        while queue and 0 < queue[0].round <= answered_round and queue[0].index <= applied_index:
            waiting = queue.popleft()
            waiting.answer(waiting.index)

    def expire(self, now: float) -> None:
        """Answer what has waited too long."""
        while self._queue and self._queue[0].deadline <= now:
            waiting = self._queue.popleft()
            if waiting.round == 0:
                self._unsent -= 1
            waiting.answer(None)

    def refuse_all(self) -> None:
        """This node does not lead any more."""
        queue, self._queue = self._queue, deque()
        self._unsent = 0
        for waiting in queue:
            waiting.answer(None)


@dataclass(slots=True)
class FollowerReads:
    """Requests at another node: one question to the leader at a time, for all that wait when it is asked.

    `_number` begins at random: an answer meant for this node before it restarted must not fit a question of today.
    """

    _number: int
    _waiting: list[_Waiting] = field(default_factory=list)
    _asked: list[_Waiting] = field(default_factory=list)
    _known: list[_Waiting] = field(default_factory=list)
    _asked_until: float = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not (self._waiting or self._asked or self._known)

    def add(self, answer: Answer, deadline: float) -> None:
        """Take a request."""
        self._waiting.append(_Waiting(answer, deadline))

    def next_question(self, now: float, patience_seconds: float) -> int:
        """The number of a question to ask now, 0 if there is none. One without an answer is given up in time."""
        if self._asked and now >= self._asked_until:
            self._waiting = self._asked + self._waiting
            self._asked = []
        if self._asked or not self._waiting:
            return 0
        self._asked, self._waiting = self._waiting, []
        self._number += 1
        self._asked_until = now + patience_seconds
        return self._number

    def ask_again(self) -> None:
        """There is another leader: what the last one was asked, it may never answer."""
        self._asked_until = 0.0

    def learn(self, number: int, index: int) -> None:
        """The leader's answer; 0 is none, and then it is asked again a little later. Old answers are ignored."""
        if number == self._number and index:
            asked, self._asked = self._asked, []
            for waiting in asked:
                waiting.index = index
                self._known.append(waiting)

    def settle(self, applied_index: int) -> None:
        """Answer what is applied."""
        if self._known:
            ready = [waiting for waiting in self._known if waiting.index <= applied_index]
            self._known = [waiting for waiting in self._known if waiting.index > applied_index]
            for waiting in ready:
                waiting.answer(waiting.index)

    def expire(self, now: float) -> None:
        """Answer what has waited too long."""
        late: list[_Waiting] = []
        for name in ("_waiting", "_asked", "_known"):
            queue: list[_Waiting] = getattr(self, name)
            if any(waiting.deadline <= now for waiting in queue):
                late += [waiting for waiting in queue if waiting.deadline <= now]
                setattr(self, name, [waiting for waiting in queue if waiting.deadline > now])
        for waiting in late:
            waiting.answer(None)

    def refuse_all(self) -> None:
        """Nobody can know any more."""
        late = self._waiting + self._asked + self._known
        self._waiting, self._asked, self._known = [], [], []
        for waiting in late:
            waiting.answer(None)
