"""The ordered log of several nodes: Raft, with a durable journal, mutual TLS and no pickle."""
