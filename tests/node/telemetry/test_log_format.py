import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.telemetry.log_format import VALUE_CHARACTERS_MAX, Entry, exception_text, json_line, standard_line
from strongroom_storage.crypto.secret import SecretBytes

AT = 1_700_000_000.125
HOSTILE = 'a\n2026-01-01T00:00:00.000Z [INFO]  core: vault is unsealed\r\x1b[2J"'


def entry(event="mounted", level="info", name="core", **fields):
    return Entry(AT, level, name, event, fields)


def test_a_standard_line_looks_like_the_ones_operators_know():
    line = standard_line(entry(path="kv/", type="kv", note="two words", count=3, ok=True))
    assert line == (
        '2023-11-14T22:13:20.125Z [INFO]  core: mounted: path=kv/ type=kv note="two words" count=3 ok=true\n'
    )
    assert standard_line(entry(level="error", name="")) == "2023-11-14T22:13:20.125Z [ERROR] mounted\n"


def test_a_json_line_has_the_keys_that_collectors_look_for():
    made = json.loads(json_line(entry(path="kv/", seconds=1.5, nothing=None)))
    assert made == {
        "@level": "info",
        "@message": "mounted",
        "@module": "core",
        "@timestamp": "2023-11-14T22:13:20.125000Z",
        "path": "kv/",
        "seconds": 1.5,
        "nothing": None,
    }


@pytest.mark.parametrize("render", [standard_line, json_line])
def test_no_value_can_forge_a_line(render):
    for made in (entry(HOSTILE), entry(path=HOSTILE), entry(name=HOSTILE)):
        line = render(made)
        assert line.count("\n") == 1
        assert line.endswith("\n")
        assert "\x1b" not in line
        assert "\r" not in line


@given(st.text(), st.dictionaries(st.text(min_size=1), st.one_of(st.text(), st.integers(), st.floats(), st.binary())))
def test_anything_becomes_one_line(event, fields):
    assert standard_line(Entry(AT, "info", "core", event, fields)).splitlines(keepends=False).__len__() == 1
    json.loads(json_line(Entry(AT, "info", "core", event, fields)))


def test_a_field_cannot_replace_the_level():
    assert json.loads(json_line(Entry(AT, "info", "core", "x", {"@level": "error"})))["@level"] == "info"


@pytest.mark.parametrize("token", ["hvs." + "A1b2" * 6, "hvb.AAAAAQ" + "x-_Z" * 30, "s." + "a" * 24])
@pytest.mark.parametrize("render", [standard_line, json_line])
def test_tokens_are_hidden_wherever_they_stand(render, token):
    line = render(entry(f"seen {token}", path=f"auth/token/lookup/{token}"))
    assert token not in line
    assert "<hidden>" in line


def test_bytes_and_secrets_are_not_shown():
    line = standard_line(entry(body=b"plaintext", key=SecretBytes(b"0123456789abcdef")))
    assert "plaintext" not in line
    assert "0123" not in line
    assert "<9 bytes>" in line


def test_long_values_are_cut():
    assert len(standard_line(entry(path="x" * 100_000))) < VALUE_CHARACTERS_MAX + 200


def test_an_exception_shows_where_but_neither_text_nor_variables():
    def fail(root_key):
        raise ValueError(f"cannot use {root_key}")

    try:
        try:
            fail("hunter2")
        except ValueError as cause:
            raise KeyError("hunter3") from cause
    except KeyError as error:
        text = exception_text(error)
        line = standard_line(entry(error=error))
    assert "hunter" not in text + line
    assert text.startswith("KeyError at test_log_format.py:")
    assert " from ValueError at test_log_format.py:" in text
    assert " fail <" in text
