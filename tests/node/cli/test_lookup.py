from strongroom_node.cli.lookup import find, similar
from strongroom_node.cli.tree import COMMANDS


def test_walk() -> None:
    assert find(["kv", "metadata", "get", "-mount=x", "a"])[1:3] == ("kv metadata get", ["-mount=x", "a"])
    assert find(["kv", "nope"])[1:3] == ("kv", ["nope"])
    assert find(["nope"]).node is None
    assert find([]).node is None
    assert find(["auth", "list"]).name == "auth list"
    assert find(["auth", "hvs.x"])[1:] == ("login", ["hvs.x"], "auth")
    assert find(["auth", "-path=x"]).name == "auth"


def test_similar() -> None:
    assert "status" in similar("staus", COMMANDS)
    assert similar("zzzzzz", COMMANDS) == []
