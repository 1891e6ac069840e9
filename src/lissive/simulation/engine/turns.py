"""Where the triggers of a model's own events turn: a part of the control loop, in the same dialect (see driver.py).

Triggers, and what they compare, are the last outputs of `observe`, as 0 or 1; a subject's `flag` is what they were
when last looked at. Where they differ the lane halts, and `agenda.py` acts.
"""

from __future__ import annotations

from typing import Any

from lissive.simulation.engine.dialect import i64
from lissive.simulation.engine.work import Work

observe: Any = None


def attend(w: Work) -> None:
    """Halt each lane whose triggers are not what they were, or whose own stop has come; keep what they are now."""
    W = w.lanes
    for l in range(W):
        w.TH[l] = 0.0
        w.TX[l] = w.T[l]
    observe(w.Y, w.Y, w.D, w.K, w.TX, w.TH, w.OUT)
    for l in range(W):
        s = w.subject[l]
        if s >= 0 and w.book[s * 16 + 1] == 0 and (w.stops < 2 or w.T[l] < w.until):
            if w.T[l] >= w.halt[s]:
                w.book[s * 16 + 1] = 5
            for i in range(w.n_watch):
                now = w.OUT[(w.n_outputs - w.n_watch + i) * W + l]
                if now != w.flag[s * w.n_watch + i]:
                    w.book[s * 16 + 1] = 5
                    w.flag[s * w.n_watch + i] = now


def narrow(w: Work) -> None:
    """Of the lanes that are wanted, at the times TX of their steps: has a trigger turned by then?"""
    W = w.lanes
    for l in range(W):
        w.TH[l] = 0.0
        if w.wanted[l] == 1:
            w.TH[l] = 1.0
            if w.TX[l] < w.END[l]:
                w.TH[l] = (w.TX[l] - w.T[l]) / w.TRY[l]
    observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.OUT)
    for l in range(W):
        if w.wanted[l] == 1:
            s = w.subject[l]
            turned = 0
            for i in range(w.n_watch):
                if w.OUT[(w.n_outputs - w.n_watch + i) * W + l] != w.flag[s * w.n_watch + i]:
                    turned = 1
            if turned == 1:
                w.HI[l] = w.TX[l]
                w.cut[l] = 1
            else:
                w.LO[l] = w.TX[l]


def find(w: Work) -> None:
    """End the steps in which a trigger turns where it does: the first number of the clock at which it has.

    Looked for at eighths of each step, then halved. A step that turns after the pause is left as it is: it
    will be forgotten.
    """
    W = w.lanes
    for l in range(W):
        w.cut[l] = 0
        w.LO[l] = w.T[l]
    for part in range(1, 9):
        for l in range(W):
            w.wanted[l] = 0
            if w.subject[l] >= 0 and w.ERR[l] <= 1.0 and w.cut[l] == 0:
                w.wanted[l] = 1
                w.TX[l] = min(w.T[l] + 0.125 * float(part) * w.TRY[l], w.END[l])
                if part == 8:
                    w.TX[l] = w.END[l]
        narrow(w)
    wanted = 1
    while wanted == 1:
        wanted = 0
        for l in range(W):
            w.wanted[l] = 0
            if w.cut[l] == 1:
                middle = w.LO[l] + 0.5 * (w.HI[l] - w.LO[l])
                if middle > w.LO[l] and middle < w.HI[l]:
                    w.wanted[l] = 1
                    wanted = 1
                    w.TX[l] = middle
        if wanted == 1:
            narrow(w)
    for l in range(W):
        if w.cut[l] == 1:
            if w.HI[l] > w.until:
                w.cut[l] = 0
            else:
                w.LO[l] = 1.0
                if w.HI[l] < w.END[l]:
                    w.LO[l] = (w.HI[l] - w.T[l]) / w.TRY[l]
                w.END[l] = w.HI[l]


def shorten(w: Work, l: i64) -> None:
    """Put the state inside the step of lane `l`, where a trigger turns, in place of that at its end."""
    W = w.lanes
    share = w.LO[l]
    other = 1.0 - share
    for i in range(w.n_states):
        if (
            w.YN[i * W + l] != w.Y[i * W + l] or w.D[i * W + l] != 0.0
        ):  # else it did not move, and keeps every bit
            inner = share * w.D[(2 * w.n_states + i) * W + l] + w.D[(w.n_states + i) * W + l]
            inner = other * (share * inner + w.D[i * W + l]) + w.YN[i * W + l]
            w.YN[i * W + l] = share * inner + other * w.Y[i * W + l]
