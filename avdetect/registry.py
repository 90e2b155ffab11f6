"""Names to implementations: built in, installed beside, registered by the running program, or named by their place.

All four come through the same door: they state the API version that they were written for, and are what their kind
asks for. Listing imports nothing; what is broken fails when it is asked for, and says whose it is.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from avdetect import __version__
from avdetect.api import API_VERSION
from avdetect.plugin_errors import PluginError, PluginWarning, UnknownPlugin
from avdetect.plugin_kinds import CHECKS, MADE_BY_CALLING, WhyNot
from avdetect.plugin_local import attribute_at, is_local
from avdetect.plugin_scan import SWITCH, allowed, installed, plugins_off

__all__ = ["Entry", "PluginError", "PluginWarning", "Registry", "UnknownPlugin"]

State = Literal["built-in", "installed", "registered", "duplicate", "off", "local"]
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A name and what it stands for.

    Attributes:
        name: what users write.
        kind: "forgery".
        target: ``package.module:attribute``.
        distribution: whose it is; empty for code of the running program.
        version: of the distribution.
        state: ``built-in``; ``installed`` (an entry point); ``registered`` (by the running program); ``duplicate``
            (the name is taken, see :meth:`Registry.get`); ``off`` (switched off); ``local`` (named by its place).
    """

    name: str
    kind: str
    target: str
    distribution: str
    version: str
    state: State

    @property
    def owner(self) -> str:
        """Distribution and version, for messages."""
        return f"{self.distribution} {self.version}".strip() or f"the running program ({self.target})"


