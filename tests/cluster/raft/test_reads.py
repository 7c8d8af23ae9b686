"""Read indexes: who is answered when, with what."""

from strongroom_cluster.raft.progress import Outgoing, Progress
from strongroom_cluster.raft.reads import FollowerReads, LeaderReads
from strongroom_cluster.raft.refusals import Refusals


def test_one_round_serves_all_that_waited_before_it() -> None:
    reads, got = LeaderReads(), []
    for name in "ab":
        reads.add(lambda index, name=name: got.append((name, index)), 10)
    assert reads.needs_round
    reads.begin(7, 3)
    reads.add(lambda index: got.append(("c", index)), 10)
    reads.settle(2, 99)
    assert not got
    reads.settle(3, 6)
    assert not got  # not applied here
    reads.settle(3, 7)
    assert got == [("a", 7), ("b", 7)]
    reads.begin(9, 4)
    reads.settle(4, 9)
    assert got[-1] == ("c", 9)
    reads.add(lambda index: got.append(("d", index)), 10)
    reads.expire(9.9)
    assert len(got) == 3
    reads.expire(10)
    assert got[-1] == ("d", None)
    assert not reads.needs_round


def test_a_follower_asks_one_question_at_a_time() -> None:
    reads, got = FollowerReads(100), []
    reads.add(got.append, 10)
    assert reads.next_question(0, 1) == 101
    reads.add(got.append, 10)
    assert reads.next_question(0.5, 1) == 0
    reads.learn(100, 5)  # of an earlier life
    reads.learn(101, 0)  # whom it asked does not lead
    assert reads.next_question(0.9, 1) == 0
    assert reads.next_question(1.0, 1) == 102
    reads.learn(101, 4)  # too late
    reads.learn(102, 6)
    reads.settle(5)
    assert not got
    reads.settle(6)
    assert got == [6, 6]
    reads.add(got.append, 10)
    reads.next_question(2, 1)
    reads.ask_again()
    assert reads.next_question(2, 1) == 104
    reads.expire(11)
    assert got[-1] is None
    assert reads.is_idle


def test_progress_never_goes_back_on_success_and_ignores_old_refusals() -> None:
    peer = Progress(10)
    peer.sent(19, 100)
    peer.accept(15)
    assert (peer.acked, peer.next_index) == (14, 20)
    assert not peer.refuse(12, 4, 9) or peer.next_index == 15
    peer.sent(19, 100)
    assert not peer.refuse(16, 9, 9)  # sent before the restart
    assert peer.refuse(16, 10, 12)
    assert peer.next_index == 16
    peer.accept(20)
    assert not peer.refuse(3, 99, 99)  # acknowledged: an answer that came late


def test_the_window_bounds_what_is_on_the_way() -> None:
    peer = Progress(1)
    while peer.may_send:
        peer.sent(peer.next_index, 1 << 20)
    assert peer.next_index == 9
    peer.accept(3)
    assert peer.may_send
    peer.restart(2)
    assert peer.may_send


class Piece:
    index = term = 1

    def read(self, offset: int, size: int) -> tuple[bytes, bool]:
        return bytes(size), False

    def close(self) -> None:
        pass


def test_a_snapshot_goes_on_only_with_news() -> None:
    outgoing = Outgoing(Piece(), sent=300, confirmed=100)
    assert not outgoing.acknowledge(100)
    assert not outgoing.acknowledge(0)
    assert not outgoing.acknowledge(400)
    assert outgoing.acknowledge(200)
    outgoing.acknowledge(0)
    for _ in range(8):
        outgoing.note_round()
    assert (outgoing.sent, outgoing.confirmed) == (0, 0)


def test_refusals_are_counted_and_seldom_logged() -> None:
    refusals = Refusals()
    assert sum(refusals.note(5.0) for _ in range(100)) == 10
    assert refusals.note(15.1)
    assert refusals.count == 101
