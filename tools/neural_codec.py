"""Builds the program for the forgery `neural_codec` from the source of Opus 1.5.2 (BSD-3-Clause), which you bring.

Examples:
    python -m tools.neural_codec opus_1.5.2.orig.tar.gz --out work/neural_codec
    export AVDETECT_NEURAL_CODEC=work/neural_codec
    python -m tools.copy_voices work/records --out work/coded --family neural_codec

The archive is that of the release (on Debian, the source of the package opus 1.5.2, in trixie), with the weights in it.
gcc and make are needed; it takes a minute or two, in a folder that is thrown away.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from avdetect.commands.refusal import refuse
from avdetect.whole_file import replacing
from tools.plainly import said_plainly

SOURCE = Path(__file__).with_suffix(".c")
OPUS = "opus-1.5.2"
SHA256 = "65c1d2f78b9f2fb20082c38cbe47c951ad5839345876e46941612ee87f9a7ce1"
INCLUDES = (".", "include", "dnn", "celt", "silk", "silk/float")
OPTIONS = ("--enable-dred", "--enable-deep-plc", "--disable-shared", "--disable-doc", "--disable-extra-programs")
MOST_S = 900

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
@said_plainly()
def neural_codec(
    archive: Annotated[Path, typer.Argument(help="Source of Opus 1.5.2, a .tar.gz.")],
    out: Annotated[Path, typer.Option(help="The program to write.")],
    jobs: Annotated[int, typer.Option(help="Files compiled at once.")] = 2,
) -> None:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        refuse(f"{archive} has SHA-256 {found[:12]}..., expected {SHA256[:12]}...: take the release of {OPUS}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="avdetect-opus-") as folder:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        opus = Path(folder) / OPUS
        _run(["./configure", "--quiet", *OPTIONS], opus)
        _run(["make", f"-j{jobs}", "libopus.la"], opus)
        includes = [f"-I{opus / name}" for name in INCLUDES]
        built = opus / "neural_codec"
        command = ["gcc", "-O2", "-DHAVE_CONFIG_H", *includes, str(SOURCE), str(opus / ".libs" / "libopus.a"), "-lm"]
        _run([*command, "-o", str(built)], opus)
        with replacing(out) as half:
            half.write_bytes(built.read_bytes())
            half.chmod(0o755)
    typer.echo(f"{out}: AVDETECT_NEURAL_CODEC={out}")


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MOST_S, check=False)
    except FileNotFoundError:
        refuse(f"{command[0]} is not installed; gcc and make are needed (on Debian: apt-get install build-essential)")
    except subprocess.TimeoutExpired:
        refuse(f"{command[0]} was not done after {MOST_S // 60} minutes")
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        refuse(f"{' '.join(command[:3])} failed: " + " | ".join(last))


if __name__ == "__main__":
    app()
