"""The tests of coscope; the folders mirror those of src/coscope."""
