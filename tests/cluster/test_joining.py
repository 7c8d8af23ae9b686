"""Joining: only who holds the root key comes in, once, under the name and address that it said."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_cluster import joining
from strongroom_cluster.joining import (
    CHALLENGE_SECONDS_MAX,
    Candidate,
    Challenger,
    JoinFailed,
    JoinRefused,
    answer,
    open_grant,
    require_address,
    require_admissible,
    require_node_id,
)
from strongroom_cluster.raft.certificates import make_authority, make_context
from strongroom_cluster.raft.membership import Members
from strongroom_storage.crypto.secret import SecretBytes

ROOT = SecretBytes(bytes(range(32)))
OTHER = SecretBytes(bytes(32))
NEW = Candidate("n4", "10.0.0.4:8201")
MEMBERS = Members({"n1": "10.0.0.1:8201"}, {"n2": "10.0.0.2:8201"})
AUTHORITY = make_authority(time.time())


@pytest.fixture
def challenger() -> Challenger:
    return Challenger(ROOT)


def test_a_holder_of_the_root_key_comes_in(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    challenger.require_answer(challenge, answer(ROOT, challenge, NEW), NEW, 101.0)
    sealed = challenger.seal_grant(challenge, NEW, AUTHORITY, MEMBERS, time.time())
    grant = open_grant(ROOT, sealed, challenge, NEW)
    assert grant.members == MEMBERS
    assert grant.credentials.trusted == AUTHORITY.certificate
    make_context(grant.credentials, is_server=True)
    assert grant.credentials.key.reveal() not in sealed
    assert "PRIVATE" not in repr(grant)


def test_another_root_key_neither_answers_nor_opens(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    with pytest.raises(JoinFailed, match="another root key"):
        answer(OTHER, challenge, NEW)
    theirs = Challenger(OTHER).challenge("n4", 100.0)
    with pytest.raises(JoinRefused, match="not one of this node"):
        challenger.require_answer(theirs, answer(OTHER, theirs, NEW), NEW, 101.0)
    sealed = challenger.seal_grant(challenge, NEW, AUTHORITY, MEMBERS, time.time())
    with pytest.raises(JoinFailed):
        open_grant(OTHER, sealed, challenge, NEW)


def test_an_answer_counts_once(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    proof = answer(ROOT, challenge, NEW)
    challenger.require_answer(challenge, proof, NEW, 101.0)
    for now in (101.0, 150.0, 161.0):
        with pytest.raises(JoinRefused):
            challenger.require_answer(challenge, proof, NEW, now)


def test_a_wrong_answer_does_not_spoil_the_right_one(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    with pytest.raises(JoinRefused, match="wrong"):
        challenger.require_answer(challenge, bytes(32), NEW, 101.0)
    challenger.require_answer(challenge, answer(ROOT, challenge, NEW), NEW, 101.0)


def test_a_challenge_expires(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    with pytest.raises(JoinRefused, match="too old"):
        challenger.require_answer(challenge, answer(ROOT, challenge, NEW), NEW, 100.0 + CHALLENGE_SECONDS_MAX)


@pytest.mark.parametrize(
    "other", [Candidate("n5", NEW.address), Candidate("n4", "6.6.6.6:8201"), Candidate("n4", NEW.address, True)]
)
def test_an_answer_speaks_for_what_it_named(challenger: Challenger, other: Candidate) -> None:
    challenge = challenger.challenge("n4", 100.0)
    proof = answer(ROOT, challenge, NEW)
    with pytest.raises(JoinRefused, match="wrong"):
        challenger.require_answer(challenge, proof, other, 101.0)


def test_a_challenge_is_for_one_node(challenger: Challenger) -> None:
    challenge = challenger.challenge("n5", 100.0)
    with pytest.raises(JoinFailed, match="another node"):
        answer(ROOT, challenge, NEW)
    # Even a holder of the key cannot use it under another name.
    nonce = joining._read_challenge(challenger._salts[0].aead, challenge)[0]
    with pytest.raises(JoinRefused, match="wrong"):
        challenger.require_answer(challenge, joining._proof(nonce, NEW), NEW, 101.0)


def test_another_node_or_a_restarted_one_does_not_take_it(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    proof = answer(ROOT, challenge, NEW)
    restarted = Challenger(ROOT)
    restarted.challenge("n4", 100.0)
    with pytest.raises(JoinRefused, match="not one of this node"):
        restarted.require_answer(challenge, proof, NEW, 101.0)


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=60)
def test_a_changed_challenge_is_refused_by_both(at: int, change: int) -> None:
    challenger = Challenger(ROOT)
    challenge = challenger.challenge("n4", 100.0)
    proof = answer(ROOT, challenge, NEW)
    changed = bytearray(challenge)
    changed[at % len(changed)] ^= change
    with pytest.raises(JoinFailed):
        answer(ROOT, bytes(changed), NEW)
    with pytest.raises(JoinRefused):
        challenger.require_answer(bytes(changed), proof, NEW, 101.0)


@given(st.binary(max_size=2000), st.binary(max_size=64))
@settings(max_examples=60)
def test_garbage_is_refused(challenge: bytes, proof: bytes) -> None:
    challenger = Challenger(ROOT)
    challenger.challenge("n4", 100.0)
    with pytest.raises(JoinRefused):
        challenger.require_answer(challenge, proof, NEW, 101.0)
    with pytest.raises(JoinFailed):
        answer(ROOT, challenge, NEW)
    with pytest.raises(JoinFailed):
        open_grant(ROOT, challenge, proof, NEW)


def test_a_grant_answers_one_challenge_of_one_node(challenger: Challenger) -> None:
    challenge, later = challenger.challenge("n4", 100.0), challenger.challenge("n4", 100.0)
    sealed = challenger.seal_grant(challenge, NEW, AUTHORITY, MEMBERS, time.time())
    for said, who in ((later, NEW), (challenge, Candidate("n5", NEW.address))):
        with pytest.raises(JoinFailed):
            open_grant(ROOT, sealed, said, who)


def test_a_challenge_is_no_grant_and_no_proof(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    with pytest.raises(JoinFailed):
        open_grant(ROOT, challenge, challenge, NEW)


def test_a_flood_of_challenges_takes_no_memory_and_keeps_nobody_out(challenger: Challenger, monkeypatch) -> None:
    monkeypatch.setattr(joining, "CHALLENGES_OF_SALT_MAX", 3000)
    honest = challenger.challenge("n4", 100.0)
    assert len({challenger.challenge("n4", 100.0) for _ in range(4000)}) == 4000
    assert not challenger._answered
    assert len(challenger._salts) == 2
    challenger.require_answer(honest, answer(ROOT, honest, NEW), NEW, 130.0)


def test_what_was_answered_is_remembered_in_bounds(challenger: Challenger, monkeypatch) -> None:
    monkeypatch.setattr(joining, "ANSWERED_MAX", 3)

    def join(now: float) -> None:
        challenge = challenger.challenge("n4", now)
        challenger.require_answer(challenge, answer(ROOT, challenge, NEW), NEW, now)

    for _ in range(3):
        join(100.0)
    with pytest.raises(JoinRefused, match="too many"):
        join(101.0)
    join(100.0 + CHALLENGE_SECONDS_MAX)
    assert len(challenger._answered) == 1


def test_a_sealed_node_makes_nothing(challenger: Challenger) -> None:
    challenge = challenger.challenge("n4", 100.0)
    proof = answer(ROOT, challenge, NEW)
    challenger.wipe()
    with pytest.raises(JoinRefused):
        challenger.require_answer(challenge, proof, NEW, 101.0)
    with pytest.raises(JoinRefused, match="sealed"):
        challenger.challenge("n4", 101.0)
    assert len(ROOT) == 32  # the caller's own copy is the caller's


@pytest.mark.parametrize("node_id", ["n1", "a", "node-1.dc_2", "A" * 128, "0f3c2e1a-0000-4000-8000-000000000000"])
def test_node_ids(node_id: str) -> None:
    assert require_node_id(node_id) == node_id


@pytest.mark.parametrize("node_id", ["", "A" * 129, "-a", "a.", "a b", "a/b", "*", "ä", "a\n", "a\x00", "*.x"])
def test_node_ids_that_are_none(node_id: str) -> None:
    with pytest.raises(JoinRefused):
        require_node_id(node_id)


@pytest.mark.parametrize(
    "address", ["10.0.0.1:8201", "[fd00::1]:8201", "node-1.example:1", "localhost:65535", "127.0.0.1:8201"]
)
def test_addresses(address: str) -> None:
    assert require_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":8201",
        "host",
        "host:",
        "host:0",
        "host:65536",
        "host:99999999",
        "host:-1",
        "host:٣",
        "0.0.0.0:8201",
        "[::]:8201",
        "::1:8201",
        "[10.0.0.1]:8201",
        "[fe80::1%eth0]:8201",
        "224.0.0.1:1",
        "https://host:8201",
        "user@host:8201",
        "a b:1",
        "[host]:1",
        "h" * 254 + ":1",
        "host\n:1",
    ],
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(JoinRefused):
        require_address(address)


def test_who_may_come_in() -> None:
    require_admissible(MEMBERS, NEW)
    require_admissible(MEMBERS, Candidate("n2", "10.0.0.2:8201"))  # a join that was interrupted
    require_admissible(MEMBERS, Candidate("n2", "10.0.0.9:8201"))
    with pytest.raises(JoinRefused, match="remove it first"):
        require_admissible(MEMBERS, Candidate("n1", "10.0.0.1:8201"))
    with pytest.raises(JoinRefused, match="another id"):
        require_admissible(MEMBERS, Candidate("n4", "10.0.0.2:8201"))
    full = Members({f"m{number}": f"10.0.1.{number}:1" for number in range(64)})
    with pytest.raises(JoinRefused, match="64"):
        require_admissible(full, NEW)
