"""Fixtures of rules are never collected: importing them may run what the rules warn of."""

collect_ignore_glob = ["fixtures/*", "performance/fixtures/*"]
