"""Look at prepared records before training on them.

What a classifier reaches that sees only container, codecs, sizes and levels (with an interval over people); people,
recordings and near-duplicates on two sides of the split; clips whose sound is out of line with their companions;
balance of classes and sources.

Examples:
    python -m tools.audit_data work/records
    python -m tools.audit_data work/records --json work/audit.json --strict
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from avdetect.commands.refusal import refuse
from avdetect.data_audit.audit import DEFAULT_LIMIT

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def audit_data(
    records: Annotated[Path, typer.Argument(help="Folder of the records.")],
    where: Annotated[str, typer.Option(help="Which clips, such as 'split=train,val;source=LRS3'.")] = "",
    json_out: Annotated[Path | None, typer.Option("--json", help="Write everything here as JSON.")] = None,
    limit: Annotated[float, typer.Option(help="AUC above which a shortcut is a finding.")] = DEFAULT_LIMIT,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on a shortcut or leak.")] = False,
    seed: Annotated[int, typer.Option(help="Of the classifier and the intervals.")] = 0,
) -> None:
    from rich.console import Console

    from avdetect.data.store import RecordStore
    from avdetect.data_audit.audit import audit_index
    from avdetect.data_audit.page import print_page

    try:
        store = RecordStore(records)
    except FileNotFoundError as error:
        refuse(error)
    except (OSError, ValueError) as error:
        refuse(
            f"the index of {records} cannot be read ({error}); make the records again: "
            f"python -m tools.prepare SOURCE --out {records}"
        )
    try:
        chosen = store.where(where)
    except (KeyError, ValueError) as error:
        refuse(error)
    found = audit_index([store.index[i] for i in chosen], limit=limit, seed=seed)
    print_page(found, Console(highlight=False))
    if json_out is not None:
        json_out.parent.mkdir(parents=True, exist_ok=True)
        json_out.write_text(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    if strict and any(finding["severe"] for finding in found["findings"]):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
