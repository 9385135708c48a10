"""Rules about performance (PERF): what the interpreter of a version cannot make fast."""
