"""The house rules that a program can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("avdetect", "train", "tools", "configs", "tests", "examples")
MAX_LINES = 400
PYTHON_FILES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))

# room: what it must not import. Rooms are dotted prefixes; the arrows are in docs/architecture.md.
FORBIDDEN = {
    "avdetect": ("train", "tools", "configs", "tests"),
    "avdetect.types": ("avdetect",),
    "avdetect.media": (
        "avdetect.models", "avdetect.inference", "avdetect.faces", "avdetect.report", "avdetect.sync",
        "avdetect.verdict", "avdetect.data", "avdetect.bundle", "avdetect.cli",
    ),
    "avdetect.faces": (
        "avdetect.models", "avdetect.inference", "avdetect.media", "avdetect.report", "avdetect.sync",
        "avdetect.verdict", "avdetect.data", "avdetect.bundle", "avdetect.cli",
    ),
    "avdetect.features": ("avdetect.models", "avdetect.media", "avdetect.faces", "avdetect.inference", "avdetect.data"),
    "avdetect.models": (
        "avdetect.media", "avdetect.faces", "avdetect.inference", "avdetect.report", "avdetect.data", "avdetect.clips",
        "avdetect.cli", "av", "cv2", "moviepy",
    ),
    "avdetect.report": (
        "avdetect.models", "avdetect.inference", "avdetect.media", "avdetect.faces", "avdetect.data",
        "avdetect.verdict", "avdetect.cli", "jax", "flax",
    ),
    "avdetect.inference": ("avdetect.cli",),
    "avdetect.detectors": (
        "avdetect.models", "avdetect.data", "avdetect.evaluation", "avdetect.commands", "avdetect.cli", "jax", "flax",
    ),
    "tools": ("train", "tests"),
    "train": ("tools", "tests"),
    "configs": ("train", "tools", "tests"),
}  # fmt: skip
BANNED_NAMES = re.compile(r"^(utils?|common|helpers?|misc)(_\w+)?\.py$|^\w+_(utils?|helpers?)\.py$")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported, at the top or inside functions."""
    package = module_of(path).split(".") if path.name == "__init__.py" else module_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{prefix}.{alias.name}"


def inside(name: str, room: str) -> bool:
    return name == room or name.startswith(room + ".")


def violations(path: Path) -> list[str]:
    here = module_of(path)
    found = []
    for line, name in imports_of(path):
        for room, banned in FORBIDDEN.items():
            if not inside(here, room):
                continue
            found += [
                f"{path.relative_to(ROOT)}:{line}: {room} must not import {name}" for b in banned if inside(name, b)
            ]
    return found


def test_arrows_run_one_way() -> None:
    found = [v for path in PYTHON_FILES for v in violations(path)]
    assert not found, "\n".join(found)


def test_the_check_finds_a_wrong_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    wrong = tmp_path / "avdetect" / "media" / "deep.py"
    wrong.parent.mkdir(parents=True)
    wrong.write_text("def f():\n    from ..faces import align\n    import train.loop\n")
    assert len(violations(wrong)) == 2
    assert "deep.py:2" in violations(wrong)[0] and "deep.py:3" in violations(wrong)[1]


def test_files_are_small_and_named_for_one_idea() -> None:
    long = [
        f"{p.relative_to(ROOT)}: {n} lines" for p in PYTHON_FILES if (n := len(p.read_text().splitlines())) > MAX_LINES
    ]
    assert not long, f"longer than {MAX_LINES} lines, split them: {long}"
    banned = [str(p.relative_to(ROOT)) for p in PYTHON_FILES if BANNED_NAMES.match(p.name)]
    assert not banned, f"names that say nothing: {banned}"


def test_no_pickle() -> None:
    """A bundle, a record or a checkpoint must never be able to run code."""
    banned = ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal")
    found = [
        f"{p.relative_to(ROOT)}:{line}: {name}"
        for p in PYTHON_FILES
        if inside(module_of(p), "avdetect")
        for line, name in imports_of(p)
        if name.split(".")[0] in banned
    ]
    assert not found, found
    loads = [
        str(p.relative_to(ROOT))
        for p in PYTHON_FILES
        if inside(module_of(p), "avdetect") and "allow_pickle=True" in p.read_text()
    ]
    assert not loads, loads


def test_every_module_has_postponed_annotations() -> None:
    without = [
        str(p.relative_to(ROOT))
        for p in PYTHON_FILES
        if module_of(p).split(".")[0] != "configs"
        and len(p.read_text().split()) > 40
        and "from __future__ import annotations" not in p.read_text()
    ]
    assert not without, without


def test_nothing_of_the_media_is_committed() -> None:
    kinds = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".wav", ".flac", ".mp3", ".jpg", ".jpeg"}
    folders = [ROOT / room for room in (*ROOMS, "docs")]
    found = [str(p.relative_to(ROOT)) for f in folders for p in f.rglob("*") if p.suffix.lower() in kinds]
    assert not found, f"media must not be in the tree: {found}"
