"""The command ``avdetect``: parse, call one function, print.

Nothing heavy is imported here: ``avdetect --help`` has to answer at once.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from avdetect import __version__

app = typer.Typer(
    name="avdetect",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich takes longer to import than all the rest of the help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class FailOn(StrEnum):
    """Verdicts that a caller may want to stop at."""

    fake = "fake"
    inconclusive = "inconclusive"


Paths = Annotated[
    list[str],
    typer.Argument(metavar="PATH", help="Media files, folders (searched for media files) or quoted globs."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object; a list of them for several files.")]
AsJsonl = Annotated[bool, typer.Option("--jsonl", help="One JSON object a line, as soon as each file is done.")]
Bundle = Annotated[Path | None, typer.Option("--bundle", help="Folder of another detector than the one built in.")]
Format = Annotated[
    str, typer.Option("--format", metavar="NAME", help="Another format: one that is installed, or file.py:attribute.")
]
Detectors = Annotated[
    list[str] | None,
    typer.Option(
        "--detector",
        metavar="NAME",
        help="Score with this detector: built in, installed, package.module:attribute or file.py:attribute. "
        "Several need --combination.",
    ),
]
CombinationFile = Annotated[
    Path | None,
    typer.Option("--combination", metavar="FILE", help="How several detectors are combined, fitted on validation."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE|DIR", help="Write .json or .jsonl, or one .json per input into a folder."),
]

SkipDone = Annotated[
    bool,
    typer.Option("--skip-done", help="Leave out files whose report is in --out already, and add the rest."),
]


def _no_plugins(wanted: bool) -> None:
    if wanted:
        from avdetect.plugin_scan import switch_off

        switch_off()


def _allow_plugins(names: list[str] | None) -> None:
    if names:
        from avdetect.plugin_scan import allow

        allow(names)


NoPlugins = Annotated[
    bool,
    typer.Option("--no-plugins", callback=_no_plugins, is_eager=True, help="Use only what is built in."),
]
AllowPlugin = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-plugin",
        metavar="NAME",
        callback=_allow_plugins,
        is_eager=True,
        help="Let the bundle load this plugin, or file.py:attribute. May be given more than once.",
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"avdetect {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    no_plugins: NoPlugins = False,
) -> None:
    """Is the face generated? Is the voice generated? Do the lips belong to the sound?

    On a terminal you get tables; in a pipe, tab-separated lines with a header; with --json or --jsonl, reports of
    schema avdetect.report/1. Progress and messages go to stderr, so stdout holds nothing but data.

    \b
    Examples:
      avdetect score clip.mp4
      avdetect audit clip.mp4 --plot sync.png
      avdetect doctor
    """  # noqa: D301 (the backspace keeps line breaks)


@app.command(short_help="Real, fake or inconclusive, with probabilities and reasons.")
def score(
    paths: Paths,
    as_json: AsJson = False,
    as_jsonl: AsJsonl = False,
    form: Format = "",
    out: Out = None,
    fail_on: Annotated[
        list[FailOn] | None,
        typer.Option("--fail-on", help="Exit with 3 if a file gets this verdict. May be given twice."),
    ] = None,
    bundle: Bundle = None,
    detector: Detectors = None,
    combination: CombinationFile = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file that --out names.")] = False,
    skip_done: SkipDone = False,
    no_plugins: NoPlugins = False,
    allow_plugin: AllowPlugin = None,
) -> None:
    """Say real, fake or inconclusive, with probabilities, reasons and times.

    A file that cannot be read gets a line with its error, and the others are scored. Ctrl-C keeps what is done.
    A file that is there already is overwritten only with --force; in a folder, reports of other files are kept.
    With --skip-done a file is left out if its report is there and its bytes are the same; failed ones are tried again.

    \b
    Examples:
      avdetect score clip.mp4
      avdetect score interviews/ --jsonl > scores.jsonl
      avdetect score 'takes/**/*.mov' --out reports/
      avdetect score archive/ --out reports/ --skip-done        (goes on where it was stopped)
      avdetect score upload.mp4 --fail-on fake --fail-on inconclusive && publish upload.mp4
      avdetect score clip.mp4 --detector avnet --detector mine.py:Mine --combination both.json

    \b
    Exit status:
      0  every file was scored
      1  some file could not be scored, or a result could not be written
      2  wrong usage
      3  every file was scored, and one has a verdict named by --fail-on
    """  # noqa: D301 (the backspace keeps line breaks)
    from avdetect.commands.score import run

    wanted = {choice.value for choice in fail_on or ()}
    raise typer.Exit(
        run(
            paths,
            as_json=as_json,
            as_jsonl=as_jsonl,
            form=form,
            out=out,
            fail_on=wanted,
            bundle=bundle,
            detectors=detector or (),
            combination=combination,
            force=force,
            skip_done=skip_done,
        )
    )


@app.command(short_help="The lip-sync offset over time, plotted and mended.")
def audit(
    paths: Paths,
    as_json: AsJson = False,
    as_jsonl: AsJsonl = False,
    form: Format = "",
    out: Out = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="PNG|DIR", help="Draw the offset over time: .png, .svg, .pdf; a folder for several files."
        ),
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option("--fix", metavar="OUT", help="Write a copy with the sound moved into place (nothing re-encoded)."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Fix although the offset is uncertain or not constant; overwrite files.")
    ] = False,
    skip_done: SkipDone = False,
    bundle: Bundle = None,
    no_plugins: NoPlugins = False,
    allow_plugin: AllowPlugin = None,
) -> None:
    """Measure the lip sync: offset per stretch, drift, and whether viewers would notice.

    Offsets are sound time minus picture time: positive means that the sound is late. Viewers accept -45 to +125 ms
    (ITU-R BT.1359).

    \b
    Examples:
      avdetect audit clip.mp4 --plot sync.png
      avdetect audit late.mp4 --fix mended.mp4
      avdetect audit takes/ --json --plot plots/

    \b
    Exit status:
      0  every file was audited
      1  some file could not be audited, a fix was refused, or a result or plot could not be written
      2  wrong usage
    """  # noqa: D301 (the backspace keeps line breaks)
    from avdetect.commands.audit import run

    raise typer.Exit(
        run(
            paths,
            as_json=as_json,
            as_jsonl=as_jsonl,
            form=form,
            out=out,
            plot=plot,
            fix=fix,
            force=force,
            skip_done=skip_done,
            bundle=bundle,
        )
    )


@app.command(short_help="Check the installation.")
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    bundle: Bundle = None,
    no_plugins: NoPlugins = False,
    allow_plugin: AllowPlugin = None,
) -> None:
    """Check the installation: versions, devices, the bundle, and a self-test on a made-up clip.

    \b
    Example:
      avdetect doctor --json > doctor.json

    \b
    Exit status:
      0  all is well
      1  something is not
    """  # noqa: D301 (the backspace keeps line breaks)
    from avdetect.commands.doctor import run

    raise typer.Exit(run(as_json=as_json, bundle=bundle))


@app.command(short_help="What is built in and what is installed beside.")
def plugins(
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only this kind, such as forgery. May be given more than once."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Load every one of them and report what breaks.")] = False,
    no_plugins: NoPlugins = False,
) -> None:
    """List detectors, encoders, readers of data sets, forgeries, metrics, formats: built in and installed.

    Nothing that is listed is imported, unless --check asks for it.

    \b
    Examples:
      avdetect plugins
      avdetect plugins --kind detector --kind metric
      avdetect plugins --check

    \b
    Exit status:
      0  the list was printed
      1  --check found something that cannot be used
      2  wrong usage
    """  # noqa: D301 (the backspace keeps line breaks)
    from avdetect.commands.plugins import run

    raise typer.Exit(run(kinds=kind or (), as_json=as_json, check=check))
