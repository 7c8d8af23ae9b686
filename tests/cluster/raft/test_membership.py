"""Configurations: their log form, and which changes are allowed."""

import pytest

from strongroom_cluster.raft.membership import (
    ChangeRefused,
    Members,
    MembersInvalid,
    decode_members,
    encode_members,
    require_single_change,
)
from strongroom_storage import codec

THREE = Members({"a": "h:1", "b": "h:2", "c": "h:3"}, {"d": "h:4"})


def test_the_log_form() -> None:
    assert decode_members(encode_members(THREE)) == THREE
    turned = Members(dict(reversed(THREE.voters.items())), THREE.learners)
    assert encode_members(turned) == encode_members(THREE)
    for wrong in (b"", b"\xc1", codec.pack([2, [], []]), codec.pack([1, [["a"]], []]), codec.pack([1, [["a", 1]], []])):
        with pytest.raises(MembersInvalid):
            decode_members(wrong)
    with pytest.raises(MembersInvalid):
        decode_members(codec.pack([1, [["a", "h"]], [["a", "h"]]]))
    with pytest.raises(MembersInvalid):
        Members({"": "h:1"})
    with pytest.raises(MembersInvalid):
        Members({f"n{number}": "h" for number in range(65)})


def test_changes() -> None:
    assert "d" in THREE
    assert THREE.with_voter("d").voters["d"] == "h:4"
    assert not THREE.with_voter("d").learners
    assert THREE.with_learner("a", "h:9").voters["a"] == "h:9"
    assert "b" not in THREE.without("b")
    for refused in (
        lambda: THREE.with_voter("a"),
        lambda: THREE.without("x"),
        lambda: Members({"a": "h"}).without("a"),
    ):
        with pytest.raises(ChangeRefused):
            refused()


def test_majorities_overlap() -> None:
    require_single_change(THREE, THREE.without("a"))
    require_single_change(THREE, THREE.with_voter("d"))
    require_single_change(THREE, Members(THREE.voters))
    with pytest.raises(ChangeRefused):
        require_single_change(THREE, THREE.without("a").without("b"))
    with pytest.raises(ChangeRefused):
        require_single_change(THREE, THREE.without("a").with_voter("d"))
    with pytest.raises(ChangeRefused):
        require_single_change(Members({"a": "h"}), Members())
