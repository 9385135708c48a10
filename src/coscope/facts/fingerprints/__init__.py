"""A hash that changes whenever the behaviour might."""
