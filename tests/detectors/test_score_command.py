"""``avdetect score --detector``: one, several, and what goes wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from avdetect.calibration import Platt, logit, sigmoid
from avdetect.cli import app
from avdetect.detectors.combination import Combination, Member
from avdetect.report.schema import Report, json_schema
from avdetect.testing import write_synthetic_video
from tests.fake_distributions import Site, site

__all__ = ["site"]

Write = Callable[..., str]
BRIGHT = """
name = "bright"
def evidence(self, clips):
    return [Evidence.only(c.n_ticks, probability=0.9) for c in clips]
"""
EAR = """
name, modalities = "ear", frozenset({"sound"})
contract = InputContract(max_ticks=1000)
calibration = Calibration(audio=Platt(2.0, 0.5))
def evidence(self, clips):
    return [Evidence.only(c.n_ticks, audio=np.full(c.n_ticks, -3, np.float32)) for c in clips]
"""
EAR_HEAD = "from avdetect.calibration import Calibration, Platt\n"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["score", *map(str, arguments)])


def reports(result: Any) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for report in found:
        jsonschema.validate(report, json_schema())
    return found


def rule(path: Path, *, bias: float = 0.0, **weights: tuple[float, float]) -> Path:
    members = tuple(Member(name, "0.3", "", *pair) for name, pair in weights.items())
    path.write_text(Combination(members, bias=bias, fake_above=0.6, real_below=0.4).to_json())
    return path


def test_one_detector_alone(plugin: Write, speaker: Path, voice: Path) -> None:
    done = run(speaker, voice, "--jsonl", "--detector", plugin(BRIGHT))
    assert done.exit_code == 0, done.output
    seen, heard = reports(done)
    assert (seen["verdict"], seen["probability_fake"]) == ("fake", 0.9)
    assert seen["model"] == {"name": "bright", "version": "0.3", "sha256": ""}
    (entry,) = seen["detectors"]
    assert entry["name"] == "bright" and entry["probability_fake"] == 0.9 and not entry["calibrated"]
    assert any("bright are uncalibrated" in line for line in seen["reasons"])
    assert heard["verdict"] == "inconclusive" and heard["abstained"] == ["no_face"]
    assert heard["reasons"][0] == "bright abstained: it needs a face, and none was found."
    assert Report.from_dict(seen).to_dict() == seen


def test_a_calibration_of_the_detector_is_used(plugin: Write, voice: Path) -> None:
    (heard,) = reports(run(voice, "--jsonl", "--detector", plugin(EAR, head=EAR_HEAD)))
    expected = float(Platt(2.0, 0.5).probability(-3.0))
    assert heard["probability_fake"] == pytest.approx(expected, abs=1e-4) and heard["verdict"] == "real"
    assert heard["detectors"][0]["calibrated"] and not any("uncalibrated" in line for line in heard["reasons"])
    assert heard["tracks"][0]["audio"]["probability_fake"] == heard["probability_fake"]


def test_several_are_combined_as_the_file_says(plugin: Write, speaker: Path, voice: Path, tmp_path: Path) -> None:
    bright, ear = plugin(BRIGHT), plugin(EAR, head=EAR_HEAD)
    both = rule(tmp_path / "both.json", bias=-0.2, bright=(0.5, -0.7), ear=(1.5, 0.0))
    done = run(speaker, voice, "--jsonl", "--detector", bright, "--detector", ear, "--combination", both)
    assert done.exit_code == 0, done.output
    seen, heard = reports(done)
    p = float(Platt(2.0, 0.5).probability(-3.0))
    expected = sigmoid(-0.2 + 0.5 * logit(0.9) + 1.5 * logit(p))
    assert seen["probability_fake"] == pytest.approx(float(expected), abs=1e-4)
    assert [d["probability_fake"] for d in seen["detectors"]] == [0.9, pytest.approx(p, abs=1e-4)]
    assert heard["probability_fake"] == pytest.approx(float(sigmoid(-0.2 - 0.7 + 1.5 * logit(p))), abs=1e-4)
    assert heard["detectors"][0]["why_not"] == "it needs a face, and none was found"
    assert seen["verdict"] == heard["verdict"] == "real", "face and voice were judged, each by one of them"
    assert seen["model"]["name"] == "combination" and len(seen["model"]["sha256"]) == 64
    assert "bright 0.90, ear" in seen["reasons"][0] and any(r.startswith("ear: ") for r in seen["reasons"])
    heavier = rule(tmp_path / "heavier.json", bias=0.2, bright=(3.0, -0.7), ear=(1.5, 0.0))
    (changed,) = reports(
        run(speaker, "--jsonl", "--detector", ear, "--detector", bright, "--combination", heavier, "--fail-on", "fake")
    )
    assert changed["verdict"] == "fake" and [d["name"] for d in changed["detectors"]] == ["ear", "bright"]


def test_a_file_is_real_only_if_what_it_shows_was_judged(plugin: Write, speaker: Path, tmp_path: Path) -> None:
    ear, other = plugin(EAR, head=EAR_HEAD), plugin(EAR.replace('"ear"', '"other"'), head=EAR_HEAD)
    both = rule(tmp_path / "both.json", ear=(1.0, 0.0), other=(1.0, 0.0))
    (seen,) = reports(run(speaker, "--jsonl", "--detector", ear, "--detector", other, "--combination", both))
    assert seen["probability_fake"] < 0.4 and seen["verdict"] == "inconclusive"
    assert "none judged the face" in seen["reasons"][0]


def test_another_version_than_fitted_with_is_said(plugin: Write, voice: Path, tmp_path: Path) -> None:
    ear = plugin(EAR.replace('"ear",', '"ear",') + '\nversion = "0.4"\n', head=EAR_HEAD)
    (heard,) = reports(
        run(voice, "--jsonl", "--detector", ear, "--combination", rule(tmp_path / "r.json", ear=(1.0, 0.0)))
    )
    assert any("fitted with ear 0.3; this is 0.4" in line for line in heard["reasons"])


def test_a_failing_file_gets_a_line_that_names_the_plugin_and_the_others_are_scored(
    plugin: Write, silent: Path, tmp_path: Path
) -> None:
    answers = {
        "raise RuntimeError('boom')": "RuntimeError: boom",
        "return [Evidence.only(c.n_ticks + 1) for c in clips]": "ticks, the clip has",
        "return [Evidence.only(c.n_ticks, visual=np.zeros(c.n_ticks)) for c in clips]": "visual is of float64",
        "return [Evidence.only(c.n_ticks, probability=float('nan')) for c in clips]": "probability is nan",
        "return []": "0 Evidence for",
    }
    body = "def evidence(self, clips):\n    type(self).calls += 1\n"
    for i, answer in enumerate(answers):
        body += f"    if type(self).calls == {i + 2}:\n        {answer}\n"
    body += "    return [Evidence.only(c.n_ticks, probability=0.9) for c in clips]\n"
    body = "contract = InputContract(max_ticks=1000)\n" + body
    paths = []
    for i in range(len(answers) + 2):
        paths.append(tmp_path / f"{i}.mp4")
        paths[-1].write_bytes(silent.read_bytes())
    spec = plugin(body)
    done = run(*paths, "--jsonl", "--detector", spec)
    assert done.exit_code == 1
    found = reports(done)
    assert [r.get("verdict", "error") for r in found] == ["fake", *["error"] * len(answers), "fake"]
    for report, said in zip(found[1:-1], answers.values(), strict=True):
        assert report["error"].startswith(report["file"]["path"]) and said in report["error"]
        assert spec in report["error"] and "made 0.3" in report["error"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--detector", "BRIGHT", "--detector", "EAR"], "python -m tools.evaluate combine"),
        (["--detector", "BRIGHT", "--detector", "BRIGHT"], "names one twice"),
        (["--combination", "RULE"], "name each with --detector"),
        (["--detector", "BRIGHT", "--combination", "RULE"], "add --detector ear"),
        (["--detector", "BRIGHT", "--detector", "EAR", "--detector", "TWIN", "--combination", "RULE"], "without made"),
        (["--detector", "BRIGHT", "--detector", "SAME", "--combination", "RULE"], "has the same name"),
        (["--detector", "BRIGHT", "--combination", "absent.json"], "absent.json cannot be read"),
        (["--detector", "BRIGHT", "--bundle", "x"], "--bundle is for the detector avnet"),
        (["--detector", "avnett"], "did you mean 'avnet'"),
        (["--detector", "BROKEN"], "cannot be imported: ZeroDivisionError"),
        (["--detector", "FAILS"], "making it failed: OSError: no weights"),
        (["--detector", "NAMELESS"], "its name is ''"),
        (["--detector", "OLD"], "written for plugin API 0"),
        (["--detector", "CONTRACT"], "must be an avdetect.api.InputContract"),
        (["--detector", "SCALING"], "its calibration is a float"),
        (["--detector", "BRIGHT", "--no-plugins"], "plugins are off"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_wrong_usage(
    plugin: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setenv("AVDETECT_PLUGINS", "on")  # put back after --no-plugins
    specs = {
        "BRIGHT": plugin(BRIGHT),
        "EAR": plugin(EAR, head=EAR_HEAD),
        "TWIN": plugin(BRIGHT.replace('name = "bright"', "")),
        "SAME": plugin(BRIGHT),
        "BROKEN": plugin(BRIGHT, head="1 / 0"),
        "FAILS": plugin(BRIGHT + "\ndef __init__(self):\n    raise OSError('no weights')\n"),
        "NAMELESS": plugin(BRIGHT + "\nname = ''\n"),
        "OLD": plugin(BRIGHT + "\napi_version = -1\n"),
        "CONTRACT": plugin(BRIGHT + "\nfrom types import SimpleNamespace\ncontract = SimpleNamespace(max_ticks=5)\n"),
        "SCALING": plugin(BRIGHT + "\ncalibration = 2.0\n"),
        "RULE": str(rule(tmp_path / "rule.json", bright=(1.0, 0.0), ear=(1.0, 0.0))),
    }
    (tmp_path / "clip.mp4").write_bytes(b"never read")
    done = run(tmp_path / "clip.mp4", *(specs.get(option, option) for option in options))
    assert done.exit_code == 2 and done.stdout == "", done.output
    assert said.replace("API 0", "API -1") in done.stderr.replace("\n", " "), done.stderr


INSTALLED = """
from avdetect.api import Evidence, InputContract


