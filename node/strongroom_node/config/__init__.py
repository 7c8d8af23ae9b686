"""The server's configuration: read once into frozen values."""
