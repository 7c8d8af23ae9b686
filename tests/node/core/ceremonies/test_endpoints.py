"""Methods, paths and bodies: only refusals that a request may end with."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom_node.core.ceremonies import endpoints
from strongroom_node.core.ceremonies.bodies import ShareBody, read_body
from strongroom_node.sdk.errors import BadRequest, RequestError, UnsupportedOperation


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "init"),
        ("GET", "unseal"),
        ("DELETE", "unseal"),
        ("PUT", "seal-status"),
        ("LIST", "rekey/init"),
        ("PATCH", "rekey/verify"),
        ("LIST", "generate-root/attempt"),
    ],
)
async def test_other_methods_are_refused_with_an_empty_list(opened, method, path):
    with pytest.raises(UnsupportedOperation) as refused:
        await opened.ask(method, path)
    assert refused.value.messages == ()


async def test_an_update_needs_its_key_whatever_the_method(opened):
    for path in ("rekey/update", "generate-root/update"):
        for method in ("GET", "DELETE", "POST"):
            with pytest.raises(BadRequest, match="'key' must be specified in request body as JSON"):
                await opened.ask(method, path)


def test_bodies_are_read_as_go_reads_them():
    body = read_body(ShareBody, {"Key": "abc", "NONCE": None, "unknown": [1]})
    assert (body.key, body.nonce) == ("abc", "")
    assert "abc" not in repr(body)


def test_a_refused_body_does_not_repeat_what_was_sent():
    with pytest.raises(BadRequest) as refused:
        read_body(ShareBody, {"key": ["secret-share"]})
    assert "secret-share" not in str(refused.value)
    assert refused.value.__cause__ is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "secret_shares",
        "secret_threshold",
        "recovery_shares",
        "pgp_keys",
        "backup",
        "require_verification",
        "key",
        "nonce",
        "reset",
        "migrate",
        "otp",
        "pgp_key",
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
async def test_any_body_ends_in_an_answer_or_a_clean_refusal(opened, data):
    path = data.draw(st.sampled_from(sorted(endpoints.PATHS)))
    method = data.draw(st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
    body = data.draw(JSON | st.dictionaries(NAMES, JSON | st.integers(0, 300), max_size=5))
    try:
        result = await endpoints.answer(opened.keeper, method, path, body)
    except RequestError:
        result = None
    assert result is None or isinstance(result, dict)
    assert not opened.keeper.is_sealed
