"""Managing users."""

import bcrypt
import pytest

from strongroom_node.sdk.errors import BadRequest, UnsupportedPath

SHOWN = {
    "token_bound_cidrs": [],
    "token_explicit_max_ttl": 0,
    "token_max_ttl": 0,
    "token_no_default_policy": False,
    "token_num_uses": 0,
    "token_period": 0,
    "token_policies": [],
    "token_strictly_bind_ip": False,
    "token_ttl": 0,
    "token_type": "default",
}


async def test_create_read_list_delete(users):
    assert await users.request("read", "users/ann") is None
    await users.request("update", "users/ann", {"password": "s3cret", "policies": "one,two"})
    assert await users.body("read", "users/ann") == {
        **SHOWN,
        "policies": ["one", "two"],
        "token_policies": ["one", "two"],
    }
    await users.request("update", "users/Bob", {"password": "pw2"})
    assert await users.body("read", "users/bOB") == SHOWN
    assert await users.body("list", "users") == {"keys": ["ann", "bob"]}
    assert await users.body("list", "users", {"after": "ann", "limit": 1}) == {"keys": ["bob"]}
    await users.request("delete", "users/ANN")
    assert await users.request("read", "users/ann") is None
    await users.request("delete", "users/ann")


async def test_a_deprecated_parameter_is_shown_until_its_successor_is_given(users):
    given = {"password": "p", "policies": "a", "ttl": "1m", "max_ttl": 120, "bound_cidrs": "10.0.0.0/8"}
    await users.request("update", "users/ann", given)
    shown = await users.body("read", "users/ann")
    assert (shown["ttl"], shown["token_ttl"], shown["max_ttl"]) == (60, 60, 120)
    assert shown["bound_cidrs"] == shown["token_bound_cidrs"] == ["10.0.0.0/8"]
    await users.request("update", "users/ann", {"token_policies": ["b"], "token_ttl": 30})
    shown = await users.body("read", "users/ann")
    assert "policies" not in shown
    assert "ttl" not in shown
    assert (shown["token_policies"], shown["token_ttl"], shown["max_ttl"]) == (["b"], 30, 120)


async def test_an_update_keeps_the_rest(users):
    with pytest.raises(BadRequest, match="must provide either password or password_hash"):
        await users.request("update", "users/ann", {"token_ttl": 60})
    await users.request("update", "users/ann", {"password": "one", "token_ttl": 60, "token_policies": ["dev"]})
    await users.request("update", "users/ann", {"token_max_ttl": 120})
    assert await users.body("read", "users/ann") == {
        **SHOWN,
        "token_policies": ["dev"],
        "token_ttl": 60,
        "token_max_ttl": 120,
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"token_ttl": "20m", "token_max_ttl": "10m"}, "'token_ttl' cannot be greater than 'token_max_ttl'"),
        ({"ttl": "20m", "max_ttl": "10m"}, "'token_ttl' cannot be greater than 'token_max_ttl'"),
        ({"token_ttl": "soon"}, "token_ttl"),
        ({"token_ttl": -5}, "negative"),
        ({"token_num_uses": -1}, "'token_num_uses' cannot be negative"),
        ({"token_bound_cidrs": ["nonsense"]}, 'error parsing address "nonsense"'),
        ({"bound_cidrs": ["nonsense"]}, 'error parsing address "nonsense"'),
        ({"token_bound_cidrs": ["10.0.0.0/33"]}, "error parsing address"),
        ({"token_bound_cidrs": [f"10.0.{n}.1" for n in range(256)] + ["10.1.0.1"]}, "address blocks"),
        ({"token_type": "magic"}, "invalid 'token_type' value"),
        ({"token_type": "batch", "token_period": 60}, "periodic"),
        ({"token_type": "batch", "token_num_uses": 2}, "limited use count"),
        ({"password_hash": "x"}, "only one"),
        ({"password": "", "password_hash": "plain"}, "valid bcrypt hash"),
        ({"password": "", "password_hash": "$2b$31$" + "a" * 53}, "cost"),
        ({"password": "", "password_hash": "$2b$15$" + "a" * 53}, "cost"),
        ({"password": "x" * 73}, "password length exceeds 72 bytes"),
        ({"password": "ß" * 37}, "password length exceeds 72 bytes"),
    ],
)
async def test_what_is_refused_makes_no_user(users, given, told):
    with pytest.raises(BadRequest, match=told):
        await users.request("update", "users/ann", {"password": "p", **given})
    assert await users.request("read", "users/ann") is None


async def test_passwords_and_policies_have_paths_of_their_own(users):
    for path, data in (("password", {"password": "x"}), ("policies", {"policies": "x"})):
        with pytest.raises(BadRequest, match="username does not exist"):
            await users.request("update", f"users/nobody/{path}", data)
    await users.request("update", "users/ann", {"password": "one", "token_policies": ["dev"]})
    before = users.engine.user("ann").password_hash
    await users.request("update", "users/ann/password", {"password": "two"})
    assert users.engine.user("ann").password_hash != before
    with pytest.raises(BadRequest, match="must provide either password or password_hash"):
        await users.request("update", "users/ann/password", {})
    await users.request("update", "users/ann/policies", {"token_policies": ["ops", "QA"]})
    assert (await users.body("read", "users/ann"))["token_policies"] == ["ops", "qa"]
    await users.request("update", "users/ann/policies", {"token_policies": ""})
    assert (await users.body("read", "users/ann"))["token_policies"] == []


async def test_a_hash_can_be_taken_over(users):
    ready = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()
    await users.request("update", "users/ann", {"password_hash": ready})
    assert await users.request("update", "login/ann", {"password": "s3cret"})


async def test_nothing_shows_the_hash(users):
    await users.request("update", "users/ann", {"password": "s3cret"})
    user = users.engine.user("ann")
    shown = str(await users.body("read", "users/ann")) + repr(user) + str(user)
    assert user.password_hash.decode() not in shown
    assert "2b$" not in shown


@pytest.mark.parametrize("name", ["*", "a*", "a+", "-a", "a-", "{{x}}", "a b", "größe", "..", ".", "a" * 257, "a\n"])
async def test_names_that_could_mean_something_in_a_policy_do_not_exist(users, name):
    for operation, path in (("update", f"users/{name}"), ("update", f"login/{name}"), ("read", f"users/{name}")):
        with pytest.raises(UnsupportedPath):
            await users.request(operation, path, {"password": "p"})


async def test_one_segment_is_one_name(users):
    with pytest.raises(UnsupportedPath):
        await users.request("update", "users/a/b", {"password": "p"})
    for name in ("ann.lee", "ann@example.com", "a", "a_b-c.d"):
        await users.request("update", f"users/{name}", {"password": "p"})


async def test_hashing_leaves_the_event_loop_free(users):
    await users.request("update", "users/ann", {"password": "p"})
    await users.request("update", "users/ann/password", {"password": "q"})
    assert users.system.blocking_calls == 2
