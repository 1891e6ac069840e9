"""A made-up model as others write them: many states, reversible bindings, factors that fill in.

>>> foreign(3, 1).count("species")
3
"""

from __future__ import annotations

import random

STATES, BINDINGS = 50, 3
SEED = 1


def foreign(states: int = STATES, bindings: int = BINDINGS) -> str:
    """Antimony: each state is made, decays, and binds with others drawn at random; the same text each time."""
    draw = random.Random(SEED)
    lines = [
        f"model foreign{states}",
        "compartment c = 1;",
        *(f"species x{i} in c = {draw.uniform(0.1, 2.0):.3f};" for i in range(states)),
    ]
    for i in range(states):
        lines.append(f"make{i}: => x{i}; c*{_rate(lines, draw, f'a{i}', 0.05, 0.5)};")
        lines.append(f"loss{i}: x{i} => ; c*{_rate(lines, draw, f'b{i}', 0.05, 0.5)}*x{i};")
        for k in range(bindings):
            other, made = draw.sample(range(states), 2)
            on, off = (_rate(lines, draw, f"{name}{i}_{k}", 0.1, 5.0) for name in ("on", "off"))
            lines.append(f"bind{i}_{k}: x{i} + x{other} -> x{made}; c*({on}*x{i}*x{other} - {off}*x{made});")
    return "\n".join([*lines, "end"])


def _rate(lines: list[str], draw: random.Random, name: str, least: float, most: float) -> str:
    lines.append(f"{name} = {draw.uniform(least, most):.4f};")
    return name