class Hum:
    api_version, name, version = 1, "hum", "0.7"
    modalities, jittable = frozenset({"sound"}), False
    contract = InputContract(max_ticks=20)

    def evidence(self, clips):
        if clips[0].n_ticks < 20:
            raise RuntimeError("too little to hum along")
        return [Evidence.only(c.n_ticks, probability=0.25) for c in clips]
"""


def test_an_installed_detector_is_named_with_its_distribution(site: Site, voice: Path, tmp_path: Path) -> None:
    site.install("avdetect-hum", {"avdetect.detectors": {"hum": "hum_of:Hum"}}, files={"hum_of.py": INSTALLED},
                 version="2.1")  # fmt: skip
    short = write_synthetic_video(tmp_path / "short.mp4", seconds=0.4, seed=1, picture=False)
    done = run(voice, short, voice.with_name("absent.mp4"), "--jsonl", "--detector", "hum")
    assert done.exit_code == 1
    heard, failed, absent = reports(done)
    assert heard["verdict"] == "real" and heard["detectors"][0]["distribution"] == "avdetect-hum 2.1"
    assert failed["error"] == (
        f"{short}: detector 'hum' (hum_of:Hum of avdetect-hum 2.1): hum 0.7: evidence() failed: RuntimeError: "
        "too little to hum along"
    )
    assert "no such file" in absent["error"]
