"""What differs between two functions, files or interpreters."""
