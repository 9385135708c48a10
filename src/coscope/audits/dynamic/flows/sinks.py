"""Sinks as data: calls that run, load or start what they are given, and which argument that is."""

from __future__ import annotations

from dataclasses import dataclass

RUNS, MARSHAL, PICKLE = "DYN101", "DYN102", "DYN103"
IMPORTS, SHELL, YAML, TEMPLATE = "DYN108", "DYN109", "DYN110", "DYN111"


@dataclass(frozen=True, slots=True)
class Sink:
    """One function or method whose argument must not be anybody's."""

    rule: str
    shown: str  # how messages call it
    at: int | None = 0  # position of the argument; None: the receiver; -1: every argument
    keywords: tuple[str, ...] = ()  # names under which it may be passed
    when: str = ""  # a condition on the other arguments: a name in `conditions.py`


def _sinks(
    rule: str, names: str, at: int | None = 0, keywords: tuple[str, ...] = (), when: str = ""
) -> dict[str, Sink]:
    return {
        name: Sink(rule, name.removeprefix("builtins."), at, keywords, when)
        for name in names.split()
    }


# By what the callee means: a dotted name, with every alias resolved.
FUNCTIONS: dict[str, Sink] = {
    **_sinks(RUNS, "builtins.eval builtins.exec", 0, ("source",)),
    **_sinks(RUNS, "builtins.compile", 0, ("source",), "makes code"),
    **_sinks(RUNS, "builtins.execfile"),
    **_sinks(RUNS, "pandas.eval", 0, ("expr",)),
    **_sinks(RUNS, "numexpr.evaluate numexpr.NumExpr", 0, ("ex",)),
    **_sinks(RUNS, "sympy.sympify sympy.S sympy.parse_expr", 0, ("a", "s")),
    **_sinks(RUNS, "sympy.parsing.sympy_parser.parse_expr", 0, ("s",)),
    **_sinks(RUNS, "timeit.timeit timeit.repeat timeit.Timer", 0, ("stmt",)),
    **_sinks(RUNS, "cProfile.run cProfile.runctx profile.run profile.runctx", 0, ("statement",)),
    **_sinks(RUNS, "pdb.run pdb.runeval bdb.Bdb.run", 0, ("statement", "expression")),
    **_sinks(RUNS, "test.support.run_in_subinterp _testcapi.run_in_subinterp", 0, ("code",)),
    **_sinks(MARSHAL, "marshal.loads marshal.load", 0),
    **_sinks(PICKLE, "pickle.loads pickle.load pickle.Unpickler", 0, ("data", "file")),
    **_sinks(PICKLE, "_pickle.loads _pickle.load _pickle.Unpickler", 0),
    **_sinks(PICKLE, "pickle._loads pickle._load pickle._Unpickler", 0),
    **_sinks(PICKLE, "cPickle.loads cPickle.load cPickle.Unpickler", 0),
    **_sinks(PICKLE, "pickle5.loads pickle5.load pickle5.Unpickler", 0),
    **_sinks(PICKLE, "dill.loads dill.load dill.Unpickler", 0, ("str", "file")),
    **_sinks(PICKLE, "dill.load_session dill.load_module", 0, ("filename",)),
    **_sinks(PICKLE, "cloudpickle.loads cloudpickle.load", 0),
    **_sinks(PICKLE, "six.moves.cPickle.loads six.moves.cPickle.load", 0),
    **_sinks(PICKLE, "joblib.load sklearn.externals.joblib.load", 0, ("filename",)),
    **_sinks(PICKLE, "shelve.open shelve.DbfilenameShelf", 0, ("filename",)),
    **_sinks(PICKLE, "jsonpickle.decode jsonpickle.loads jsonpickle.unpickler.decode", 0),
    **_sinks(PICKLE, "pandas.read_pickle", 0, ("filepath_or_buffer",)),
    **_sinks(PICKLE, "torch.load", 0, ("f",), "not weights only"),
    **_sinks(PICKLE, "numpy.load numpy.lib.npyio.load", 0, ("file",), "allows pickle"),
    **_sinks(PICKLE, "multiprocessing.reduction.ForkingPickler.loads", 0),
    **_sinks(IMPORTS, "builtins.__import__ importlib.__import__", 0, ("name",)),
    **_sinks(IMPORTS, "importlib.import_module", 0, ("name",)),
    **_sinks(IMPORTS, "runpy.run_path runpy.run_module", 0, ("path_name", "mod_name")),
    **_sinks(IMPORTS, "imp.load_source imp.load_module imp.load_compiled", 1, ("pathname",)),
    **_sinks(IMPORTS, "importlib.util.spec_from_file_location", 1, ("location",)),
    **_sinks(IMPORTS, "importlib.machinery.SourceFileLoader", 1, ("path",)),
    **_sinks(IMPORTS, "importlib.machinery.ExtensionFileLoader", 1, ("path",)),
    **_sinks(IMPORTS, "importlib.machinery.SourcelessFileLoader", 1, ("path",)),
    **_sinks(IMPORTS, "pkgutil.resolve_name pydoc.locate", 0, ("name", "path")),
    **_sinks(IMPORTS, "ctypes.CDLL ctypes.PyDLL ctypes.cdll.LoadLibrary", 0, ("name",)),
    **_sinks(SHELL, "os.system os.popen", 0, ("command", "cmd")),
    **_sinks(SHELL, "subprocess.getoutput subprocess.getstatusoutput", 0, ("cmd",)),
    **_sinks(SHELL, "commands.getoutput commands.getstatusoutput popen2.popen2", 0),
    **_sinks(SHELL, "asyncio.create_subprocess_shell", 0, ("cmd",)),
    **_sinks(SHELL, "asyncio.subprocess.create_subprocess_shell", 0, ("cmd",)),
    **_sinks(
        SHELL,
        "subprocess.run subprocess.call subprocess.check_call subprocess.check_output"
        " subprocess.Popen",
        0,
        ("args",),
        "through a shell",
    ),
    **_sinks(SHELL, "os.execl os.execle os.execlp os.execlpe os.execv os.execve", -1, (), "sh -c"),
    **_sinks(SHELL, "os.execvp os.execvpe", -1, (), "sh -c"),
    **_sinks(SHELL, "os.spawnl os.spawnle os.spawnlp os.spawnv os.spawnvp", -1, (), "sh -c"),
    **_sinks(SHELL, "asyncio.create_subprocess_exec", -1, (), "sh -c"),
    **_sinks(SHELL, "pty.spawn", 0, ("argv",), "sh -c"),
    **_sinks(YAML, "yaml.load yaml.load_all", 0, ("stream",), "not safe"),
    **_sinks(YAML, "yaml.unsafe_load yaml.unsafe_load_all", 0, ("stream",)),
    **_sinks(YAML, "yaml.full_load yaml.full_load_all", 0, ("stream",)),
    **_sinks(YAML, "yaml.Loader yaml.UnsafeLoader yaml.FullLoader yaml.CLoader", 0),
    **_sinks(YAML, "ruamel.yaml.load ruamel.yaml.load_all", 0, ("stream",), "not safe"),
    **_sinks(TEMPLATE, "jinja2.Template", 0, ("source",)),
    **_sinks(TEMPLATE, "flask.render_template_string", 0, ("source",)),
    **_sinks(TEMPLATE, "mako.template.Template", 0, ("text",)),
    **_sinks(TEMPLATE, "django.template.Template", 0, ("template_string",)),
    **_sinks(TEMPLATE, "tornado.template.Template", 0, ("template_string",)),
    **_sinks(TEMPLATE, "builtins.str.format builtins.str.format_map", 0),
}


