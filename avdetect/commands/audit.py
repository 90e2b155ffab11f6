"""``avdetect audit``: the lip sync of files, its plot, and a copy with the sound in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.commands.batch import FAILED, UsageError, guarded, load_detector, say, work_through
from avdetect.commands.inputs import Input, expand, is_single_file
from avdetect.commands.output import Forms, choose_output
from avdetect.report.audit import Audit
from avdetect.report.schema import FailedReport
from avdetect.report.terminal import AUDIT_COLUMNS, audit_line, audit_table

PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Audited:
    """An audit and what was made of it.

    Attributes:
        audit: of the file.
        plot: where the plot is.
        fix: ``{"path", "moved_ms"}`` of the copy that was written, or ``{"refused": reason}``.
    """

    audit: Audit
    plot: str | None = None
    fix: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The audit, with ``plot`` and ``fix`` if they were asked for."""
        extra = {"plot": self.plot, "fix": self.fix}
        return {**self.audit.to_dict(), **{name: value for name, value in extra.items() if value is not None}}


def _bare(result: Audited | FailedReport) -> Audit | FailedReport:
    return result.audit if isinstance(result, Audited) else result


FORMS = Forms(
    lambda result: result.to_dict(),
    lambda result: audit_line(_bare(result)),
    AUDIT_COLUMNS,
    lambda results: audit_table([_bare(result) for result in results]),
)


def run(
    paths: Sequence[str],
    *,
    as_json: bool = False,
    as_jsonl: bool = False,
    form: str = "",
    out: Path | None = None,
    plot: Path | None = None,
    fix: Path | None = None,
    force: bool = False,
    bundle: Path | None = None,
) -> int:
    """Audit the files and return the exit code; a refused fix counts as a failure."""
    return guarded(lambda: _run(paths, as_json, as_jsonl, form, out, plot, fix, force, bundle))


def _run(
    paths: Sequence[str],
    as_json: bool,
    as_jsonl: bool,
    form: str,
    out: Path | None,
    plot: Path | None,
    fix: Path | None,
    force: bool,
    bundle: Path | None,
) -> int:
    single = is_single_file(paths)
    output = choose_output(FORMS, as_json=as_json, as_jsonl=as_jsonl, form=form, out=out, single=single)
    inputs = expand(paths)
    _check(inputs, single=single, plot=plot, fix=fix, force=force)
    detector = load_detector(bundle) if any(not item.error for item in inputs) else None
    output.open()
    failed = False

    def work(item: Input, part) -> Audited:
        from avdetect import inference
        from avdetect.verdict import audit_sync

        assert detector is not None
        analysis = inference.analyse(item.path, detector, progress=part)
        audit = audit_sync(analysis, detector.calibration, model=detector.card)
        drawn = _plot(audit, item, plot) if plot is not None else None
        return Audited(audit, drawn, _fix(audit, item, fix, force=force) if fix is not None else None)

    for item, result in zip(inputs, work_through(inputs, work, quiet=output.screen == "jsonl"), strict=True):
        output.add(item, result)
        failed |= isinstance(result, FailedReport)
        if isinstance(result, Audited) and result.fix is not None:
            if "refused" in result.fix:
                failed = True
                say(f"avdetect: {item.path}: nothing was written: {result.fix['refused']}")
            else:
                say(f"avdetect: wrote {result.fix['path']} with the sound moved by {result.fix['moved_ms']:+.0f} ms")
    output.close()
    return FAILED if failed else 0


def _check(inputs: Sequence[Input], *, single: bool, plot: Path | None, fix: Path | None, force: bool) -> None:
    if fix is not None:
        if not single:
            raise UsageError("--fix takes one file: name its copy after --fix")
        if fix.exists() and Path(inputs[0].path).exists() and fix.samefile(inputs[0].path):
            raise UsageError("--fix must name another file than the input")
        if fix.is_dir() or not fix.suffix:
            raise UsageError(f"--fix {fix} must be a file name with an ending such as .mp4")
        if fix.exists() and not force:
            raise UsageError(f"{fix} is there already: remove it, or add --force")
    if plot is not None:
        if plot.suffix.lower() in PICTURES and not single:
            raise UsageError("--plot must be a folder when there are several files")
        if plot.suffix.lower() not in PICTURES and plot.is_file():
            raise UsageError(f"--plot {plot} is a file; plots end in {', '.join(PICTURES)}")


def _plot(audit: Audit, item: Input, plot: Path) -> str | None:
    from avdetect.report.plot import plot_audit

    path = plot if plot.suffix.lower() in PICTURES else plot / item.relative.with_name(item.relative.name + ".png")
    if audit.main is None:
        say(f"avdetect: {item.path}: no plot, since there is no face with sound")
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    plot_audit(audit, path)
    return str(path)


def _fix(audit: Audit, item: Input, target: Path, *, force: bool) -> dict[str, Any]:
    """Move the sound by minus the offset, if that can be answered for."""
    from avdetect.media.errors import MediaError
    from avdetect.media.remux import remux_shifted
    from avdetect.verdict.audit import why_not_to_move

    reason = why_not_to_move(audit)
    if audit.offset_ms is None or (reason and not force):
        return {"refused": reason if audit.offset_ms is None else f"{reason}; --force does it all the same"}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remux_shifted(item.path, target, -audit.offset_ms)
    except (MediaError, OSError) as error:  # the audit itself is good
        return {"refused": str(error)}
    return {"path": str(target), "moved_ms": -audit.offset_ms}
