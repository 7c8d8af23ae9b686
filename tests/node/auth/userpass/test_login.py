"""Logging in and renewing."""

import asyncio

import bcrypt
import pytest

from strongroom_node.auth.userpass import ENGINE
from strongroom_node.auth.userpass.passwords import COST, NOBODY
from strongroom_node.sdk.errors import BadRequest, PermissionDenied
from strongroom_node.sdk.login import CredentialsInvalid
from strongroom_node.sdk.request import Operation, Request
from strongroom_node.sdk.token import TokenEntry

WRONG = "invalid username or password"


async def test_a_login_answers_what_the_user_was_given(users):
    given = {
        "token_ttl": "10m",
        "token_max_ttl": "20m",
        "token_policies": "dev",
        "token_no_default_policy": True,
        "token_num_uses": 9,
        "token_explicit_max_ttl": "30m",
        "token_bound_cidrs": "127.0.0.1/32",
        "token_type": "service",
    }
    await users.request("update", "users/ann", {"password": "p", **given})
    auth = (await users.request("update", "login/ANN", {"password": "p"}, address="127.0.0.1")).auth
    assert (auth.display_name, auth.alias_name, auth.metadata) == ("ann", "ann", {"username": "ann"})
    assert (auth.policies, auth.no_default_policy, auth.num_uses) == (["dev"], True, 9)
    assert (auth.ttl, auth.max_ttl, auth.explicit_max_ttl, auth.token_type) == (600, 1200, 1800, "service")
    assert auth.bound_cidrs == ["127.0.0.1"]


async def test_a_wrong_password_and_an_unknown_user_look_the_same(users, monkeypatch):
    work = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda given, known: work.append(known) or real(given, known))
    await users.request("update", "users/ann", {"password": "s3cret"})
    told = []
    for name, password in (("ann", "wrong"), ("nobody", "s3cret"), ("ann", "S3CRET"), ("nobody", "x" * 80)):
        with pytest.raises(CredentialsInvalid) as caught:
            await users.request("update", f"login/{name}", {"password": password})
        told.append(caught.value.messages)
    assert told == [(WRONG,)] * 4
    assert len(work) == 4, "each of them cost one comparison"


def test_the_hash_of_nobody_costs_what_a_users_hash_costs():
    assert NOBODY.startswith(b"$2b$%02d$" % COST)
    assert not bcrypt.checkpw(b"", NOBODY)


async def test_a_password_is_needed(users):
    await users.request("update", "users/ann", {"password": "s3cret"})
    for data in ({}, {"password": ""}):
        with pytest.raises(BadRequest, match="missing password") as caught:
            await users.request("update", "login/ann", data)
        assert not isinstance(caught.value, CredentialsInvalid)


async def test_a_longer_password_that_begins_alike_is_wrong(users):
    """bcrypt reads 72 bytes: without the rule everything after them would be free to guess."""
    await users.request("update", "users/ann", {"password": "x" * 72})
    assert await users.request("update", "login/ann", {"password": "x" * 72})
    with pytest.raises(CredentialsInvalid):
        await users.request("update", "login/ann", {"password": "x" * 73})


@pytest.mark.parametrize("password", ["a\0b", "\0b", "ß🔐b", " b", "\ud800b"])
async def test_every_character_counts(users, password):
    await users.request("update", "users/ann", {"password": password})
    assert await users.request("update", "login/ann", {"password": password})
    for wrong in (password[:-1] + "c", password[:-1], password.strip() if password != password.strip() else "c"):
        with pytest.raises(BadRequest):
            await users.request("update", "login/ann", {"password": wrong})


async def test_only_who_knows_the_password_learns_of_the_address_rule(users):
    given = {"password": "p", "token_bound_cidrs": ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]}
    await users.request("update", "users/far", given)
    for address in ("127.0.0.1", "", "@unix", "11.0.0.1", "::1"):
        with pytest.raises(PermissionDenied):
            await users.request("update", "login/far", {"password": "p"}, address=address)
        with pytest.raises(CredentialsInvalid):
            await users.request("update", "login/far", {"password": "wrong"}, address=address)
    for address in ("10.255.0.1", "192.0.2.1", "::ffff:10.1.2.3", "2001:db8::7"):
        assert await users.request("update", "login/far", {"password": "p"}, address=address)


async def test_a_password_that_changes_while_it_is_compared_lets_nobody_in(users, monkeypatch):
    await users.request("update", "users/ann", {"password": "old"})
    started, go_on = asyncio.Event(), asyncio.Event()

    async def held(work, *args):
        started.set()
        await go_on.wait()
        return work(*args)

    monkeypatch.setattr(users.system, "run_blocking", held)
    login = asyncio.ensure_future(users.request("update", "login/ann", {"password": "old"}))
    await asyncio.wait_for(started.wait(), 5)
    monkeypatch.undo()
    await users.request("update", "users/ann/password", {"password": "new"})
    go_on.set()
    with pytest.raises(CredentialsInvalid):
        await login


def renewal(*policies, name="ann"):
    token = TokenEntry(key="h", policies=policies, meta={"username": name})
    return Request(Operation.RENEW, "auth/token/renew-self", auth=token)


async def test_renewal_follows_the_user(users):
    given = {"password": "p", "token_policies": ["dev"], "token_ttl": 60, "token_max_ttl": 120}
    await users.request("update", "users/ann", given)
    auth = (await ENGINE.renew_login(users.engine, renewal("default", "dev"))).auth
    assert (auth.ttl, auth.max_ttl, auth.period) == (60, 120, 0)
    await users.request("update", "users/ann", {"token_policies": ["ops"]})
    with pytest.raises(BadRequest, match="policies have changed, not renewing"):
        await ENGINE.renew_login(users.engine, renewal("default", "dev"))
    await users.request("delete", "users/ann")
    with pytest.raises(BadRequest, match="does not exist"):
        await ENGINE.renew_login(users.engine, renewal("default", "ops"))


async def test_the_alias_is_known_before_the_login(users):
    request = Request(Operation.UPDATE, "auth/userpass/login/Ann", fields={"username": "Ann"})
    assert ENGINE.alias_of_login(request) == "ann"
