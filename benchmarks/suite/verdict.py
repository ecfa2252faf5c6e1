"""What the figures say against what is aimed at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suite.cases import EOPF, FLOOR, OURS, TUNED, Case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suite.measure import Figures

__all__ = ["Verdict", "disagreement", "judge"]

NEAR_FLOOR = 1.2
"""Where the floor itself is nearer than the aim, this many times its time counts as reaching the aim."""

PROPORTIONAL = 1.3
"""How much more a pixel may cost in a window of 16 chunks than in one of 1, or the other way round."""

SAME_MEMORY = 1.2
"""How much more memory a product ten times larger may take."""


@dataclass(frozen=True)
class Verdict:
    """One aim."""

    aim: str
    found: str
    reached: bool | None
    """By the clock or by seconds of CPU, whichever is better; None where it is told and not aimed at."""


def judge(
    case: Case, found: Mapping[str, Figures], other: Mapping[str, Figures] | None = None
) -> list[Verdict]:
    """Return what became of a case's aims; ``other`` is the case that it is compared to.

    A way that was not measured gives no verdict.
    """
    ours = found[OURS]
    if ours.failure:
        return [Verdict("works", ours.failure, reached=False)]
    verdicts = []
    floor = _of(found, FLOOR)
    for way, aim in ((EOPF, case.aim), (TUNED, case.aim_tuned)):
        peer = _of(found, way)
        if peer is None or (aim is None and case.aim is None):
            continue
        times = _ratios(peer, ours)
        least = _ratios(ours, floor) if floor else (math.inf, math.inf)
        if aim is None:
            verdicts.append(Verdict(f"beside {way}", _two(times), reached=None))
            continue
        near = any(n <= NEAR_FLOOR for n in least)
        faster = max(times) >= aim
        told = _two(times) + (", at the floor" if near and not faster else "")
        verdicts.append(Verdict(f"{aim:g} x faster than {way}", told, reached=faster or near))
    if case.floor is not None:
        for way, figures in found.items():
            if way.startswith(FLOOR) and not figures.failure and (way == FLOOR or FLOOR not in found):
                times = _ratios(ours, figures)
                verdicts.append(
                    Verdict(
                        f"within {case.floor:g} x of {way}", _two(times), reached=min(times) <= case.floor
                    )
                )
    eopf = _of(found, EOPF)
    if case.memory is not None and eopf is not None:
        share = ours.peak / eopf.peak
        verdicts.append(
            Verdict("peak memory at most 1/3 of eopf's", f"1/{1 / share:.1f}", reached=share <= case.memory)
        )
    if case.name == "area":
        costs = ours.answer
        spread = max(costs) / min(costs)
        verdicts.append(
            Verdict(
                "a pixel costs the same in every window", f"{spread:.2f} x", reached=spread <= PROPORTIONAL
            )
        )
    if case.name == "tenfold" and other is not None and not other[OURS].failure:
        more = max(ours.peak, other[OURS].peak) / min(ours.peak, other[OURS].peak)
        verdicts.append(
            Verdict("the same peak memory within 20 %", f"{more:.2f} x", reached=more <= SAME_MEMORY)
        )
    return verdicts


def _of(found: Mapping[str, Figures], way: str) -> Figures | None:
    figures = found.get(way)
    return None if figures is None or figures.failure else figures


def _ratios(slow: Figures, fast: Figures) -> tuple[float, float]:
    return slow.clock / fast.clock, slow.processors / max(fast.processors, 1e-4)


def _two(times: tuple[float, float]) -> str:
    return f"{_short(times[0])} x (CPU {_short(times[1])} x)"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"


def disagreement(found: Mapping[str, Figures]) -> str:
    """Return which ways gave other answers than the first one, or nothing: who is wrong is not fast."""
    answers = {
        way: figures.answer
        for way, figures in found.items()
        if isinstance(figures.answer, int | float) and not figures.failure
    }
    if not answers:
        return ""
    first = next(iter(answers.values()))
    wrong = [way for way, answer in answers.items() if not math.isclose(answer, first, rel_tol=1e-4)]
    return ", ".join(f"{way} answers {answers[way]:g}, not {first:g}" for way in wrong)
