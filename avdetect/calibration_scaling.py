"""Weighted fits of few parameters: a branch's scaling with its length, and the weights of the verdict's rule.

Both are logistic regressions with bounds and a Gaussian prior, solved by L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995):
convex, so the result does not depend on where it starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Float64

from avdetect.calibration import Platt, VerdictRule, shortening, sigmoid
from avdetect.verdict.combine import BRANCHES, combined_logits, logistic_features

FLAT = Platt(temperature=1e6)
"""Of a branch that has learned nothing: one half, whatever it says."""
RIDGE = 1.0
"""The prior on slope and bias is a Gaussian of variance 1 around the identity: worth as much as a few clips."""
MOST_PEOPLE = 24.0
"""A source (of forgeries: each generator of a source) counts for at most so many people."""
WORTH = 1.0
"""Nats by which a parameter more must raise the likelihood (Akaike 1974)."""
SPREAD = 4.0
"""Standard deviation in logits, a priori, of what a data set adds to a branch. Of 1, 2, 4 and 8, this foretells best
what becomes of validation people, sources and generators that were not fitted on."""
HALF_TICKS = (0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Lengths that are tried (ticks of 40 ms)."""


def clips_worth(weights: Float[np.ndarray, " n"], films: Sequence[str] = ()) -> float:
    """How many clips of equal weight the clips are worth (Kish 1965), copies of one film together as one clip.

    Args:
        weights: of the clips.
        films: which each clip is a copy of; all are films of their own if not given.
    """
    if len(films):
        weights = np.bincount(np.unique(np.asarray(films), return_inverse=True)[1], weights=weights)
    return float(weights.sum() ** 2 / np.square(weights).sum())


def balanced_weights(
    fake: Bool[np.ndarray, " n"],
    groups: Sequence[str],
    people: Sequence[str],
    *,
    films: Sequence[str] = (),
    most: float = MOST_PEOPLE,
) -> Float64[np.ndarray, " n"]:
    """Weights under which genuine and forged clips count alike, and the clips of one person in one group as one.

    Args:
        fake: the class.
        groups: source (and generator) of each clip.
        people: who is in it; within a class and a group, more than ``most`` people are scaled down.
        films: see :func:`clips_worth`.
        most: people.

    Returns:
        Weights whose sum is what they are worth (:func:`clips_worth`), and at most two for each person of the class
        with fewer people.
    """
    fake = np.asarray(fake, bool)
    weights = np.zeros(len(fake))
    for side in (False, True):
        here = np.flatnonzero(fake == side).tolist()
        names = [(groups[i], people[i]) for i in here]
        clips = Counter(names)
        size = Counter(group for group, _ in clips)
        weights[here] = [min(1.0, most / size[name[0]]) / clips[name] for name in names]
        if len(here):
            weights[here] /= weights[here].sum()
    if not weights.any():
        return weights
    worth = clips_worth(weights, [f"{film}/{side}" for film, side in zip(films, fake, strict=True)] if films else ())
    # Seven forgeries of one film are seven clips and one person.
    rarer = min(len({p for p, f in zip(people, fake, strict=True) if f == side}) for side in np.unique(fake))
    return weights / weights.sum() * min(worth, 2.0 * rarer)


def fit_logistic(
    design: Float[np.ndarray, "n p"],
    fake: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    *,
    prior: Sequence[float],
    least: Sequence[float | None],
    ridge: float = RIDGE,
) -> tuple[Float64[np.ndarray, " p"], float]:
    """Parameters of the greatest posterior density, and the weighted loss there (prior included).

    Args:
        design: what the parameters multiply.
        fake: the class.
        weights: of the clips.
        prior: middle of each parameter's prior.
        least: lower bound of each parameter, or ``None``.
        ridge: inverse variance of the prior.
    """
    from scipy.optimize import minimize

    x, y, centre = np.asarray(design, np.float64), np.asarray(fake, np.float64), np.asarray(prior, np.float64)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ theta
        value = weights @ (np.logaddexp(0, z) - y * z) + 0.5 * ridge * ((theta - centre) ** 2).sum()
        return float(value), x.T @ (weights * (sigmoid(z) - y)) + ridge * (theta - centre)

    options = {"ftol": 1e-13, "gtol": 1e-9, "maxiter": 1000}
    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=[(low, None) for low in least], options=options)
    return np.asarray(found.x, np.float64), float(found.fun)


