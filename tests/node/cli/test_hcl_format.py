import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom_node.cli.hcl_format import FormatFailed, format_hcl

SOURCE = """# top
path "secret/*" { capabilities=["read",
"list"]   # why
   min_wrapping_ttl = "1m"
  max = 1
  allowed_parameters = { "a" = ["b"]
   "*" = [] }
}
path "x" { capabilities = ["read","list"] }


/* of
 two */
path "y" {
# c
policy = "write"
text = <<EOF
 keep
   this
EOF
}"""
FORMATTED = """# top
path "secret/*" {
  capabilities = [
    "read",
    "list",
  ] # why

  min_wrapping_ttl = "1m"
  max              = 1

  allowed_parameters = {
    "a" = ["b"]
    "*" = []
  }
}

path "x" {
  capabilities = ["read", "list"]
}

/* of
 two */
path "y" {
  # c
  policy = "write"

  text = <<EOF
 keep
   this
EOF
}
"""


def test_layout() -> None:
    assert format_hcl(SOURCE) == FORMATTED
    assert format_hcl(FORMATTED) == FORMATTED


@pytest.mark.parametrize(
    "source",
    [
        'path "x" {',
        "}",
        "path",
        "a = ",
        "a = [1",
        "a = [1 2]",
        "= 1",
        'a = "',
        "a { b } c",
        "{" * 100,
        "a=[" * 200,
        "a{" * 200,
    ],
)
def test_what_is_not_hcl_is_refused(source: str) -> None:
    with pytest.raises(FormatFailed):
        format_hcl(source)


def test_empty() -> None:
    assert format_hcl("") == ""
    assert format_hcl("\n\n") == ""


@given(st.text(alphabet='ab"{}[]=,# \n$\\', max_size=60))
def test_any_text_is_formatted_for_good_or_refused(source: str) -> None:
    try:
        once = format_hcl(source)
    except FormatFailed:
        return
    assert format_hcl(once) == once
    assert "".join(once.split()).replace(",", "") == "".join(source.split()).replace(",", "")


def test_policy_fmt(strongroom, tmp_path) -> None:
    path = tmp_path / "p.hcl"
    path.write_text(SOURCE)
    assert strongroom("policy", "fmt", str(path)).out == f"Success! Formatted policy: {path}\n"
    assert path.read_text() == FORMATTED
    path.write_text("path {{")
    assert strongroom("policy", "fmt", str(path)).code == 1
    assert path.read_text() == "path {{"
    assert strongroom("policy", "fmt", "/nonexistent").err == (
        "Error reading source file: open /nonexistent: no such file or directory\n"
    )
