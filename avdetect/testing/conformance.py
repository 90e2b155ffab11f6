"""What all kits share: a list of checks, and an error that says which check failed, of which plugin, and on what.

A kit is for the authors of plugins, as ``check_estimator`` of scikit-learn is for those of estimators. Each check looks
at one promise of a contract in `avdetect.api`. One that cannot be made, because the plugin does not promise that at
all, says why instead of passing in silence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from avdetect.api import API_VERSION
from avdetect.plugin_kinds import CHECKS

S = TypeVar("S")
LOADS = "loads"
"""Name of what comes before all checks: the plugin can be found and made."""


class ConformanceError(AssertionError):
    """A plugin does not do what its contract says.

    Attributes:
        seen: what was found instead.
        kind: of the plugin ("detector").
        plugin: its name, or that of its class.
        check: which check it fails.
    """

    def __init__(self, seen: str, *, kind: str = "", plugin: str = "", check: str = ""):
        self.seen, self.kind, self.plugin, self.check = seen, kind, plugin, check
        super().__init__(f"{kind} {plugin!r} fails the check {check!r}: {seen}" if check else seen)


class Broken(Exception):
    """Raised within a check: what was seen."""


class DoesNotApply(Exception):
    """Raised within a check: why it cannot be made of this plugin."""


def require(held: object, seen: str) -> None:
    """Fail the check that is being made unless something holds.

    Raises:
        Broken: it does not.
    """
    if not held:
        raise Broken(seen)


@dataclass(frozen=True)
class Kit(Generic[S]):
    """The checks of a kind of plugins.

    Attributes:
        kind: what they are ("detector").
        opened: from the plugin and the options of the kit to what the checks look at.
        checks: functions, each named for what it checks; the first line of its docstring says what is promised.
    """

    kind: str
    opened: Callable[..., S]
    checks: tuple[Callable[[S], None], ...]

    def pairs(self) -> list[tuple[str, Callable[..., str]]]:
        """Name and function of each check, for ``pytest.mark.parametrize``; nothing is loaded.

        The functions take what ``check_<kind>`` takes, raise a `ConformanceError`, and give the reason where the check
        does not apply (a text for ``pytest.skip``), else an empty text.
        """
        return [(_name(check), _Single(self, check)) for check in self.checks]

    def run(self, plugin: Any, *args: Any, **options: Any) -> dict[str, str]:
        """Make all checks.

        Returns:
            Those that do not apply, each with the reason.

        Raises:
            ConformanceError: at the first that fails.
        """
        subject = self.open(plugin, *args, **options)
        reasons = {_name(check): self.make(check, subject, plugin) for check in self.checks}
        return {name: reason for name, reason in reasons.items() if reason}

    def open(self, plugin: Any, *args: Any, **options: Any) -> S:
        """What the checks look at; a plugin that cannot be found or made fails ``loads``."""
        try:
            return self.opened(plugin, *args, **options)
        except (Exception, SystemExit) as error:
            raise self._error(LOADS, plugin, _told(error)) from error

    def make(self, check: Callable[[S], None], subject: S, plugin: Any) -> str:
        """Make one check; the reason if it does not apply."""
        try:
            check(subject)
        except DoesNotApply as reason:
            return str(reason)
        except Broken as broken:
            raise self._error(_name(check), plugin, str(broken)) from None
        except (Exception, SystemExit) as error:
            raise self._error(_name(check), plugin, _told(error)) from error
        return ""

    def _error(self, check: str, plugin: Any, seen: str) -> ConformanceError:
        return ConformanceError(seen, kind=self.kind, plugin=named(plugin), check=check)


@dataclass(frozen=True)
class _Single:
    """One check as a function that opens the plugin itself."""

    kit: Kit[Any]
    check: Callable[[Any], None]

    def __call__(self, plugin: Any, *args: Any, **options: Any) -> str:
        return self.kit.make(self.check, self.kit.open(plugin, *args, **options), plugin)


def _name(check: Callable[..., None]) -> str:
    return check.__name__.strip("_")


def _told(error: BaseException) -> str:
    return f"it raised {type(error).__name__}: {error}" if str(error) else f"it raised {type(error).__name__}"


def named(plugin: Any) -> str:
    """How messages call a plugin: as it was named, or by its class or function."""
    if isinstance(plugin, str):
        return plugin
    thing = plugin if hasattr(plugin, "__qualname__") else type(plugin)
    return f"{thing.__module__}:{thing.__qualname__}"


def require_version(thing: Any) -> None:
    """That it states the API version itself, as a whole number, and this one."""
    stated = getattr(thing, "api_version", None)
    require(stated is not None, f"it states no api_version; add api_version = {API_VERSION}")
    require(
        type(stated) is int and stated == API_VERSION,
        f"it states api_version {stated!r}; the contracts here are of version {API_VERSION}",
    )


def require_kind(group: str, thing: Any) -> None:
    """That the registry of an entry-point group would take it."""
    reason = CHECKS[group](thing)
    require(not reason, f"the registry refuses it: {reason}")


@contextmanager
def global_chance(seed: int) -> Iterator[None]:
    """Global random generators in a known state, which differs from call to call of a check; as before afterwards."""
    # What is under test may use the old generator, whatever is advised.
    kept = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
