"""Run rules over files and packages: configuration, cache, baseline, suppression."""
