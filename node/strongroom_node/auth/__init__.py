"""Auth methods: one folder each, listed in `registry.py`."""
