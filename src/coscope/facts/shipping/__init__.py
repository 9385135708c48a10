"""What travels with a function when it is sent elsewhere."""
