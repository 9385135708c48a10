"""What runs inside of the target: reads, writes an answer, leaves nothing.

It is given to the target as text. It imports nothing, calls no code of the user's, and keeps no
name: what it uses is there in every CPython.
"""

from __future__ import annotations

# {answer}, {script} and {wanted} are filled in as literals.
TEXT = """\
def coscope():
    import sys, builtins
    write = {answer!r}
    wanted = {wanted!r}
    most = {most!r}
    plain = (int, float, bool, type(None), str, bytes)
    sized = (list, tuple, dict, set, frozenset, bytearray)
    qualname = type.__dict__["__qualname__"].__get__
    module_of = type.__dict__["__module__"].__get__
    namespace_of = type.__dict__["__dict__"].__get__

    def is_one(kind, kinds):
        for each in kinds:
            if each is kind:
                return True
        return False

    def kind_name(thing):
        kind = type(thing)
        module = module_of(kind)
        name = str.__str__(qualname(kind))
        if type(module) is not str or module == "builtins":
            return name
        return module + "." + name

    def text(thing):
        kind = type(thing)
        if is_one(kind, plain):
            if kind is int and int.bit_length(thing) > 200:
                return "<int of %d bits>" % int.bit_length(thing)
            if (kind is str or kind is bytes) and len(thing) > 60:
                return repr(thing[:57]) + "..."
            return repr(thing)
        if is_one(kind, sized):
            return "<%s of %d items>" % (kind.__name__, len(thing))
        if kind is type(text):
            return "<function %s>" % str.__str__(thing.__qualname__)
        return "<%s at %#x>" % (kind_name(thing), id(thing))

    def value(thing):
        return [kind_name(thing), text(thing)]

    codes = {{}}
    held = []

    def constant(thing, depth):
        kind = type(thing)
        if kind is code_type:
            return ["code", str.__str__(thing.co_qualname)]
        if kind is int and int.bit_length(thing) > 200:
            return ["other", "int", 0]
        if is_one(kind, plain):
            return ["plain", thing if kind is not float else repr(thing), kind.__name__]
        if kind is tuple and depth:
            return ["tuple", [constant(each, depth - 1) for each in thing]]
        return ["other", kind_name(thing), id(thing)]

    code_type = type(coscope.__code__)

    def code(co):
        if id(co) in codes:
            return codes[id(co)][0]
        number = len(codes)
        held.append(co)
        codes[id(co)] = number, [
            co.co_name, co.co_qualname, co.co_filename, co.co_firstlineno, co.co_argcount,
            co.co_posonlyargcount, co.co_kwonlyargcount, co.co_nlocals, co.co_stacksize,
            co.co_flags, co._co_code_adaptive, [constant(each, 3) for each in co.co_consts],
            list(co.co_names), list(co.co_varnames), list(co.co_cellvars), list(co.co_freevars),
            co.co_linetable, co.co_exceptiontable,
        ]
        return number

    def frame(each):
        found = []
        if each.f_code.co_flags & 1:
            names = each.f_code.co_varnames + each.f_code.co_cellvars + each.f_code.co_freevars
            local = each.f_locals
            for name in names[:most]:
                try:
                    found.append([name, value(local[name])])
                except KeyError:
                    pass
        return [code(each.f_code), each.f_lasti, each.f_lineno, found]

    def threads():
        names = {{}}
        threading = sys.modules.get("threading")
        active = None if threading is None else vars(threading).get("_active")
        if type(active) is dict:
            for number, thread in list(active.items()):
                try:
                    name = object.__getattribute__(thread, "_name")
                except AttributeError:
                    continue
                if type(name) is str:
                    names[number] = name
        found = []
        for number, each in list(sys._current_frames().items())[:most]:
            frames = []
            if within(each):
                each = coscope_frame.f_back.f_back
            while each is not None and len(frames) < most:
                frames.append(frame(each))
                each = each.f_back
            found.append([number, names.get(number), frames])
        return found

    def within(each):
        while each is not None:
            if each is coscope_frame:
                return True
            each = each.f_back
        return False

    def member(owner, name):
        if type(owner) is type(sys):
            return vars(owner).get(name, held)
        if isinstance_of_type(owner):
            for base in type.__dict__["__mro__"].__get__(owner):
                space = namespace_of(base)
                if name in space:
                    return space[name]
        return held

    def isinstance_of_type(thing):
        return type in type.__dict__["__mro__"].__get__(type(thing))

    def unwrapped(thing):
        if type(thing) is staticmethod or type(thing) is classmethod:
            return thing.__func__
        if type(thing) is property and thing.fget is not None:
            return thing.fget
        return thing

    def cells(function):
        found = []
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            try:
                found.append([name, value(cell.cell_contents)])
            except ValueError:
                found.append([name, None])
        return found

    def function_named(module, path):
        thing = sys.modules.get(module)
        if thing is None:
            return "the target has not imported " + module
        for name in path.split("."):
            thing = unwrapped(member(thing, name))
            if thing is held:
                return "%s has no %s" % (module, path)
        if type(thing) is not type(text):
            return "%s:%s is not a Python function: %s" % (module, path, kind_name(thing))
        return [[module + ":" + path, code(thing.__code__), cells(thing)]]

    def functions():
        found, listed = [], {{}}
        for module, thing in list(sys.modules.items()):
            if type(thing) is not type(sys) or type(module) is not str:
                continue
            for name, each in list(vars(thing).items()):
                members = [[name, each]]
                if isinstance_of_type(each) and type(name) is str:
                    members = [
                        [name + "." + key, held_there]
                        for key, held_there in list(namespace_of(each).items())
                        if type(key) is str
                    ]
                for path, each in members:
                    each = unwrapped(each)
                    if type(each) is type(text) and each.__module__ == module:
                        if id(each.__code__) not in listed and len(found) < most * 100:
                            listed[id(each.__code__)] = each
                            found.append([module + ":" + path, code(each.__code__), []])
        return found

    coscope_frame = sys._getframe()
    answer = {{"release": sys.version.split()[0], "executable": sys.executable}}
    answer["threads"] = threads()
    if wanted == "--hot":
        answer["functions"] = functions()
    elif wanted is not None:
        answer["functions"] = function_named(*wanted)
    answer["codes"] = [each[1] for each in codes.values()]
    data = repr(answer).encode("utf-8", "backslashreplace")
    system = sys.modules.get("posix") or sys.modules.get("nt")
    number = system.open(write + ".part", system.O_WRONLY | system.O_CREAT | system.O_EXCL, 0o600)
    try:
        while data:
            data = data[system.write(number, data):]
    finally:
        system.close(number)
    system.rename(write + ".part", write)

try:
    coscope()
except BaseException as error:
    try:
        with open({answer!r} + ".failed", "w") as file:
            file.write(type(error).__name__)
    except BaseException:
        pass
"""

# Takes the place of the script when nobody waits for the answer any more.
NOTHING = """\
def coscope():
    import sys
    system = sys.modules.get("posix") or sys.modules.get("nt")
    try:
        system.unlink({script!r})
        system.rmdir({folder!r})
    except OSError:
        pass

coscope()
"""
