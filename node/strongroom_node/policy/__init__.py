"""Policies: text to rules, rules to decisions."""
