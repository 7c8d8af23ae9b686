"""The `sys/` paths, one file per group."""
