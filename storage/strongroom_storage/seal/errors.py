"""What can go wrong with seals, shares and ceremonies."""

from strongroom_storage.errors import StorageError


class SealError(StorageError):
    """A seal or a ceremony refused; the message is safe to show and names no secret."""


class PlanInvalid(SealError):
    """Shares and threshold that no key can be split into."""


class ShareInvalid(SealError):
    """Shares that cannot belong together, or that are not shares at all."""


class CeremonyRefused(SealError):
    """A step that does not fit the state of its ceremony: wrong nonce, repeated share, nothing under way."""


class UnwrapFailed(SealError):
    """The wrapped key was not made by this seal, or was changed since."""


class SealUnavailable(SealError):
    """The service or the file behind a seal cannot be reached now; trying again may help."""


class SealConfigInvalid(SealError):
    """The seal's configuration can never work."""
