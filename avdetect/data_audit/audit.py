"""Everything that is asked of an index before training, in one dictionary."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from avdetect.data.columns import flag
from avdetect.data.groups import EXCLUDED
from avdetect.data_audit.leaks import find_leaks
from avdetect.data_audit.offsets import offset_outliers
from avdetect.evaluation.shortcuts import shortcut_auc

Row = Mapping[str, Any]
BRANCHES = ("visual_fake", "audio_fake", "any")
DEFAULT_LIMIT = 0.7


def forged(row: Row, branch: str) -> bool | None:
    """Whether a clip is forged in picture, sound or ``any`` of them; ``None`` where that is not known."""
    if branch != "any":
        return flag(row.get(branch))
    both = [flag(row.get("visual_fake")), flag(row.get("audio_fake"))]
    return True if True in both else False if False in both else None


def audit_index(rows: Sequence[Row], *, limit: float = DEFAULT_LIMIT, seed: int = 0) -> dict[str, Any]:
    """Shortcuts, leaks, offsets and balance of the clips of an index.

    Args:
        rows: of ``index.parquet``.
        limit: AUC above which a shortcut is a finding.
        seed: of the shortcut classifier.

    Returns:
        ``clips``, ``shortcuts`` (by branch, see `avdetect.evaluation.shortcuts.shortcut_auc`), ``leaks``,
        ``offset_outliers`` and ``offsets_measured``, ``splits``, ``sources``, ``largest_group`` and ``findings``: in
        words, what should be looked into before training. A finding is ``severe`` where ``--strict`` fails on it.
    """
    used = [row for row in rows if (row.get("split") or "") != EXCLUDED]
    groups = [str(row.get("group") or row.get("identity") or row.get("path")) for row in used]
    outliers, measured = offset_outliers(used)
    out: dict[str, Any] = {
        "clips": len(rows),
        "excluded": len(rows) - len(used),
        "limit": limit,
        "shortcuts": {b: shortcut_auc(used, [forged(r, b) for r in used], groups, seed=seed) for b in BRANCHES},
        "leaks": [dataclasses.asdict(leak) for leak in find_leaks(used)],
        "offset_outliers": [dataclasses.asdict(o) for o in outliers],
        "offsets_measured": measured,
        "splits": _counts(used, "split", "train"),
        "sources": _counts(used, "source", "(none)"),
        "groups": len(set(groups)),
        "largest_group": dict(zip(("name", "clips"), Counter(groups).most_common(1)[0], strict=True))
        if groups
        else None,
    }
    out["findings"] = [*_severe(out), *_mild(out)]
    return out


def _counts(rows: Sequence[Row], column: str, otherwise: str) -> dict[str, dict[str, Any]]:
    """Clips, seconds, groups and forged and genuine ones of picture and sound, by the values of a column."""
    found: dict[str, dict[str, Any]] = {}
    seen: dict[str, set[str]] = {}
    for row in rows:
        name = str(row.get(column) or otherwise)
        zeros = {"clips": 0, "seconds": 0.0, "groups": 0}
        zeros |= {f"{kind}_{side}": 0 for kind in ("visual", "audio") for side in ("fake", "real")}
        counts = found.setdefault(name, zeros)
        counts["clips"] += 1
        counts["seconds"] = round(counts["seconds"] + float(row.get("duration_s") or 0), 2)
        seen.setdefault(name, set()).add(str(row.get("group") or row.get("path")))
        counts["groups"] = len(seen[name])
        for kind in ("visual", "audio"):
            if (fake := flag(row.get(f"{kind}_fake"))) is not None:
                counts[f"{kind}_{'fake' if fake else 'real'}"] += 1
    return dict(sorted(found.items(), key=lambda item: (-item[1]["clips"], item[0])))


def _severe(out: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for branch, shortcut in out["shortcuts"].items():
        if shortcut["auc"] is not None and shortcut["auc"] > out["limit"]:
            best = [f"{n} {f['auc']:.2f}" for n, f in shortcut["features"].items() if f["auc"] > 0.6][:3]
            alone = f" (alone: {', '.join(best)})" if best else ""
            text = f"{branch}: the file alone tells forged from genuine, AUC {shortcut['auc']:.2f}{alone}"
            found.append({"severe": True, "kind": "shortcut", "text": text})
    for kind, n in Counter(leak["kind"] for leak in out["leaks"]).items():
        sides = sorted({s for leak in out["leaks"] if leak["kind"] == kind for s in leak["clips"]})
        found.append({"severe": True, "kind": "leak", "text": f"{kind}: {n} on two sides of {', '.join(sides)}"})
    return found


def _mild(out: Mapping[str, Any]) -> list[dict[str, Any]]:
    texts = []
    if not out["clips"]:
        texts.append("there are no clips")
    elif not out["offsets_measured"]:
        texts.append("no offset could be measured (or --no-offsets was given)")
    for branch, shortcut in out["shortcuts"].items():
        if out["clips"] and shortcut["auc"] is None:
            texts.append(f"{branch}: no shortcut test, {shortcut['why']}")
    if (largest := out["largest_group"]) and largest["clips"] > 0.5 * (out["clips"] - out["excluded"]) > 5:
        texts.append(f"group {largest['name']} has {largest['clips']} of {out['clips']} clips; no split can divide it")
    for kind in ("visual", "audio"):
        one_sided = [name for name, c in out["sources"].items() if (c[f"{kind}_fake"] == 0) != (c[f"{kind}_real"] == 0)]
        both = sum(c[f"{kind}_fake"] > 0 and c[f"{kind}_real"] > 0 for c in out["sources"].values())
        if one_sided and any(out["sources"][n][f"{kind}_fake"] for n in one_sided):
            texts.append(
                f"{kind}: {len(one_sided)} sources have one class only, {both} have both: sources tell classes"
            )
    if out["excluded"]:
        texts.append(f"{out['excluded']} clips are excluded: their groups are in a split that the manifest fixes")
    return [{"severe": False, "kind": "note", "text": text} for text in texts]
