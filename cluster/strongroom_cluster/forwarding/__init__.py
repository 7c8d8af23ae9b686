"""Requests that the active node answers for another one."""
