"""User lockout."""

import pytest
from support.mounted import Clock, a_mount

from strongroom_node.identity import lockout as module
from strongroom_node.identity.lockout import Failures, Lockout, LockoutRule, count_failure
from strongroom_node.sdk.errors import PermissionDenied


@pytest.fixture
def clock():
    return Clock()


def mount(**rule):
    return a_mount("userpass", is_auth=True, user_lockout=rule)


def test_five_failures_lock_for_a_quarter_of_an_hour(clock):
    lockout = Lockout(clock)
    for _ in range(5):
        lockout.check(mount(), "ann")
        lockout.failed(mount(), "ann")
    with pytest.raises(PermissionDenied):
        lockout.check(mount(), "ann")
    lockout.check(mount(), "bob")
    clock.advance(899)
    with pytest.raises(PermissionDenied):
        lockout.check(mount(), "ann")
    clock.advance(1)
    lockout.check(mount(), "ann")
    lockout.failed(mount(), "ann")
    lockout.check(mount(), "ann")


def test_a_success_forgets_the_failures(clock):
    lockout = Lockout(clock)
    for _ in range(3):
        for _ in range(4):
            lockout.failed(mount(), "ann")
        lockout.succeeded(mount(), "ann")
    lockout.check(mount(), "ann")


def test_failures_grow_old(clock):
    lockout = Lockout(clock)
    for _ in range(4):
        lockout.failed(mount(), "ann")
    clock.advance(900)
    lockout.failed(mount(), "ann")
    lockout.check(mount(), "ann")


def test_the_window_begins_at_the_first_failure():
    rule = LockoutRule(counter_reset=10)
    assert count_failure(rule, None, 0) == Failures(1, 0)
    assert count_failure(rule, Failures(1, 0), 9) == Failures(2, 0)
    assert count_failure(rule, Failures(4, 0), 10) == Failures(1, 10)


def test_the_mount_sets_its_rule(clock):
    tuned = mount(lockout_threshold="3", lockout_duration="2s", lockout_counter_reset_duration="30s")
    lockout = Lockout(clock, {"all": {"lockout_threshold": "9"}, "userpass": {"lockout_duration": "1h"}})
    assert lockout.rule(mount()) == LockoutRule(threshold=9, duration=3600)
    assert lockout.rule(tuned) == LockoutRule(3, 2, 30)
    for _ in range(3):
        lockout.failed(tuned, "ann")
    with pytest.raises(PermissionDenied):
        lockout.check(tuned, "ann")
    clock.advance(2)
    lockout.check(tuned, "ann")


@pytest.mark.parametrize("disable", [True, "true", "1"])
def test_it_can_be_switched_off(clock, disable):
    off = mount(lockout_disable=disable, lockout_threshold="1")
    lockout = Lockout(clock)
    for _ in range(9):
        lockout.failed(off, "ann")
    lockout.check(off, "ann")
    lockout.failed(mount(lockout_threshold=1), "bob")
    lockout.check(off, "bob")


@pytest.mark.parametrize("nonsense", ["soon", "", None, -3, 0, [], {}, True])
def test_nonsense_in_the_configuration_does_not_weaken_the_rule(nonsense):
    given = {"lockout_threshold": nonsense, "lockout_duration": nonsense, "lockout_counter_reset": nonsense}
    assert LockoutRule().changed(given) == LockoutRule()


def test_many_at_once_do_not_tell_which_was_right(clock):
    """All passed `check` before the first was decided; only as many may learn anything as the threshold allows."""
    lockout = Lockout(clock)
    for _ in range(100):
        lockout.check(mount(), "ann")
    for _ in range(5):
        lockout.failed(mount(), "ann")
    with pytest.raises(PermissionDenied):
        lockout.failed(mount(), "ann")
    with pytest.raises(PermissionDenied):
        lockout.succeeded(mount(), "ann")


def test_operators_see_and_unlock(clock):
    lockout = Lockout(clock)
    for name in ("ann", "bob"):
        for _ in range(5):
            lockout.failed(mount(), name)
    accessor = mount().accessor
    assert lockout.locked(clock()) == {accessor: ["ann", "bob"]}
    lockout.unlock(accessor, "ann")
    lockout.unlock(accessor, "nobody")
    lockout.check(mount(), "ann")
    assert lockout.locked(clock()) == {accessor: ["bob"]}
    lockout.forget_mount(accessor)
    assert lockout.locked(clock()) == {}


def test_a_flood_of_names_is_bounded_and_frees_nobody(clock, monkeypatch):
    monkeypatch.setattr(module, "COUNTERS_MAX", 50)
    monkeypatch.setattr(module, "LOCKS_MAX", 50)
    lockout = Lockout(clock)
    for _ in range(5):
        lockout.failed(mount(), "ann")
    for number in range(500):
        lockout.failed(mount(), f"made-up-{number}")
    assert len(lockout._failures) == 50
    with pytest.raises(PermissionDenied):
        lockout.check(mount(), "ann")
    once = mount(lockout_threshold=1, lockout_duration=1)
    for number in range(500):
        lockout.failed(once, f"locked-{number}")
        clock.advance(0.1)
    assert len(lockout._locked) <= 50
    with pytest.raises(PermissionDenied):
        lockout.check(mount(), "ann")
