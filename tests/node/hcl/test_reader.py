import json
import string

import hcl as pyhcl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom_node.hcl import HCLError, Kind, Limits, ListValue, Literal, ObjectValue, blocks, parse, to_plain

# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# nothing\n// here\n/* at\nall */", {}),
        ('a = "x" b = 1 c = true d = [1, "two", false,] e = { f = 1.5, g = -2 }',
         {"a": "x", "b": 1, "c": True, "d": [1, "two", False], "e": {"f": 1.5, "g": -2}}),
        ("a = 0x1F\nb = 010\nc = 1e3\nd = .5\ne = -0x10", {"a": 31, "b": 8, "c": 1000.0, "d": 0.5, "e": -16}),
        ('listener "tcp" { a = 1 }', {"listener": {"tcp": {"a": 1}}}),
        ('"listener" "tcp" "x" {}', {"listener": {"tcp": {"x": {}}}}),
        ('p "a" {} p "b" {} q = 1 q = 2 q = 3', {"p": [{"a": {}}, {"b": {}}], "q": [1, 2, 3]}),
        ('a = "q\\"\\\\\\n\\t\\u00e9\\U0001F600\\x41\\101"', {"a": 'q"\\\n\t\u00e9\U0001f600AA'}),
        ('a = "${f("x", {b = "\\"}"})} y"', {"a": '${f("x", {b = "\\"}"})} y'}),
        ('a = "$x $"', {"a": "$x $"}),
        ("a-b.c_d = 1", {"a-b.c_d": 1}),
        ("a = <<EOF\nhi\n  there\nEOF\nb = 1", {"a": "hi\n  there\n", "b": 1}),
        ("a = <<-EOF\n    hi\n      there\n    EOF\n", {"a": "hi\n  there\n"}),
        ("a = <<-EOF\n  hi\n there\n    EOF\n", {"a": "  hi\n there\n"}),
        ("a = <<EOF\nEOF\n", {"a": ""}),
        ("a = <<EOF\nx", None),
        ("a\r\n= 1\r\nb = <<X\r\ny\r\nX\r\n", {"a": 1, "b": "y\n"}),
        ("\ufeffa = 1", {"a": 1}),
        ('{"a": {"b": [1, -2.5e1, null, true, "\\u00e9\\n"]}, "a": 2}',
         {"a": [{"b": [1, -25.0, None, True, "\u00e9\n"]}, 2]}),
        ("  \n{}", {}),
    ],
)  # fmt: skip
def test_reads(text, expected):
    if expected is None:
        with pytest.raises(HCLError):
            parse(text)
    else:
        assert to_plain(parse(text)) == expected


def test_positions_and_kinds():
    tree = parse('a = "x"\n\n  block "l" {\n    n = 0x10\n    h = <<E\nz\nE\n    l = [ true ]\n  }\n')
    assert tree.items[0].position == (1, 1)
    assert tree.items[0].value.position == (1, 5)
    block = tree.items[1]
    assert (block.position, block.keys[1].position, block.assign_line) == ((3, 3), (3, 9), 0)
    body = block.value
    assert isinstance(body, ObjectValue)
    n, h, listed = (body.find(name) for name in "nhl")
    assert isinstance(n, Literal)
    assert (n.kind, n.text, n.position) == (Kind.NUMBER, "0x10", (4, 9))
    assert isinstance(h, Literal)
    assert (h.kind, h.position) == (Kind.HEREDOC, (5, 9))
    assert isinstance(listed, ListValue)
    assert listed.items[0].position == (8, 11)
    assert body.items[0].assign_line == 4


