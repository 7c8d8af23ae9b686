"""Randomness, secrets in memory, and the one cipher of the barrier."""
