"""Does a metric do what `avdetect.evaluation.metric` says, and does it measure what it says?"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from avdetect.evaluation.metric import HEADS, Context, Metric
from avdetect.evaluation.registry import METRICS
from avdetect.evaluation.table import ScoreTable
from avdetect.testing.comparing import difference
from avdetect.testing.conformance import (
    Broken,
    DoesNotApply,
    Kit,
    global_chance,
    require,
    require_kind,
    require_version,
)
from avdetect.testing.score_tables import THRESHOLDS, scored, without

SAME = 1e-9
"""By how much a number may change where only the order of the summands does."""
SLACK = 1e-3
"""Of the comparison of perfect, constant and inverted scores."""


@dataclass(frozen=True)
class Subject:
    """A metric, what it is called, and values that its author knows it has."""

    metric: Metric
    name: str
    known: Mapping[str, Any]

    @property
    def heads(self) -> list[str]:
        """Whose scores it is asked about: probabilities, and logits if it takes them."""
        return ["verdict"] if "probability" in self.metric.also or not self.metric.per_head else ["verdict", "visual"]

    def context(self, head: str) -> Context:
        """With no more than it says it needs."""
        return Context(HEADS[head], threshold=THRESHOLDS[head] if "threshold" in self.metric.also else None)

    def values(self, table: ScoreTable, head: str, context: Context | None = None) -> dict[str, float]:
        """Its values; looked at.

        Raises:
            Broken: they are no numbers by name, or infinite.
        """
        found: Any = self.metric.values(self.name, table, context or self.context(head))
        require(isinstance(found, dict) and found, f"values() gave {found!r}; it must give numbers by name")
        for key, value in found.items():
            require(
                isinstance(key, str) and key.startswith(self.name), f"a value is called {key!r}, not {self.name!r} ..."
            )
            require(isinstance(value, float), f"{key} is {value!r}; it must be a number, NaN where there is none")
            require(not math.isinf(value), f"{key} is infinite")
        return found

    @functools.cached_property
    def measured(self) -> dict[tuple[str, str], dict[str, float]]:
        """Values by head and kind of scores."""
        kinds = ("usual", "perfect", "constant", "inverted")
        return {(head, kind): self.values(scored(kind), head) for head in self.heads for kind in kinds}


def _opened(plugin: Any, *, known: Mapping[str, Any] | None = None) -> Subject:
    if isinstance(plugin, str):
        return Subject(METRICS.get(plugin), plugin, known or {})
    return Subject(plugin, "metric", known or {})


def _api_version(s: Subject) -> None:
    """The API version is stated."""
    require_version(s.metric)


def _declared(s: Subject) -> None:
    """It has a title, and says what it needs in the words that there are for it."""
    m = s.metric
    require_kind("avdetect.metrics", m)
    require(isinstance(m.title, str) and m.title, f"its title is {m.title!r}; it must be a text")
    require(isinstance(m.needs, tuple), f"needs is {m.needs!r}; it must be a tuple of columns")
    require(
        isinstance(m.also, tuple) and set(m.also) <= {"probability", "threshold"},
        f"also is {m.also!r}; it may hold 'probability' and 'threshold'",
    )
    require(m.better in ("higher", "lower"), f"better is {m.better!r}; it must be 'higher' or 'lower'")
    require(isinstance(m.per_head, bool), f"per_head is {m.per_head!r}; it must be True or False")
    reason: Any = m.why_not(scored("usual"), s.context("verdict"))
    require(reason == "", f"with all columns there, why_not() gave {reason!r}; it must give an empty text")


def _numbers(s: Subject) -> None:
    """It is a number, or several by name; of ordinary clips not NaN."""
    for head in s.heads:
        found = s.measured[head, "usual"]
        lost = [key for key, value in found.items() if math.isnan(value)]
        require(not lost, f"{', '.join(lost)} is NaN for ordinary scores of the head {head!r}")


def _orientation(s: Subject) -> None:
    """Perfect scores are the best, in the direction that ``better`` says, and inverted ones worse."""
    sign = 1 if s.metric.better == "higher" else -1
    for head in s.heads:
        perfect, constant, inverted = (s.measured[head, kind] for kind in ("perfect", "constant", "inverted"))
        require(list(perfect) == list(inverted), f"its values are {list(perfect)} for one table, {list(inverted)} else")
        for key, best in perfect.items():
            for kind, others in (("constant", constant), ("inverted", inverted)):
                other = others.get(key, math.nan)
                require(
                    not sign * (other - best) > SLACK,
                    f"{key} is {best:.4g} for perfect and {other:.4g} for {kind} scores (head {head!r}), "
                    f"and {s.metric.better} is said to be better",
                )
        if s.metric.per_head:
            require(
                any(sign * (best - inverted[key]) > SLACK for key, best in perfect.items()),
                f"perfect and inverted scores of the head {head!r} get the same: {perfect}",
            )


def _known_values(s: Subject) -> None:
    """It has the values that its author says, for perfect, constant and inverted scores."""
    if not s.known:
        raise DoesNotApply("no known values were given")
    for kind, told in s.known.items():
        found = s.values(scored(kind), "verdict")
        wanted = {s.name: told} if not isinstance(told, Mapping) else {f"{s.name} {k}": v for k, v in told.items()}
        for key, value in wanted.items():
            require(key in found, f"there is no value {key}; there are {', '.join(found)}")
            require(
                abs(found[key] - value) <= SLACK or (math.isnan(value) and math.isnan(found[key])),
                f"{key} of {kind} scores is {found[key]:.6g}; it should be {value:.6g}",
            )


def _unscored(s: Subject) -> None:
    """Clips without a score, or with NaN, or without a label, are left out, and fail nothing."""
    for head in s.heads:
        column = HEADS[head].column
        for what, value in (("no score", None), ("the score NaN", math.nan)):
            table = scored("usual", more=[{column: value}] * 5)
            _left_out(s, head, table, f"five more clips that have {what}")
        table = scored("usual", more=[{"visual_fake": None, "audio_fake": None, "segments": None}] * 5)
        _left_out(s, head, table, "five more clips without a label")


def _left_out(s: Subject, head: str, table: ScoreTable, what: str) -> None:
    found = s.values(table, head)
    if s.metric.per_head:
        d = difference(s.measured[head, "usual"], found, tolerance=SAME)
        require(not d, f"with {what} (head {head!r}): {d}")


def _single_class(s: Subject) -> None:
    """Of genuine clips alone, of forged ones alone, of one clip and of none it gives a number or NaN."""
    usual = scored("usual")
    fake = usual.fake() == 1
    rows = {"genuine clips alone": ~fake, "forged clips alone": fake, "no clips": np.zeros(len(usual), bool)}
    rows |= {"one genuine clip": np.flatnonzero(~fake)[:1], "one forged clip": np.flatnonzero(fake)[:1]}
    for what, chosen in rows.items():
        for head in s.heads:
            _does_not_fail(s, usual.take(chosen), head, what)


def _does_not_fail(s: Subject, table: ScoreTable, head: str, what: str) -> None:
    try:
        s.values(table, head)
    except Broken as reason:
        raise Broken(f"of {what} (head {head!r}): {reason}") from None
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        raise Broken(f"of {what} (head {head!r}) it raised {told}; NaN is wanted where there is no value") from error


def _missing_columns(s: Subject) -> None:
    """It looks at no column that it does not name in ``needs``; the head's own and labels excepted."""
    for head in s.heads:
        kept = {*s.metric.needs, HEADS[head].column, *_ALWAYS}
        if not s.metric.per_head:
            kept |= _WITH.get(s.metric.needs[0], set()) if s.metric.needs else set()
        table = without(scored("usual"), kept)
        found = s.values(table, head)
        d = difference(s.measured[head, "usual"], found, tolerance=SAME)
        require(not d, f"with nothing but {', '.join(sorted(kept))} in the table: {d}")


