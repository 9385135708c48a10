"""Expressions as short texts: what the expression domain computes with."""

from coscope.flow.texts.scene import Scene
from coscope.flow.texts.templates import Template, compiled
from coscope.flow.texts.text import Text

__all__ = ["Scene", "Template", "Text", "compiled"]
