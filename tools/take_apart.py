"""A bundle back into the folders that training leaves, so that one part can be trained anew and the others kept.

Example:
    python -m tools.take_apart avdetect/weights/default --out work
    python -m tools.export work/sync_landmarks/part work/sync_pixels/part work/visual/part work/voice/part \
        work/fusion/part --records work/records --out work/bundle

Writes OUT/<part>/part and, where the card tells how it was trained, OUT/<part>/config.json; of a committee of face
networks each member, too, as OUT/visual_member_0 and so on. Weights in a bundle are of half precision.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avdetect.commands.refusal import refuse
from tools.plainly import said_plainly

if TYPE_CHECKING:
    from avdetect.models.detector import DetectorNet

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
@said_plainly()
def take_apart(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    out: Annotated[Path, typer.Option(help="Folder for the folders of parts.")],
    allow_plugin: Annotated[
        list[str] | None,
        typer.Option("--allow-plugin", metavar="NAME", help="Encoder or head of the bundle that may be loaded."),
    ] = None,
) -> None:
    from avdetect.bundle import load_detector, write_part

    detector = load_detector(bundle, allow=allow_plugin or [])
    net = detector.net
    trained = {str(t.get("train", {}).get("part")): t for t in detector.card.get("training", [])}
    parts = net.parts()
    members = _members(net)
    folders = [out / name for name in parts] + [out / f"visual_member_{i}" for i in range(len(members))]
    if taken := [folder for folder in folders if folder.exists()]:
        refuse(f"{taken[0]} is there already; give another --out, or take it away")
    for name, module in parts.items():
        write_part(out / name / "part", name, module, net.config)
        _say_how(out / name, trained.get(name))
        typer.echo(str(out / name / "part"))
    told = trained.get("visual", {}).get("members", [])
    for i, (member, encoder) in enumerate(members):
        folder = out / f"visual_member_{i}"
        config = replace(net.config, visual_encoder=encoder, visual=member.config)
        write_part(folder / "part", "visual", member, config)
        _say_how(folder, told[i] if len(told) == len(members) else None)
        typer.echo(str(folder / "part"))


def _members(net: DetectorNet) -> list[tuple[Any, str]]:
    from avdetect.models.committee import CommitteeNet
    from avdetect.models.lite import LiteNet
    from avdetect.models.texture import TextureNet

    if not isinstance(net.visual, CommitteeNet):
        return []
    names = {TextureNet: "texture", LiteNet: "lite"}
    return [(member, names.get(type(member), "cnn")) for member in net.visual.members]


def _say_how(folder: Path, config: dict[str, Any] | None) -> None:
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    app()
