import pytest

from strongroom_node.tokens.policies import deduplicated, matches_any, sanitized


def test_names_are_lower_case_sorted_and_once():
    assert sanitized([" B", "a", "b", ""], add_default=False) == ("a", "b")
    assert sanitized(["b"], add_default=True) == ("b", "default")
    assert sanitized([], add_default=True) == ("default",)
    assert deduplicated(["B*", "b*", " "]) == ("b*",)


def test_root_stands_alone():
    assert sanitized(["x", " ROOT "], add_default=True) == ("root",)


@pytest.mark.parametrize(
    ("name", "glob", "matches"),
    [
        ("team-a", "team-*", True),
        ("team-a", "*-a", True),
        ("team-a", "*am*", True),
        ("team-a", "t*m-a", True),
        ("team-a", "team", False),
        ("team-a", "*", True),
        ("a[b", "a[b", True),
        ("ab", "a?", False),
        ("a?", "a?", True),
        ("ab", "[a]b", False),
        ("TEAM", "team", False),
    ],
)
def test_only_the_star_is_special(name, glob, matches):
    assert matches_any(name, [glob]) is matches


def test_many_stars_cost_little():
    assert not matches_any("a" * 200, ["*a" * 60 + "b"])
