"""The place of audit in the pipeline: before the engine, and before anything leaves."""

import pytest
from support.node import running_node

from strongroom_node.sdk import errors


class Recorder:
    """A device that keeps what it is given, and fails when it is told to."""

    def __init__(self):
        self.kept = []
        self.fails_on = ""

    async def record_request(self, request):
        self.keep("request", request)

    async def record_response(self, request, response, error):
        self.keep("error" if error else "response", request)

    def keep(self, what, request):
        if self.fails_on == what:
            raise errors.Internal("audit failed")
        self.kept.append((what, request.operation.value, request.path))


@pytest.fixture
async def audited():
    async with running_node() as node:
        recorder = Recorder()
        node.core.audit._devices["test/"] = recorder
        yield node, recorder


async def test_every_request_is_recorded_before_and_after(audited):
    node, recorder = audited
    await node.ask("read", "sys/mounts")
    assert recorder.kept == [("request", "read", "sys/mounts"), ("response", "read", "sys/mounts")]


async def test_a_refusal_is_recorded_with_its_error(audited):
    node, recorder = audited
    await node.policy("p", 'path "x" { capabilities = ["read"] }')
    token = await node.token("p")
    recorder.kept.clear()
    await node.refusal("read", "sys/mounts", token)
    assert recorder.kept[-1] == ("error", "read", "sys/mounts")


async def test_nothing_is_done_unless_the_request_is_recorded(audited):
    node, recorder = audited
    recorder.fails_on = "request"
    await node.refusal("update", "secret/data/x", data={"a": 1})
    recorder.fails_on = ""
    assert isinstance(await node.refusal("read", "secret/data/x"), errors.NotFound)


async def test_no_answer_leaves_unless_it_is_recorded(audited):
    node, recorder = audited
    await node.ask("update", "secret/data/x", data={"a": 1})
    recorder.fails_on = "response"
    assert isinstance(await node.refusal("read", "secret/data/x"), errors.Internal)


async def test_a_guessed_token_leaves_a_trace(audited):
    node, recorder = audited
    assert isinstance(await node.refusal("read", "secret/data/x", "hvs.guessed"), errors.PermissionDenied)
    assert recorder.kept == [("error", "read", "secret/data/x")]