def fit_tempered(
    logits: Float[np.ndarray, " n"],
    ticks: Float[np.ndarray, " n"],
    fake: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    *,
    sources: Sequence[str] = (),
    films: Sequence[str] = (),
    half_ticks: Sequence[float] = HALF_TICKS,
    bounded: bool = True,
) -> Platt:
    """Temperature, bias and ``half_ticks`` of a branch; flat for a branch of one class or without any slope.

    Data sets differ more than what is genuine and what is forged in them: with ``sources``, each has an intercept of
    its own (a random effect), so that the slope is what the branch tells within data sets, and the bias that of a new
    one.

    Args:
        logits: mean logit of each clip, no NaN.
        ticks: how many ticks it is the mean of.
        fake: the class.
        weights: of the clips, for a prior of one half.
        sources: data set of each clip.
        films: see :func:`clips_worth`.
        half_ticks: what is tried; one after the first must be better by `WORTH`.
        bounded: whether calibrated logits end at what is :func:`supported`.
    """
    fake = np.asarray(fake, bool)
    if len(fake) == 0 or fake.all() or not fake.any():
        return FLAT
    effects = _effects(sources, len(fake))
    best, lowest = FLAT, np.inf
    for half in half_ticks:
        short = shortening(ticks, half)
        typical = float(np.average(short, weights=weights))
        short = short / typical  # so that the prior is of a typical length, whatever counts half
        design = np.column_stack([np.asarray(logits, np.float64) * short, short, effects])
        n = effects.shape[1]
        found, loss = fit_logistic(design, fake, weights, prior=(1.0, *[0.0] * (n + 1)), least=(0.0, *[None] * (n + 1)))
        slope, bias = found[:2]
        if loss < lowest - WORTH:
            lowest = loss
            best = FLAT if slope <= 1e-6 else Platt(typical / float(slope), float(bias) / typical, float(half))
    if best is FLAT or not bounded:
        return best
    return replace(best, most=round(supported(best.scale(logits, ticks), fake, weights, films), 4))


def _effects(sources: Sequence[str], n: int) -> Float64[np.ndarray, "n s"]:
    """A column for each source, so high that the prior of `fit_logistic` gives its effect a deviation of `SPREAD`."""
    names = sorted(set(sources))
    if len(names) < 2:
        return np.zeros((n, 0))
    return SPREAD * (np.asarray(sources)[:, None] == np.array(names)[None]).astype(np.float64)


def supported(
    logits: Float[np.ndarray, " n"],
    fake: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"],
    films: Sequence[str] = (),
) -> float:
    """The largest logarithm of a likelihood ratio that the clips can support, at least 0.

    What no genuine clip of the fit has reached, the next one may: with one more that does, no threshold parts forged
    from genuine by more than this. After the empirical bounds of forensic likelihood ratios (Vergeer, van Es, de Jongh,
    Alberink and Stoel, "Numerical likelihood ratios outputted by LR systems are often based on extrapolation", Science
    & Justice 2016).

    Args:
        logits: no NaN.
        fake: the class.
        weights: of the clips.
        films: see :func:`clips_worth`.
    """
    fake, weights = np.asarray(fake, bool), np.asarray(weights, np.float64)
    genuine = weights[~fake]
    count = clips_worth(genuine, np.asarray(films)[~fake].tolist() if len(films) else ())
    best = 0.0
    for at in np.unique(np.asarray(logits)[fake]):
        beyond = logits >= at
        hits = weights[fake & beyond].sum() / weights[fake].sum()
        alarms = (weights[~fake & beyond].sum() / genuine.sum() * count + 1) / (count + 1)
        best = max(best, float(np.log(hits / alarms)))
    return best


def fit_rule(
    name: str, logits: Float[np.ndarray, "n 4"], fake: Bool[np.ndarray, " n"], weights: Float[np.ndarray, " n"]
) -> tuple[VerdictRule, Platt]:
    """The weights of a rule and the verdict's scaling, from calibrated branch logits of people left out.

    A branch of which nothing was measured keeps the weight 1.

    Args:
        name: of the rule.
        logits: columns as in ``BRANCHES``, NaN where not measured; at least one a row.
        fake: the class; both must occur.
        weights: of the clips, for a prior of one half.
    """
    if name != "logistic":
        rule = VerdictRule(name)
        # The branches are bounded already; a verdict that were, too, could say "fake" of hardly anything.
        of_all = combined_logits(logits, rule)
        return rule, fit_tempered(of_all, np.ones(len(of_all)), fake, weights, half_ticks=(0.0,), bounded=False)
    design = np.column_stack([logistic_features(logits), np.ones(len(logits))])
    n = len(BRANCHES)
    theta, _ = fit_logistic(design, fake, weights, prior=(*[1.0] * (n + 1), 0.0), least=(*[0.0] * (n + 1), None))
    parts = {branch: float(w) for branch, w in zip((*BRANCHES, "clear"), theta, strict=False)}
    return VerdictRule(name, **parts), Platt(bias=float(theta[-1]))
