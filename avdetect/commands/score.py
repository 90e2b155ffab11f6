"""``avdetect score``: a verdict per file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from avdetect.commands.batch import FAILED, MATCHED, guarded, load_detector, work_through
from avdetect.commands.inputs import expand, is_single_file
from avdetect.commands.output import Forms, choose_output
from avdetect.report.schema import FailedReport, Report
from avdetect.report.terminal import SCORE_COLUMNS, score_line, score_table

FORMS = Forms(lambda report: report.to_dict(), score_line, SCORE_COLUMNS, score_table)


def run(
    paths: Sequence[str],
    *,
    as_json: bool = False,
    as_jsonl: bool = False,
    form: str = "",
    out: Path | None = None,
    fail_on: Collection[str] = (),
    bundle: Path | None = None,
) -> int:
    """Score the files and return the exit code (1 before 3: an incomplete batch is the greater trouble)."""
    return guarded(lambda: _run(paths, as_json, as_jsonl, form, out, fail_on, bundle))


def _run(
    paths: Sequence[str],
    as_json: bool,
    as_jsonl: bool,
    form: str,
    out: Path | None,
    fail_on: Collection[str],
    bundle: Path | None,
) -> int:
    single = is_single_file(paths)
    output = choose_output(FORMS, as_json=as_json, as_jsonl=as_jsonl, form=form, out=out, single=single)
    inputs = expand(paths)
    detector = load_detector(bundle) if any(not item.error for item in inputs) else None
    output.open()
    failed = matched = False

    def score(item, part) -> Report:
        from avdetect import inference

        return inference.score_file(item.path, detector, progress=part)  # type: ignore[arg-type]

    results = work_through(inputs, score, quiet=output.screen == "jsonl")
    for item, result in zip(inputs, results, strict=True):
        output.add(item, result)
        failed |= isinstance(result, FailedReport)
        matched |= isinstance(result, Report) and result.verdict in fail_on
    output.close()
    return FAILED if failed else MATCHED if matched else 0
