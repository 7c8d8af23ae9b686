"""Targets, queries and bodies: what is taken, what is refused, and in what time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from support.edge import edge, message
from support.node import running_node

from strongroom_node.http.decode import FORM_BYTES_MAX, read_body, read_path, read_query, read_request, token_of
from strongroom_node.http.errors import WireError
from strongroom_node.http.head import Head
from strongroom_node.http.settings import JSONLimits, ListenerSettings

LIMITS = JSONLimits()
FORM = "application/x-www-form-urlencoded"


def refused(call, *arguments):
    with pytest.raises(WireError) as caught:
        call(*arguments)
    return caught.value.status


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v1/a", "/v1/a"),
        ("/v1/a%2Fb", "/v1/a/b"),
        ("/v1/%61", "/v1/a"),
        ("/v1/%C3%BC", "/v1/ü"),
        ("/v1/a%20b+c", "/v1/a b+c"),
        ("/v1/%252e%252e/a", "/v1/%2e%2e/a"),
        ("/v1/...", "/v1/..."),
        ("/v1/.a/b.", "/v1/.a/b."),
        ("/v1//a", "/v1//a"),  # the core refuses it, in the words of the API
        ("/v1/%zz", "/v1/%zz"),
        ("http://n/v1/a", "/v1/a"),
    ],
)
def test_paths(target, path):
    assert read_path(target) == (path, "")
    assert read_path(target + "?a=%2F?b") == (path, "a=%2F?b")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "*",
        "v1/a",
        "http://n",
        "http:///v1/a",
        "ftp://n/v1/a",
        "/v1/..",
        "/v1/./a",
        "/v1/%2e%2e/a",
        "/v1/%2E./a",
        "/v1%2f..%2fa",
        "/v1/%00",
        "/v1/a%0d%0aX: b",
        "/v1/%7f",
        "/v1/%C2%85",
        "/v1/%E2%80%A8",
        "/v1/%ff",
        "/v1/%c0%af",  # an overlong slash
        "/v1/%e0%80%ae%e0%80%ae/a",  # overlong dots
        "/v1/%ed%a0%80",  # half of a surrogate pair
        "/v1/%f4%90%80%80",  # beyond Unicode
        "/v1/\udcff",
        "/v1/" + "a" * 4096,
        "/v1/" + "%61" * 4096,
        "/v1/" + "a/" * 128,
        "/v1" + "%2f" * 129,
        "/v1/" + "%" * 60_000,
    ],
)
def test_refused_paths(target):
    assert refused(read_path, target) == 400


def test_query():
    assert read_query("a=1&b=&a=2&c&a=3&d=%2F+x") == {"a": ["1", "2", "3"], "b": "", "c": "", "d": "/ x"}
    assert read_query("") == {}
    for query in ("a=%ff", "&".join(f"a{n}=1" for n in range(300)), "&" * 300):
        assert refused(read_query, query) == 400


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b" {} ", b"\n"[:0]])
def test_empty_bodies(body):
    assert read_body(body, "", LIMITS) == {}


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"[]",
        b"1",
        b'"text"',
        b"true",
        b"{",
        b'{"a":}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":1} x',
        b'{"a":1}{"b":2}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 10_000 + b"}",
        b'{"a":"\xff"}',
        b'{"\xff":1}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\x"}',
        b'{"a":"\n"}',
        b'{"a":01}',
        b"\xef\xbb\xbf{}",
        b"\x00",
        b'{"a":' * 200_000,
        b"[" * 10_000_000,
    ],
)
def test_refused_bodies(body):
    assert refused(read_body, body, "", LIMITS) == 400


def test_refusals_do_not_quote_the_body():
    for body in (b'{"password":"hunter2"', b'{"password":hunter2}', b'["hunter2"]', b'{"a":"hunter2\xff"}'):
        with pytest.raises(WireError) as caught:
            read_body(body, "", LIMITS)
        assert "hunter2" not in str(caught.value)


def test_bodies():
    assert read_body(b'{"a":1,"a":2}', "", LIMITS) == {"a": 2}
    assert read_body(b'{"a":123456789012345678901234567890}', "", LIMITS) == {"a": 123456789012345678901234567890}
    assert read_body(b'{"a":1}', "text/plain", LIMITS) == {"a": 1}
    assert read_body(b' {"a":1}', FORM, LIMITS) == {"a": 1}
    assert read_body(b"a=1&b=x%20y&a=2", FORM, LIMITS) == {"a": "1,2", "b": "x y"}


@pytest.mark.parametrize("body", [b"a=%ff", b"\xff=1", b"&".join(b"a=1" for _ in range(300))])
def test_refused_forms(body):
    assert refused(read_body, body, FORM, LIMITS) == 400


def test_large_forms():
    assert refused(read_body, b"a=" + b"x" * FORM_BYTES_MAX, FORM, LIMITS) == 413


def nested(depth, mark=b"["):
    closing = {b"[": b"]", b'{"a":': b"}"}[mark]
    return b'{"a":' + mark * (depth - 1) + b"1" + closing * (depth - 1) + b"}"


@pytest.mark.parametrize("mark", [b"[", b'{"a":'])
def test_depth(mark):
    read_body(nested(300, mark), "", LIMITS)
    assert refused(read_body, nested(301, mark), "", LIMITS) == 400
    text = b'{"a":"' + b"[{" * 5000 + b'\\"[[","b":' + b"[],{}," * 0 + b"1}"
    assert len(read_body(text, "", LIMITS)["a"]) > 10_000  # brackets in a string are none


def test_strings_and_entries():
    few = JSONLimits(depth=10, strings=5, entries=5)
    read_body(b'{"a":"1","b":"2"}', "", few)
    assert refused(read_body, b'{"a":"1","b":"2","c":"3"}', "", few) == 400
    assert refused(read_body, b'{"a":[1,2,3,4,5,6,7]}', "", few) == 400
    assert refused(read_body, b'{"a":[[],[],[],[],[],[]]}', "", few) == 400
    assert read_body(b'{"a":",,,,,,,,,,,,,,,,,,"}', "", few)  # commas and quotes in a string are none
    assert read_body(b'{"a":"' + b'\\"' * 50 + b'"}', "", few)
    assert read_body(b'{"a":[1,2,3,4,5,6,7],"b":["","","","","",""]}', "", JSONLimits(10, 0, 0))


MEGA = 1 << 20
HOSTILE = {
    "an open string of escaped quotes": b'{"a":[' + b"[]," * 400 + b'"' + b'\\"' * (4 * MEGA),
    "one that ends in a backslash": b'{"a":[' + b"[]," * 400 + b'"' + b'\\"' * (2 * MEGA) + b"\\",
    "backslashes": b'{"a":[' + b"[]," * 400 + b'"' + b"\\" * (8 * MEGA + 1),
    "quotes": b'{"a":' + b'"' * (8 * MEGA),
    "brackets that close": b"[]" * (4 * MEGA),
    "braces": b'{"a":{}' + b"{}" * (4 * MEGA),
    "commas": b'{"a":[1' + b",1" * (4 * MEGA) + b"]}",
    "short strings": b'{"a":[""' + b',""' * (3 * MEGA) + b"]}",
    "digits": b'{"a":' + b"9" * (8 * MEGA) + b"}",
    "blanks": b" " * (8 * MEGA),
    "closing": b"]" * (8 * MEGA),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_bad_bodies_take_linear_time(body):
    """8 MiB in well under a second of CPU; anything quadratic would take hours."""
    before = time.process_time()
    assert refused(read_body, body, "", LIMITS) == 400
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    "path", ["/v1/" + "a" * 65_000, "/v1/" + "a/" * 32_000, "/v1/" + "%61" * 21_000, "/v1" + "/" * 65_000]
)
async def test_a_64_kib_path_is_refused(path):
    async with edge() as node:
        client = await node.connect()
        before = time.process_time()
        answer = await client.get(path)
        assert time.process_time() - before < 0.5
        assert answer.status == 400
        assert answer.errors[0].startswith("path too long")
        assert await client.is_alive()


def head(method, *headers):
    return Head(method, "/", CIMultiDictProxy(CIMultiDict(headers)), 0, keeps_alive=True)


def request_of(method, path="a/b", query="", body=b"", headers=()):
    return read_request(head(method, *headers), body, path, query, ListenerSettings(), ("10.0.0.1", 5))


def test_tokens():
    def of(*headers):
        return token_of(head("GET", *headers).headers)

    assert of() == ""
    assert of(("x-vault-token", "a"), ("Authorization", "Bearer b")) == "a"
    assert of(("X-Vault-Token", ""), ("Authorization", "bearer  b ")) == "b"
    assert of(("Authorization", "Basic b")) == ""
    assert of(("Authorization", "Bearer")) == ""


@pytest.mark.parametrize(
    ("method", "query", "operation", "path", "data"),
    [
        ("GET", "", "read", "a/b", {}),
        ("GET", "version=2", "read", "a/b", {"version": "2"}),
        ("GET", "list=true&after=x", "list", "a/b/", {"after": "x"}),
        ("GET", "list=1", "list", "a/b/", {}),
        ("GET", "list=false", "read", "a/b", {"list": "false"}),
        ("GET", "list=true&list=false", "list", "a/b/", {}),
        ("GET", "scan=true", "scan", "a/b/", {}),
        ("GET", "help=1", "help", "a/b", {}),
        ("LIST", "", "list", "a/b/", {}),
        ("SCAN", "", "scan", "a/b/", {}),
        ("HELP", "", "help", "a/b", {}),
        ("DELETE", "versions=1", "delete", "a/b", {"versions": "1"}),
        ("POST", "x=1", "update", "a/b", {}),
        ("PUT", "", "update", "a/b", {}),
    ],
)
def test_operations(method, query, operation, path, data):
    made = request_of(method, query=query)
    assert (made.operation, made.path, made.data) == (operation, path, data)
    assert (made.remote_address, made.remote_port) == ("10.0.0.1", 5)


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "status"),
    [
        ("GET", "a", "list=maybe", (), 400),
        ("POST", "a/", "", (), 400),
        ("PATCH", "a", "", (), 415),
        ("PATCH", "a", "", (("Content-Type", "application/json"),), 415),
        ("HEAD", "a", "", (), 405),
        ("OPTIONS", "a", "", (), 405),
        ("GET", "a", "", (("X-Vault-Wrap-TTL", "soon"),), 400),
        ("GET", "a", "", (("X-Vault-Wrap-TTL", "-5"),), 400),
        ("GET", "a", "", (("X-Vault-Wrap-TTL", "9" * 5000),), 400),
    ],
)
def test_refused_requests(method, path, query, headers, status):
    assert refused(request_of, method, path, query, b"", headers) == status


def test_headers():
    made = request_of(
        "PATCH", headers=[("Content-Type", "application/merge-patch+json; charset=utf-8")], body=b'{"a":1}'
    )
    assert (made.operation, made.data, made.body) == ("patch", {"a": 1}, b'{"a":1}')
    made = request_of("GET", headers=[("X-Vault-Wrap-TTL", "5m"), ("X-Vault-Wrap-Format", "jwt")])
    assert (made.wrap_ttl, made.wrap_format) == (300, "jwt")
    assert request_of("GET", headers=[("X-Vault-Namespace", "/root/")]).namespace == ""
    assert request_of("GET", headers=[("X-Vault-Namespace", "/n/m/")]).namespace == "n/m"


def expect_400(refusal):
    assert refusal.status == 400


@given(st.text(max_size=60).map(lambda text: "/" + text) | st.text("/.%2eEfF?a\x00é", max_size=60))
def test_any_target(target):
    try:
        path, _ = read_path(target)
    except WireError as refusal:
        expect_400(refusal)
        return
    assert path.startswith("/")
    assert not {".", ".."} & set(path.split("/"))
    path.encode()


@given(st.binary(max_size=200) | st.text('{}[]",:\\ue8d0', max_size=200).map(str.encode), st.sampled_from(["", FORM]))
def test_any_body(body, kind):
    try:
        assert isinstance(read_body(body, kind, JSONLimits(3, 5, 5)), dict)
    except WireError as refusal:
        expect_400(refusal)


async def test_invalid_text_never_fails_inside():
    """What the edge lets through, the core must be able to read: headers, paths and bodies."""
    async with running_node() as real, edge(real.core) as node:
        for data in (
            message("GET", "/v1/secret/data/a").replace(b"Host: node", b"Host: node\r\nX-Vault-Token: \xff"),
            message("GET", "/v1/secret/data/a", "X-Vault-Token: \u00fc"),
            message("GET", "/v1/secret/data/%ed%a0%80", "X-Vault-Token: root"),
            message("GET", "/v1/secret/data/%ef%bf%bf", "X-Vault-Token: root"),
            message("POST", "/v1/secret/data/a", "X-Vault-Token: root", body=b'{"data":{"a":"\xff"}}'),
            message(
                "POST", "/v1/secret/data/a", "X-Vault-Token: root", body=b'{"data":[' + b"[" * 290 + b"]" * 290 + b"]}"
            ),
            message("POST", "/v1/secret/data/a", "X-Vault-Token: root", body=nested(300)),
        ):
            client = await node.connect()
            assert (await client.ask(data)).status < 500
