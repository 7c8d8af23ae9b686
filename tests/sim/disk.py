"""What a simulated node keeps when it dies: its log, its ballot, its state."""

from collections.abc import Iterator
from typing import Any

import msgpack

from strongroom_cluster.journal import Entry
from strongroom_cluster.raft.messages import KIND_COMMAND, KIND_MEMBERS


class SimDisk:
    """Storage and ballot. What was appended and not synced is lost in a crash, or a prefix of it survives."""

    def __init__(self, crash_point: Any) -> None:
        self.crash_point = crash_point
        self.first_index = 1
        self.entries: list[tuple[bytes, int, int]] = []  # durable, from first_index on
        self._buffer: list[tuple[bytes, int, int]] = []
        self.ballot: tuple[int, str | None] = (0, None)
        self.intent = 0  # index of a snapshot whose installation was begun

    @property
    def last_index(self) -> int:
        return self.first_index + len(self.entries) - 1

    def append(self, index: int, term: int, data: bytes) -> None:
        self._buffer.append((data, index, term))

    def truncate_after(self, index: int) -> None:
        assert not self._buffer
        del self.entries[max(0, index - self.first_index + 1) :]

    def reset(self, index: int) -> None:
        self.crash_point("reset")
        self._buffer.clear()
        self.entries.clear()
        self.first_index = index + 1
        self.intent = 0

    def sync(self) -> None:
        for entry in self._buffer:
            assert entry[1] == self.last_index + 1, (entry, self.last_index)
            self.entries.append(entry)
        self._buffer.clear()

    def replay(self, after: int) -> Iterator[Entry]:
        for data, index, term in self.entries[max(0, after + 1 - self.first_index) :]:
            yield Entry(index, term, data)

    def close(self) -> None:
        pass

    def load(self) -> tuple[int, str | None]:
        return self.ballot

    def save(self, term: int, vote: str | None) -> None:
        self.crash_point("before ballot")
        assert term >= self.ballot[0]
        self.ballot = (term, vote)
        self.crash_point("after ballot")

    def lose(self, steps: list[Any], survive: int) -> None:
        """A crash while `steps` were being written: the first `survive` of them reached the disk."""
        self._buffer.clear()
        for step in steps[:survive]:
            if isinstance(step, int):
                self.truncate_after(step)
            else:
                self.entries.append(step)

    def forget_before(self, index: int) -> None:
        gone = min(max(0, index - self.first_index), len(self.entries))
        del self.entries[:gone]
        self.first_index += gone

    def term_at(self, index: int) -> int | None:
        at = index - self.first_index
        return self.entries[at][2] if 0 <= at < len(self.entries) else None


class SimMachine:
    """Registers. `checkpoint` is what survives a power cut, the rest only the death of the process."""

    def __init__(self, on_apply: Any) -> None:
        self.on_apply = on_apply
        self.applied_index = self.applied_term = 0
        self.registers: dict[str, tuple[int, int]] = {}  # name -> (value, index of the write)
        self.config: bytes | None = None
        self.checkpoint = self.image()
        self.finish_later: Any = None
        self.disk: SimDisk

    def members(self) -> bytes | None:
        return self.config

    def apply(self, index: int, term: int, kind: int, payload: bytes) -> None:
        assert index == self.applied_index + 1, (index, self.applied_index)
        self.on_apply(index, term, bytes([kind]) + payload)
        if kind == KIND_COMMAND:
            register, value = msgpack.unpackb(payload)
            self.registers[register] = (value, index)
        elif kind == KIND_MEMBERS:
            self.config = payload
        self.applied_index, self.applied_term = index, term

    def image(self) -> bytes:
        image: bytes = msgpack.packb((self.applied_index, self.applied_term, self.registers, self.config))
        return image

    def restore(self, image: bytes) -> None:
        self.applied_index, self.applied_term, registers, self.config = msgpack.unpackb(image)
        self.registers = {name: (value, index) for name, (value, index) in registers.items()}

    def open_snapshot(self) -> "Reader":
        return Reader(self.applied_index, self.applied_term, self.image())

    def begin_snapshot(self, index: int, term: int) -> "Writer":
        return Writer(self, index, term)


class Reader:
    def __init__(self, index: int, term: int, data: bytes) -> None:
        self.index, self.term, self._data = index, term, data

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        size = 40  # so that even small states travel in parts
        return self._data[offset : offset + size], offset + size >= len(self._data)

    def close(self) -> None:
        pass


class Writer:
    def __init__(self, machine: SimMachine, index: int, term: int) -> None:
        self.index, self.term, self.offset = index, term, 0
        self._machine = machine
        self._data = b""

    def write(self, data: bytes) -> None:
        self._data += data
        self.offset += len(data)

    def finish(self, done: Any) -> None:
        self._machine.finish_later(lambda: done(None))

    def install(self) -> None:
        machine = self._machine
        machine.disk.intent = self.index
        machine.checkpoint = self._data
        machine.restore(self._data)
        assert (machine.applied_index, machine.applied_term) == (self.index, self.term)

    def close(self) -> None:
        pass
