"""Stretches cover a track, hold nothing but its ticks, and do not depend on how it came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from avdetect.api import InputContract
from avdetect.detectors.windows import Windows, cover, ladder

contracts = st.integers(1, 40).flatmap(
    lambda most: st.builds(InputContract, st.just(most), min_ticks=st.integers(1, most))
)


@given(st.integers(0, 200), contracts, st.booleans())
def test_stretches_cover_the_track_and_keep_the_contract(n: int, contract: InputContract, fixed: bool) -> None:
    found = cover(n, contract, fixed=fixed)
    assert all(0 <= start < stop <= n for start, stop in found), "padding is never invented"
    assert all(contract.min_ticks <= stop - start <= contract.max_ticks for start, stop in found)
    seen = {tick for start, stop in found for tick in range(start, stop)}
    assert seen == (set(range(n)) if n >= contract.min_ticks else set())
    assert len(set(found)) == len(found)
    if fixed:
        assert {stop - start for start, stop in found} <= set(ladder(contract))


@given(st.lists(st.integers(1, 30), max_size=12), contracts, st.booleans())
def test_pieces_give_what_the_whole_gives(pieces: list[int], contract: InputContract, fixed: bool) -> None:
    windows, found, dropped = Windows(contract, fixed=fixed), [], 0
    for n in pieces:
        ready = windows.push(n)
        assert all(start >= dropped for start, _ in ready)
        found += ready
        dropped = windows.needed_from
    last = windows.finish()
    assert all(start >= dropped for start, _ in last), "what may still be needed was kept"
    assert found + last == cover(sum(pieces), contract, fixed=fixed)


@given(contracts)
def test_a_compiling_detector_sees_few_lengths(contract: InputContract) -> None:
    lengths = ladder(contract)
    assert lengths[0] == contract.max_ticks and lengths[-1] == contract.min_ticks
    assert lengths == sorted(set(lengths), reverse=True) and len(lengths) <= 8
