"""Measure everything that docs/results.md states of the default bundle, and write the page.

Examples:
    python -m tools.results                        # all sections that are not measured yet, then the page
    python -m tools.results faces voices --again   # these once more
    python -m tools.results --page-only            # from what is measured

What is measured, on which clips and with which parts is in configs/results.toml; the words around the tables are in
configs/results_page.md. Each section is kept as WORK/SECTION.json and measured again when a bundle or part that it is
about changes. A clip, generator or data set that a part was trained on is refused as "left out".
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avdetect.commands.refusal import refuse
from avdetect.evaluation.kept_json import read_json, write_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from avdetect.data.store import RecordStore
    from avdetect.detector import Detector
    from avdetect.evaluation.table import ScoreTable

ROOT = Path(__file__).resolve().parents[1]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Config = dict[str, Any]
Figures = dict[str, Any]
SCORES = {"fused": "fusion head", "lag": "best lag"}
"""Of `avdetect.evaluation.targets.windows`, in the words of the page."""


class Bench:
    """What the sections share: configuration, records, bundles, a folder for what is finished."""

    def __init__(self, config: Config, work: Path, *, evidence: Path, again: bool = False):
        from avdetect.data.store import RecordStore

        self.config, self.work, self.evidence, self.again = config, work, evidence, again
        self.store: RecordStore = RecordStore(config["records"])
        self._made: dict[str, Detector] = {}

    def detector(self, entry: Config) -> Detector:
        """A bundle, or parts with the thresholds of the default bundle; made once."""
        from avdetect import load
        from avdetect.bundle import assemble_net
        from avdetect.detector import Detector
        from avdetect.evaluation.targets.dependence import sha_of
        from avdetect.evidence_folder import model_digest

        if "bundle" in entry:
            name = entry["bundle"]
            self._made[name] = self._made.get(name) or load(name)
            return self._made[name]
        calibration = entry.get("calibration", self.default.calibration)
        name = " ".join(entry["parts"]) + calibration.to_json()
        if name not in self._made:
            found = Detector(assemble_net([Path(p) for p in entry["parts"]]), calibration, card={})
            found.card = {"sha256": sha_of(model_digest(found) + calibration.to_json())}
            self._made[name] = found
        return self._made[name]

    def of_offsets(self, entry: Config) -> Config:
        """A listener without the fusion head, which has no say in where sound lies, and the thresholds for that."""
        from avdetect.evaluation.shifts import of_offsets

        if "parts" not in entry:
            return entry
        named = {n: entry.get(n, entry["parts"]) for n in ("parts", "trained")}
        heard = {n: [p for p in of if not Path(p, "fusion.safetensors").is_file()] for n, of in named.items()}
        return {**entry, **heard, "calibration": of_offsets(self.default.calibration)}

    @property
    def default(self) -> Detector:
        """The bundle that the page is about."""
        return self.detector({"bundle": self.config["bundle"]})

    def scores(self) -> ScoreTable:
        """Of the default bundle on the test clips."""
        from avdetect.evaluation.scoring import score_records

        rows, out = self.store.where(self.config["test"]), self.work / "scores.parquet"
        return score_records(self.default, self.store, rows, out, evidence=self.evidence)


def shifts(bench: Bench) -> Figures:
    """A known shift of the sound of real files, found again from end to end."""
    from rich.progress import track

    from avdetect.data.manifest import read_entries
    from avdetect.evaluation.shifts import shift_rows, shift_table

    rule = bench.config["shifts"]
    amounts, each = rule["amounts_ms"], rule["each_clip"]
    entries = [
        e
        for e in read_entries(Path(rule["manifest"]))
        if float(e.columns.get("duration_s") or 0) >= rule["least_s"]
        and e.columns.get("split") == "dev"
        and e.columns.get("label") in rule["labels"]
    ]
    listeners = [bench.of_offsets(entry) for entry in rule["listeners"]]
    by_source = _sources_left_out(bench, listeners, sorted({str(e.columns.get("source")) for e in entries}))
    rows = []
    for n, entry in enumerate(track(entries, description="shifts")):
        chosen = [float(amounts[(n * each + i) % len(amounts)]) for i in range(each)]
        rows += shift_rows(entry, chosen, by_source[str(entry.columns.get("source"))], keep=bench.work / "shifts")
    speaking = [r for r in rows if r["folder"] not in rule["not_speaking"]]
    table, figures = shift_table(rows, tolerance_ms=rule["tolerance_ms"])
    _, of_speaking = shift_table(speaking, tolerance_ms=rule["tolerance_ms"])
    _, of_genuine = shift_table([r for r in speaking if r["label"] == "RVRA"], tolerance_ms=rule["tolerance_ms"])
    return {"table": table, "all": figures, "speaking": of_speaking, "genuine": of_genuine}


def _sources_left_out(bench: Bench, listeners: list[Config], sources: list[str]) -> dict[str, Detector]:
    """Who listens to each source: the first whose parts were not trained on any clip of it.

    Raises:
        ValueError: a source that all were trained on.
    """
    from avdetect.evaluation.targets.left_out import trained_rows

    met = [
        {
            str(bench.store.index[i]["source"])
            for part in entry["trained"]
            for i in trained_rows(Path(part), bench.store)
        }
        for entry in listeners
    ]
    found = {}
    for source in sources:
        fitting = [entry for entry, known in zip(listeners, met, strict=True) if source not in known]
        if not fitting:
            raise ValueError(f"every listener was trained on clips of {source}, which is to be left out")
        found[source] = bench.detector(fitting[0])
    return found


def windows(bench: Bench) -> Figures:
    """Own sound against another clip's in short windows."""
    # Nothing that is fitted: where the mismatch is looked at, and no threshold on it.
    said = bench.default.calibration.to_dict()
    fixed = {name: said[name] for name in ("speech_probability", "min_speech_s", "quality")}
    return {"rows": _each_listener(bench, "windows", _windows_of, fixed)}


