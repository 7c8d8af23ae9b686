"""Agreement: the ordered log and the state machine behind it."""
