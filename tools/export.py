"""Join trained parts into a bundle, calibrated on validation clips.

Examples:
    python -m tools.export work/*/part --records work/records --name avnet-small --out work/bundle
    python -m tools.export --calibrate-only work/bundle --records work/records

Temperatures, biases, thresholds and the zero of the offset are fitted on the clips of --fit-where and on nothing else.
What the networks say of them is measured once and kept in the --evidence folder under a name made of the networks, so
that a second calibration of the same networks takes seconds. The card holds the figures, of people left out of the fit.
A net is surer of generators that it was trained on than of those to come: with --unmet, forged clips of the fit are
judged by a part that was trained without them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avdetect.commands.refusal import refuse
from tools.plainly import said_plainly

if TYPE_CHECKING:
    from avdetect.calibration import Calibration, Platt
    from avdetect.calibration_fit import Goals, Measured
    from avdetect.data.store import RecordStore
    from avdetect.detector import Detector

FIT_WHERE = "split=dev;fold=3,4|source=LRC-AR,CelebV-Text (silent);split=val"
"""Development clips of two folds of people, and genuine people of the training sets that are not trained on."""

RULES_WHERE = "split=dev"
"""The other data sets of the fit hold genuine clips alone, and are known from training."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
@said_plainly()
def export(
    records: Annotated[Path, typer.Option(help="Folder of the records; several with commas between.")],
    parts: Annotated[list[Path] | None, typer.Argument(help="Folders of trained parts.")] = None,
    calibrate_only: Annotated[
        Path | None, typer.Option(metavar="BUNDLE", help="Calibrate this bundle again; no parts are given.")
    ] = None,
    fit_where: Annotated[str, typer.Option(help="Validation clips for the calibration.")] = FIT_WHERE,
    out: Annotated[
        Path | None, typer.Option(help="Bundle folder to write; with --calibrate-only, the bundle itself if not given.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name on the card.")] = "avnet",
    version: Annotated[str, typer.Option(help="Version on the card.")] = "0.1.0",
    rules_where: Annotated[
        str, typer.Option(help="Clips of the fit on which the verdict's rules are compared; all if it names none.")
    ] = RULES_WHERE,
    genuine_where: Annotated[str, typer.Option(help="More clips, of which the genuine ones are used.")] = "",
    in_sync: Annotated[str, typer.Option(help="Clips known to be in sync, for the zero of the offset.")] = "",
    evidence: Annotated[Path, typer.Option(help="Folder where measured evidence is kept.")] = Path("work/evidence"),
    false_alarms: Annotated[float, typer.Option(help="Share of genuine clips that may be called fake.")] = 0.01,
    risk: Annotated[float, typer.Option(help="Share of clips called real that may be forged, of an even mix.")] = 0.2,
    false_offsets: Annotated[
        float, typer.Option(help="Share of clips with another clip's sound of which an offset may be reported.")
    ] = 0.5,
    unmet: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION@PART+PART",
            help="Forged clips of the fit of which PARTs judge, trained without their generators (may be repeated).",
        ),
    ] = None,
    keep_scaling: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BRANCH@BUNDLE",
            help="Branch (visual, audio) that is the same network in BUNDLE: its scaling is taken from there.",
        ),
    ] = None,
    allow_plugin: Annotated[
        list[str] | None,
        typer.Option("--allow-plugin", metavar="NAME", help="Encoder or head of the parts that may be loaded."),
    ] = None,
) -> None:
    from avdetect.bundle import write_calibration
    from avdetect.calibration_fit import Goals
    from avdetect.config import to_dict

    if bool(parts) == (calibrate_only is not None):
        refuse("give either folders of trained parts or --calibrate-only BUNDLE")
    if parts and out is None:
        refuse("--out is missing: where should the bundle be written?")
    if calibrate_only is not None and not calibrate_only.is_dir():
        refuse(f"--calibrate-only: {calibrate_only} is not a bundle: there is no such folder")
    target = out or calibrate_only
    assert target is not None
    # The old bundle stays until the new one is whole.
    new = target.with_name(f"{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    if parts:
        _write_uncalibrated(parts, new, name=name, version=version, allow=allow_plugin or [])
    else:
        assert calibrate_only is not None
        shutil.copytree(calibrate_only, new)
    with said_plainly(f" (uncalibrated bundle: {new})"):
        calibration, figures = _calibrate(
            new,
            records,
            fit_where,
            parts=parts or [],
            rules_where=rules_where,
            genuine_where=genuine_where,
            in_sync=in_sync,
            evidence=evidence,
            goals=Goals(false_alarms, risk, false_offsets),
            unmet=unmet or [],
            keep=keep_scaling or [],
            allow=allow_plugin or [],
        )
    write_calibration(new, calibration, figures)
    target.mkdir(parents=True, exist_ok=True)
    for path in new.iterdir():
        path.replace(target / path.name)
    new.rmdir()
    size = sum(f.stat().st_size for f in target.iterdir())
    typer.echo(json.dumps({**to_dict(calibration), "figures": figures}, indent=1))
    typer.echo(f"{size / 1e6:.1f} MB -> {target}")


def _write_uncalibrated(parts: list[Path], folder: Path, *, name: str, version: str, allow: list[str]) -> None:
    from avdetect.bundle import assemble_net, flat_parameters, write_bundle
    from avdetect.calibration import Calibration

    net = assemble_net(parts, allow=allow)
    configs = [p.parent / "config.json" for p in parts]
    card = {
        "name": name,
        "version": version,
        "training": [json.loads(p.read_text()) for p in configs if p.is_file()],
    }
    parameters = {key: value[...] for key, value in flat_parameters(net).items()}
    write_bundle(folder, net.config, parameters, Calibration(), card)
    typer.echo(f"{len(parameters)} arrays of {len(parts)} parts")


def _check_fit(parts: list[Path], store: RecordStore, rows: set[int]) -> None:
    """No part was trained on a clip of the fit, as far as there is a configuration beside it to tell."""
    from avdetect.evaluation.targets.left_out import trained_rows

    for part in parts:
        met = rows & trained_rows(part, store) if (part.parent / "config.json").is_file() else set()
        if met:
            raise ValueError(
                f"{part} was trained on {len(met)} of the clips of the fit (--fit-where, --genuine-where), such as "
                f"{min(str(store.index[i]['key']) for i in met)}: it is surer of those than of any to come"
            )


def _calibrate(
    bundle: Path,
    records: Path,
    fit_where: str,
    *,
    parts: list[Path],
    rules_where: str,
    genuine_where: str,
    in_sync: str,
    evidence: Path,
    goals: Goals,
    unmet: list[str],
    keep: list[str],
    allow: list[str],
) -> tuple[Calibration, dict[str, Any]]:
    """The bundle as it is read back (weights rounded as they are stored) is what is measured."""
    from rich.progress import Progress

    from avdetect.bundle import load_detector
    from avdetect.calibration_fit import fit_calibration, measure, zero_offset
    from avdetect.data.store import RecordStore

    store = RecordStore(records)
    rows = set(store.where(fit_where))
    if not rows:
        raise ValueError(f"no clip in {records} satisfies {fit_where!r}")
    forged = {
        i for i, row in enumerate(store.index) if "1" in (str(row.get("visual_fake")), str(row.get("audio_fake")))
    }
    more = set(store.where(genuine_where)) - forged if genuine_where else set()
    _check_fit(parts, store, rows | more)
    timed = set(store.where(in_sync)) if in_sync else set()
    detector = load_detector(bundle, allow=allow)
    kept = dict(_kept_scaling(rule, detector, allow) for rule in keep)
    with Progress() as bar:
        task = bar.add_task("clips", total=len(rows | more | timed))
        clips = measure(
            detector,
            store,
            sorted(rows | more | timed),
            folder=evidence,
            progress=lambda n: bar.update(task, completed=n),
        )
    fitted = _by_parts_that_never_met([c for c in clips if c.row in rows | more], unmet, bundle, store, evidence, allow)
    zero = zero_offset([c for c in clips if c.row in timed]) if in_sync else None
    description = fit_where + (f"; genuine also: {genuine_where}" if genuine_where else "")
    description += "; forged clips by parts that never met their generators" if unmet else ""
    description += "".join(f"; scaling of the {name} branch as before" for name in kept)
    compared = set(store.where(rules_where)) if rules_where else None
    return fit_calibration(
        fitted, description=description, goals=goals, compared_on=compared, zero_offset_ms=zero, kept=kept
    )


def _kept_scaling(rule: str, detector: Detector, allow: list[str]) -> tuple[str, Platt]:
    """The scaling of a branch in another bundle, if it is of the same network.

    Raises:
        ValueError: the rule is not of the form asked for, or the networks differ.
    """
    import numpy as np

    from avdetect.bundle import flat_parameters, load_detector

    name, sign, folder = rule.partition("@")
    if not sign or name not in ("visual", "audio"):
        raise ValueError(f"--keep-scaling: {rule!r} is not of the form visual@BUNDLE or audio@BUNDLE")
    before = load_detector(folder, allow=allow)
    ours, theirs = (getattr(d.net, name) for d in (detector, before))
    same = False
    if ours is not None and theirs is not None:
        a, b = flat_parameters(ours), flat_parameters(theirs)
        same = a.keys() == b.keys() and all(np.array_equal(a[key][...], b[key][...]) for key in a)
    if not same:
        raise ValueError(
            f"--keep-scaling: the {name} branch in {folder} is another network; its scaling must be fitted"
        )
    return name, getattr(before.calibration, name)


def _by_parts_that_never_met(
    clips: list[Measured], rules: list[str], bundle: Path, store: RecordStore, evidence: Path, allow: list[str]
) -> list[Measured]:
    """Forged clips as they look to a net that does not know what forged them: that is how those to come will look."""
    from avdetect.bundle import assemble_net, load_detector, read_stand_in
    from avdetect.calibration import Calibration
    from avdetect.calibration_fit import measure
    from avdetect.detector import Detector
    from avdetect.evaluation.targets.left_out import check_left_out

    here = {c.row for c in clips if c.clip.fake}
    for rule in rules:
        condition, parts = read_stand_in(rule, option="--unmet")
        rows = sorted(here & set(store.where(condition)))
        for part in parts:
            check_left_out(part, store, rows, [])
        net = load_detector(bundle, allow=allow).net
        for name, module in assemble_net(parts, allow=allow).parts().items():
            setattr(net, name, module)
        stand_in = Detector(net, Calibration(), card={})
        found = {c.row: c for c in measure(stand_in, store, rows, folder=evidence)}
        typer.echo(f"{len(found)} clips of {condition!r} by {', '.join(map(str, parts))}")
        clips = [found.get(c.row, c) for c in clips]
    return clips


if __name__ == "__main__":
    app()