def _windows_of(bench: Bench, entry: Config) -> list[Figures]:
    from rich.progress import Progress

    from avdetect.evaluation.targets.windows import other_sound, other_sound_figures

    detector, where = _listener(bench, entry), bench.store.where(entry["where"])
    with Progress() as bar:
        task = bar.add_task(entry["title"], total=len(where))
        progress = partial(_show, bar, task)
        found = other_sound(detector, bench.store, where, bench.config["windows"]["seconds"], progress=progress)
    rows = []
    for score in entry["scores"]:
        title = f"{entry['title']}, {SCORES[score]}" if len(entry["scores"]) > 1 else entry["title"]
        rows += [{"title": title, "seconds": s, **other_sound_figures(of, score)} for s, of in found.items()]
    return rows


def offsets(bench: Bench) -> Figures:
    """The offset of two-second windows beside that of their clip."""
    from avdetect.evaluation.shifts import of_offsets

    return {"rows": _each_listener(bench, "offsets", _offsets_of, of_offsets(bench.default.calibration).to_dict())}


def _offsets_of(bench: Bench, entry: Config) -> list[Figures]:
    from rich.progress import track

    from avdetect.evaluation.targets.windows import offset_figures, offsets_in_windows

    rule = bench.config["offsets"]
    detector, where = _listener(bench, bench.of_offsets(entry)), bench.store.where(entry["where"])
    lengths = {name: rule[name] for name in ("seconds", "step_s", "moved_ms")}
    clips = offsets_in_windows(detector, bench.store, track(where, description=entry["title"]), **lengths)
    return [{"title": entry["title"], **offset_figures(clips, tolerance_ms=rule["tolerance_ms"])}]


