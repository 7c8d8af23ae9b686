"""The barrier: above it plaintext, below it ciphertext only."""
