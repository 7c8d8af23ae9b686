"""Quotas: how much of the node one client may use."""