class Registry:
    """Implementations of one kind by name.

    Args:
        kind: what they are, for messages ("forgery").
        group: entry-point group of third parties' ("avdetect.forgeries").
        builtins: name to ``package.module:attribute``.
        check: says why an object is not of the kind; by default that of the group.
    """

    def __init__(self, kind: str, group: str, builtins: Mapping[str, str], *, check: WhyNot | None = None):
        self.kind, self.group = kind, group
        self._builtins = dict(builtins)
        self._registered: dict[str, tuple[Entry, Any]] = {}
        self._check: WhyNot = check or CHECKS.get(group, lambda thing: "")
        self._checked: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Registry({self.kind!r}, {self.group!r})"

    def builtins(self) -> list[str]:
        """Names of what is built in, in order of their lines."""
        return list(self._builtins)

    def names(self) -> list[str]:
        """All names that can be asked for, built-ins first; imports nothing."""
        return list(dict.fromkeys([*self._builtins, *(e.name for e in self._plugins() if e.state != "off")]))

    def entries(self) -> list[Entry]:
        """Everything there is, usable or not; imports nothing. A name that two claim is there twice."""
        return [*map(self._builtin, self._builtins), *self._plugins()]

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    def get(
        self, spec: str, *, allow_local: bool = True, allow: Collection[str] | None = None, asked_by: str = ""
    ) -> Any:
        """The implementation that a name stands for.

        Args:
            spec: a name; or ``package.module:attribute`` or ``path/to/file.py:attribute``, whose code is run.
            allow_local: whether ``spec`` may be such a place. Must be false where not the user wrote it.
            allow: names of plugins, or of distributions, that may be loaded beside the built-ins; ``None`` = any. To be
                given where the name comes from a bundle or a stored configuration: having a plugin installed does not
                mean to let others' files start it. Those of ``AVDETECT_ALLOW_PLUGINS`` are added; ``*`` is every one
                that is installed. Code named by its place must be in it literally.
            asked_by: which bundle or file asks, for messages.

        Raises:
            UnknownPlugin: there is none of this name (a ``KeyError`` too); the message lists those that exist.
            PluginError: it is refused, two distributions claim the name, its import fails, it states another API
                version or none, or it is of another kind. Names the distribution, its version and the cause.
        """
        entry = self.find(spec, allow_local=allow_local, allow=allow, asked_by=asked_by)
        thing = self._load(entry)
        if self.group in MADE_BY_CALLING and not isinstance(thing, type):
            return functools.partial(self._make, entry, thing)  # so that what it makes goes through the door
        return thing

    def create(self, spec: str, *args: Any, **options: Any) -> Any:
        """What the class or function of that name makes when it is called with the arguments.

        Raises:
            PluginError: see :meth:`get`; or making it fails, or what is made is of another kind.
        """
        entry = self.find(spec)
        return self._make(entry, self._load(entry), *args, **options)

    def find(
        self, spec: str, *, allow_local: bool = True, allow: Collection[str] | None = None, asked_by: str = ""
    ) -> Entry:
        """As :meth:`get`, but says only what would be loaded, and imports nothing."""
        off = plugins_off()
        rivals = [entry for entry in self._plugins() if entry.name == spec]
        if spec in self._builtins:
            if rivals and not off:
                others = ", ".join(entry.owner for entry in rivals)
                text = f"{others}: its {self.kind} {spec!r} is not used, since avdetect has one of that name built in"
                warnings.warn(text, PluginWarning, stacklevel=3)
            return self._builtin(spec)
        if off and (rivals or is_local(spec)):
            what = f"is of {rivals[0].owner}" if rivals else "is not built in"
            raise self._error(spec, f"it {what}, and plugins are off ({SWITCH}=off or --no-plugins)")
        if len(rivals) > 1:
            owners = " and ".join(f"{entry.owner} ({entry.target})" for entry in rivals)
            raise self._error(
                spec, f"{owners} both claim this name; uninstall one, or name its place, as in {rivals[0].target}"
            )
        if rivals:
            return self._permitted(rivals[0], allow, asked_by)
        if not is_local(spec):
            near = difflib.get_close_matches(spec, self.names(), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownPlugin(f"no {self.kind} is called {spec!r}; there are: {', '.join(self.names())}{hint}")
        if not (allow_local if allow is None else spec in {*allow, *allowed()}):
            who = asked_by or "a stored configuration"
            raise self._error(
                spec, f"{who} asks for code by its place, which only you may do; nothing was run. Name it yourself"
            )
        return Entry(spec, self.kind, spec, "", "", "local")

    def blame(self, spec: str, cause: str) -> PluginError:
        """An error that names whose the implementation is, for those who call it and see it fail."""
        return self._error(spec, cause, self.find(spec))

    def register(self, name: str, *, api_version: int | None = None) -> Callable[[T], T]:
        """Decorator: make something of the running program available under a name.

        Args:
            name: what users write.
            api_version: for functions, which cannot state it themselves so well.

        Raises:
            PluginError: the name is taken by a built-in or by other code; or see :meth:`get`.

        Examples:
            >>> from avdetect.augment import AUGMENTATIONS
            >>> @AUGMENTATIONS.register("nothing", api_version=1)
            ... def nothing(clip, rng):
            ...     return clip
            >>> AUGMENTATIONS.get("nothing") is nothing
            True
        """

        def decorate(thing: T) -> T:
            module = getattr(thing, "__module__", type(thing).__module__)
            target = f"{module}:{getattr(thing, '__qualname__', type(thing).__qualname__)}"
            entry = Entry(name, self.kind, target, "", "", "registered")
            rival = self._builtin(name) if name in self._builtins else self._registered.get(name, (entry,))[0]
            if rival.target != target:  # the same code run again, as in a notebook, takes its own place
                raise self._error(name, f"{target} cannot take this name, {rival.owner} has it already", target=target)
            if api_version is not None:
                thing.api_version = api_version  # type: ignore[attr-defined]
            self._accept(entry, thing)
            self._registered[name] = (entry, thing)
            return thing

        if is_local(name) or not name:
            raise self._error(name, "a name must not be empty, nor have a colon in it")
        return decorate

    def _builtin(self, name: str) -> Entry:
        return Entry(name, self.kind, self._builtins[name], "avdetect", __version__, "built-in")

    def _plugins(self) -> list[Entry]:
        """All that is not built in, with its state."""
        found = [
            Entry(f.name, self.kind, f.target, f.distribution, f.version, "installed") for f in installed(self.group)
        ]
        found += [entry for entry, _ in self._registered.values()]
        names = [*self._builtins, *(entry.name for entry in found)]
        off = plugins_off()

        def state(entry: Entry) -> State:
            return "off" if off else "duplicate" if names.count(entry.name) > 1 else entry.state

        return [Entry(e.name, e.kind, e.target, e.distribution, e.version, state(e)) for e in found]

    def _permitted(self, entry: Entry, allow: Collection[str] | None, asked_by: str) -> Entry:
        if allow is None or entry.state == "registered" or {"*", entry.name, entry.distribution} & {*allow, *allowed()}:
            return entry
        who = asked_by or "a stored configuration"
        raise self._error(
            entry.name,
            f"{who} asks for it, which does not suffice to run a plugin; nothing was run. "
            f"If you trust it, say so: --allow-plugin {entry.name}, or AVDETECT_ALLOW_PLUGINS={entry.name}",
            entry,
        )

    def _load(self, entry: Entry) -> Any:
        if not entry.distribution and entry.name in self._registered:
            thing = self._registered[entry.name][1]
        else:
            try:
                with contextlib.redirect_stdout(sys.stderr):  # stdout is for data
                    thing = attribute_at(entry.target)
            except (Exception, SystemExit) as error:  # importing may do anything, leaving the program included
                text = str(error) or "no further message"
                owner = entry.distribution
                advice = f"; repair it, or uninstall {owner}" if owner not in ("", "avdetect") else ""
                raise self._error(
                    entry.name, f"it cannot be imported: {type(error).__name__}: {text}{advice}", entry
                ) from error
        if self._checked.get(entry.target) is not thing:
            self._accept(entry, thing)
            self._checked[entry.target] = thing
        return thing

    def _make(self, entry: Entry, factory: Callable[..., T], *args: Any, **options: Any) -> T:
        try:
            with contextlib.redirect_stdout(sys.stderr):
                made = factory(*args, **options)
        except (Exception, SystemExit) as error:
            raise self._error(entry.name, f"making it failed: {type(error).__name__}: {error}", entry) from error
        self._accept(entry, made, made=True)
        return made

    def _accept(self, entry: Entry, thing: Any, *, made: bool = False) -> None:
        """The door."""
        if self.group in MADE_BY_CALLING and not made and not isinstance(thing, type):
            if not callable(thing):
                raise self._error(
                    entry.name, "point to the class, or to a function that makes it, not to an instance", entry
                )
            return  # what the function makes is looked at
        if reason := _wrong_version(getattr(thing, "api_version", None), entry):
            raise self._error(entry.name, reason, entry)
        try:
            reason = self._check(thing)
        except Exception as error:
            reason = f"looking at it failed: {type(error).__name__}: {error}"
        if reason:
            what = f"the class {thing.__name__}" if isinstance(thing, type) else type(thing).__name__
            raise self._error(entry.name, f"{what} is no {self.kind}: {reason}", entry)

    def _error(self, name: str, cause: str, entry: Entry | None = None, *, target: str = "") -> PluginError:
        if entry is None:
            return PluginError(cause, kind=self.kind, name=name, target=target)
        return PluginError(
            cause,
            kind=self.kind,
            name=name,
            distribution=entry.distribution,
            version=entry.version,
            target=entry.target,
        )


def _wrong_version(stated: object, entry: Entry) -> str:
    """Why the API version that something states does not fit; empty if it does."""
    here = f"avdetect {__version__} has plugin API {API_VERSION}"
    if not isinstance(stated, int) or isinstance(stated, bool) or stated == 0:
        said = "states no api_version" if stated in (None, 0) else f"states the api_version {stated!r}"
        return f"it {said}; {here}: add api_version = {API_VERSION} once it keeps the contract in avdetect.api"
    if stated == API_VERSION:
        return ""
    owner = entry.distribution or "the code"
    advice = f"update {owner}" if stated < API_VERSION else f"update avdetect, or take an older {owner}"
    return f"it is written for plugin API {stated}; {here}: {advice}"
