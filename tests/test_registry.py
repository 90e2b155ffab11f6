"""One door: what comes through it, what does not, and what is said then."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from avdetect import plugin_scan, registry
from avdetect.api import API_VERSION
from avdetect.forge.contract import Family
from avdetect.plugin_kinds import CHECKS
from avdetect.plugins import registries
from avdetect.registry import PluginError, PluginWarning, Registry, UnknownPlugin
from tests.fake_distributions import FORGERY, Site, site

__all__ = ["site"]
GROUP = "avdetect.forgeries"


@pytest.fixture
def forgeries() -> Registry:
    return Registry("forgery", GROUP, {"shift": "avdetect.forge.timing:SHIFT"})


def offered(
    site: Site, text: str = FORGERY, *, name: str = "hum", distribution: str = "avdetect-hum", **more: str
) -> None:
    module = distribution.replace("-", "_")
    site.install(distribution, {GROUP: {name: f"{module}:FAMILY"}}, files={f"{module}.py": text}, **more)


def refused(forgeries: Registry, spec: str, **options: object) -> PluginError:
    with pytest.raises(PluginError) as raised:
        forgeries.get(spec, **options)  # type: ignore[arg-type]
    return raised.value


def test_an_installed_plugin_stands_beside_the_built_in(site: Site, forgeries: Registry) -> None:
    offered(site, version="2.1")
    assert forgeries.names() == ["shift", "hum"] and forgeries.builtins() == ["shift"] and "hum" in forgeries
    family = forgeries.get("hum")
    assert family.about == "nothing at all" and family is sys.modules["avdetect_hum"].FAMILY
    first, second = forgeries.entries()
    assert (first.distribution, first.state) == ("avdetect", "built-in")
    assert (second.target, second.owner, second.state) == ("avdetect_hum:FAMILY", "avdetect-hum 2.1", "installed")


def test_it_is_gone_when_it_is_uninstalled(site: Site, forgeries: Registry) -> None:
    offered(site)
    assert "hum" in forgeries
    (site.folder / "avdetect_hum-1.0.dist-info" / "entry_points.txt").unlink()
    plugin_scan.look_again()
    assert forgeries.names() == ["shift"]


def test_listing_imports_nothing(site: Site) -> None:
    """Neither plugins, which are told on by what they print, nor what is built in, nor JAX."""
    groups = {group: {"loud": "avdetect_loud:THING"} for group in CHECKS}
    site.install("avdetect-loud", groups, files={"avdetect_loud.py": "print('I was imported')"})
    code = """
