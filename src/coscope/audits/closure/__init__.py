"""Rules about closures (CLO): cells, defaults and what they keep alive."""
