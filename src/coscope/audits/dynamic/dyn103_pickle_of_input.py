"""A pickle is loaded that somebody else may have written.

A pickle is a program: loading one calls whatever it names. The rule follows the data of `pickle`,
`dill`, `cloudpickle`, `joblib`, `shelve`, `jsonpickle`, `pandas.read_pickle`, of `torch.load`
without `weights_only=True` and of `numpy.load` with `allow_pickle=True` back to where it comes
from, through `with`, `base64`, `zlib`, containers and functions of the same file.

    with socket.create_connection(address) as peer:
        job = pickle.loads(peer.recv(65536))       whoever answers runs code here

It is a warning if the data comes from outside or from the caller, or if the caller or somebody
outside chooses the file. For your information only is a file whose name is fixed, data of unknown
origin, and data whose signature is compared first. Not reported is what the process has pickled
itself, and an `Unpickler` with a `find_class` of its own.

Check a MAC over the bytes before you load them (`hmac.compare_digest`), restrict
`Unpickler.find_class`, or use `json`.
"""

from __future__ import annotations

from collections.abc import Iterator

from coscope.audits.dynamic.flows.glance import may_find_for, names_for
from coscope.audits.dynamic.flows.report import findings
from coscope.audits.subject.subject import Subject
from coscope.model import Finding

CODE = "DYN103"
SEVERITY = "warning"
NAMES = names_for(CODE)
ALIASES = True

may_find = may_find_for(CODE)


def check(subject: Subject) -> Iterator[Finding]:
    return findings(subject, CODE)
