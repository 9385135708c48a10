"""The checks, one file each. `rules.discover` finds them."""
