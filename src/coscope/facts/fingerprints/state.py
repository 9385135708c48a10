"""Functions of the standard library whose answer depends on the state of the process.

What they read is in no object that the target reaches, so that it can only be listed.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType

from coscope.facts.fingerprints.provenance import origin_of_module_name

# Module -> its functions, and what they read.
_READERS: dict[str, tuple[str, str]] = {
    "decimal": ("getcontext localcontext", "the decimal context"),
    "_decimal": ("getcontext localcontext", "the decimal context"),
    "locale": (
        "getlocale localeconv getpreferredencoding getencoding setlocale str format_string currency"
        " atof atoi delocalize strcoll strxfrm nl_langinfo",
        "the locale",
    ),
    "_locale": ("localeconv setlocale strcoll strxfrm nl_langinfo getencoding", "the locale"),
    "warnings": ("warn warn_explicit showwarning catch_warnings", "the warnings filters"),
    "_warnings": ("warn warn_explicit", "the warnings filters"),
    "sys": (
        "getrecursionlimit getswitchinterval gettrace getprofile get_int_max_str_digits"
        " getdefaultencoding getfilesystemencoding get_asyncgen_hooks",
        "a setting of the interpreter",
    ),
    "os": ("getcwd getenv getpid getuid umask getenvb get_exec_path", "the state of the process"),
    "posix": ("getcwd getpid getuid umask", "the state of the process"),
    "gc": ("isenabled get_threshold get_objects get_referrers get_count", "the garbage collector"),
    "random": ("getstate random randint choice shuffle sample", "the generator of random numbers"),
    "logging": ("getLogger getLevelName root", "the loggers and their levels"),
    "threading": ("current_thread active_count enumerate local", "the threads"),
    "signal": ("getsignal getitimer", "the signal handlers"),
    "socket": ("getdefaulttimeout", "the default of the module socket"),
    "contextvars": ("copy_context", "the context"),
    "codecs": ("lookup lookup_error getencoder getdecoder", "the registered codecs"),
    "_codecs": ("lookup lookup_error encode decode", "the registered codecs"),
    "mimetypes": ("guess_type guess_extension", "the registered types"),
    "tempfile": ("gettempdir", "the default of the module tempfile"),
    "functools": ("_find_impl", "registered classes"),
    "weakref": ("getweakrefcount getweakrefs", "the weak references of an object"),
    "asyncio": ("get_event_loop get_running_loop current_task all_tasks", "the event loop"),
    "linecache": ("getline getlines", "a cache of source lines"),
    "re": ("purge", "the cache of patterns"),
}

STATEFUL_METHODS = frozenset(("__subclasses__", "cache_info", "getrefcount"))


def state_read_by(thing: object) -> str | None:
    """What a function reads of the state of the process; None for any other object."""
    if type(thing) is not FunctionType and type(thing) is not BuiltinFunctionType:
        return None
    module: object = thing.__module__
    if type(module) is not str:
        return None
    names, reason = _READERS.get(module.partition(".")[0], ("", ""))
    if thing.__name__ not in names.split() or origin_of_module_name(module).kind != "python":
        return None
    return f"it reads {reason}"
