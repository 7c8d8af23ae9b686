"""The order of the steps, and what each refuses."""

import msgspec
import pytest

from strongroom_node.sdk import errors
from strongroom_node.sdk.engine import Engine, EngineType, SecretType
from strongroom_node.sdk.path import Path
from strongroom_node.sdk.response import Auth, Response, Secret


async def test_no_token_comes_before_no_route(node):
    assert isinstance(await node.refusal("read", "nosuch/x", ""), errors.PermissionDenied)
    refused = await node.refusal("read", "nosuch/x")
    assert isinstance(refused, errors.NotFound)
    assert refused.messages == ('no handler for route "nosuch/x". route entry not found.',)


async def test_a_known_token_without_rights_is_told_so_in_its_own_words(node):
    await node.policy("p", 'path "secret/data/mine" { capabilities = ["read"] }')
    token = await node.token("p")
    assert isinstance(await node.refusal("read", "secret/data/other", token), errors.PolicyDenied)
    assert not isinstance(await node.refusal("read", "secret/data/x", "hvs.wrong"), errors.PolicyDenied)
    assert isinstance(await node.refusal("read", "nosuch/x", token), errors.PolicyDenied)


async def test_unsupported_path_and_operation(node):
    assert isinstance(await node.refusal("read", "sys/nosuch"), errors.UnsupportedPath)
    assert isinstance(await node.refusal("delete", "auth/token/lookup-self"), errors.UnsupportedOperation)


async def test_create_and_update_are_told_apart_by_what_exists(node):
    await node.ask("update", "sys/mounts/one", type="kv")
    await node.policy("c", 'path "one/*" { capabilities = ["create"] }')
    token = await node.token("c")
    await node.ask("update", "one/k", token, v="1")
    assert isinstance(await node.refusal("update", "one/k", token, v="2"), errors.PolicyDenied)


async def test_sudo_is_needed_beside_the_capability(node):
    await node.policy("n", 'path "sys/rotate" { capabilities = ["update"] }')
    await node.policy("s", 'path "sys/rotate" { capabilities = ["update", "sudo"] }')
    assert isinstance(await node.refusal("update", "sys/rotate", await node.token("n")), errors.PolicyDenied)
    await node.ask("update", "sys/rotate", await node.token("s"))


async def test_refused_requests_use_up_a_limited_token(node):
    await node.policy("p", 'path "auth/token/lookup-self" { capabilities = ["read"] }')
    token = await node.token("p", num_uses=2)
    await node.refusal("read", "secret/data/x", token)
    await node.ask("read", "auth/token/lookup-self", token)
    refused = await node.refusal("read", "auth/token/lookup-self", token)
    assert refused.messages == ("permission denied",)


async def test_a_changed_policy_holds_for_the_next_request(node):
    await node.policy("p", 'path "secret/data/x" { capabilities = ["read"] }')
    await node.ask("update", "secret/data/x", data={"a": 1})
    token = await node.token("p")
    await node.ask("read", "secret/data/x", token)
    await node.policy("p", 'path "secret/data/x" { capabilities = ["deny"] }')
    assert isinstance(await node.refusal("read", "secret/data/x", token), errors.PolicyDenied)


