"""Identifiers are well-formed and evenly spread."""

import uuid
from collections import Counter

from strongroom_storage.crypto.entropy import BASE62, UUIDSource, random_base62, random_bytes, random_uuid


def test_shapes() -> None:
    assert len(random_bytes(7)) == 7
    assert [len(random_base62(n)) for n in (0, 1, 24, 95)] == [0, 1, 24, 95]
    assert uuid.UUID(random_uuid()).version == 4
    assert random_uuid() != random_uuid()


def test_letters_are_evenly_spread() -> None:
    """62 does not divide 256: without rejection the first eight letters would come 25 % too often."""
    counts = Counter(random_base62(62 * 1000))
    assert set(counts) == set(BASE62)
    assert all(800 < count < 1200 for count in counts.values())  # six standard deviations


def test_a_source_of_uuids_gives_each_once_in_the_usual_form():
    source = UUIDSource()
    made = [source() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(uuid.UUID(one).version == 4 and uuid.UUID(one).variant == uuid.RFC_4122 for one in made)
