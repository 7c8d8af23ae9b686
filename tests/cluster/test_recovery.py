"""What is trusted when a store is opened."""

import itertools
from pathlib import Path

import pytest

from strongroom_cluster.recovery import Folder, Marker, Source, boot_id, choose
from strongroom_storage.errors import StoreDamaged, StoreLocked

BOOT = "this boot"
CLEAN, KILLED = Marker(BOOT, is_clean=True), Marker(BOOT, is_clean=False)
CLEAN_BEFORE, POWER_LOST = Marker("another boot", is_clean=True), Marker("another boot", is_clean=False)


@pytest.mark.parametrize(
    ("marker", "checkpoint", "has_live", "journal_first", "expected"),
    [
        (None, None, False, None, Source.FRESH),
        (KILLED, None, True, 1, Source.LIVE),
        (KILLED, 50, True, 40, Source.LIVE),
        (CLEAN, 50, True, 40, Source.LIVE),
        (CLEAN_BEFORE, 50, True, 40, Source.LIVE),
        (POWER_LOST, 50, True, 40, Source.CHECKPOINT),
        (POWER_LOST, 50, True, 51, Source.CHECKPOINT),
        (POWER_LOST, 50, True, 52, StoreDamaged),
        (POWER_LOST, None, True, 1, Source.JOURNAL),
        (POWER_LOST, None, True, 2, StoreDamaged),
        (POWER_LOST, None, True, None, StoreDamaged),
        (POWER_LOST, 50, True, None, Source.CHECKPOINT),
        (KILLED, 50, False, 40, Source.CHECKPOINT),
        (KILLED, None, False, 1, Source.JOURNAL),
        (CLEAN, None, False, None, StoreDamaged),
        (None, None, True, None, StoreDamaged),
        (None, 50, True, 40, Source.CHECKPOINT),
        (None, None, True, 1, Source.JOURNAL),
    ],
)
def test_choices(
    marker: Marker | None, checkpoint: int | None, has_live: bool, journal_first: int | None, expected: object
) -> None:
    if expected is StoreDamaged:
        with pytest.raises(StoreDamaged, match="restore"):
            choose(marker, BOOT, checkpoint, has_live=has_live, journal_first=journal_first)
    else:
        assert choose(marker, BOOT, checkpoint, has_live=has_live, journal_first=journal_first) is expected


def test_a_store_is_never_trusted_without_a_reason() -> None:
    markers = (None, KILLED, CLEAN, CLEAN_BEFORE, POWER_LOST, Marker("", is_clean=False))
    for marker, checkpoint, first, boot in itertools.product(markers, (None, 5), (None, 1, 9), (BOOT, "")):
        try:
            source = choose(marker, boot, checkpoint, has_live=True, journal_first=first)
        except StoreDamaged:
            continue
        if source is Source.LIVE:
            assert marker is not None
            assert marker.is_clean or marker.boot == boot == BOOT
        assert source is not Source.FRESH  # which would throw away what is there


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = Folder(tmp_path / "store")
    with pytest.raises(StoreLocked, match="another process"):
        Folder(tmp_path / "store")
    first.unlock()
    first.unlock()
    Folder(tmp_path / "store").unlock()


def test_markers(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.marker() is None
    folder.mark(is_clean=True)
    assert folder.marker() == Marker(boot_id(), is_clean=True)
    for nonsense in (b"", b"{}", b"[]", b"\xff", b'{"boot": 1'):
        (tmp_path / "state").write_bytes(nonsense)
        assert folder.marker() == Marker("", is_clean=False)
    (tmp_path / "state").write_text('{"boot": "x", "is_clean": true, "format": 2}')
    with pytest.raises(StoreDamaged, match="newer"):
        folder.marker()
    folder.unlock()
