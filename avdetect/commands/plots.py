"""``--plot``: a picture for one file, or a folder of them; one that cannot be written costs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avdetect.commands.batch import UsageError, say
from avdetect.commands.inputs import Input
from avdetect.commands.writing import identity, names, refuse_existing, refuse_input, why
from avdetect.report.audit import Audit
from avdetect.whole_file import replacing

PICTURES = (".png", ".svg", ".pdf")


class Plots:
    """Draws audits where ``--plot`` says.

    Args:
        plot: a file with one of the endings ``PICTURES``, or a folder.
        inputs: all of them; none is written over.
        force: whether plots that are in the folder already may be.

    Attributes:
        failed: whether some plot could not be written.
    """

    def __init__(self, plot: Path, inputs: Sequence[Input], *, force: bool):
        self.failed = False
        self._plot, self._force = plot, force
        self._inputs = {identity(item.path) for item in inputs}
        self._taken: set[Path] = set()

    def draw(self, audit: Audit, item: Input) -> str | None:
        """Where the plot of an audit is; ``None`` where there is nothing to draw, or it cannot be written."""
        from avdetect.report.plot import plot_audit

        if audit.main is None:
            say(f"avdetect: {item.path}: no plot, since there is no face with sound")
            return None
        path = self._plot
        try:
            if not _is_picture(path):
                path = next(p for p in names(path, item.relative, ".png") if self._free(p))
                self._taken.add(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as half:
                plot_audit(audit, half)
        except OSError as error:  # the audit itself is good
            self.failed = True
            say(f"avdetect: {item.path}: the plot {path} was not written: {why(error)}")
            return None
        return str(path)

    def _free(self, path: Path) -> bool:
        if path in self._taken:
            return False
        return not path.exists() or (self._force and path.is_file() and identity(path) not in self._inputs)


def check_plot(plot: Path, inputs: Sequence[Input], *, single: bool, force: bool) -> None:
    """Refuse a ``--plot`` that cannot be meant.

    Raises:
        UsageError: it is an input, is there already, or its ending is none of ``PICTURES``.
    """
    endings = ", ".join(PICTURES)
    if _is_picture(plot):
        if not single:
            raise UsageError("--plot must be a folder when there are several files")
        refuse_input("--plot", plot, inputs)
        refuse_existing("--plot", plot, force=force)
    elif plot.is_file():
        raise UsageError(f"--plot {plot} is a file; plots end in {endings}")
    elif plot.suffix and not plot.is_dir():
        raise UsageError(f"--plot {plot}: plots end in {endings}; if it is to be a folder, make it first")


def _is_picture(plot: Path) -> bool:
    return plot.suffix.lower() in PICTURES and not plot.is_dir()
