from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

import avdetect
from avdetect.cli import app
from avdetect.commands import audit as audit_command
from avdetect.commands.inputs import expand
from avdetect.report.schema import Report, json_schema
from avdetect.report.terminal import AUDIT_COLUMNS, SCORE_COLUMNS
from tests.report import fake_engine


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-in media files, and the stand-in engine that reads them; the folder is the working one."""
    fake_engine.install(monkeypatch)
    for name in ("real", "fake", "unsure", "late", "vague", "broken", "crash", "voice", "stop"):
        (tmp_path / f"{name}.mp4").write_text(name)
    for name in ("b/one.mp4", "b/deep/two.MOV", "b/.hidden.mp4", "b/notes.txt", "b/.git/three.mp4", "c/one.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("real")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def lines(result: Any) -> list[dict[str, str]]:
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_a_pipe_gets_tab_separated_lines(files: Path) -> None:
    result = run("score", "real.mp4", "fake.mp4")
    assert result.exit_code == 0 and result.stderr == ""
    assert result.stdout.splitlines()[0].split("\t") == list(SCORE_COLUMNS)
    assert [(row["verdict"], row["file"]) for row in lines(result)] == [("real", "real.mp4"), ("fake", "fake.mp4")]
    assert "\x1b" not in result.stdout


def test_json_of_one_file_is_an_object_and_of_several_a_list(files: Path) -> None:
    one = json.loads(run("score", "fake.mp4", "--json").stdout)
    assert Report.from_dict(one).verdict == "fake" and one["model"] == fake_engine.CARD
    for arguments in (["real.mp4", "fake.mp4"], ["c"], ["rea*.mp4"]):
        assert isinstance(json.loads(run("score", "--json", *arguments).stdout), list)


def test_json_lines(files: Path) -> None:
    result = run("score", "--jsonl", "real.mp4", "broken.mp4", "fake.mp4")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    for line in found:
        jsonschema.validate(line, json_schema())
    assert [line.get("verdict", "error") for line in found] == ["real", "error", "fake"]


def test_one_failing_file_is_one_error_and_the_batch_is_complete(files: Path) -> None:
    result = run("score", "--json", "real.mp4", "broken.mp4", "crash.mp4", "absent.mp4", "empty", "no*.mp4", "fake.mp4")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert [line.get("error") for line in found] == [
        None,
        "broken.mp4: it is not a media file",
        "crash.mp4: ZeroDivisionError: of all things",
        "absent.mp4: there is no such file",
        "there are no media files in the folder empty",
        "no file matches no*.mp4",
        None,
    ]
    assert found[1] == {"schema": "avdetect.report/1", "file": {"path": "broken.mp4"}, "error": found[1]["error"]}


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("fake.mp4", [], 0),
        ("fake.mp4", ["--fail-on", "fake"], 3),
        ("real.mp4", ["--fail-on", "fake"], 0),
        ("unsure.mp4", ["--fail-on", "fake"], 0),
        ("unsure.mp4", ["--fail-on", "fake", "--fail-on", "inconclusive"], 3),
        ("broken.mp4", ["--fail-on", "fake"], 1),
        ("fake.mp4", ["--fail-on", "real"], 2),
        ("fake.mp4", ["--json", "--jsonl"], 2),
        ("fake.mp4", ["--bundle", "nowhere"], 2),
        ("fake.mp4", ["--out", "x.csv"], 2),
        ("fake.mp4", ["--out", "real.mp4/x.json"], 2),
        ("fake.mp4", ["--nonsense"], 2),
    ],
)
def test_exit_codes(files: Path, name: str, options: list[str], code: int) -> None:
    result = run("score", name, *options)
    assert result.exit_code == code
    if code == 2:
        assert result.stdout == "" and result.stderr


def test_a_failed_file_outweighs_a_match(files: Path) -> None:
    assert run("score", "fake.mp4", "broken.mp4", "--fail-on", "fake").exit_code == 1


def test_an_interrupt_is_no_traceback(files: Path) -> None:
    result = run("score", "--jsonl", "real.mp4", "stop.mp4", "fake.mp4")
    assert result.exit_code == 130
    assert len(result.stdout.splitlines()) == 1, "what was done stays"
    assert result.stderr == "avdetect: interrupted: 1 of 3 done\n"


def test_folders_globs_and_repeats(files: Path) -> None:
    found = [item.path for item in expand(["b", "c/one.mp4", "b/one.mp4", "*.mp4"])]
    assert found[:3] == [str(Path("b/one.mp4")), str(Path("b/deep/two.MOV")), "c/one.mp4"]
    assert found[3:] == sorted(found[3:]) and len(set(found)) == len(found) == 12
    assert [item.path for item in expand(["b/**/*.MOV"])] == ["b/deep/two.MOV"]
    (files / "odd[1].mp4").write_text("real")
    assert [item.path for item in expand(["odd[1].mp4"])] == ["odd[1].mp4"], "a name before a pattern"
    assert expand(["\0", "x" * 5000])[0].error and expand(["x" * 5000])[0].error


def test_out_file_and_folder(files: Path) -> None:
    assert run("score", "b", "--out", "all.json").exit_code == 0
    assert [entry["verdict"] for entry in json.loads((files / "all.json").read_text())] == ["real", "real"]
    assert run("score", "real.mp4", "--out", "one.json").exit_code == 0
    assert json.loads((files / "one.json").read_text())["verdict"] == "real"
    result = run("score", "real.mp4", "broken.mp4", "--out", "new/all.jsonl")
    assert result.exit_code == 1 and len((files / "new/all.jsonl").read_text().splitlines()) == 2
    assert [row["verdict"] for row in lines(result)] == ["real", "error"]
    run("score", "b", "c", "broken.mp4", "--out", "reports")
    written = sorted(str(p.relative_to(files / "reports")) for p in (files / "reports").rglob("*.json"))
    assert written == ["broken.mp4.json", "deep/two.MOV.json", "one.mp4.2.json", "one.mp4.json"]
    assert not list(files.rglob("*.part"))


def test_audit_lines_and_json(files: Path) -> None:
    result = run("audit", "late.mp4", "vague.mp4", "voice.mp4", "broken.mp4")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].split("\t") == list(AUDIT_COLUMNS)
    assert [row["band"] for row in lines(result)] == ["sound late", "cannot tell", "cannot tell", "error"]
    found = json.loads(run("audit", "late.mp4", "--json").stdout)
    assert found["schema"] == "avdetect.audit/1" and found["offset_ms"] == pytest.approx(320, abs=40)
    assert found["offset_text"].endswith("late") and "fix" not in found and "plot" not in found


def test_plots(files: Path) -> None:
    found = json.loads(run("audit", "late.mp4", "--json", "--plot", "late.png").stdout)
    assert found["plot"] == "late.png" and (files / "late.png").read_bytes()[:4] == b"\x89PNG"
    result = run("audit", "late.mp4", "voice.mp4", "--plot", "plots")
    assert result.exit_code == 0 and [p.name for p in (files / "plots").iterdir()] == ["late.mp4.png"]
    assert "voice.mp4: no plot" in result.stderr
    assert run("audit", "late.mp4", "real.mp4", "--plot", "both.png").exit_code == 2
    assert run("audit", "late.mp4", "--plot", "real.mp4").exit_code == 2, "a media file is no plot"


def test_fix_moves_the_sound_back(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[tuple[str, str, float]] = []
    monkeypatch.setattr(
        "avdetect.media.remux.remux_shifted", lambda src, dst, shift: moved.append((str(src), str(dst), shift))
    )
    result = run("audit", "late.mp4", "--fix", "mended.mp4", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert moved == [("late.mp4", "mended.mp4", -found["offset_ms"])]
    assert found["fix"] == {"path": "mended.mp4", "moved_ms": -found["offset_ms"]}
    assert "sound moved by -3" in result.stderr


def test_fix_refuses_what_it_cannot_answer_for(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[float] = []
    monkeypatch.setattr("avdetect.media.remux.remux_shifted", lambda src, dst, shift: moved.append(shift))
    for name, options, code in (
        ("vague.mp4", [], 1),
        ("vague.mp4", ["--force"], 1),
        ("late.mp4", [], 0),
    ):
        result = run("audit", name, "--fix", "mended.mp4", *options)
        assert result.exit_code == code, name
    assert len(moved) == 1
    assert "nothing was written: the offset could not be measured" in run("audit", "vague.mp4", "--fix", "m.mp4").stderr
    monkeypatch.setattr("avdetect.verdict.audit.why_not_to_move", lambda audit: "the moon is full")
    assert "the moon is full; --force" in run("audit", "late.mp4", "--fix", "m.mp4").stderr
    assert run("audit", "late.mp4", "--fix", "m.mp4", "--force").exit_code == 0 and len(moved) == 2
    for arguments in (
        ["late.mp4", "--fix", "late.mp4"],
        ["late.mp4", "--fix", "real.mp4"],
        ["late.mp4", "--fix", "folder"],
        ["late.mp4", "real.mp4", "--fix", "m.mp4"],
    ):
        assert run("audit", *arguments).exit_code == 2, arguments
    assert len(moved) == 2


def test_a_fix_that_fails_keeps_the_audit(files: Path) -> None:
    """The stand-in is text, which the real remuxer refuses."""
    result = run("audit", "late.mp4", "--fix", "mended.mp4", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["band"] == "sound late" and "late.mp4" in found["fix"]["refused"]
    assert not (files / "mended.mp4").exists()


def test_doctor(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from avdetect.commands import doctor
    from tests.report.findings import analysis, track

    report = fake_engine.judge(analysis(track(100)), fake_engine.Calibration())
    detector = fake_engine.load()
    detector.score = lambda clip: report
    monkeypatch.setattr(avdetect, "load", lambda bundle=None: detector)
    monkeypatch.setattr("avdetect.testing.synthetic_clip", lambda seed, ticks: None, raising=False)
    found = json.loads(run("doctor", "--json").stdout)
    assert found["schema"] == doctor.SCHEMA and found["packages"]["jax"]
    assert {c["name"]: c["ok"] for c in found["checks"]}["self-test"]
    assert "probability 0.05" in found["checks"][-1]["found"]
    plain = run("doctor")
    assert plain.exit_code == 0 and all(row.count("\t") == 2 for row in plain.stdout.splitlines())
    monkeypatch.setattr(avdetect, "load", fake_engine.load)
    ill = run("doctor", "--json", "--bundle", "nowhere")
    assert ill.exit_code == 1
    check = json.loads(ill.stdout)["checks"][-1]
    assert check["name"] == "bundle" and "nowhere is not a bundle" in check["error"] and check["next_step"]


def test_help_and_version(files: Path) -> None:
    assert run("--version").stdout == f"avdetect {avdetect.__version__}\n"
    for command in ("score", "audit", "doctor"):
        text = run(command, "--help").stdout
        assert "Example" in text and "Exit status:" in text and f"avdetect {command}" in text
    assert run("nonsense").exit_code == 2 and run("score").exit_code == 2


def test_audited_is_what_json_shows() -> None:
    from tests.report.findings import audit

    plain = audit_command.Audited(audit(t=100))
    assert plain.to_dict() == plain.audit.to_dict()
