"""Tokens: forms, records, batch tokens, roles, lifetimes and the tree of parents and children."""
