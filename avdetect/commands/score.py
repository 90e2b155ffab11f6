"""``avdetect score``: a verdict per file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from avdetect.commands.batch import FAILED, MATCHED, UsageError, guarded, load_detector, say
from avdetect.commands.deliver import deliver
from avdetect.commands.inputs import Input, expand, is_single_file
from avdetect.commands.output import Forms, choose_output
from avdetect.commands.stdout import stdout_for_data
from avdetect.report.schema import SCHEMA, FailedReport, Report
from avdetect.report.terminal import SCORE_COLUMNS, score_line, score_table

Progress = Callable[[float], None]
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
    detectors: Sequence[str] = (),
    combination: Path | None = None,
    force: bool = False,
    skip_done: bool = False,
) -> int:
    """Score the files and return the exit code (1 before 3: an incomplete batch is the greater trouble)."""

    def score_all() -> int:
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
        inputs = output.waiting(expand(paths, tell=lambda line: say(f"avdetect: {line}")))
        with stdout_for_data():
            score = chosen_scorer(detectors, bundle, combination, needed=any(not item.error for item in inputs))
        output.open(inputs)
        failed, matched = False, any(kept.verdict in fail_on for kept in output.done)

        def note(item: Input, result: Report | FailedReport) -> None:
            nonlocal failed, matched
            failed |= isinstance(result, FailedReport)
            matched |= isinstance(result, Report) and result.verdict in fail_on

        deliver(inputs, score, output, note)
        return FAILED if failed or output.failed else MATCHED if matched else 0

    return guarded(score_all)


def chosen_scorer(
    detectors: Sequence[str], bundle: Path | None, combination: Path | None, *, needed: bool = True
) -> Callable[[Input, Progress], Report]:
    """What scores a file: the bundle, one detector, or several combined.

    Args:
        detectors: as named by the user; none = the bundle.
        bundle: of ``avnet``.
        combination: file that says how to combine several.
        needed: whether there is any file to score; if not, nothing is loaded.

    Raises:
        UsageError: the options do not go together, or the bundle or combination cannot be read.
        PluginError: a detector cannot be used.
    """
    if len(set(detectors)) < len(detectors):
        raise UsageError(f"--detector names one twice: {', '.join(detectors)}")
    if combination is None and len(detectors) > 1:
        raise UsageError(
            f"{len(detectors)} detectors need --combination FILE, which says how to combine them. Score the same "
            "validation clips with each (python -m tools.evaluate score --detector NAME --out NAME.parquet), then "
            "fit it: python -m tools.evaluate combine NAME.parquet NAME.parquet --out combination.json"
        )
    if combination is not None and not detectors:
        raise UsageError("--combination needs the detectors that it combines: name each with --detector")
    if bundle is not None and detectors and "avnet" not in detectors:
        raise UsageError("--bundle is for the detector avnet, which --detector does not name")
    if not needed:
        return _nothing_to_score
    return _by_bundle(bundle) if not detectors else _by_name(detectors, bundle, combination)


def _nothing_to_score(item: Input, part: Progress) -> Report:
    raise AssertionError(f"{item.path} was to be scored, but all inputs are errors")


def _by_bundle(bundle: Path | None) -> Callable[[Input, Progress], Report]:
    detector = load_detector(bundle)

    def score(item: Input, part: Progress) -> Report:
        from avdetect import inference

        return inference.score_file(item.path, detector, progress=part)

    return score


def _by_name(
    names: Sequence[str], bundle: Path | None, combination: Path | None
) -> Callable[[Input, Progress], Report]:
    from avdetect.detectors.combination import read_combination
    from avdetect.detectors.judging import score_with
    from avdetect.detectors.named import load_all

    try:
        combined = None if combination is None else read_combination(combination)
    except ValueError as error:
        raise UsageError(f"--combination: {error}") from error
    detectors = load_all(names, bundle=bundle)
    if combined is not None and (reason := combined.why_not(detectors)):
        raise UsageError(f"--combination {combination}: {reason}")
    return lambda item, part: score_with(item.path, detectors, combination=combined, progress=part)