def _each_listener(
    bench: Bench, section: str, measure: Callable[[Bench, Config], list[Figures]], thresholds: Config
) -> list[Figures]:
    """Rows of all listeners of a section; those of a finished one are kept until it, or what it is asked, changes."""
    from avdetect.evaluation.targets.dependence import files_digest, folders_in, sha_of

    rule, rows = bench.config[section], []
    for entry in rule["listeners"]:
        about = {"config": {**rule, "listeners": [entry]}, "records": bench.config["records"]}
        about |= {"thresholds": thresholds, "files": files_digest(folders_in(about["config"]))}
        path = bench.work / section / f"{sha_of(json.dumps(about, sort_keys=True))[:16]}.json"
        found = [] if bench.again else read_json(path)
        if not found:
            found = measure(bench, entry)
            write_json(path, found)
        rows += found
    return rows


def _listener(bench: Bench, entry: Config) -> Detector:
    """Whoever listens; what was trained on is not among the clips."""
    from avdetect.evaluation.targets.left_out import check_clips_left_out

    for part in entry.get("trained", entry.get("parts", [])):
        check_clips_left_out(Path(part), bench.store, bench.store.where(entry["where"]))
    return bench.detector(entry)


def faces(bench: Bench) -> Figures:
    """Generators of faces that the picture branch never met."""
    return _left_out(bench, "faces")


def voices(bench: Bench) -> Figures:
    """Voice systems that the sound branch never met."""
    return _left_out(bench, "voices")


def seeds(bench: Bench) -> Figures:
    """The same trainings with another seed."""
    return _left_out(bench, "seeds")


def _left_out(bench: Bench, section: str) -> Figures:
    from avdetect.evaluation.targets.left_out import compare_left_out, comparisons

    kept = bench.work / "parts"
    return {"rows": [compare_left_out(c, bench.store, kept) for c in comparisons(bench.config[section])]}


def verdict(bench: Bench) -> Figures:
    """Decisions at the shipped thresholds."""
    from avdetect.evaluation.targets.groups import verdict_figures

    return verdict_figures(bench.scores(), bench.default.calibration)


def groups(bench: Bench) -> Figures:
    """The same by data set, language and lightness."""
    from avdetect.evaluation.targets.groups import by_group

    return {"columns": by_group(bench.scores(), bench.default.calibration, bench.config["languages"])}


def branches(bench: Bench) -> Figures:
    """Each branch of the default bundle alone on the test clips, and the file alone."""
    from avdetect.evaluation.results import results

    found = results(bench.scores(), metrics=["auc"])
    rows = []
    for name, head in found["heads"].items():
        auc = head["metrics"]["auc"]
        rows.append({"title": name, **_counts(head), "auc": auc.get("value"), "ci": auc.get("ci")})
    alone, last = found["shortcuts"], found["heads"]["verdict"]
    title = "nothing but the file (container, codecs, sizes, levels)"
    rows.append({"title": title, **_counts(last), "auc": alone["auc"], "ci": alone.get("ci")})
    return {"rows": rows}


def _counts(head: Figures) -> Figures:
    return {"forged": head["forged"], "genuine": head["genuine"]}


def compression(bench: Bench) -> Figures:
    """Files coded again and scored from end to end."""
    from rich.progress import Progress

    from avdetect.data.shared_copies import Sharing
    from avdetect.evaluation.targets.compression import compressed_rows, compression_figures

    rule = bench.config["compression"]
    root, seen, files = Path(rule["root"]), set(), []
    for i in bench.store.where(bench.config["test"]):
        row = bench.store.index[i]
        if row["path"] not in seen:
            seen.add(row["path"])
            files.append((root / row["path"], row["path"], row))
    files = files[:: rule["every"]]
    with Progress() as bar:
        task = bar.add_task("compression", total=len(files))
        rows = compressed_rows(
            files,
            bench.default,
            keep=bench.work / "compression",
            sharing=Sharing(rule["crf"], rule["share"], rule["kbps"]),
            progress=partial(_show, bar, task),
        )
    return compression_figures(rows)


