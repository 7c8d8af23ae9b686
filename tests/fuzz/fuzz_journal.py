"""Fuzz target of the journal: any bytes in place of a segment recover as what was written before, or are refused.

Under atheris: `python tests/fuzz/fuzz_journal.py [corpus]`. The suite runs the same target with hypothesis.
"""

import sys
import tempfile
from pathlib import Path

from strongroom_cluster.errors import JournalDamaged
from strongroom_cluster.journal import FileJournal

SEGMENT_BYTES = 4096
WRITTEN = [b"first", b"\x00" * 40, b"x" * 600, bytes(range(64))]


def written(folder: Path) -> Path:
    """A journal of four entries, closed; the path of its only segment."""
    journal = FileJournal(folder, segment_bytes=SEGMENT_BYTES)
    for index, data in enumerate(WRITTEN, 1):
        journal.append(index, 1, data)
        journal.sync()
    journal.close()
    (segment,) = folder.glob("*.log")
    return segment


def check(folder: Path) -> list[bytes]:
    """What the journal opens with; it must be a journal, in order, that takes further writes. Raises JournalDamaged."""
    journal = FileJournal(folder, segment_bytes=SEGMENT_BYTES)
    try:
        entries = list(journal.replay(0))
        assert [entry.index for entry in entries] == list(range(1, journal.last_index + 1))
        journal.append(journal.last_index + 1, 1, b"after")
        journal.sync()
    finally:
        journal.close()
    return [entry.data for entry in entries]


def one_input(data: bytes) -> None:
    """The first three bytes say where in the segment the others go; a last odd byte cuts the file there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        segment = written(folder)
        at = int.from_bytes(data[:3], "big") % SEGMENT_BYTES
        content = bytearray(segment.read_bytes())
        content[at : at + len(data[3:])] = data[3:]
        if data and data[-1] % 2:
            del content[at + len(data[3:]) :]
        segment.write_bytes(content)
        refusal = ""
        found: list[bytes] = []
        try:
            found = check(folder)
        except JournalDamaged as error:
            refusal = str(error)
        assert found == WRITTEN[: len(found)]
        assert not refusal or str(folder) in refusal


def main() -> None:
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
