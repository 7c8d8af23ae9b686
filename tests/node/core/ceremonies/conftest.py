"""Houses in the states that ceremonies start from, and people with OpenPGP keys."""

import base64

import pytest
from support.house import STATIC, House


@pytest.fixture
async def house():
    made = House()
    await made.store.start()
    yield made
    await made.store.close()


@pytest.fixture
async def static_house():
    made = House("static", STATIC)
    await made.store.start()
    yield made
    await made.store.close()


@pytest.fixture
async def opened(house):
    """An unsealed house of five shares and threshold three; its shares are `house.keys`."""
    house.keys = (await house.init())["keys"]
    assert (await house.unseal(*house.keys[:3]))["sealed"] is False
    return house


@pytest.fixture
async def opened_static(static_house):
    """An unsealed house with a static seal and recovery shares 3/2 in `static_house.keys`."""
    made = await static_house.ask("PUT", "init", {"recovery_shares": 3, "recovery_threshold": 2})
    static_house.keys = made["recovery_keys"]
    return static_house


@pytest.fixture
def person():
    """Someone with an OpenPGP key: their public key as sent, its fingerprint, and how they read."""
    pysequoia = pytest.importorskip("pysequoia")
    secret = pysequoia.Tsk.generate("Someone <someone@example.test>")
    public = bytes(secret.extract_certificate())

    class Person:
        key = base64.b64encode(public).decode()
        fingerprint = pysequoia.Cert.from_bytes(public).fingerprint

        @staticmethod
        def read(message):
            return bytes(pysequoia.decrypt(message, decryptor=secret.decryptor()).bytes)

    return Person
