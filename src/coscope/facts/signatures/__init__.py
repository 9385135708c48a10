"""The reported signature beside the one by which the code binds."""
