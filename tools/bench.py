"""How fast and how large: `make bench`.

Each stage runs in a process of its own, so that its peak memory (all its processes together, the decoder's included)
can be told, and twice, so that compilation is told apart from work.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import psutil
import typer

from tools.bench_media import bench_files, repeated

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"
RESULT = ROOT / "build" / "bench.json"
STAGES = {
    "decode": "decode only",
    "faces": "decode + faces",
    "whole": "whole",
}
app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Measurement:
    """One run of a command: wall seconds inside (no imports) and around it, processor seconds, peak memory in MB."""

    work_s: float
    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(command: list[str], *, timeout_s: float = 3600) -> Measurement:
    """Runs a command and watches the memory of it and its children, ten times a second.

    Raises:
        SystemExit: the command failed; its complaint is shown.
    """
    start, spent = time.perf_counter(), _cpu_of_children()
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=_env())
    peak = 0
    while process.poll() is None:
        peak = max(peak, _resident(process))
        if time.perf_counter() - start > timeout_s:
            process.kill()
            raise SystemExit(f"{' '.join(command)} took longer than {timeout_s:g} s")
        time.sleep(0.1)
    wall = time.perf_counter() - start
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{err.strip()[-2000:]}")
    try:
        work = float(json.loads(out.strip().splitlines()[-1])["work_s"])
    except (ValueError, KeyError, IndexError, TypeError):
        work = wall
    return Measurement(round(work, 3), round(wall, 3), round(_cpu_of_children() - spent, 3), round(peak / 1e6))


def _cpu_of_children() -> float:
    """Processor seconds of all descendants that have ended; unlike wall time, little disturbed by other programs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(process: psutil.Process) -> int:
    """Resident bytes of a process and its descendants; pages that they share are counted for each."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def _env() -> dict[str, str]:
    """Measure on the CPU, with a compilation cache that belongs to the benchmark."""
    rest = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    return {**rest, "JAX_PLATFORMS": "cpu", "AVDETECT_CACHE": str(FOLDER / "cache")}


@app.command(hidden=True)
def stage(name: str, path: Path) -> None:
    """One stage on one file; prints the seconds of work as JSON."""
    run = {"decode": _decode, "faces": _faces, "whole": _whole}[name]
    print(json.dumps({"work_s": run(path)}))


def _decode(path: Path) -> float:
    from avdetect.media.reader import open_media

    start = time.perf_counter()
    with open_media(path) as reader:
        for _ in reader.blocks():
            pass
    return time.perf_counter() - start


def _faces(path: Path) -> float:
    from avdetect.devices import use_compilation_cache
    from avdetect.faces.tracker import FaceTracker
    from avdetect.media.reader import open_media

    use_compilation_cache()
    start = time.perf_counter()
    tracker = FaceTracker()
    with open_media(path) as reader:
        for block in reader.blocks():
            tracker.push(block.frames, block.frame_valid, block.frame_index, block.frame_pts_s, block.start_tick)
    tracker.finish()
    return time.perf_counter() - start


def _whole(path: Path) -> float:
    import avdetect

    start = time.perf_counter()
    avdetect.score(path)
    return time.perf_counter() - start


@app.command(name="run")
def bench(
    long: Annotated[bool, typer.Option("--long", help="also half an hour, to see that memory stays flat")] = False,
) -> None:
    """Measures decoding, faces and the whole on a minute of 1280x720, and the start-up of the command."""
    from rich.console import Console
    from rich.table import Table

    minute, short, shows = bench_files(FOLDER)
    console = Console(highlight=False)
    console.print(f"60 s of 1280x720 at 25 fps, H.264: {shows}")
    table = Table("stage", "seconds", "× real time", "CPU seconds", "peak MB")
    result: dict = {"machine": _machine(), "file": shows, "stages": {}}

    def row(key: str, title: str, path: Path, media_s: float) -> None:
        found = measure([sys.executable, "-m", "tools.bench", "stage", key, str(path)])
        factor = media_s / found.work_s
        result["stages"][title] = {**asdict(found), "media_s": media_s, "real_time_factor": round(factor, 2)}
        table.add_row(title, f"{found.work_s:.1f}", f"{factor:.1f}", f"{found.cpu_s:.1f}", f"{found.peak_mb:.0f}")

    row("whole", "whole, first time (compiles)", minute, 60)
    for key, title in STAGES.items():
        row(key, title, minute, 60)
    if long:
        row("whole", "whole, 30 minutes", repeated(minute, 30), 1800)
    console.print(table)

    command = [str(Path(sys.executable).parent / "avdetect")]
    score = [*command, "score", "--json", str(short)]
    times = {
        "avdetect --help": min(measure([*command, "--help"]).wall_s for _ in range(3)),
        "avdetect score, 6 s clip, first time": measure(score).wall_s,
        "avdetect score, 6 s clip, warm cache": min(measure(score).wall_s for _ in range(2)),
    }
    result["commands"] = times
    for name, seconds in times.items():
        console.print(f"{name}: {seconds:.2f} s")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    console.print(f"written to {RESULT.relative_to(ROOT)}")


def _machine() -> dict[str, object]:
    import jax

    model = (
        next(
            (
                line.split(":")[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if "model name" in line
            ),
            platform.processor(),
        )
        if Path("/proc/cpuinfo").exists()
        else platform.processor()
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": model, "cores": cores, "python": platform.python_version(), "jax": jax.__version__}


if __name__ == "__main__":
    app()
