"""What a metric is given and what it gives: the contract of `avdetect.evaluation.registry.METRICS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from avdetect.evaluation.table import ScoreTable


@dataclass(frozen=True)
class Head:
    """A column of scores and the question that it answers.

    Attributes:
        name: of the head.
        column: of the score table.
        label: ``fake`` (anything forged), ``visual_fake`` or ``audio_fake``.
        probability: whether the scores are probabilities (else logits).
        swapped: column of scores of positives: the same clips with another clip's sound. Genuine clips are the
            negatives then, and ``label`` tells which they are.
    """

    name: str
    column: str
    label: str = "fake"
    probability: bool = False
    swapped: str = ""


HEADS = {
    h.name: h
    for h in (
        Head("verdict", "probability_fake", probability=True),
        Head("visual", "visual", "visual_fake"),
        Head("audio", "audio", "audio_fake"),
        Head("sync", "sync", swapped="sync_swapped"),
    )
}


@dataclass(frozen=True)
class View:
    """Scores and labels of a head on some clips; clips without a score or a label are left out.

    Attributes:
        scores: higher = more likely forged.
        labels: True = forged.
        clusters: who each is of.
        keys: which clip each is.
        labelled: number of clips with a label, scored or not.
    """

    scores: np.ndarray
    labels: np.ndarray
    clusters: np.ndarray
    keys: np.ndarray
    labelled: int

    @property
    def positive(self) -> np.ndarray:
        """Scores of forged clips."""
        return self.scores[self.labels]

    @property
    def negative(self) -> np.ndarray:
        """Scores of genuine clips."""
        return self.scores[~self.labels]


def view(table: ScoreTable, head: Head) -> View:
    """A head's scores on a table."""
    label = table.fake() if head.label == "fake" else table.numbers(head.label)
    scores, who, keys = table.numbers(head.column), table.clusters(), table["key"]
    if head.swapped:
        genuine = np.flatnonzero(label == 0)
        scores = np.concatenate([scores[genuine], table.numbers(head.swapped)[genuine]])
        label = np.repeat([0.0, 1.0], len(genuine))
        who, keys = np.tile(who[genuine], 2), np.tile(keys[genuine], 2)
    known = np.isfinite(label)
    use = known & np.isfinite(scores)
    return View(scores[use], label[use] == 1, who[use], keys[use], int(known.sum()))


@dataclass
class Context:
    """What a metric may know beyond the rows.

    Attributes:
        head: whose scores are measured.
        threshold: fitted on validation clips; ``None`` without them.
        settings: options of metrics, by name.
        cache: for what is costly and depends on a clip alone; keyed by the metric's own names.
    """

    head: Head = HEADS["verdict"]
    threshold: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    cache: dict[Any, Any] = field(default_factory=dict)

    def view(self, table: ScoreTable) -> View:
        """The head's scores on these rows."""
        return view(table, self.head)


Need = Literal["probability", "threshold"]


@dataclass(frozen=True)
class Metric:
    """A figure of merit.

    Attributes:
        function: of the rows and the context; a number, or several by name. NaN where there is none.
        title: for tables.
        needs: columns that must not be empty; none = the head's own.
        also: ``probability`` (makes sense for probabilities only), ``threshold`` (needs validation clips).
        per_head: False where it does not look at the head's scores and is reported once.
        better: which way is better.
        api_version: of `avdetect.api` that it was written for: state ``api_version=1``. 0 = not stated, and refused.
    """

    function: Callable[[ScoreTable, Context], float | dict[str, float]]
    title: str
    needs: tuple[str, ...] = ()
    also: tuple[Need, ...] = ()
    per_head: bool = True
    better: Literal["higher", "lower"] = "higher"
    api_version: int = 0

    def why_not(self, table: ScoreTable, context: Context) -> str:
        """Why it cannot be measured here; empty if it can."""
        for column in self.needs:
            if all(v is None for v in table[column]):
                return f"the table has no {column}"
        if "probability" in self.also and not context.head.probability:
            return "the scores are not probabilities"
        if "threshold" in self.also and context.threshold is None:
            return "no validation clips were given"
        return ""

    def values(self, name: str, table: ScoreTable, context: Context) -> dict[str, float]:
        """Its values by name; a single one bears the metric's."""
        found = self.function(table, context)
        return {f"{name} {k}": float(v) for k, v in found.items()} if isinstance(found, dict) else {name: float(found)}
