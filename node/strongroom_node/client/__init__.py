"""A small HTTP client for the Vault API, used by the command line."""
