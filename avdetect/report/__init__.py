"""The report and its forms: JSON, terminal, plots. Knows only reports and audits, never models or files."""

from __future__ import annotations

from avdetect.registry import Registry

REPORTERS = Registry(
    "reporter",
    "avdetect.reporters",
    {
        "table": "avdetect.report.reporters:Table",
        "tsv": "avdetect.report.reporters:Tabs",
        "json": "avdetect.report.reporters:Json",
        "jsonl": "avdetect.report.reporters:JsonLines",
    },
)
