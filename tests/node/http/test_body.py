"""Bodies as they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.http.body import CHUNK_BYTES_MEAN_MIN, CHUNKS_FREE, ChunkedBody, SizedBody
from strongroom_node.http.errors import WireError


def chunked(*chunks):
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def fed(body, wire, cuts=()):
    """What is left behind the body when its bytes come in pieces."""
    at = 0
    for end in (*sorted(cuts), len(wire)):
        piece = wire[at:end]
        if (rest := body.feed(piece, 0)) is not None:
            return piece[rest:] + wire[end:]
        at = end
    return None


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=8), data=st.data())
def test_chunks_in_pieces(chunks, data):
    wire = chunked(*chunks) + b"GET /"
    cuts = data.draw(st.sets(st.integers(0, len(wire)), max_size=8))
    body = ChunkedBody(1 << 20)
    assert fed(body, wire, cuts) == b"GET /"
    assert body.take() == b"".join(chunks)


@given(content=st.binary(min_size=1, max_size=80), data=st.data())
def test_a_known_length_in_pieces(content, data):
    wire = content + b"GET /"
    cuts = data.draw(st.sets(st.integers(0, len(wire)), max_size=8))
    body = SizedBody(len(content))
    assert fed(body, wire, cuts) == b"GET /"
    assert body.take() == content


def test_small_chunks_are_bounded():
    most = ChunkedBody(1 << 30)
    assert fed(most, chunked(*[b"x"] * (CHUNKS_FREE - 1))) == b""
    with pytest.raises(WireError) as refused:
        fed(ChunkedBody(1 << 30), chunked(*[b"x"] * 2 * CHUNKS_FREE))
    assert refused.value.status == 400


def test_chunks_of_a_usual_size_are_not():
    body = ChunkedBody(1 << 30)
    content = [bytes(CHUNK_BYTES_MEAN_MIN)] * (3 * CHUNKS_FREE)
    assert fed(body, chunked(*content)) == b""
    assert len(body.take()) == 3 * CHUNKS_FREE * CHUNK_BYTES_MEAN_MIN


def test_a_large_chunk_pays_for_small_ones():
    chunks = [bytes(CHUNKS_FREE * CHUNK_BYTES_MEAN_MIN), *[b"x"] * (2 * CHUNKS_FREE - 3)]
    assert fed(ChunkedBody(1 << 30), chunked(*chunks)) == b""
    with pytest.raises(WireError):
        fed(ChunkedBody(1 << 30), chunked(*chunks, *[b"x"] * CHUNKS_FREE))
