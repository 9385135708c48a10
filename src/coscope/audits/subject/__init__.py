"""What rules ask about the code object under audit, computed on first use."""
