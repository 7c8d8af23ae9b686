import pytest
from support.node import running_node


@pytest.fixture
async def node():
    async with running_node() as made:
        yield made
