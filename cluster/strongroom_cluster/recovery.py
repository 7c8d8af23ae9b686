"""What to trust when a store is opened.

The truth is the last checkpoint and the journal after it. The live store is only trusted if nothing but a process can
have died since it was written: it was closed cleanly, or this machine has not been booted since.
"""

import fcntl
import json
import os
import shutil
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from strongroom_cluster.checkpoint import checkpoints
from strongroom_storage.backends.lmdb import DATA_FILE
from strongroom_storage.backends.lmdb_copy import copy_file
from strongroom_storage.errors import StoreDamaged, StoreLocked
from strongroom_storage.files import replace_file, sync_folder

FORMAT: Final = 1
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Marker:
    """What the last process that had the store open left behind."""

    boot: str
    is_clean: bool
    format: int = FORMAT


class Source(Enum):
    """Where the live store comes from."""

    FRESH = "fresh"  # there was nothing
    LIVE = "live"
    CHECKPOINT = "checkpoint"  # the newest one, then the journal
    JOURNAL = "journal"  # no checkpoint was ever needed: the journal from its first entry


def choose(
    marker: Marker | None, boot: str, checkpoint: int | None, *, has_live: bool, journal_first: int | None
) -> Source:
    """Where the live store is to come from; `journal_first` is None without a journal. Raises StoreDamaged.

    `boot` identifies this boot of the machine; empty if unknown, and then only a clean store is trusted.
    """
    is_trusted = marker is not None and (marker.is_clean or (marker.boot == boot and bool(boot)))
    if has_live and is_trusted:
        return Source.LIVE
    if checkpoint is not None:
        if journal_first is not None and journal_first > checkpoint + 1:
            raise StoreDamaged(
                f"the journal begins at {journal_first}, after the checkpoint at {checkpoint}: {_ADVICE}"
            )
        return Source.CHECKPOINT
    if journal_first is None:
        if has_live or marker is not None:
            raise StoreDamaged(f"the store was not closed cleanly, and there is no journal: {_ADVICE}")
        return Source.FRESH
    if journal_first != 1:
        raise StoreDamaged(f"the journal begins at {journal_first} and there is no checkpoint before it: {_ADVICE}")
    return Source.JOURNAL


_ADVICE: Final = "restore the whole storage folder from a copy, or restore a snapshot into an empty folder"


class Folder:
    """The folder of a durable store: `lock`, `state`, `store/`, `journal/`, `checkpoint-<index>/`.

    Opening takes the lock, which ends with the process. Raises StoreLocked.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(path.parent)
        self.path = path
        self.live = path / "store"
        self.journal = path / "journal"
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise StoreLocked(f"{path} is open in another process") from error

    def prepare(self) -> tuple[Source, bool]:
        """Put the live store in place; where it came from, and whether the last process closed it.

        Raises StoreDamaged.
        """
        marker = self.marker()
        names = sorted(self.journal.glob("*.log")) if self.journal.exists() else []
        first = int(names[0].stem) if names and names[0].stem.isdecimal() else None
        newest = max(checkpoints(self.path), default=None)
        has_live = (self.live / DATA_FILE).exists()
        source = choose(marker, boot_id(), newest, has_live=has_live, journal_first=first)
        if source is not Source.LIVE:
            self._rebuild(None if newest is None else checkpoints(self.path)[newest])
        return source, marker is not None and marker.is_clean

    def marker(self) -> Marker | None:
        """What the last process left, None if there was none. Raises StoreDamaged for a newer format."""
        try:
            stored = json.loads((self.path / "state").read_bytes())
            marker = Marker(str(stored["boot"]), bool(stored["is_clean"]), int(stored["format"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return Marker("", is_clean=False)
        if marker.format > FORMAT:
            raise StoreDamaged(f"{self.path} has format {marker.format}; this program knows {FORMAT}: use a newer one")
        return marker

    def mark(self, *, is_clean: bool) -> None:
        """Say durably whether the live store is synced and closed."""
        replace_file(self.path / "state", json.dumps(asdict(Marker(boot_id(), is_clean))).encode())

    def unlock(self) -> None:
        """Let another process open the store."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _rebuild(self, checkpoint: Path | None) -> None:
        shutil.rmtree(self.live, ignore_errors=True)
        self.live.mkdir(mode=0o700)
        if checkpoint is not None:
            draft = self.live / "rebuilding"
            copy_file(checkpoint / DATA_FILE, draft)
            draft.rename(self.live / DATA_FILE)
        sync_folder(self.live)


def boot_id() -> str:
    """What identifies this boot of the machine; empty if the kernel does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
