"""What every auth method says when a login fails."""

from strongroom_node.sdk.errors import BadRequest


class CredentialsInvalid(BadRequest):
    """The name or the secret that proves it is wrong; the answer must not tell which. Counts towards lockout."""
