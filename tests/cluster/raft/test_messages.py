"""Messages survive the wire; nothing else gets through it."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_cluster.raft import messages as wire

NUMBER = st.integers(0, (1 << 63) - 1)
SAMPLES = [
    wire.Append(3, 2, 4, 2, ((b"\x00a", 5, 2), (b"\x01", 6, 3)), 9),
    wire.Ack(3, 7, True, 9),
    wire.VoteRequest(4, 6, 3, False),
    wire.Vote(4),
    wire.PreVoteRequest(4, 6, 3),
    wire.PreVote(4, 3, True),
    wire.TimeoutNow(4),
    wire.SnapshotPart(4, 100, 3, 0, b"part", False, 1),
    wire.SnapshotAck(4, 100, 4, 1),
    wire.ReadRequest(17),
    wire.ReadReply(17, 6),
]


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)
def test_what_is_sent_arrives(message: wire.Message) -> None:
    assert wire.decode(wire.encode(message)) == message
    assert type(wire.decode(memoryview(wire.encode(message)))) is type(message)


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)
@pytest.mark.parametrize("wrong", [-1, 1 << 63, "x", None, 1.5, [], {}, b"bytes"])
def test_a_field_of_another_kind_is_refused(message: wire.Message, wrong: object) -> None:
    fields = msgpack.unpackb(wire.encode(message))
    for at, value in enumerate(fields):
        if type(value) is type(wrong) and wrong not in (-1, 1 << 63):
            continue
        changed = [*fields[:at], wrong, *fields[at + 1 :]]
        with pytest.raises(wire.MessageInvalid):
            wire.decode(msgpack.packb(changed))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgpack.packb([]),
        msgpack.packb([99, 1]),
        msgpack.packb([True, 1]),
        msgpack.packb([3]),
        msgpack.packb([3, 1, 1]),
        msgpack.packb({"type": "append_entries"}),
        msgpack.packb([3, msgpack.ExtType(1, b"x")]),
        msgpack.packb([0, 3, 2, 4, 2, [[b"\x00a", 6, 2]], 9]),  # a gap
        msgpack.packb([0, 3, 2, 4, 2, [[b"\x00a", 5, 4]], 9]),  # from a term to come
        msgpack.packb([0, 3, 2, 4, 2, [[b"\x00a", 5, 1]], 9]),  # terms go down
        msgpack.packb([0, 3, 2, 4, 2, [[b"", 5, 2]], 9]),
        msgpack.packb([0, 3, 2, 4, 2, [[b"\x07", 5, 2]], 9]),  # no known kind
        msgpack.packb([0, 3, 2, 4, 2, [[b"\x00a", 5]], 9]),
        msgpack.packb([0, 3, 2, 4, 2, [5], 9]),
        msgpack.packb([0, 3, 2, 4, 2, [[b"\x01", n + 5, 2] for n in range(5000)], 9]),
        b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",  # a pickle
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(wire.MessageInvalid):
        wire.decode(body)


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_a_message(body: bytes) -> None:
    try:
        message = wire.decode(body)
    except wire.MessageInvalid:
        return
    assert wire.decode(wire.encode(message)) == message


@given(NUMBER, NUMBER, NUMBER, st.booleans())
def test_numbers_of_any_size_arrive(term: int, index: int, round_number: int, is_success: bool) -> None:
    message = wire.Ack(term, index, is_success, round_number)
    assert wire.decode(wire.encode(message)) == message


def test_a_frame_beyond_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FRAME_BYTES_MAX", 10)
    with pytest.raises(wire.MessageInvalid, match="too large"):
        wire.decode(wire.encode(SAMPLES[0]))