def test_values_do_not_show_in_repr():
    assert "hunter2" not in repr(parse('token = "hunter2"'))


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('path "x" { c = ["read" }', "At 1:24: error parsing list, expected comma or list end, got: RBRACE"),
        ("just words", "At 1:12: key 'just words' expected start of object ('{') or assignment ('=')"),
        ('path "x" {', "At 1:12: object expected closing RBRACE got: EOF"),
        ('path "x" { foo }', "At 1:16: key 'foo' expected start of object ('{') or assignment ('=')"),
        ("a = b", "At 1:5: Unknown token: 1:5 IDENT b"),
        ('a = "re\nad"', "At 1:8: literal not terminated"),
        ('a = "x', "At 1:7: literal not terminated"),
        ('a = "${x', "At 1:9: literal not terminated"),
        ('a = "\\q"', "At 1:7: illegal char escape"),
        ('a = "${\n}\\q"', "At 2:3: illegal char escape"),
        ('a = "\\xff"', "At 1:5: illegal UTF-8 encoding"),
        ('a = "\\ud800"', "At 1:7: illegal char escape"),
        ("a = 08", "At 1:5: illegal octal number"),
        ("a = 99999999999999999999", "At 1:5: number is out of range"),
        ("a = " + "9" * 100, "At 1:5: number has too many digits"),
        ("%", "At 1:1: illegal char"),
        ("\0", "At 1:1: unexpected null character (0x00)"),
        ("a = 1 }", "At 1:7: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE"),
        ('x "y" [ ]', "At 1:7: expected: IDENT | STRING | ASSIGN | LBRACE got: LBRACK"),
        ('x "y" = 5', "At 1:7: nested object expected: LBRACE got: ASSIGN"),
        ("= 5", "At 1:1: no object keys found!"),
        ("a = {{}}", "At 1:6: expected: IDENT | STRING got: LBRACE"),
        ("a = [x]", "At 1:6: unexpected token while parsing list: IDENT"),
        ("a =", "At 1:4: a value is missing at the end of the text"),
        ("/* x", "At 1:1: comment not terminated"),
        ("/ x", "At 1:1: expected '/' for comment"),
        ("a = <EOF", "At 1:5: heredoc expected second '<', didn't see it"),
        ("a = <<\n", "At 1:5: zero-length heredoc anchor"),
        ("a = <<A B\n", "At 1:5: invalid characters in heredoc anchor"),
        ('{"a" 1}', "At 1:6: expected: COLON got: NUMBER"),
        ('{"a": 1,}', "At 1:9: expected: STRING got: RBRACE"),
        ('{"a": [1,]}', "At 1:10: Unknown token: 1:10 RBRACK ]"),
        ('{"a": 1} x', "At 1:10: illegal char"),
        ('{"a": 01}', "At 1:8: object expected closing RBRACE got: NUMBER"),
        ('{"a": "\\ud800"}', "At 1:7: illegal UTF-8 encoding"),
        ('{"a": "\n"}', "At 1:7: literal not terminated"),
        ("{a: 1}", "At 1:2: illegal char"),
        ("{", "At 1:2: expected: STRING got: EOF"),
    ],
)
def test_refuses_with_position(text, message):
    with pytest.raises(HCLError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a {" * 100_000,
        '{"a":' * 100_000,
        '{"a":' + "[" * 100_000,
        "a = [" + "1," * 100_001 + "]",
        "a " * 200_001,
        '"' + "${" * 100_000,
        '"' + "\\" * 200_000,
        "/*" * 200_000,
        "a = <<E\n" + "E \nEE\n" * 100_000,
        "a = <<EOF\n" + "\n" * 300_000,
        '{"' + "\\" * 300_001,
        "\n" * 500_000 + "%",
        "a = " + "-" * 300_000,
        "a = " + "9" * 300_000,
        "a = ." + "9" * 300_000,
        "#" * 300_000 + "\n%",
        " " * 2_000_000,
    ],
)
def test_bad_input_costs_linear_work(text):
    with pytest.raises(HCLError):
        parse(text)


def test_limits():
    with pytest.raises(HCLError, match="nested too deeply"):
        parse("a = [[[]]]", Limits(depth_max=2))
    with pytest.raises(HCLError, match="too many tokens"):
        parse("a = 1 b = 2", Limits(tokens_max=5))
    with pytest.raises(HCLError, match="longer than 3"):
        parse("a=10", Limits(size_max=3))
    assert to_plain(parse("a = [[]]", Limits(depth_max=2, tokens_max=6, size_max=8))) == {"a": [[]]}


# --- oracles --------------------------------------------------------------------------------------

