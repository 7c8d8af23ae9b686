"""What a seal is, the mathematics of key shares, and the state of ceremonies that collect them."""
