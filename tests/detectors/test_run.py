"""Files through detectors: the same as their clips in memory, and silent where there is nothing to be asked about."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.clips import read_clips
from avdetect.detectors.asking import evidence_of
from avdetect.detectors.judging import opinion
from avdetect.detectors.named import Named
from avdetect.detectors.run import run_plugin, run_plugins
from avdetect.media.errors import MediaError
from avdetect.media.remux import remux_shifted
from avdetect.plugin_errors import PluginError
from avdetect.testing.clip import Talk
from avdetect.testing.video import draw_scene
from avdetect.verdict import NO_FACE_TRACK

Load = Callable[..., Named]
BOTH = """
modalities = frozenset()
def evidence(self, clips):
    return [
        Evidence.only(
            c.n_ticks,
            visual=np.full(c.n_ticks, np.nan, np.float32) if c.track is None
            else c.track.faces.mean(axis=(1, 2, 3), dtype=np.float32) / 255,
            audio=np.full(c.n_ticks, np.nan, np.float32) if c.audio is None
            else np.abs(c.audio).reshape(-1, 640).mean(axis=1),
        )
        for c in clips
    ]
"""
PICTURE = """
def evidence(self, clips):
    assert all(c.track is not None for c in clips)
    return [Evidence.only(c.n_ticks, probability=0.9) for c in clips]
"""
SOUND = PICTURE.replace("c.track", "c.audio") + '\nname = "ear"\nmodalities = frozenset({"sound"})\n'
LISTENS = """
modalities = frozenset()
def evidence(self, clips):
    def ticks(clip, value):
        return np.full(clip.n_ticks, value, np.float32)
    return [Evidence.only(c.n_ticks, visual=ticks(c, -3), audio=ticks(c, -3), speech=ticks(c, {speech})) for c in clips]
"""
READS = (
    PICTURE
    + """
name = "reads"
def analyse(self, path, *, limits, progress):
    info = MediaInfo("x", "mp4", 3.0, 0.0, None, None)
    return Analysis(info, "sha", [], speech=np.full(75, {speech}, np.float32))
