"""Where the values come from that reach calls which run, load or start what they are given."""