NAME = st.text(string.ascii_lowercase + "_", min_size=1, max_size=6).filter(lambda n: n not in ("true", "false"))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="$\0", exclude_categories=["Cs", "Cc"]), max_size=12)
SCALAR = st.one_of(TEXT, st.booleans(), st.integers(-(1 << 31), 1 << 31))
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(st.one_of(SCALAR, st.lists(SCALAR, max_size=3)), max_size=3),
        st.dictionaries(NAME, inner, max_size=3),
    ),
    max_leaves=8,
)
TREE = st.dictionaries(NAME, VALUE, max_size=5)


def written(value, indent=" "):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(written(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{\n" + "".join(f"{indent}{k} = {written(v)}\n" for k, v in value.items()) + "}"
    return str(value)


def document(tree):
    return "".join(f"{key} = {written(value)}\n" for key, value in tree.items())


@settings(max_examples=200)
@given(TREE)
def test_what_is_written_is_read(tree):
    assert to_plain(parse(document(tree))) == tree


@settings(max_examples=200)
@given(TREE)
def test_json_is_read_as_the_json_module_reads_it(tree):
    assert to_plain(parse(json.dumps(tree))) == tree
    assert to_plain(parse(json.dumps(tree, indent=2, ensure_ascii=False))) == tree


# pyhcl knows neither booleans nor numbers in lists.
PYHCL_LISTED = st.text(string.ascii_letters + string.digits + " /*+._-:", max_size=12)
PYHCL_SCALAR = st.one_of(PYHCL_LISTED, st.booleans(), st.integers(0, 1 << 31))
PYHCL_TREE = st.dictionaries(
    NAME,
    st.one_of(PYHCL_SCALAR, st.lists(PYHCL_LISTED, max_size=3), st.dictionaries(NAME, PYHCL_SCALAR, max_size=3)),
    min_size=1,
    max_size=4,
)
LABELLED = st.lists(st.tuples(NAME, NAME, PYHCL_TREE), max_size=3, unique_by=lambda block: block[:2])


@settings(max_examples=30, deadline=None)
@given(PYHCL_TREE, LABELLED)
def test_equals_pyhcl(tree, labelled):
    tree = {f"k_{key}": value for key, value in tree.items()}
    text = document(tree) + "".join(
        f'b_{name} "{label}" {{ # why\n{document(body)}}}\n' for name, label, body in labelled
    )
    mine = parse(text)
    theirs = pyhcl.loads(text)
    for key in tree:
        assert to_plain(mine)[key] == theirs[key]
    for name, label, _ in labelled:
        (block,) = (block for block in blocks(mine, f"b_{name}") if block.labels == (label,))
        assert to_plain(block.body) == theirs[f"b_{name}"][label]


# --- blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'listener "tcp" { address = "a" } listener "unix" { address = "b" }',
        'listener = { tcp = { address = "a" } unix = { address = "b" } }',
        'listener { tcp { address = "a" } unix { address = "b" } }',
        'listener = [{ tcp = { address = "a" } }, { unix = { address = "b" } }]',
        '{"listener": {"tcp": {"address": "a"}, "unix": {"address": "b"}}}',
        '{"listener": [{"tcp": {"address": "a"}}, {"unix": {"address": "b"}}]}',
        '{"listener": [{"tcp": [{"address": "a"}]}, {"unix": {"address": "b"}}]}',
    ],
)
def test_blocks_however_they_are_written(text):
    found = [(block.labels, to_plain(block.body)) for block in blocks(parse(text), "listener")]
    assert found == [(("tcp",), {"address": "a"}), (("unix",), {"address": "b"})]


def test_blocks_without_labels():
    (block,) = blocks(parse('listener { type = "tcp" telemetry { a = 1 } }'), "listener")
    assert block.labels == ()
    assert [block.labels for block in blocks(parse("telemetry { a = 1 } telemetry = 5"), "telemetry", labels=0)] == [()]
    (empty,) = blocks(parse('seal "shamir" {}'), "seal")
    assert (empty.labels, empty.body.items) == (("shamir",), ())
