"""Readers of public data sets, one a file. A new one is a file here and a line below."""

from __future__ import annotations

from avdetect.registry import Registry

SOURCES = Registry(
    "source",
    "avdetect.sources",
    {
        "manifest": "avdetect.data.sources.manifest:Manifest",
        "faceforensics": "avdetect.data.sources.faceforensics:FaceForensics",
        "dfdc": "avdetect.data.sources.dfdc:DFDC",
        "dfdc_preview": "avdetect.data.sources.dfdc_preview:DFDCPreview",
        "celebdf_v1": "avdetect.data.sources.celebdf:CelebDFv1",
        "celebdf_v2": "avdetect.data.sources.celebdf:CelebDFv2",
        "deeperforensics": "avdetect.data.sources.deeperforensics:DeeperForensics",
        "kodf": "avdetect.data.sources.kodf:KoDF",
        "fakeavceleb": "avdetect.data.sources.fakeavceleb:FakeAVCeleb",
        "lavdf": "avdetect.data.sources.lavdf:LAVDF",
        "avdeepfake1m": "avdetect.data.sources.avdeepfake1m:AVDeepfake1M",
        "avdeepfake1m_pp": "avdetect.data.sources.avdeepfake1m:AVDeepfake1MPlusPlus",
        "avlips": "avdetect.data.sources.avlips:AVLips",
        "grid": "avdetect.data.sources.grid:GRID",
        "cremad": "avdetect.data.sources.cremad:CREMAD",
        "ravdess": "avdetect.data.sources.ravdess:RAVDESS",
        "lrs2": "avdetect.data.sources.lrs2:LRS2",
        "lrs3": "avdetect.data.sources.lrs3:LRS3",
        "voxceleb2": "avdetect.data.sources.voxceleb2:VoxCeleb2",
        "hdtf": "avdetect.data.sources.hdtf:HDTF",
        "asvspoof2019_la": "avdetect.data.sources.asvspoof:ASVspoof2019LA",
        "asvspoof2021_la": "avdetect.data.sources.asvspoof:ASVspoof2021LA",
        "in_the_wild": "avdetect.data.sources.in_the_wild:InTheWild",
    },
)
