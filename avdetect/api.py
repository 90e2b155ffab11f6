"""The contracts of everything that can be added from outside, and their version.

A plugin is an object that keeps one of these contracts, named by an entry point of the group ``avdetect.<kind>s`` of
its distribution. Nothing has to be inherited. Importing this module is cheap: no JAX, no OpenCV.

Every plugin states ``api_version = 1`` itself: as an attribute of the class or instance, or as the field of that name
of `Family` and `Metric`. None of these contracts supplies a default, since what was written for one version must not
claim another when avdetect is updated.

The number rises when a plugin that was written for the old one would break: a method more that is called, an argument
more that is passed, another shape or unit. What a plugin may do but need not do is added without raising it. A plugin
of another version is refused with both numbers, not tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from avdetect.plugin_errors import PluginError

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Array, Bool, Float

    from avdetect.data.sample import Sample, Source
    from avdetect.evaluation.metric import Context, Head, Metric
    from avdetect.forge.contract import CannotForge, Family, Forge
    from avdetect.report.forms import Forms
    from avdetect.types import Clip, Evidence, Label, Segment

API_VERSION = 1
"""Of the contracts in this module."""

__all__ = [
    "API_VERSION",
    "AudioEncoder",
    "Augmentation",
    "CannotForge",
    "Clip",
    "Context",
    "Detector",
    "Evidence",
    "Family",
    "Forge",
    "Forgery",
    "Forms",
    "FusionHead",
    "Head",
    "InputContract",
    "Label",
    "Metric",
    "PluginError",
    "Reporter",
    "Sample",
    "Segment",
    "Source",
    "VisualEncoder",
]

_ELSEWHERE = {
    "CannotForge": "avdetect.forge.contract",
    "Clip": "avdetect.types",
    "Context": "avdetect.evaluation.metric",
    "Evidence": "avdetect.types",
    "Family": "avdetect.forge.contract",
    "Forge": "avdetect.forge.contract",
    "Forms": "avdetect.report.forms",
    "Head": "avdetect.evaluation.metric",
    "Label": "avdetect.types",
    "Metric": "avdetect.evaluation.metric",
    "Sample": "avdetect.data.sample",
    "Segment": "avdetect.types",
    "Source": "avdetect.data.sample",
}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        import importlib

        return getattr(importlib.import_module(_ELSEWHERE[name]), name)
    raise AttributeError(f"module 'avdetect.api' has no attribute {name!r}")


@dataclass(frozen=True)
class InputContract:
    """Which clips a detector can be given; longer ones are cut, and shorter ones not given to it.

    Attributes:
        max_ticks: ticks of the longest clip (25 a second).
        min_ticks: of the shortest.
        batch: most clips in one call.
    """

    max_ticks: int
    min_ticks: int = 1
    batch: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.min_ticks <= self.max_ticks or self.batch < 1:
            raise ValueError(f"an input contract needs 1 <= min_ticks <= max_ticks and 1 <= batch, not {self}")


@runtime_checkable
class Detector(Protocol):
    """Says of clips whether they are forged; group ``avdetect.detectors``.

    The entry names the class, or a function without arguments that makes the detector. JAX is not required: it may wrap
    an ONNX or PyTorch model, ask a service, or read provenance.

    Attributes:
        api_version: 1.
        name: for reports.
        version: of the detector, for reports.
        modalities: which of ``picture`` and ``sound`` a clip must have for it to say anything.
        contract: which clips it can be given.
        jittable: whether ``evidence`` compiles under ``jax.jit`` for fixed shapes, rather than being plain Python. If
            so, it gets full batches of clips of one length out of a few (`avdetect.detectors.windows`).
        calibration: optional; an `avdetect.calibration.Calibration` of its logits.
        analyse: optional; ``analyse(path, *, limits, progress)`` gives the `avdetect.verdict.Analysis` of a whole file,
            for what reads files itself, such as provenance. ``evidence`` is then asked for prepared clips only.
    """

    api_version: int
    name: str
    version: str
    modalities: frozenset[str]
    contract: InputContract
    jittable: bool

    def evidence(self, clips: Sequence[Clip]) -> Sequence[Evidence]:
        """One for each clip, in order, with as many ticks as the clip.

        Logits are positive = fake; NaN = nothing to say (no face, no sound, not this detector's question). One that
        judges clips as a whole gives ``probability`` and leaves the ticks NaN, as ``Evidence.only(clip.n_ticks,
        probability=p)`` does. The clips cannot be written to, and have no label. What is said of a clip does not depend
        on the others of the call, which unless ``jittable`` may be of other lengths, and where ``modalities`` allow it
        faces without sound or sound without a face.

        Raises:
            Exception: anything; the clip's file gets an error line that names this detector, others go on.
        """
        ...


class VisualEncoder(Protocol):
    """A `flax.nnx` module from face and mouth crops to logits; group ``avdetect.visual_encoders``.

    The entry names the class, a subclass of `flax.nnx.Module`, which has ``Options``: a frozen dataclass of JSON-able
    settings with defaults. Of its variables, `nnx.Param` and random keys are trained and kept, so it may have no others
    (no statistics of batches).
    """

    api_version: ClassVar[int]
    Options: ClassVar[type]

    def __init__(self, options: Any, *, dtype: Any, rngs: Any) -> None:
        """Args: an instance of ``Options``; the dtype of activations; an `flax.nnx.Rngs`."""
        ...

    def __call__(self, faces: Float[Array, "b h w 3"], mouths: Float[Array, "b 3 m m 3"]) -> Float[Array, " b"]:
        """A logit for each tick, positive = the face is generated or edited.

        Args:
            faces: aligned RGB crops in 0 ... 255.
            mouths: mouth crops of the tick before, the tick and the tick after, in 0 ... 255.
        """
        ...


class AudioEncoder(Protocol):
    """A `flax.nnx` module from sound to logits; group ``avdetect.audio_encoders``.

    Made as :class:`VisualEncoder` is. Where more ticks have a say in a logit than must be there for it, a static method
    ``context(options)`` may tell how many; else ``reach`` is taken.
    """

    api_version: ClassVar[int]
    Options: ClassVar[type]

    def __init__(self, options: Any, *, dtype: Any, rngs: Any) -> None:
        """See :class:`VisualEncoder`."""
        ...

    def __call__(
        self, audio: Float[Array, "b s"], valid: Bool[Array, "b t"], *, cover: Any = None
    ) -> tuple[Float[Array, "b t"], Float[Array, "b t"]]:
        """Logits for each tick that the voice is generated, and that somebody speaks.

        Args:
            audio: 16 kHz in [-1, 1], ``s = 640 t``.
            valid: ticks that the sound stream covers; what is said of the others is not used.
            cover: in training, a PRNG key and the share of examples of which parts of the spectrogram are to be
                hidden, as `avdetect.augment.spectrum.spec_augment` takes them; may be left unused.
        """
        ...

    @staticmethod
    def reach(options: Any) -> int:
        """Ticks before and after a tick that its logits depend on."""
        ...


class FusionHead(Protocol):
    """A `flax.nnx` module from evidence to mismatch and classes; group ``avdetect.fusion_heads``.

    Made as :class:`VisualEncoder` is.
    """

    api_version: ClassVar[int]
    Options: ClassVar[type]

    def __init__(self, options: Any, *, dtype: Any, rngs: Any) -> None:
        """See :class:`VisualEncoder`."""
        ...

    def mismatch(
        self, similarity: Float[Array, "b t k"], known: Bool[Array, "b t k"], speech: Float[Array, "b t"]
    ) -> Float[Array, "b t"]:
        """A logit for each tick that lips and sound belong together at no lag.

        Args:
            similarity: of the lips at a tick and the sound at each lag, in [-1, 1].
            known: where it could be measured; elsewhere ``similarity`` is to be ignored.
            speech: probability that somebody speaks.
        """
        ...

    def classes(self, logits: Float[Array, "b 3"], present: Bool[Array, "b 3"]) -> Float[Array, "b 4"]:
        """Log-probabilities of RVRA, FVRA, RVFA, FVFA from the mean logits of face, voice and mismatch."""
        ...

    @staticmethod
    def reach(options: Any) -> int:
        """Ticks before and after a tick that its mismatch depends on."""
        ...


@runtime_checkable
class Forgery(Protocol):
    """Turns a genuine clip into a forged one; group ``avdetect.forgeries``. `Family` is one.

    Attributes:
        api_version: 1.
        forge: the function, see `Forge`.
        changes: which of ``picture``, ``sound`` and ``timing`` it forges.
        about: one line for ``--help``.
        needs_others: how many other clips it needs.
        same_person: whether those are of the same person.
    """

    @property
    def api_version(self) -> int: ...  # noqa: D102
    @property
    def forge(self) -> Forge: ...  # noqa: D102
    @property
    def changes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def about(self) -> str: ...  # noqa: D102
    @property
    def needs_others(self) -> int: ...  # noqa: D102
    @property
    def same_person(self) -> bool: ...  # noqa: D102


class Augmentation(Protocol):
    """Degrades a clip as recording, storing and sending it might; group ``avdetect.augmentations``.

    The entry names a function or an instance, which states ``api_version = 1``.
    """

    def __call__(self, clip: Clip, rng: np.random.Generator, /) -> Clip:
        """A degraded copy with as many ticks, in the same ranges, finite; ``track`` or ``audio`` may be ``None``.

        Genuine and forged clips must be degraded alike, so the label cannot be seen: ``clip.label`` is empty, and the
        clip's own is put back. All chance comes from ``rng``: an equal clip and an equally seeded generator give equal
        bits. The input is not to be written to. Crops that are black all over were not decoded, and stay black.
        """
        ...


class Reporter(Protocol):
    """A form of output for results; group ``avdetect.reporters``. The entry names the class or a function.

    The texts are written one after the other, in UTF-8, without anything between: line ends are the reporter's.

    Attributes:
        api_version: 1.
    """

    api_version: int

    def __init__(self, forms: Forms, /, *, single: bool) -> None:
        """Made once for a run.

        Args:
            forms: how this kind of result is put into words; ``forms.as_dict(result)`` is what ``--json`` writes.
            single: whether one file was named, rather than a folder or several.
        """
        ...

    def head(self) -> str:
        """Before the first result."""
        ...

    def each(self, result: Any, /) -> str:
        """As soon as a result is there: a report, or an `avdetect.report.schema.FailedReport`."""
        ...

    def tail(self, results: Sequence[Any], /) -> str:
        """After the last one."""
        ...