import json, sys
from avdetect.plugins import registries
rows = [(kind, e.name, e.state) for kind, r in registries().items() for e in r.entries()]
names = [n for r in registries().values() for n in r.names()]
print(json.dumps([rows, names, sorted(sys.modules)]))
"""
    path = os.pathsep.join([str(site.folder), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    rows, names, modules = json.loads(done.stdout)  # nothing else was printed
    assert sum(state == "installed" for _, _, state in rows) == len(CHECKS) == names.count("loud")
    assert ["forgery", "shift", "built-in"] in rows and ["source", "lavdf", "built-in"] in rows
    heavy = {"jax", "flax", "cv2", "numpy", "librosa", "rich", "avdetect.forge.timing", "avdetect.data.sources.lavdf"}
    assert not heavy & set(modules)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import a_module_that_nobody_has", "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("OTHER = 1", "AttributeError: avdetect_hum has no 'FAMILY'; it has: OTHER"),
    ],
)
def test_a_broken_import_fails_when_it_is_asked_for(site: Site, forgeries: Registry, text: str, said: str) -> None:
    offered(site, text, version="0.3")
    offered(site, name="fine", distribution="avdetect-fine")
    assert forgeries.names() == ["shift", "fine", "hum"] and len(forgeries.entries()) == 3
    assert forgeries.get("shift") and forgeries.get("fine")
    error = refused(forgeries, "hum")
    assert said in str(error) and "forgery 'hum' (avdetect_hum:FAMILY of avdetect-hum 0.3)" in str(error)
    assert (error.kind, error.name, error.distribution, error.version) == ("forgery", "hum", "avdetect-hum", "0.3")
    assert "uninstall avdetect-hum" in error.cause


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (", api_version=1", "states no api_version; "),
        ("=1", "=2"),
        ("=1", "='1'"),
        ("=1", "=True"),
    ],
)
def test_another_api_version_is_refused_with_both(site: Site, forgeries: Registry, stated: str, said: str) -> None:
    missing = stated.startswith(",")
    offered(site, FORGERY.replace(stated, "" if missing else said))
    error = refused(forgeries, "hum")
    assert f"has plugin API {API_VERSION}" in str(error) and "avdetect-hum 1.0" in str(error)
    expected = {"=2": "plugin API 2; ", "='1'": "api_version '1'", "=True": "api_version True"}.get(said, said)
    assert expected in str(error)
    assert ("take an older avdetect-hum" in str(error)) == (said == "=2")


def test_a_plugin_for_an_older_api_is_to_be_updated(
    site: Site, forgeries: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(site)
    assert forgeries.get("hum")
    monkeypatch.setattr(registry, "API_VERSION", 2)
    error = refused(Registry("forgery", GROUP, {}), "hum")
    assert "written for plugin API 1" in str(error) and "update avdetect-hum" in str(error)
    built_in = refused(Registry("forgery", GROUP, {"shift": "avdetect.forge.timing:SHIFT"}), "shift")
    assert "written for plugin API 1" in str(built_in), "what is built in goes through the same door"


def test_two_that_claim_a_name_are_both_named(site: Site, forgeries: Registry) -> None:
    offered(site, version="1.1")
    offered(site, distribution="other-hum")
    offered(site, name="fine", distribution="avdetect-fine")
    error = refused(forgeries, "hum")
    assert "avdetect-hum 1.1 (avdetect_hum:FAMILY)" in str(error) and "other-hum 1.0 (other_hum:FAMILY)" in str(error)
    assert {e.distribution: e.state for e in forgeries.entries()} == {
        "avdetect": "built-in", "avdetect-hum": "duplicate", "other-hum": "duplicate", "avdetect-fine": "installed"
    }  # fmt: skip
    assert forgeries.names() == ["shift", "fine", "hum"] and forgeries.get("fine")
    assert forgeries.get("other_hum:FAMILY") is sys.modules["other_hum"].FAMILY, "each has its place still"


def test_a_built_in_cannot_be_shadowed(site: Site, forgeries: Registry) -> None:
    offered(site, "print('never imported')", name="shift")
    from avdetect.forge.timing import SHIFT

    with pytest.warns(PluginWarning, match=r"avdetect-hum 1\.0: its forgery 'shift' is not used"):
        assert forgeries.get("shift") is SHIFT
    assert [e.state for e in forgeries.entries()] == ["built-in", "duplicate"] and forgeries.names() == ["shift"]
    assert "avdetect_hum" not in sys.modules


@pytest.mark.parametrize("value", ["off", "OFF", "0", "false"])
def test_off_leaves_what_is_built_in(
    site: Site, forgeries: Registry, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    offered(site, "print('never imported')")
    offered(site, name="shift", distribution="avdetect-shift")

    forgeries.register("mine")(Family(lambda clip, rng, others=(): clip, changes=(), about="", api_version=1))
    monkeypatch.setenv("AVDETECT_PLUGINS", value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert forgeries.get("shift")
    assert forgeries.names() == ["shift"]
    assert [e.state for e in forgeries.entries()] == ["built-in", "off", "off", "off"]
    for spec in ("hum", "avdetect_hum:FAMILY", f"{site.folder}/avdetect_hum.py:FAMILY", "mine"):
        assert "AVDETECT_PLUGINS=off" in str(refused(forgeries, spec))
    assert "avdetect-hum 1.0" in str(refused(forgeries, "hum")) and "avdetect_hum" not in sys.modules
    with pytest.raises(UnknownPlugin):
        forgeries.get("nothing")


def test_a_switch_that_is_neither_on_nor_off_is_an_error(forgeries: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVDETECT_PLUGINS", "of")
    with pytest.raises(PluginError, match="AVDETECT_PLUGINS is 'of'; set it to 'on' or 'off'"):
        forgeries.names()


def test_an_unknown_name_lists_those_that_exist(site: Site, forgeries: Registry) -> None:
    offered(site)
    with pytest.raises(KeyError) as raised:  # as it has always been
        forgeries.get("shfit")
    assert str(raised.value) == "no forgery is called 'shfit'; there are: shift, hum; did you mean 'shift'?"


def test_code_is_loaded_by_its_place_in_a_file(site: Site, forgeries: Registry, tmp_path: Path) -> None:
    file = tmp_path / "not on the path" / "mine.py"
    file.parent.mkdir()
    file.write_text(FORGERY + "\nclass Box:\n    INNER = FAMILY\n")
    family = forgeries.get(f"{file}:FAMILY")
    assert family.about == "nothing at all"
    assert forgeries.get(f"{file}:Box.INNER") is family is forgeries.get(f"{file}:FAMILY"), "it is run once"
    assert "mine" not in sys.modules
    for text, said in (
        (f"{file}:NOTHING", "has no 'NOTHING'; it has: Box, FAMILY, Family, forge"),
        (f"{file.parent}/other.py:FAMILY", "there is no file"),
        (f"{file}:", "not of the form package.module:attribute"),
    ):
        error = refused(forgeries, text)
        assert said in str(error) and error.distribution == ""


def test_a_file_that_fails_can_be_mended(site: Site, forgeries: Registry, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("1 / 0")
    assert "ZeroDivisionError" in str(refused(forgeries, f"{file}:FAMILY"))
    file.write_text(FORGERY)
    assert forgeries.get(f"{file}:FAMILY")


def test_code_is_loaded_by_its_module(site: Site, forgeries: Registry) -> None:
    (site.folder / "my_module.py").write_text(FORGERY)
    assert forgeries.get("my_module:FAMILY") is sys.modules["my_module"].FAMILY
    assert "No module named 'no_module'" in str(refused(forgeries, "no_module:FAMILY"))


def test_a_stored_configuration_runs_nothing_by_its_place(site: Site, forgeries: Registry) -> None:
    (site.folder / "evil.py").write_text("print('never imported')")
    for spec in ("evil:FAMILY", f"{site.folder}/evil.py:FAMILY"):
        for options in ({"allow_local": False}, {"allow": ()}, {"allow": ("*",)}):
            error = refused(forgeries, spec, asked_by="bundles/found", **options)
            assert "bundles/found asks for code by its place" in str(error) and "nothing was run" in str(error)
    assert "evil" not in sys.modules and forgeries.get("shift", allow_local=False)
    (site.folder / "evil.py").write_text(FORGERY)
    assert forgeries.get("evil:FAMILY", allow=("evil:FAMILY",)), "the user may allow it by its name"


def test_a_bundle_starts_no_plugin_that_was_not_allowed(
    site: Site, forgeries: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(site)
    error = refused(forgeries, "hum", allow=(), asked_by="bundles/found")
    assert "bundles/found asks for it" in str(error) and "--allow-plugin hum" in str(error)
    assert "avdetect-hum 1.0" in str(error) and "avdetect_hum" not in sys.modules
    assert forgeries.get("shift", allow=())
    for allow in (("hum",), ("avdetect-hum",), ("*",)):
        assert forgeries.get("hum", allow=allow)
    plugin_scan.allow(["hum"])
    assert forgeries.get("hum", allow=()) and os.environ["AVDETECT_ALLOW_PLUGINS"] == "hum"
    monkeypatch.setenv("AVDETECT_ALLOW_PLUGINS", "x, y")
    assert plugin_scan.allowed() == ["x", "y"] and refused(forgeries, "hum", allow=())


def test_code_of_the_running_program_is_registered_by_a_decorator(site: Site) -> None:
    augmentations = Registry("augmentation", "avdetect.augmentations", {"blur": "avdetect.augment.steps:BLUR"})

    def make(answer: int):
        @augmentations.register("mine", api_version=1)
        def mine(clip: object, rng: object) -> object:
            return answer

        return mine

    first, second = make(1), make(2)
    assert augmentations.get("mine") is second is not first, "a cell of a notebook that is run again takes its place"
    assert augmentations.names() == ["blur", "mine"]
    assert (augmentations.entries()[1].state, augmentations.entries()[1].distribution) == ("registered", "")
    assert augmentations.get("mine", allow=()) is second, "the user's own program named it"
    with pytest.raises(PluginError, match=r"cannot take this name, avdetect .* has it already"):
        augmentations.register("blur", api_version=1)(first)
    with pytest.raises(PluginError, match="cannot take this name, the running program"):
        augmentations.register("mine", api_version=1)(lambda clip, rng: clip)
    with pytest.raises(PluginError, match="states no api_version"):
        augmentations.register("more")(lambda clip, rng: clip)
    with pytest.raises(PluginError, match=r"no augmentation: it cannot be called with \(clip, rng\)"):
        augmentations.register("more", api_version=1)(lambda clip: clip)
    with pytest.raises(PluginError, match="colon"):
        augmentations.register("a:b")
    assert augmentations.names() == ["blur", "mine"]
    site.install("avdetect-mine", {"avdetect.augmentations": {"mine": "avdetect_mine:HUM"}})
    with pytest.raises(PluginError, match=r"avdetect-mine 1\.0 .* and the running program .* both claim"):
        augmentations.get("mine")


@pytest.mark.parametrize(
    ("kind", "target", "said"),
    [
        (
            "metric",
            "avdetect.forge.timing:SHIFT",
            "Family is no metric: it has no title, per_head, why_not(), values()",
        ),
        ("forgery", "avdetect.evaluation.measures.ranking:AUC", "Metric is no forgery: it has no changes, about"),
        ("source", "avdetect.forge.timing:SHIFT", "Family is no source: it is no class with samples()"),
        ("augmentation", "avdetect.data.sources.grid:GRID", "the class GRID is no augmentation: point to an instance"),
        ("visual_encoder", "avdetect.forge.timing:SHIFT", "Family is no visual encoder: it is no class of modules"),
        ("audio_encoder", "avdetect.data.sources.grid:GRID", "the class GRID is no audio encoder: it has no Options"),
        ("fusion_head", "avdetect.data.sources.grid:GRID", "the class GRID is no fusion head: it has no Options"),
        ("detector", "avdetect.data.sources.grid:GRID", "the class GRID is no detector: it has no evidence()"),
        ("detector", "avdetect.evaluation.measures.ranking:AUC", "point to the class, or to a function that makes it"),
        (
            "reporter",
            "avdetect.data.sources.grid:GRID",
            "GRID is no reporter: it has no head(), each(), tail()",
        ),
        ("engine", "avdetect.forge.timing:SHIFT", "Family is no speech engine: it has no available(), speak()"),
    ],
)
def test_what_is_of_another_kind_is_refused(site: Site, kind: str, target: str, said: str) -> None:
    known = registries()[kind]
    site.install("avdetect-mixed", {known.group: {"mixed": target}})
    error = refused(known, "mixed")
    assert said in str(error) and "avdetect-mixed 1.0" in str(error)


DETECTOR = """
from avdetect.api import InputContract

