"""The soundness harness of the verifier: see `tools/mutants.py`."""
