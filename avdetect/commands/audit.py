"""``avdetect audit``: the lip sync of files, its plot, and a copy with the sound in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.commands.batch import FAILED, UsageError, guarded, load_detector, say
from avdetect.commands.deliver import deliver
from avdetect.commands.inputs import Input, expand, is_single_file
from avdetect.commands.output import Forms, Output, choose_output
from avdetect.commands.plots import Plots, check_plot
from avdetect.commands.writing import refuse_input
from avdetect.report.audit import SCHEMA, Audit
from avdetect.report.schema import FailedReport
from avdetect.report.terminal import AUDIT_COLUMNS, audit_line, audit_table


@dataclass(frozen=True)
class Audited:
    """An audit and what was made of it.

    Attributes:
        audit: of the file.
        plot: where the plot is; ``None`` if there is none.
        fix: ``{"path", "moved_ms"}`` of the copy that was written, with ``left_out`` if it lacks something that the
            file has; or ``{"refused": reason}``.
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


@dataclass(frozen=True)
class Extras:
    """What is made of an audit beside its report.

    Attributes:
        plot: file of the plot, or folder of the plots.
        fix: the copy to write.
        force: fix although it is uncertain, and overwrite what is there.
    """

    plot: Path | None = None
    fix: Path | None = None
    force: bool = False


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
    skip_done: bool = False,
    bundle: Path | None = None,
) -> int:
    """Audit the files and return the exit code; a refused fix or a plot that failed counts as a failure."""

    def audit_all() -> int:
        output = choose_output(
            FORMS,
            as_json=as_json,
            as_jsonl=as_jsonl,
            form=form,
            out=out,
            single=is_single_file(paths),
            force=force,
            skip_done=skip_done,
            schema=SCHEMA,
        )
        return _run(paths, output, Extras(plot, fix, force), bundle)

    return guarded(audit_all)


def _run(paths: Sequence[str], output: Output, extras: Extras, bundle: Path | None) -> int:
    inputs = expand(paths, tell=lambda line: say(f"avdetect: {line}"))
    _check(inputs, extras, single=output.single)
    plots = Plots(extras.plot, inputs, force=extras.force) if extras.plot is not None else None
    waiting = output.waiting(inputs)
    detector = load_detector(bundle) if any(not item.error for item in waiting) else None
    output.open(waiting)
    failed = False

    def work(item: Input, part) -> Audited:
        from avdetect import inference
        from avdetect.verdict import audit_sync

        assert detector is not None
        analysis = inference.analyse(item.path, detector, progress=part)
        audit = audit_sync(analysis, detector.calibration, model=detector.card)
        drawn = plots.draw(audit, item) if plots is not None else None
        return Audited(audit, drawn, _fix(audit, item, extras.fix, force=extras.force) if extras.fix else None)

    def note(item: Input, result: Audited | FailedReport) -> None:
        nonlocal failed
        failed |= isinstance(result, FailedReport) or "refused" in (result.fix or {})
        if isinstance(result, Audited) and result.fix is not None:
            _say_fix(item, result.fix)

    deliver(waiting, work, output, note)
    return FAILED if failed or output.failed or (plots is not None and plots.failed) else 0


def _say_fix(item: Input, fix: dict[str, Any]) -> None:
    if "refused" in fix:
        say(f"avdetect: {item.path}: nothing was written: {fix['refused']}")
        return
    say(f"avdetect: wrote {fix['path']} with the sound moved by {fix['moved_ms']:+.0f} ms")
    if left := fix.get("left_out"):
        say(f"avdetect: {fix['path']} is without {', '.join(left)}")


def _check(inputs: Sequence[Input], extras: Extras, *, single: bool) -> None:
    from avdetect.media.remux import FORMATS

    fix, plot = extras.fix, extras.plot
    if fix is not None:
        if not single:
            raise UsageError("--fix takes one file: name its copy after --fix")
        refuse_input("--fix", fix, inputs)
        if fix.is_dir() or not fix.suffix:
            raise UsageError(f"--fix {fix} must be a file name with an ending such as .mp4")
        if fix.suffix.lower() not in FORMATS:
            raise UsageError(f"--fix {fix}: {fix.suffix} is not written; use one of {', '.join(FORMATS)}")
        if fix.exists() and not extras.force:
            raise UsageError(f"{fix} is there already: remove it, or add --force")
    if plot is not None:
        check_plot(plot, inputs, single=single, force=extras.force)


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
        left_out = remux_shifted(item.path, target, -audit.offset_ms)
    except (MediaError, OSError) as error:  # the audit itself is good
        return {"refused": str(error)}
    done = {"path": str(target), "moved_ms": -audit.offset_ms}
    return {**done, "left_out": list(left_out)} if left_out else done
