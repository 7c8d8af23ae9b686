"""Flags as Go's flag package has them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.cli.command import Flag, UsageFailed
from strongroom_node.cli.flags import parse_flags
from strongroom_node.client.durations import HOUR

FLAGS = (
    Flag("field", ""),
    Flag("force", "", kind="bool", aliases=("f",)),
    Flag("limit", "", kind="int", default="-1"),
    Flag("count", "", kind="uint"),
    Flag("ttl", "", kind="duration"),
    Flag("policy", "", kind="strings"),
    Flag("metadata", "", kind="key=value"),
    Flag("format", "", default="table", variable="FORMAT"),
    Flag("required", "", kind="*bool"),
)


def parse(*words: str, **environment: str):
    return parse_flags(FLAGS, words, environment)


@pytest.mark.parametrize("words", [["-field=x"], ["--field=x"], ["-field", "x"], ["--field", "x"]])
def test_spellings(words: list[str]) -> None:
    parsed = parse(*words, "path")
    assert parsed.flags.text("field") == "x"
    assert parsed.arguments == ["path"]


@pytest.mark.parametrize(("word", "value"), [("-f", True), ("-force", True), ("-f=false", False), ("--force=0", False)])
def test_booleans_take_no_word(word: str, value: bool) -> None:
    parsed = parse(word, "path")
    assert parsed.flags.on("force") is value
    assert parsed.flags.given("force")
    assert parsed.arguments == ["path"]


def test_flags_after_arguments() -> None:
    parsed = parse("path", "-field", "x", "a=b", "-f")
    assert parsed.flags.text("field") == "x"
    assert parsed.flags.on("force")
    assert parsed.arguments == ["path", "a=b"]
    assert parsed.unparsed == []


def test_unknown_flags_after_arguments_are_arguments() -> None:
    parsed = parse("path", "-x=1", "-")
    assert parsed.arguments == ["path", "-x=1", "-"]
    assert parsed.unparsed == ["-x=1"]


def test_two_dashes_end_flags() -> None:
    assert parse("-f", "--", "-field=x", "--").arguments == ["-field=x", "--"]


def test_one_dash_is_an_argument() -> None:
    assert parse("-", "-f").arguments == ["-"]


def test_values_may_look_like_flags() -> None:
    parsed = parse("-limit", "-5", "-field", "-f")
    assert parsed.flags.number("limit") == -5
    assert parsed.flags.text("field") == "-f"
    assert not parsed.flags.on("force")


def test_repeated_flags() -> None:
    flags = parse("-policy=a", "-policy", "b,c", "-metadata=a=b=c", "-metadata=d=", "-field=1", "-field=2").flags
    assert flags.many("policy") == ["a", "b,c"]
    assert flags.pairs("metadata") == {"a": "b=c", "d": ""}
    assert flags.text("field") == "2"


def test_defaults_and_environment() -> None:
    assert parse().flags.number("limit") == -1
    assert parse().flags.text("format") == "table"
    assert parse(VAULT_FORMAT="json").flags.text("format") == "json"
    assert parse(VAULT_FORMAT="json", BAO_FORMAT="yaml").flags.text("format") == "yaml"
    assert parse("-format=raw", VAULT_FORMAT="json").flags.text("format") == "raw"
    assert not parse(VAULT_FORMAT="json").flags.given("format")


def test_durations() -> None:
    assert parse("-ttl=1h").flags.number("ttl") == HOUR
    assert parse("-ttl=3600").flags.number("ttl") == HOUR


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-nope"], "flag provided but not defined: -nope"),
        (["--nope=1"], "flag provided but not defined: -nope"),
        (["---field=x"], "bad flag syntax: ---field=x"),
        (["-=x"], "bad flag syntax: -=x"),
        (["-field"], "flag needs an argument: -field"),
        (["-limit=x"], 'invalid value "x" for flag -limit: strconv.ParseInt: parsing "x": invalid syntax'),
        (["-limit=٣"], 'invalid value "٣" for flag -limit: strconv.ParseInt: parsing "٣": invalid syntax'),
        (["-count=-1"], 'invalid value "-1" for flag -count: strconv.ParseUint: parsing "-1": invalid syntax'),
        (["-limit=99999999999999999999"], "value out of range"),
        (["-force=yes"], 'invalid boolean value "yes" for -force'),
        (["-ttl=soon"], 'invalid value "soon" for flag -ttl: time: invalid duration "soon"'),
        (["-metadata=a"], 'invalid value "a" for flag -metadata: missing = in KV pair: a'),
    ],
)
def test_errors(words: list[str], text: str) -> None:
    with pytest.raises(UsageFailed) as failed:
        parse(*words)
    assert text in str(failed.value)
    assert failed.value.code == 1


def test_repr_hides_values() -> None:
    assert "hidden" not in repr(parse("-field=hidden").flags)


@given(st.lists(st.text(min_size=1).filter(lambda word: not word.startswith("-"))))
def test_words_without_dashes_are_arguments(words: list[str]) -> None:
    assert parse(*words).arguments == words


@given(st.lists(st.text()))
def test_only_usage_errors(words: list[str]) -> None:
    with contextlib.suppress(UsageFailed):
        parse(*words)
