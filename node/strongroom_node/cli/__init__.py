"""The command line: Vault's commands, flags, output and exit codes."""
