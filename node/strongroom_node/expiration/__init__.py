"""Leases: what was handed out, until when, and its revocation in time."""
