"""Audit: evidence of every request and answer."""