async def test_a_token_bound_to_a_network_is_refused_elsewhere(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.ask("update", "auth/up/users/ann", password="p", token_bound_cidrs=["10.0.0.0/8"])
    answer = await node.ask("update", "auth/up/login/ann", "", password="p", address="10.1.1.1")
    token = answer.auth.client_token
    await node.ask("read", "auth/token/lookup-self", token, address="10.2.2.2")
    refused = await node.refusal("read", "auth/token/lookup-self", token, address="192.168.0.1")
    assert isinstance(refused, errors.PermissionDenied)


async def test_ignored_and_replaced_parameters_are_told(node):
    answer = await node.ask("update", "secret/data/w", data={"a": 1}, nope=1, path="x")
    assert answer.warnings == [
        "Endpoint ignored these unrecognized parameters: [nope]",
        "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [path]",
    ]


async def test_an_empty_list_and_a_missing_value_are_not_found(node):
    for operation in ("list", "read"):
        refused = await node.refusal(operation, "cubbyhole/none")
        assert isinstance(refused, errors.NotFound)
        assert refused.messages == ()


async def test_a_field_of_a_wrong_type_is_refused_after_the_policy(node):
    refused = await node.refusal("update", "sys/tools/random", bytes={"a": 1})
    assert isinstance(refused, errors.BadRequest)
    assert isinstance(await node.refusal("update", "sys/tools/random", "", bytes={"a": 1}), errors.PermissionDenied)


async def test_a_disabled_entity_shuts_out_its_tokens(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.ask("update", "auth/up/users/ann", password="p")
    answer = await node.ask("update", "auth/up/login/ann", "", password="p")
    await node.ask("read", "auth/token/lookup-self", answer.auth.client_token)
    await node.ask("update", f"identity/entity/id/{answer.auth.entity_id}", disabled=True)
    refused = await node.refusal("read", "auth/token/lookup-self", answer.auth.client_token)
    assert isinstance(refused, errors.PermissionDenied)


async def test_the_guides_templated_policy(node):
    await node.policy(
        "developer", 'path "secret/data/{{identity.entity.name}}/*" { capabilities = ["create", "update", "read"] }'
    )
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.ask("update", "auth/up/users/ann", password="p", token_policies="developer")
    first = await node.ask("update", "auth/up/login/ann", "", password="p")
    await node.ask("update", f"identity/entity/id/{first.auth.entity_id}", name="ann")
    token = first.auth.client_token
    await node.ask("update", "secret/data/ann/x", token, data={"a": 1})
    assert isinstance(await node.refusal("update", "secret/data/bob/x", token, data={}), errors.PolicyDenied)


async def test_a_rate_limit_refuses_with_the_path(node):
    await node.ask("update", "sys/quotas/rate-limit/q", rate=1, interval="1m", path="secret")
    await node.refusal("read", "secret/data/none")
    refused = await node.refusal("read", "secret/data/none")
    assert isinstance(refused, errors.TooManyRequests)
    assert refused.headers["Retry-After"] == "60"


async def test_namespaces_are_refused_by_name(node):
    from strongroom_node.sdk.request import Operation, Request

    with pytest.raises(errors.NotFound, match="namespace not found"):
        await node.core.handle(Request(Operation.READ, "sys/mounts", token="root", namespace="ns1/"))


async def test_a_sealed_node_answers_nothing(node):
    await node.ask("update", "sys/seal")
    assert isinstance(await node.refusal("read", "sys/mounts"), errors.Sealed)


async def test_wrapping_replaces_the_answer(node):
    await node.ask("update", "secret/data/x", data={"a": 1})
    answer = await node.ask("read", "secret/data/x", wrap=60.0)
    assert answer.data is None
    assert answer.wrap_info.ttl == 60
    assert answer.wrap_info.creation_path == "secret/data/x"


async def test_help_is_there_for_every_declared_path(node):
    answer = await node.ask("help", "secret/data/x")
    assert "data/{path" in msgspec.json.decode(answer.raw.body)["help"]
    assert b"PATHS" in (await node.ask("help", "sys/")).raw.body


def leasing(log):
    """An engine whose secrets are leased, and that notes what it gives and takes back."""

    async def give(engine, request):
        await log["before_given"]()
        log["given"].append(request.path)
        return Response(data={"password": "p"}, secret=Secret(kind="creds", internal={"user": "u"}))

    async def take(engine, request):
        log["taken"].append(request.secret_data["user"])

    paths = (Path("creds/{name}", read=give),)
    return EngineType(name="leasing", summary="", make=Engine, paths=paths, secrets=(SecretType("creds", take),))


@pytest.fixture
async def leased(node):
    async def nothing():
        pass

    log = {"given": [], "taken": [], "before_given": nothing}
    node.core.plugins.provide(leasing(log))
    await node.ask("update", "sys/mounts/db", type="leasing")
    return log


async def test_a_secret_whose_token_goes_meanwhile_is_taken_back(node, leased):
    await node.policy("d", 'path "db/*" { capabilities = ["read"] }')
    token = await node.token("d")

    async def revoke():
        await node.ask("update", "auth/token/revoke", token=token)

    leased["before_given"] = revoke
    assert isinstance(await node.refusal("read", "db/creds/x", token), errors.PermissionDenied)
    assert leased["given"] == ["db/creds/x"]
    assert leased["taken"] == ["u"]


async def test_a_secret_of_a_mount_that_goes_meanwhile_is_taken_back(node, leased):
    async def disable():
        await node.ask("delete", "sys/mounts/db")

    leased["before_given"] = disable
    assert isinstance(await node.refusal("read", "db/creds/x"), errors.NotFound)
    assert leased["given"] == ["db/creds/x"]
    assert leased["taken"] == ["u"]
    assert node.core.leases.list_page() == ["auth/"]


async def test_a_lease_outlives_the_move_of_its_mount_no_longer_than_the_move(node, leased):
    await node.ask("read", "db/creds/x")
    await node.ask("update", "sys/remount", **{"from": "db", "to": "other"})
    assert leased["taken"] == ["u"]


@pytest.mark.parametrize(
    "path", ["sys//policies/acl/p", "sys/policies/acl//p", "/sys/policies/acl/p", "sys/mounts//secret"]
)
async def test_a_path_has_one_spelling_so_that_no_denial_is_spelled_around(node, path):
    refused = await node.refusal("delete", path)
    assert isinstance(refused, errors.BadRequest)


async def test_who_has_no_token_cannot_fill_the_store_with_wrapped_answers(node):
    before = len(node.core.barrier.view("token/id/").walk())
    assert isinstance(await node.refusal("read", "sys/internal/ui/mounts", "", wrap=1e9), errors.PermissionDenied)
    assert len(node.core.barrier.view("token/id/").walk()) == before


async def test_a_login_may_bind_the_token_to_its_address(node):
    await node.ask("update", "sys/auth/up", type="userpass")
    await node.ask("update", "auth/up/users/ann", password="p", token_strictly_bind_ip=True)
    answer = await node.ask("update", "auth/up/login/ann", "", password="p", address="10.1.1.1")
    token = answer.auth.client_token
    await node.ask("read", "auth/token/lookup-self", token, address="10.1.1.1")
    refused = await node.refusal("read", "auth/token/lookup-self", token, address="10.1.1.2")
    assert isinstance(refused, errors.PermissionDenied)


async def test_a_login_that_was_under_way_when_its_method_went_gives_no_token(node):
    async def login(engine, request):
        await node.ask("delete", "sys/auth/slow")
        return Response(auth=Auth(policies=["p"], alias_name="ann"))

    paths = (Path("login", update=login, unauthenticated=True),)
    node.core.plugins.provide(EngineType(name="slow", summary="", make=Engine, paths=paths, is_auth=True))
    await node.ask("update", "sys/auth/slow", type="slow")
    before = node.core.barrier.view("token/id/").walk()
    assert isinstance(await node.refusal("update", "auth/slow/login", ""), errors.NotFound)
    assert node.core.barrier.view("token/id/").walk() == before


async def test_the_open_document_is_made_once_and_follows_the_mounts(node):
    first = (await node.ask("read", "sys/internal/specs/openapi", "")).raw.body
    assert (await node.ask("read", "sys/internal/specs/openapi", "")).raw.body is first
    assert b"/one/" not in first
    assert b"/secret/data/" in (await node.ask("read", "sys/internal/specs/openapi")).raw.body
    await node.ask("update", "sys/mounts/one", type="kv", config={"listing_visibility": "unauth"})
    assert b"/one/" in (await node.ask("read", "sys/internal/specs/openapi", "")).raw.body


async def test_the_last_use_of_a_token_gets_no_secret_that_ends_with_it(node, leased):
    await node.policy("d", 'path "db/*" { capabilities = ["read"] }')
    refused = await node.refusal("read", "db/creds/x", await node.token("d", num_uses=1))
    assert "token had one use left" in refused.messages[0]
    assert leased["taken"] == ["u"]
