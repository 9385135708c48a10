"""Which rules a code object cannot violate, decided from its names and bytes."""
