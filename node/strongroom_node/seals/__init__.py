"""Seals: what keeps the root key. `registry.py` is the list."""
