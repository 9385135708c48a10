"""The cells of a function: who makes, writes and shares each."""
