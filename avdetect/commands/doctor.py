"""``avdetect doctor``: is everything there, and does it work?"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from avdetect.commands.batch import FAILED, guarded

SCHEMA = "avdetect.doctor/1"
PACKAGES = (
    "avdetect jax jaxlib flax numpy scipy av opencv-python-headless librosa moviepy matplotlib safetensors typer rich"
).split()
SELF_TEST_TICKS = 100


def run(*, as_json: bool = False, bundle: Path | None = None) -> int:
    """Print the findings; 0 if all checks pass, else 1."""
    return guarded(lambda: _run(as_json, bundle))


def _run(as_json: bool, bundle: Path | None) -> int:
    found = examine(bundle)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found)
    return 0 if found["ok"] else FAILED


def examine(bundle: Path | None = None) -> dict[str, Any]:
    """Versions, and each check with ``ok``, what it found, or its error and the next step."""
    detector: list[Any] = []
    checks = [
        _check("decoder", _decoder, "reinstall PyAV: pip install --force-reinstall av"),
        _check("devices", _devices, "see the installation notes of JAX for this machine"),
        _check("face networks", _faces, "reinstall avdetect: its face weights are missing or damaged"),
        _check("bundle", lambda: _bundle(bundle, detector), "reinstall avdetect, or name a bundle with --bundle"),
    ]
    if detector:
        checks.append(_check("self-test", lambda: _self_test(detector[0]), "report this with the output of --json"))
    return {
        "schema": SCHEMA,
        "ok": all(check["ok"] for check in checks),
        "platform": platform.platform(),
        "python": sys.version.split()[0],
        "packages": {name: _version(name) for name in PACKAGES},
        "checks": checks,
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _check(name: str, test: Callable[[], str], next_step: str) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        result = {"ok": True, "found": test()}
    except Exception as error:  # a doctor reports any illness
        result = {"ok": False, "error": f"{type(error).__name__}: {error}", "next_step": next_step}
    return {"name": name, **result, "seconds": round(time.perf_counter() - start, 2)}


def _decoder() -> str:
    import av

    libraries = (f"{name} {'.'.join(map(str, version))}" for name, version in av.library_versions.items())
    missing = [name for name in ("h264", "hevc", "vp9", "aac", "opus", "mp3") if name not in av.codecs_available]
    if missing:
        raise RuntimeError(f"this build cannot decode {', '.join(missing)}")
    return ", ".join(libraries)


def _devices() -> str:
    import jax
    import jax.numpy as jnp

    if float(jnp.arange(4.0).sum()) != 6.0:
        raise RuntimeError("the device adds up 0 + 1 + 2 + 3 wrongly")
    return ", ".join(f"{device.platform}:{device.id} ({device.device_kind})" for device in jax.devices())


def _faces() -> str:
    from importlib import resources

    folder = Path(str(resources.files("avdetect") / "weights" / "faces"))
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise FileNotFoundError(f"no weights in {folder}")
    return ", ".join(f"{file.name} ({file.stat().st_size / 1e6:.1f} MB)" for file in files)


def _bundle(bundle: Path | None, detector: list[Any]) -> str:
    import avdetect

    detector.append(avdetect.load(bundle))
    card = detector[0].card
    where = bundle or "built in"
    fitted = detector[0].calibration.fitted_on or "not calibrated"
    return f"{card.get('name')} {card.get('version')} ({where}, sha256 {str(card.get('sha256'))[:12]}); {fitted}"


def _self_test(detector: Any) -> str:
    """Score four seconds of a drawn face that speaks; the numbers must be there, whatever they are."""
    from avdetect.testing import synthetic_clip

    report = detector.score(synthetic_clip(0, SELF_TEST_TICKS))
    if not report.tracks or (report.probability_fake is None and not report.abstained):
        raise RuntimeError("a made-up clip got neither a probability nor a reason for none")
    probability = "none" if report.probability_fake is None else f"{report.probability_fake:.2f}"
    return f"a drawn face that speaks: {report.verdict}, probability {probability}; {report.tracks[0].sync.offset_text}"


def _show(found: dict[str, Any]) -> None:
    if not sys.stdout.isatty():
        for check in found["checks"]:
            print("ok" if check["ok"] else "failed", check["name"], check.get("found") or check["error"], sep="\t")
        for name, version in {"python": found["python"], **found["packages"]}.items():
            print("version", name, version or "not installed", sep="\t")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for check in found["checks"]:
        mark = Text("✓", "bold green") if check["ok"] else Text("✗", "bold red")
        table.add_row(mark, check["name"], Text(check.get("found") or check["error"]))
        if not check["ok"]:
            table.add_row("", "", Text(f"→ {check['next_step']}", "yellow"))
    console.print(table)
    versions = ", ".join(f"{name} {version or 'missing'}" for name, version in found["packages"].items())
    console.print(Text(f"\n{found['platform']}, Python {found['python']}\n{versions}", "dim"))
    console.print("[bold green]All is well.[/]" if found["ok"] else "[bold red]Something is not right.[/]")
