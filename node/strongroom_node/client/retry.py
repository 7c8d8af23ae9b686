"""When and how long the client waits before it asks again."""

from strongroom_node.client.request import Reply

DELAY_SECONDS_MIN = 1.0
DELAY_SECONDS_MAX = 1.5
NOT_RETRYABLE = 501


def is_retryable(reply: Reply) -> bool:
    """412 (a standby that has not seen a write yet), 429 and every 5xx but 501."""
    return reply.status in {412, 429} or (reply.status >= 500 and reply.status != NOT_RETRYABLE)


def delay_seconds(attempt: int) -> float:
    """Seconds before attempt `attempt + 1`: one second, doubled each time, never over a second and a half."""
    return min(DELAY_SECONDS_MIN * (1 << attempt), DELAY_SECONDS_MAX)
