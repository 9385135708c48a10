"""Rules about signatures (SIG): what a callable says of itself, and what its code does."""
