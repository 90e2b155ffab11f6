"""Figures of networks on what they were not trained on: a generator, a voice system, a data set left out.

That it was left out is not believed but checked: what a part was trained on is read from the ``config.json`` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avdetect import metrics
from avdetect.bundle import assemble_net
from avdetect.calibration import Calibration
from avdetect.config_each import one_for_each
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.evaluation.scoring import score_records
from avdetect.evaluation.table import ScoreTable
from avdetect.evidence_folder import model_digest

ROUNDS = 1000
LEAST_PEOPLE = 4
"""Fewer give no interval: what would be resampled is people."""


@dataclass(frozen=True)
class Comparison:
    """Forged clips against genuine ones by one branch of one part.

    Attributes:
        title: row of the table.
        part: folder of the trained part.
        head: column of the score table: ``visual`` or ``audio``.
        forged, genuine: conditions on the index.
        within: ``recording`` compares each clip with its own original only, a column's name those of one value in it;
            empty = all against all.
        clips_only: only the clips were left out, not what forged them.
        validation: people that decisions were made on; shown, and no part of what is reached.
    """

    title: str
    part: str
    head: str
    forged: str
    genuine: str
    within: str = ""
    clips_only: bool = False
    validation: bool = False


def named_listeners(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the page with what ``who`` of a listener names, in ``left_out``, put in its place.

    Raises:
        ValueError: a name that ``left_out`` lacks.
    """
    known = config.get("left_out", {})

    def named(listener: dict[str, Any]) -> dict[str, Any]:
        if "who" not in listener:
            return listener
        if listener["who"] not in known:
            raise ValueError(f"no parts are called {listener['who']!r} in left_out; there are: {', '.join(known)}")
        return {**{key: value for key, value in listener.items() if key != "who"}, **known[listener["who"]]}

    def section(x: Any) -> Any:
        return {**x, "listeners": [named(y) for y in x["listeners"]]} if isinstance(x, dict) and "listeners" in x else x

    return {name: section(x) for name, x in config.items()}


def trained_rows(part: Path, store: RecordStore) -> set[int]:
    """Rows of the index that a part was trained on, by the configuration beside it; perhaps none.

    Raises:
        ValueError: there is no configuration.
    """
    path = Path(part).parent / "config.json"
    if not path.is_file():
        raise ValueError(f"{path} is missing, so nobody can tell what {part} was trained on")
    return set(store.where(json.loads(path.read_text())["data"]["train_where"]))


def check_clips_left_out(part: Path, store: RecordStore, rows: Sequence[int]) -> set[int]:
    """None of the clips was trained on.

    Returns:
        The rows that were.

    Raises:
        ValueError: some were, with one of them.
    """
    trained = trained_rows(part, store)
    if not trained:
        raise ValueError(f"no clip at hand is one that {part} was trained on; which records were those?")
    met = sorted(store.index[i]["key"] for i in trained & set(rows))
    if met:
        raise ValueError(f"{part} was trained on {len(met)} of the clips it would be tested on, such as {met[0]}")
    return trained


def check_left_out(part: Path, store: RecordStore, forged: Sequence[int], genuine: Sequence[int]) -> None:
    """Neither the clips nor their generators, nor the sources of the forged ones where they are generated, were met.

    Raises:
        ValueError: something was, with its name.
    """
    trained = check_clips_left_out(part, store, [*forged, *genuine])
    known = {str(store.index[i].get("generator") or "") for i in trained} - {""}
    both = sorted(known & {str(store.index[i].get("generator") or "") for i in forged})
    if both:
        raise ValueError(f"{part} was trained on clips of {', '.join(both)}, which is to be left out")
    whole = {str(store.index[i]["source"]) for i in forged if str(store.index[i].get("label")) == "FV"}
    both = sorted(whole & {str(store.index[i]["source"]) for i in trained})
    if both:
        raise ValueError(f"{part} was trained on clips from {', '.join(both)}, which is to be left out")