def sweep(bench: Bench) -> Figures:
    """The verdict as picture or sound get worse."""
    from rich.progress import Progress

    from avdetect.evaluation.sweep import KINDS, sweep

    rule = bench.config["sweep"]
    rows = bench.store.where(bench.config["test"])[:: rule["every"]]
    with Progress() as bar:
        task = bar.add_task("sweep", total=1 + len(KINDS) * len(rule["severities"]))
        found = sweep(
            bench.default,
            bench.store,
            rows,
            bench.work / "sweep",
            severities=rule["severities"],
            evidence=bench.evidence,
            progress=lambda name: bar.update(task, advance=1, description=name),
        )
    return {"rows": found}


def _show(bar: Progress, task: TaskID, done: int) -> None:
    bar.update(task, completed=done)


SECTIONS: dict[str, Callable[[Bench], Figures]] = {
    f.__name__: f
    for f in (faces, voices, seeds, windows, offsets, verdict, branches, groups, shifts, compression, sweep)
}


@app.command(help=__doc__)
def main(
    sections: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(SECTIONS)}; all if none.")] = None,
    config: Annotated[Path, typer.Option(help="What is measured.")] = ROOT / "configs" / "results.toml",
    template: Annotated[Path, typer.Option(help="The page around it.")] = ROOT / "configs" / "results_page.md",
    work: Annotated[Path, typer.Option(help="Folder for figures and what is finished.")] = Path("work/results"),
    evidence: Annotated[Path, typer.Option(help="Folder where measured evidence is kept.")] = Path("work/evidence"),
    page: Annotated[Path, typer.Option(help="Page to write.")] = ROOT / "docs" / "results.md",
    again: Annotated[bool, typer.Option("--again", help="Measure once more what is finished.")] = False,
    page_only: Annotated[bool, typer.Option("--page-only", help="Only write the page.")] = False,
) -> None:
    """See the module."""
    from avdetect.evaluation.targets.aims import aims
    from avdetect.evaluation.targets.page import aims_table, fill, risk_table, section_table

    settings = _read(config)
    unknown = sorted(set(sections or []) - set(SECTIONS))
    if unknown:
        refuse(f"no section is called {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    work.mkdir(parents=True, exist_ok=True)
    if not page_only:
        try:
            _measure(sections or list(SECTIONS), Bench(settings, work, evidence=evidence, again=again))
        except (KeyError, ValueError, FileNotFoundError) as error:
            refuse(error)
    found = {name: read_json(work / f"{name}.json") for name in SECTIONS}
    missing = [name for name, kept in found.items() if not kept]
    if missing:
        typer.echo(f"the page waits for: {', '.join(missing)}")
        return
    figures = {name: kept["figures"] for name, kept in found.items()}
    try:
        tables = {name: section_table(name, of) for name, of in figures.items()} | {"aims": aims_table(aims(figures))}
    except ValueError as error:
        refuse(error)
    card = json.loads((Path(settings["bundle"]) / "card.json").read_text(encoding="utf-8"))
    tables |= {"name": f"{card['name']} {card['version']}", "risk": risk_table(card["calibration"]["risk_coverage"])}
    page.write_text(fill(template.read_text(encoding="utf-8"), tables), encoding="utf-8")
    typer.echo(f"written: {page}")


def _measure(sections: list[str], bench: Bench) -> None:
    from avdetect.evaluation.targets.dependence import depends_on

    for name in sections:
        path = bench.work / f"{name}.json"
        asked = depends_on(bench.config, name)
        if not bench.again and read_json(path).get("about") == asked:
            typer.echo(f"{name}: finished before")
            continue
        figures = SECTIONS[name](bench)
        write_json(path, {"about": asked, "figures": figures})
        typer.echo(f"{name}: {path}")


def _read(config: Path) -> Config:
    from avdetect.evaluation.targets.left_out import named_listeners

    try:
        return named_listeners(tomllib.loads(config.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        refuse(f"{config}: {error}")


if __name__ == "__main__":
    app()
