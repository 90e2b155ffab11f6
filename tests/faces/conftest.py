from __future__ import annotations

import pytest

from avdetect.faces.nets import FaceNets, load_face_nets


@pytest.fixture(scope="session")
def nets() -> FaceNets:
    return load_face_nets()
