"""What engines, auth methods, seals and audit devices are made of."""