def compare_left_out(rule: Comparison, store: RecordStore, out: Path) -> dict[str, Any]:
    """AUC of a comparison with an interval over people.

    Returns:
        ``title``, ``validation``, ``people``, ``forged`` and ``genuine`` (numbers of clips), ``auc`` and ``ci`` (NaN of
        few people);
        ``own_auc``, each forged clip against the genuine ones of its own recording alone, and ``own`` of how many
        forged clips (0 where none has one).

    Raises:
        ValueError: the part met what was to be left out, or a condition fits no clip.
    """
    sides = {name: store.where(getattr(rule, name)) for name in ("forged", "genuine")}
    for name, rows in sides.items():
        if not rows:
            raise ValueError(f"{rule.title}: no clip fits {getattr(rule, name)!r}")
    if rule.clips_only:
        check_clips_left_out(Path(rule.part), store, [*sides["forged"], *sides["genuine"]])
    else:
        check_left_out(Path(rule.part), store, sides["forged"], sides["genuine"])
    table = part_scores(Path(rule.part), store, [*sides["forged"], *sides["genuine"]], out)
    values = table.numbers(rule.head)
    fake = np.isin(table["key"], [store.index[i]["key"] for i in sides["forged"]])
    kept = np.flatnonzero(np.isfinite(values))
    group = _groups(table, rule.within)

    def auc(rows: np.ndarray) -> float:
        rows = kept[rows]
        return auc_within(values[rows], fake[rows], group[rows])

    recording = _groups(table, "recording")[kept]
    paired = fake[kept] & np.isin(recording, recording[~fake[kept]])
    people = table.clusters()[kept].tolist()
    enough = len(set(people)) >= LEAST_PEOPLE
    low, high = metrics.bootstrap(auc, people, rounds=ROUNDS) if enough else (float("nan"), float("nan"))
    return {
        "title": rule.title,
        "validation": rule.validation,
        "people": len(set(people)),
        "forged": int(fake[kept].sum()),
        "genuine": int((~fake[kept]).sum()),
        "auc": auc(np.arange(len(kept))),
        "ci": [low, high],
        "own": int(paired.sum()),
        "own_auc": auc_within(values[kept], fake[kept], recording),
    }


def auc_within(values: np.ndarray, fake: np.ndarray, group: np.ndarray) -> float:
    """Share of pairs of a forged and a genuine clip of one group that are ranked rightly; ties count half.

    Args:
        values: scores ``(n,)``, higher = more likely forged.
        fake: whether forged ``(n,)``.
        group: clips of different groups are not compared ``(n,)``.

    Returns:
        The share in [0, 1]; NaN without a pair.
    """
    right = pairs = 0.0
    for name in np.unique(group):
        here = group == name
        forged, genuine = values[here & fake], values[here & ~fake]
        if len(forged) and len(genuine):
            n = len(forged) * len(genuine)
            right, pairs = right + n * metrics.auc(forged, genuine), pairs + n
    return right / pairs if pairs else float("nan")


def part_scores(part: Path, store: RecordStore, rows: Sequence[int], out: Path) -> ScoreTable:
    """Scores of clips by one part alone; finished ones are kept in ``out``."""
    detector = Detector(assemble_net([part]), Calibration(), card={})
    digest = model_digest(detector)
    detector.card = {"sha256": digest}
    path = out / f"{digest[:16]}.parquet"
    known: list[int] = []
    if path.is_file():
        keys = set(ScoreTable.read(path)["key"].tolist())
        known = [i for i, row in enumerate(store.index) if row["key"] in keys]
    wanted = list(dict.fromkeys([*rows, *known]))
    table = score_records(detector, store, wanted, path, other_sound=False)
    place = {key: n for n, key in enumerate(table["key"].tolist())}
    return table.take(np.array([place[store.index[i]["key"]] for i in dict.fromkeys(rows)]))


def _groups(table: ScoreTable, within: str) -> np.ndarray:
    if within == "recording":
        return np.array([str(pair or path) for pair, path in zip(table["pair"], table["path"], strict=True)])
    return np.array([str(x) for x in table[within]]) if within else np.zeros(len(table), "U1")


def comparisons(rules: Sequence[dict[str, Any]]) -> list[Comparison]:
    """From tables of a configuration; with ``each = [names]`` a table makes one for each name, put for ``{each}``."""
    return [Comparison(**rule) for rule in one_for_each(rules)]