@dataclass(frozen=True, slots=True)
class Method:
    """A sink that is a method of a value of a class that is not known by name."""

    sink: Sink
    modules: tuple[str, ...] = ()  # the file imports one of them; () says nothing
    receiver: str = ""  # a pattern in `conditions.RECEIVERS`, for the receiver


def _methods(
    rule: str,
    names: str,
    at: int | None = 0,
    *,
    modules: tuple[str, ...] = (),
    receiver: str = "",
    keywords: tuple[str, ...] = (),
) -> dict[str, Method]:
    return {
        name: Method(Sink(rule, name, at, keywords), modules, receiver) for name in names.split()
    }


_CODE = ("code", "IPython", "codeop")
METHODS: dict[str, Method] = {
    **_methods(TEMPLATE, "format format_map", None, receiver="text"),
    **_methods(
        TEMPLATE, "from_string", modules=("jinja2", "flask", "django"), keywords=("source",)
    ),
    **_methods(RUNS, "query eval", modules=("pandas",), receiver="frame", keywords=("expr",)),
    **_methods(RUNS, "runsource runcode run_cell", modules=_CODE, keywords=("source", "code")),
    **_methods(SHELL, "exec_command", modules=("paramiko",), keywords=("command",)),
    **_methods(SHELL, "subprocess_shell", 1, modules=("asyncio",), keywords=("cmd",)),
}

# Calls that call what they are given, with the other arguments: `map(eval, lines)`. Any call that
# is given one of the functions above is taken for one of them, but for these.
NOT_CALLING = frozenset(
    (
        *("isinstance", "issubclass", "id", "hash", "repr", "print", "callable", "hasattr"),
        *("setattr", "signature", "patch", "object", "wraps", "update_wrapper", "getsource"),
    )
)

WORDS = frozenset(
    {name.rpartition(".")[2] for name in FUNCTIONS} | set(METHODS) | {"read_pickle", "load"}
)