"""
)


def test_a_file_gives_what_its_clips_give(load: Load, speaker: Path) -> None:
    detector, told = load(BOTH), []
    (clip,) = read_clips(speaker)[1]
    (found,) = run_plugin(speaker, detector, progress=told.append).tracks
    expected = evidence_of(detector, clip)
    np.testing.assert_array_equal(found.evidence.visual, expected.visual)
    np.testing.assert_array_equal(found.evidence.audio, expected.audio)
    assert np.isfinite(found.evidence.visual).all() and np.isfinite(found.evidence.audio).any()
    assert clip.track is not None and found.visible is not None and found.boxes is not None
    np.testing.assert_array_equal(found.visible, clip.track.visible)
    np.testing.assert_array_equal(found.audio_valid, clip.audio_valid)
    np.testing.assert_array_equal(found.boxes, clip.track.boxes)
    assert told == sorted(told) and told[-1] == 1.0


def test_a_file_that_changes_while_it_is_read_is_an_error_of_that_file(
    load: Load, speaker: Path, tmp_path: Path
) -> None:
    path = tmp_path / "replaced.mp4"
    path.write_bytes(speaker.read_bytes())
    with pytest.raises(MediaError, match=r"replaced\.mp4: the file changed while it was read"):
        run_plugin(path, load(SOUND), progress=lambda share: path.unlink(missing_ok=True))


def test_several_detectors_share_a_pass_and_find_what_each_finds_alone(load: Load, speaker: Path) -> None:
    detectors = [load(BOTH), load(PICTURE), load(SOUND)]
    together = run_plugins(speaker, detectors)
    alone = run_plugin(speaker, detectors[0])
    np.testing.assert_array_equal(together[0].tracks[0].evidence.audio, alone.tracks[0].evidence.audio)
    assert [a.tracks[0].evidence.probability for a in together] == [None, 0.9, 0.9]
    assert [a.needs for a in together] == [frozenset(), {"picture"}, {"sound"}]


def test_sound_alone(load: Load, voice: Path) -> None:
    picture, ear, both = run_plugins(voice, detectors := [load(PICTURE), load(SOUND), load(BOTH)])
    assert [a.tracks[0].track_id for a in (picture, ear, both)] == [NO_FACE_TRACK] * 3
    assert picture.tracks[0].evidence.probability is None and ear.tracks[0].evidence.probability == 0.9
    assert np.isfinite(both.tracks[0].evidence.audio).all() and both.tracks[0].n_ticks >= 50
    silent = opinion(detectors[0], picture)
    assert silent.report.probability_fake is None and silent.report.verdict == "inconclusive"
    assert "no_face" in silent.report.abstained and silent.entry.why_not == "it needs a face, and none was found"


def test_a_silent_video(load: Load, silent: Path) -> None:
    picture, ear, both = run_plugins(silent, detectors := [load(PICTURE), load(SOUND), load(BOTH)])
    assert picture.tracks[0].evidence.probability == 0.9 and ear.tracks[0].evidence.probability is None
    assert np.isnan(both.tracks[0].evidence.audio).all() and np.isfinite(both.tracks[0].evidence.visual).all()
    deaf = opinion(detectors[1], ear)
    assert "no_audio" in deaf.report.abstained and deaf.entry.why_not == "it needs sound, and there is none"


def test_a_picture_without_a_face_has_sound_to_be_judged(load: Load, wall: Path) -> None:
    picture, ear = run_plugins(wall, [load(PICTURE), load(SOUND)])
    assert [t.track_id for t in ear.tracks] == [NO_FACE_TRACK] and ear.tracks[0].evidence.probability == 0.9
    assert picture.tracks[0].evidence.probability is None


def test_sound_that_no_face_covers_is_named_and_if_no_voice_was_judged_bars(
    load: Load, speaker: Path, tmp_path: Path
) -> None:
    remux_shifted(speaker, late := tmp_path / "late.mp4", 1000.0)
    detectors = [load(LISTENS.format(speech=speech)) for speech in (0.0, 0.9)]
    opinions = list(map(opinion, detectors, run_plugins(late, detectors)))
    assert [(o.unjudged, o.report.verdict) for o in opinions] == [(("voice",), "inconclusive"), ((), "real")]
    said = re.compile(r"Sound of 1\.\d s, heard while no face was in view, was not judged\.")
    assert all(any(map(said.fullmatch, o.report.reasons)) for o in opinions)
    assert run_plugin(speaker, detectors[0]).unheard_s < 0.1


def test_where_one_detector_hears_the_whole_file_its_speech_is_known_to_the_others(
    load: Load, speaker: Path, tmp_path: Path
) -> None:
    remux_shifted(speaker, late := tmp_path / "late.mp4", 1000.0)
    head = "from avdetect.types import MediaInfo\nfrom avdetect.verdict import Analysis\n"
    for speech, verdict in ((0.1, "real"), (0.9, "inconclusive")):
        reads, deaf = load(READS.format(speech=speech), head=head), load(LISTENS.format(speech=0.0))
        found = run_plugins(late, [deaf, reads])[0]
        assert found.speech is not None and found.unheard_s == 0.0
        assert opinion(deaf, found).report.verdict == verdict


def test_a_still_is_one_tick_and_too_short_for_some(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "still.png"
    scene = draw_scene(Talk(2, 25), 0.4, seed=2, width=640, height=360, face_scale=0.25)
    cv2.imwrite(str(path), cv2.cvtColor(scene, cv2.COLOR_RGB2BGR))
    one = load(PICTURE + "\nname = 'one'\ncontract = InputContract(max_ticks=5)\n")
    four = load(PICTURE)
    first, second = run_plugins(path, [one, four])
    assert first.tracks[0].evidence.probability == 0.9 and second.tracks[0].evidence.probability is None
    assert opinion(four, second).entry.why_not.startswith("it needs 0.16 s")


def test_a_failure_in_the_middle_of_a_file_ends_it_and_the_next_file_goes_on(load: Load, speaker: Path) -> None:
    failing = load(
        "contract = InputContract(max_ticks=10, batch=1)\n"
        "def evidence(self, clips):\n"
        "    type(self).calls += 1\n"
        "    if type(self).calls == 3:\n"
        "        raise RuntimeError('third')\n"
        "    return [Evidence.only(c.n_ticks, probability=0.5) for c in clips]\n"
    )
    with pytest.raises(PluginError, match="third"):
        run_plugin(speaker, failing)
    assert run_plugin(speaker, failing).tracks[0].evidence.probability == 0.5


def test_a_detector_may_read_files_itself(load: Load, voice: Path, tmp_path: Path) -> None:
    head = "from avdetect.detectors.run import run_plugins\nfrom avdetect.verdict import Analysis, TrackEvidence\n"
    body = """
{what}
def evidence(self, clips):
    raise AssertionError("not for files")
def analyse(self, path, *, limits, progress):
    return {result}
"""
    track = "TrackEvidence(-1, 0, Evidence.only(5, probability={p}), None, None, np.ones(5, bool))"
    made = "Analysis(self.info, 'sha', [" + track + "])"
    info = "from avdetect.types import MediaInfo\ninfo = MediaInfo('x', 'wav', 0.2, 0.0, None, None)"
    good = load(body.format(what=info, result=made.format(p=0.25)), head=head)
    assert run_plugin(voice, good).tracks[0].evidence.probability == 0.25
    for result, what, said in (
        ("None", "", "analyse() gave an object of type NoneType"),
        (made.format(p=2.0), info, "probability is 2"),
        ("open(path + 'x')", "", "FileNotFoundError"),
    ):
        with pytest.raises(PluginError) as caught:
            run_plugin(str(voice), load(body.format(what=what, result=result), head=head))
        assert said in str(caught.value)
    (tmp_path / "no.mp4").write_bytes(b"no film at all" * 50)
    with pytest.raises(MediaError, match=r"no\.mp4"):
        run_plugin(tmp_path / "no.mp4", load(PICTURE))
