"""Secrets engines: one folder each, listed in `registry.py`."""
