"""The HTTP edge: listeners, the wire, JSON in and out, status codes."""
