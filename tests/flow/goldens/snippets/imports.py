import os
import os.path
import os.path as p
import a.b.c as d
from collections import OrderedDict, deque as dq
from . import sibling
from ..pkg import thing
from math import *

print(__name__, name)
del name
os += 1


def local():
    import json.decoder
    from xml import sax

    return json, sax
