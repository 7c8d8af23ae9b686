"""What clients saw, and whether one copy of each register, changed by one command after another, could show it."""

from dataclasses import dataclass, field


class Violation(AssertionError):
    """A promise was broken; the message says which."""


@dataclass(slots=True)
class Operation:
    register: str
    began: float
    ended: float = float("inf")
    index: int = 0  # of the write, or of the write that a read saw (0: none yet)
    is_write: bool = True
    where: str = ""


@dataclass
class History:
    """Writes have unique values and their order is the log's, so a linear pass decides what is NP-hard in general."""

    operations: list[Operation] = field(default_factory=list)

    def check(self) -> None:
        """Raise Violation unless real time and the order of indexes agree for each register."""
        for register in {operation.register for operation in self.operations}:
            done = [o for o in self.operations if o.register == register and o.ended < float("inf")]
            by_end = sorted(done, key=lambda o: o.ended)
            newest, at = 0, 0
            who: Operation | None = None
            for operation in sorted(done, key=lambda o: o.began):
                while at < len(by_end) and by_end[at].ended < operation.began:
                    if by_end[at].index > newest:
                        newest, who = by_end[at].index, by_end[at]
                    at += 1
                if operation.index < newest or (operation.is_write and operation.index == newest and newest):
                    raise Violation(f"not linearizable: {operation} began after {who} had ended")
