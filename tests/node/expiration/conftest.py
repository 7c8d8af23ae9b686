import pytest
from support.token_house import TokenHouse


@pytest.fixture
async def house():
    house = await TokenHouse.open()
    yield house
    await house.close()
