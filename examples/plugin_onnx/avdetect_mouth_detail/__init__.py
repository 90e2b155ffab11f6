"""Has the mouth less fine detail than the eyes? An ONNX model, run by onnxruntime; see ``make_model.py``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
import onnxruntime

from avdetect.api import Clip, Evidence, InputContract

MODEL = "mouth_detail.onnx"


class MouthDetail:
    """A logit for each tick that the mouth was generated or pasted."""

    api_version = 1
    name, version = "mouth_detail", "1.0"
    modalities = frozenset({"picture"})
    contract = InputContract(max_ticks=250)
    jittable = False  # nothing of it is JAX

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # the framework may run several files at the same time
        model = files(__name__).joinpath(MODEL).read_bytes()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def evidence(self, clips: Sequence[Clip]) -> list[Evidence]:
        """See `avdetect.api.Detector`."""
        return [Evidence.only(clip.n_ticks, visual=self._visual(clip)) for clip in clips]

    def _visual(self, clip: Clip) -> np.ndarray:
        """Logits ``[t]``, NaN where there is no face."""
        assert clip.track is not None, "modalities say that clips have a face"
        faces = clip.track.faces
        # Prepared clips hold only some of the faces; those left out are black.
        known = clip.track.visible & faces.any(axis=(1, 2, 3))
        logits = np.full(clip.n_ticks, np.nan, np.float32)
        if known.any():
            (found,) = self.session.run(["logit"], {"faces": faces[known]})
            logits[known] = np.asarray(found)
        return logits
