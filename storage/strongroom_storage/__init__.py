"""Bytes at rest: backends, the barrier, and the mathematics of seals."""
