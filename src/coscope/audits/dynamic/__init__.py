"""Rules about dynamic code (DYN): where data becomes code, and code is changed or watched."""
