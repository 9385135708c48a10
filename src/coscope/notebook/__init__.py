"""coscope in IPython and Jupyter: the magics of `%load_ext coscope`."""