class Silent:
    api_version = 1
    name, version, modalities, contract, jittable = "silent", "1", frozenset({"sound"}), InputContract(50), False

    def evidence(self, clips):
        return []

def make():
    return Silent()

def make_none():
    return None

def fail():
    raise OSError("no such model")

def make_blind():
    made = Silent()
    made.modalities = {"smell"}
    return made
"""


def test_what_a_factory_makes_goes_through_the_door(site: Site) -> None:
    detectors = registries()["detector"]
    names = {"Silent": "class", "make": "make", "make_none": "none", "fail": "fail", "make_blind": "blind"}
    points = {name: f"avdetect_silent:{attribute}" for attribute, name in names.items()}
    site.install("avdetect-silent", {"avdetect.detectors": points}, files={"avdetect_silent.py": DETECTOR})
    assert detectors.create("class").name == "silent" and detectors.get("class")().name == "silent"
    assert detectors.create("make").name == "silent" and detectors.get("make")().name == "silent"
    for name, said in (
        ("none", "states no api_version"),
        ("fail", "making it failed: OSError: no such model"),
        ("blind", "modalities are ['smell']"),
    ):
        for make in (lambda name=name: detectors.create(name), detectors.get(name)):
            with pytest.raises(PluginError) as raised:
                make()
            assert said in str(raised.value) and "avdetect-silent 1.0" in str(raised.value)


def test_a_list_that_cannot_be_read_hides_no_others(site: Site, forgeries: Registry) -> None:
    site.install("avdetect-torn", "[avdetect.forgeries]\nhum\n")
    site.install("unrelated-torn", "[console_scripts]\nhum\n")
    site.install("avdetect-nameless", {GROUP: {"hum": "a:b"}})
    (site.folder / "avdetect_nameless-1.0.dist-info" / "METADATA").unlink()
    plugin_scan.look_again()
    offered(site, name="fine", distribution="avdetect-fine")
    assert forgeries.get("fine") and forgeries.names() == ["shift", "fine"]
    nameless, torn = plugin_scan.unreadable()
    assert "avdetect_torn-1.0.dist-info offers plugins that cannot be read: " in torn
    assert "avdetect_nameless-1.0.dist-info offers plugins that cannot be read: " in nameless


def test_a_distribution_twice_on_the_path_is_one(
    site: Site, forgeries: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = Site(tmp_path / "behind")
    offered(behind, version="0.9")
    offered(site)
    monkeypatch.setattr(sys, "path", [*sys.path, str(behind.folder)])
    assert [e.version for e in forgeries.entries()][1:] == ["1.0"]
    assert forgeries.get("hum")


def test_an_error_survives_the_way_between_processes() -> None:
    error = PluginError("it broke", kind="forgery", name="hum", distribution="avdetect-hum", version="1", target="a:b")
    twin = copy.copy(error)
    assert str(twin) == str(error) == "forgery 'hum' (a:b of avdetect-hum 1): it broke" and twin.version == "1"


def test_printing_is_no_data(site: Site, forgeries: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    offered(site, f"print('imported')\n{FORGERY}")
    assert forgeries.get("hum")
    assert capsys.readouterr() == ("", "imported\n")


def test_a_place_that_is_not_there_is_told_without_empty_advice(forgeries: Registry) -> None:
    assert str(refused(forgeries, "absent.py:X")).endswith("absent.py"), "no word of a cause that is not shown"
