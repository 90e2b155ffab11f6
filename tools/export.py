"""Join trained parts into a bundle, calibrated on validation clips.

Example:
    python -m tools.export work/*/part --records work/records --fit-where "split=dev;fold=0,1,2,3,4"
        --name avnet-small --out avdetect/weights/default

Temperatures, biases, thresholds and the zero of the offset are fitted on the clips of --fit-where and on nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def export(
    parts: Annotated[list[Path], typer.Argument(help="Folders of trained parts.")],
    records: Annotated[Path, typer.Option(help="Folder of the records.")],
    fit_where: Annotated[str, typer.Option(help="Validation clips for the calibration.")],
    out: Annotated[Path, typer.Option(help="Bundle folder to write.")],
    name: Annotated[str, typer.Option(help="Name on the card.")] = "avnet",
    version: Annotated[str, typer.Option(help="Version on the card.")] = "0.1.0",
    genuine_where: Annotated[str, typer.Option(help="More genuine clips, for the thresholds.")] = "",
    in_sync: Annotated[str, typer.Option(help="Clips known to be in sync, for the zero of the offset.")] = "",
    allow_plugin: Annotated[
        list[str] | None,
        typer.Option("--allow-plugin", metavar="NAME", help="Encoder or head of the parts that may be loaded."),
    ] = None,
) -> None:
    from avdetect.bundle import assemble_net, flat_parameters, write_bundle
    from avdetect.calibration import Calibration
    from avdetect.calibration_fit import fit_calibration
    from avdetect.config import to_dict
    from avdetect.data.store import RecordStore
    from avdetect.detector import Detector

    net = assemble_net(parts, allow=allow_plugin or ())
    store = RecordStore(records)
    detector = Detector(net, Calibration(), card={})
    rows = store.where(fit_where)
    calibration, figures = fit_calibration(
        detector,
        store,
        rows,
        genuine=store.where(genuine_where) if genuine_where else rows,
        in_sync=store.where(in_sync) if in_sync else rows,
        description=f"{fit_where}; thresholds: {genuine_where or fit_where}",
    )
    configs = [p.parent / "config.json" for p in parts]
    card = {
        "name": name,
        "version": version,
        "calibration": figures,
        "training": [json.loads(p.read_text()) for p in configs if p.is_file()],
    }
    parameters = {key: value[...] for key, value in flat_parameters(net).items()}
    write_bundle(out, net.config, parameters, calibration, card)
    size = sum(f.stat().st_size for f in out.iterdir())
    typer.echo(f"{len(parameters)} arrays, {size / 1e6:.1f} MB -> {out}")
    typer.echo(json.dumps({**to_dict(calibration), "figures": figures}, indent=1))


if __name__ == "__main__":
    app()
