"""Whether an official split keeps apart what its data set says it keeps apart."""

from __future__ import annotations

from collections.abc import Iterable

from avdetect.data.sources.layout import SHOWN


def check_apart(name: str, what: str, found: Iterable[tuple[str, str]], *, promise: str) -> None:
    """Check that nobody, or nothing, is in two parts of a split.

    Only for what the publisher of a data set promises: other splits share people, and `avdetect.data.groups` sees to
    those.

    Args:
        name: of the data set, for the message.
        what: is kept apart ("speaker").
        found: names of persons, recordings ..., each with the part it was found in; nameless ones are passed over.
        promise: who says that the parts are apart, for the message.

    Raises:
        ValueError: some are in two parts; the message counts them and names the first, with their parts.
    """
    parts: dict[str, list[str]] = {}
    for one, part in found:
        if one and part not in parts.setdefault(one, []):
            parts[one].append(part)
    if both := [one for one in parts if len(parts[one]) > 1]:
        shown = "; ".join(f"{one} in {' and '.join(parts[one])}" for one in both[:SHOWN])
        raise ValueError(
            f"{name}: {len(both)} of {len(parts)} {what}s are in two parts of the split: "
            f"{shown}{'; ...' * (len(both) > SHOWN)}; by {promise} they are apart, so lists or folders were mixed up"
        )
