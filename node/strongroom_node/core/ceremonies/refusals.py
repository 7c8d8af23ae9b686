"""What ceremonies refuse, in the errors of requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from strongroom_node.sdk.errors import BadRequest, Internal, Sealed, Unavailable
from strongroom_storage.errors import (
    BarrierInitialized,
    BarrierSealed,
    BarrierUninitialized,
    RootKeyInvalid,
)
from strongroom_storage.seal.errors import SealConfigInvalid, SealError, SealUnavailable


@contextmanager
def refusals(prefix: str = "") -> Iterator[None]:
    """Translate the storage layer's refusals at its border, with `prefix` before those that shares caused.

    Wrong shares and wrong numbers are the caller's fault and answered as such (400), also where Vault says 500.
    """
    try:
        yield
    except SealUnavailable as error:
        raise Unavailable(f"the seal cannot be reached: {error}") from error
    except SealConfigInvalid as error:
        raise Internal(str(error)) from error
    except SealError as error:
        raise BadRequest(prefix + str(error)) from error
    except BarrierSealed as error:
        raise Sealed from error
    except BarrierInitialized as error:
        raise BadRequest("Vault is already initialized") from error
    except BarrierUninitialized as error:
        raise BadRequest("Vault is not initialized") from error
    except RootKeyInvalid as error:
        raise Internal("the stored root key does not open the keyring") from error
