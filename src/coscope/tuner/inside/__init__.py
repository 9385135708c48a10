"""What runs in the measured process, on any CPython from 3.8 on, without the rest of coscope.

Floor by floor: forms and results know nothing of each other; timing uses forms; measuring uses all
of them; command and main are what the process begins with. `processes.py` starts them.
"""