_ALWAYS = {"key", "path", "source", "identity", "group", "visual_fake", "audio_fake"}
_WITH = {"segments": {"predicted"}, "lse_c": {"lse_d"}}
"""Columns that come together: a table that has the first has the others."""


def _order(s: Subject) -> None:
    """The order of the clips is nothing to it."""
    usual = scored("usual")
    for seed in (1, 2):
        shuffled = usual.take(np.random.default_rng(seed).permutation(len(usual)))
        for head in s.heads:
            d = difference(s.measured[head, "usual"], s.values(shuffled, head), tolerance=SAME)
            require(not d, f"with the clips in another order (head {head!r}): {d}")


def _resampling(s: Subject) -> None:
    """Asked again and again about people drawn anew, with one context, it says what it would say if asked once."""
    usual, rng = scored("usual"), np.random.default_rng(3)
    draws = [usual.take(rng.integers(0, len(usual), len(usual))) for _ in range(4)]
    for head in s.heads:
        shared = s.context(head)
        for i, table in enumerate([usual, *draws, usual]):
            d = difference(s.values(table, head), s.values(table, head, shared), tolerance=SAME)
            require(not d, f"draw {i}, with a fresh context and with that of draws before (head {head!r}): {d}")


def _deterministic(s: Subject) -> None:
    """Equal tables give equal bits."""
    for head in s.heads:
        found = []
        for seed in (1, 2):
            with global_chance(seed):
                found.append(s.values(scored("usual"), head))
        require(not (d := difference(*found)), f"asked twice (head {head!r}): {d}")


def _input_kept(s: Subject) -> None:
    """The table is not written to."""
    for head in s.heads:
        table, before = scored("usual"), scored("usual")
        s.values(table, head)
        for name in before.names():
            for one, other in ((before[name], table[name]), (before.numbers(name), table.numbers(name))):
                require(not (d := difference(one, other, at=name)), f"it wrote to the table: {d}")
        require(before.names() == table.names() and before.about == table.about, "it wrote to the table")


KIT = Kit(
    "metric",
    _opened,
    (
        _api_version,
        _declared,
        _numbers,
        _deterministic,
        _orientation,
        _known_values,
        _unscored,
        _single_class,
        _missing_columns,
        _order,
        _resampling,
        _input_kept,
    ),
)


def check_metric(plugin: Any, *, known: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Make all checks of a metric.

    Args:
        plugin: registered name, ``package.module:attribute``, ``path/to/file.py:attribute``, or the `Metric`.
        known: its values for ``perfect``, ``constant`` and ``inverted`` probabilities of the verdict, if you know them,
            as ``{"perfect": 1.0, "constant": 0.5}``; for a metric of several values, each by its name. Three quarters
            of the clips are forged (`avdetect.testing.score_tables`).

    Returns:
        Checks that do not apply, each with the reason.

    Raises:
        ConformanceError: at the first check that fails.
    """
    return KIT.run(plugin, known=known)


def metric_checks() -> list[tuple[str, Callable[..., str]]]:
    """Name and function of each check, for ``pytest.mark.parametrize``; each takes what `check_metric` takes."""
    return KIT.pairs()
