"""Which rules look at which code objects of a file: decided by glances, before decoding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from coscope.audits.prefilter.aliases import aliases_in, lends
from coscope.audits.prefilter.glances import Glance, Overview, first_parts, free_of
from coscope.audits.selection import holds
from coscope.opcodes import table
from coscope.rules import Rule


class _Trigger:
    """What one rule declares, for one version."""

    __slots__ = ("loops", "may_find", "modules", "opcodes", "rule", "tight")

    def __init__(self, rule: Rule, version: str) -> None:
        rows = table(version).opcodes
        self.rule = rule
        self.modules = rule.modules
        self.loops = rule.loops
        self.tight = rule.tight
        self.may_find = rule.may_find
        # None: it says nothing of opcodes.
        self.opcodes = (
            tuple(rows[name].code for name in rule.opnames if name in rows)
            if rule.opnames
            else None
        )

    def fires(self, seen: Glance) -> bool:
        """True if the rule may find something."""
        if self.loops:
            units = seen.inside(self.tight)
            if not units:
                return False
        else:
            units = seen.units
        if self.opcodes is not None:
            for opcode in self.opcodes:
                if opcode in units:
                    break
            else:
                return False
        if self.modules and not self._imports(seen):
            return False
        return self.may_find is None or self.may_find(seen)

    def _imports(self, seen: Glance) -> bool:
        modules = self.modules
        return not (
            modules.isdisjoint(seen.file.roots) and modules.isdisjoint(first_parts(seen.names))
        )


Pulled = tuple[Any, Any, list[Rule]]  # a code object, the one around it, and the rules


class Plan:
    """The static rules of a selection that hold for one version."""

    def __init__(self, rules: Iterable[Rule], version: str, compiled: bool) -> None:
        triggers = [
            _Trigger(rule, version)
            for rule in rules
            if _is_static(rule, compiled) and holds(rule, version)
        ]
        self.rules = tuple(trigger.rule for trigger in triggers)
        # Each trigger is in the first group that fits: the cheapest question is asked first.
        self.named: dict[str, list[_Trigger]] = {}
        self.celled: list[_Trigger] = []
        self.constant: list[_Trigger] = []
        self.looping: list[_Trigger] = []
        self.tight: list[_Trigger] = []
        self.others: list[_Trigger] = []
        for trigger in triggers:
            for name in trigger.rule.names:
                self.named.setdefault(name, []).append(trigger)
            if not trigger.rule.names:
                self._group(trigger.rule).append(trigger)
        self.names = frozenset(self.named)
        self.aliased = any(each.rule.aliases for each in triggers)
        self.longest = min((each.rule.constants for each in self.constant), default=None)

    def _group(self, rule: Rule) -> list[_Trigger]:
        """The triggers that are asked together with a rule's."""
        if rule.cells:
            return self.celled
        if rule.constants:
            return self.constant
        if rule.tight:
            return self.tight
        return self.looping if rule.loops else self.others

    def find(self, file: Overview) -> tuple[int, list[Pulled]]:
        """How many code objects a file has; and those in which rules may find something."""
        found = []
        count = 0
        looping = bool(self.looping or self.tight)
        # Other names of what rules with aliases look for; by id(), code of which a variable may
        # hold it: with those rules.
        aliases: dict[str, dict[Rule, None]] = {}
        lent: dict[int, tuple[Rule, ...]] = {}
        for code, parent, names, cells, consts, long in _walk(file, self):
            count += 1
            triggers: list[_Trigger] = []
            if not self.names.isdisjoint(names):
                triggers += self._by_name(names)
            if cells:
                triggers += self.celled
            if long:
                triggers += self.constant
            loops = looping and file.may_loop(code)
            triggers += self.others
            other = bool(aliases or lent) and (
                not aliases.keys().isdisjoint(names) or (id(parent) in lent and bool(free_of(code)))
            )
            if triggers or loops or other:
                seen = Glance(code, file, parent, names, consts)
                if loops and seen.inside(tight=False):
                    triggers += self.looping
                    if seen.inside(tight=True):
                        triggers += self.tight
                fired = [each.rule for each in triggers if each.fires(seen)]
                if other:
                    more = dict.fromkeys(lent.get(id(parent), ()) if free_of(code) else ())
                    for name in aliases.keys() & set(names):
                        more |= aliases[name]
                    fired += [each for each in self.rules if each in more and each not in fired]
                if self.aliased:
                    self._note(seen, fired, aliases, lent)
                if fired:
                    found.append((code, parent, fired))
        return count, found

    @staticmethod
    def _note(
        seen: Glance,
        fired: Iterable[Rule],
        aliases: dict[str, dict[Rule, None]],
        lent: dict[int, tuple[Rule, ...]],
    ) -> None:
        """Note under which other names the code has a function that a rule looks for."""
        rules = tuple(rule for rule in fired if rule.aliases)
        for rule in rules:
            for name in aliases_in(seen, rule.names):
                aliases.setdefault(name, {})[rule] = None
        if rules and lends(seen):
            lent[id(seen.code)] = rules

    def _by_name(self, names: Iterable[str]) -> Iterable[_Trigger]:
        """The triggers that one of the names pulls, each once."""
        held = self.names.intersection(names)
        return dict.fromkeys(each for name in sorted(held) for each in self.named[name])


def _is_static(rule: Rule, compiled: bool) -> bool:
    """True for a rule that needs neither live objects nor a run, and that this code is for."""
    return not rule.live and not rule.warm and (compiled or not rule.compiled)


_Seen = tuple[Any, Any, tuple[str, ...], tuple[str, ...], tuple[object, ...], bool]


def _walk(file: Overview, plan: Plan) -> Iterator[_Seen]:
    """Each code object of a file in the order of `Code.walk()`, with what is asked of all."""
    fields, kind, longest = file.fields, file.kind, plan.longest
    pending: list[tuple[object, object]] = [(file.module, None)]
    while pending:
        code, parent = pending.pop()
        names, cells, consts = fields(code)
        long = False
        nested = []
        for each in consts:
            if type(each) is kind:
                nested.append((each, code))
            elif longest is not None and not long and type(each) in _TEXTS:
                long = len(each) >= longest
        yield code, parent, names, cells, consts, long
        nested.reverse()
        pending += nested


_TEXTS = (str, bytes)


@lru_cache(maxsize=32)
def plan_of(rules: tuple[Rule, ...], version: str, compiled: bool) -> Plan:
    """The plan of a selection of rules, made once."""
    return Plan(rules, version, compiled)
