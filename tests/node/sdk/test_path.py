"""Finding the declared path that a request means."""

import time

from strongroom_node.sdk.path import Path, PathTable
from strongroom_node.sdk.request import Operation


async def handler(_engine, _request):
    return None


TABLE = PathTable(
    (
        Path("config", read=handler),
        Path("users/{name}/password", update=handler),
        Path("users/{name}", read=handler, update=handler),
        Path("users", list=handler),
        Path("data/{path+}", read=handler),
        Path("roles/{name}", read=handler),
        Path("roles/{path+}", list=handler),
    )
)


def found(relative, operation=Operation.READ):
    match = TABLE.match(relative, operation)
    return None if match is None else (match[0].pattern, match[1])


def test_segments_and_rests():
    assert found("config") == ("config", {})
    assert found("users/ann") == ("users/{name}", {"name": "ann"})
    assert found("users/ann/password", Operation.UPDATE) == ("users/{name}/password", {"name": "ann"})
    assert found("data/a/b/") == ("data/{path+}", {"path": "a/b/"})
    assert found("data/") is None
    assert found("users/a/b") is None
    assert found("config/") is None


def test_a_list_drops_its_slash():
    assert found("users/", Operation.LIST) == ("users", {})


def test_a_later_pattern_with_the_operation_wins():
    assert found("roles/x/", Operation.LIST) == ("roles/{path+}", {"path": "x"})
    assert found("roles/x", Operation.DELETE) == ("roles/{name}", {"name": "x"})


def test_a_newline_does_not_end_a_segment():
    assert found("users/ann\n") == ("users/{name}", {"name": "ann\n"})
    assert found("config\n") is None


def test_matching_a_huge_path_is_linear():
    def seconds(size):
        start = time.perf_counter()
        for _ in range(20):
            found("users/" + "a/" * size)
        return time.perf_counter() - start

    seconds(1000)
    assert seconds(40_000) < 400 * max(seconds(1_000), 1e-5)
