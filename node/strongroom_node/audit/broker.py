"""Hands every request and response to the enabled audit devices, before anything leaves."""

from typing import Protocol

from strongroom_node.sdk.request import Request
from strongroom_node.sdk.response import Response


class AuditDevice(Protocol):
    """Somewhere that audit records are kept."""

    async def record_request(self, request: Request) -> None:
        """Keep what is about to be done. Raises if it could not be kept."""

    async def record_response(self, request: Request, response: Response | None, error: Exception | None) -> None:
        """Keep what came of it. Raises if it could not be kept."""


class AuditBroker:
    """The enabled devices. Without one, requests go unrecorded, as in a new Vault."""

    def __init__(self) -> None:
        """No device is enabled at first."""
        self._devices: dict[str, AuditDevice] = {}

    @property
    def is_enabled(self) -> bool:
        """True if a device records."""
        return bool(self._devices)

    async def request(self, request: Request) -> None:
        """Record a request in every device."""
        for device in self._devices.values():
            await device.record_request(request)

    async def response(self, request: Request, response: Response | None, error: Exception | None) -> None:
        """Record an answer, or the error in its place, in every device."""
        for device in self._devices.values():
            await device.record_response(request, response, error)
