"""Is an object what its registry holds? Looked at from outside, so that nothing heavy has to be imported for it.

Whether it also does what its contract says is for the conformance kits in `avdetect.testing`.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

WhyNot = Callable[[Any], str]
"""Empty if the object is of the kind, else what is missing."""
NEEDS_ONE = "point to an instance or a function, not to a class"


def _missing(thing: Any, *, methods: str = "", values: str = "") -> str:
    absent = [name for name in values.split() if not hasattr(thing, name)]
    absent += [f"{name}()" for name in methods.split() if not callable(getattr(thing, name, None))]
    return f"it has no {', '.join(absent)}" if absent else ""


def _takes(function: Callable[..., Any], *names: str, **options: Any) -> str:
    try:
        inspect.signature(function).bind(*names, **options)
    except TypeError as error:
        return f"it cannot be called with ({', '.join([*names, *options])}): {error}"
    except ValueError:  # some functions written in C say nothing of their arguments
        pass
    return ""


def detector(thing: Any) -> str:
    """A class is looked at before it is made; what it makes, and what a function makes, again afterwards."""
    if isinstance(thing, type):
        return _missing(thing, methods="evidence") or _takes(thing)
    return _missing(thing, values="name version modalities contract jittable", methods="evidence") or _input(thing)


def _input(thing: Any) -> str:
    if not set(thing.modalities) <= {"picture", "sound"}:
        return f"modalities are {sorted(thing.modalities)}; only 'picture' and 'sound' are known"
    return "" if hasattr(thing.contract, "max_ticks") else "contract is no avdetect.api.InputContract"


def source(thing: Any) -> str:
    """A class whose instances are made from the root of a data set."""
    return _missing(thing, methods="samples") if isinstance(thing, type) else "it is no class with samples()"


def forgery(thing: Any) -> str:
    """A ``Family``, or what looks like one."""
    if isinstance(thing, type):
        return NEEDS_ONE
    return _missing(thing, values="changes about needs_others same_person", methods="forge") or _takes(
        thing.forge, "clip", "rng", "others"
    )


def augmentation(thing: Any) -> str:
    """A function of a clip and a random generator."""
    if isinstance(thing, type):
        return NEEDS_ONE
    return _takes(thing, "clip", "rng") if callable(thing) else "it cannot be called"


def metric(thing: Any) -> str:
    """A ``Metric``, or what looks like one."""
    return NEEDS_ONE if isinstance(thing, type) else _missing(thing, values="title per_head", methods="why_not values")


def reporter(thing: Any) -> str:
    """A class is looked at before it is made; what it makes, and what a function makes, again afterwards."""
    if not isinstance(thing, type):
        return _missing(thing, methods="head each tail")  # what such a function has made
    return _missing(thing, methods="head each tail") or _takes(thing, "forms", single=True)


def engine(thing: Any) -> str:
    """A voice that reads text."""
    return NEEDS_ONE if isinstance(thing, type) else _missing(thing, methods="available speak")


def _encoder(methods: str) -> WhyNot:
    def why_not(thing: Any) -> str:
        if not isinstance(thing, type):
            return "it is no class of modules"
        options = getattr(thing, "Options", None)
        if not (isinstance(options, type) and dataclasses.is_dataclass(options)):
            return "it has no Options, a frozen dataclass of its settings"
        if not options.__dataclass_params__.frozen:  # pyright: ignore[reportAttributeAccessIssue]
            return "its Options are not frozen: decorate them with @dataclass(frozen=True)"
        return _missing(thing, methods=methods)

    return why_not


CHECKS: dict[str, WhyNot] = {
    "avdetect.detectors": detector,
    "avdetect.sources": source,
    "avdetect.forgeries": forgery,
    "avdetect.augmentations": augmentation,
    "avdetect.metrics": metric,
    "avdetect.visual_encoders": _encoder("__call__"),
    "avdetect.audio_encoders": _encoder("__call__ reach"),
    "avdetect.fusion_heads": _encoder("mismatch classes reach"),
    "avdetect.reporters": reporter,
    "avdetect.engines": engine,
}
"""By entry-point group."""
MADE_BY_CALLING = ("avdetect.detectors", "avdetect.reporters")
"""Groups whose entry is a class, or a function that makes the object; what it makes states the API version too."""
