"""Join trained face networks to one, each on the scale that genuine validation faces give it.

Example:
    python -m tools.committee work/blends/part work/edits/part work/made/part --records work/records \
        --fit-where "split=dev;fold=3,4;label=RVRA" --out work/visual

At most one convolutional network, then any number of texture networks, then any number with the filters of
EfficientNet-Lite0; those of a kind have equal options. The folder written is like one
that training leaves: config.json says what all of them together were trained on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from avdetect.commands.refusal import refuse

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def committee(
    parts: Annotated[list[Path], typer.Argument(help="Folders of trained face networks.")],
    records: Annotated[str, typer.Option(help="Folder of the records.")],
    fit_where: Annotated[str, typer.Option(help="Genuine clips that nobody was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder to write: config.json and part/.")],
    weights: Annotated[str, typer.Option(help="Weight of each member with commas between; empty = alike.")] = "",
) -> None:
    import numpy as np

    from avdetect.bundle import assemble_net, write_part
    from avdetect.config import to_dict
    from avdetect.data.store import RecordStore
    from avdetect.evaluation.committee import joined, member_scores
    from avdetect.evaluation.targets.left_out import check_clips_left_out

    try:
        store = RecordStore(records)
        rows = store.where(fit_where)
        for part in parts:
            check_clips_left_out(part, store, rows)
        nets = [assemble_net([part]) for part in parts]
        shares = [float(w) for w in weights.split(",")] if weights else [1.0] * len(parts)
        net = joined(nets, [member_scores(n, store, rows) for n in nets], np.array(shares))
    except (FileNotFoundError, KeyError, ValueError) as error:
        refuse(error)
    configs = [json.loads((part.parent / "config.json").read_text()) for part in parts]
    config = dict(configs[0], name=out.name, model=to_dict(net.config))
    met = dict.fromkeys(term for c in configs for term in c["data"]["train_where"].split("|"))
    config["data"] = dict(configs[0]["data"], train_where="|".join(met))
    config["members"] = configs
    write_part(out / "part", "visual", net.visual, net.config)
    (out / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    centre, weight = net.visual.centre[...], net.visual.weight[...]
    for part, c, w in zip(parts, np.asarray(centre), np.asarray(weight), strict=True):
        typer.echo(f"{part}\tcentre {c:.3f}\tweight {w:.3f}")


if __name__ == "__main__":
    app()
