"""A look into a running process (PEP 768): where its threads stand, what its code has become."""

from coscope.attachment.attaching import attach
from coscope.attachment.model import Attached

__all__ = ["Attached", "attach"]
