"""Run a command and read what the interpreter did not specialise."""
