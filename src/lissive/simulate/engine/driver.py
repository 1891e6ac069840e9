"""The control loop: every lane with its own subject, time, step, doses and observations.

Written in the dialect of `dialect.py`: compiled for use, plain Python for its tests. It knows nothing of the
model; `step`, `commit` and `observe` are the inner functions of `emit.py`.

One subject's run is a sequence of attempted steps that depends on its own doses and stops alone. `until` is a
pause: a step that would pass it is used for the observations before it and then forgotten, so the next call
takes the same step again. That is why a split run gives the same bits as a single one.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

from lissive.simulate.engine.dialect import f64, i64, reals, take, whole

step: Any = None
commit: Any = None
observe: Any = None

# `clock` and `book` have 16 columns, of which the first are used: threads then never share a line of memory
# rows of `clock`: time, next step, step that suited after the last jump
# rows of `book`: next event, status, refused just now, jumped, steps taken, steps refused
# rows of `lane` (9, lanes): subject, next point, next bin, next event, last event, hits a stop, wanted, done,
# next switch


def load(s: i64, l: i64, conf: whole, y: reals, seen: reals, k: reals, rate: reals, clock: reals, Y: reals,
         SEEN: reals, K: reals, R: reals, T: reals, H: reals) -> None:  # fmt: skip
    """Bring subject `s` into lane `l`."""
    W = conf[0]
    for i in range(conf[1]):
        Y[i * W + l] = y[s * conf[1] + i]
        SEEN[i * W + l] = seen[s * conf[1] + i]
    for i in range(conf[2]):
        K[i * W + l] = k[s * conf[2] + i]
    for i in range(conf[3]):
        R[i * W + l] = rate[s * conf[3] + i]
    T[l] = clock[s * 16]
    H[l] = clock[s * 16 + 1]


def save(s: i64, l: i64, conf: whole, y: reals, seen: reals, rate: reals, clock: reals, Y: reals,
         SEEN: reals, R: reals, T: reals, H: reals) -> None:  # fmt: skip
    """Put lane `l` back into the memory of subject `s`."""
    W = conf[0]
    for i in range(conf[1]):
        y[s * conf[1] + i] = Y[i * W + l]
        seen[s * conf[1] + i] = SEEN[i * W + l]
    for i in range(conf[3]):
        rate[s * conf[3] + i] = R[i * W + l]
    clock[s * 16] = T[l]
    clock[s * 16 + 1] = H[l]


def arrive(s: i64, l: i64, conf: whole, book: whole, clock: reals, lane: whole, ev_time: reals,
           ev_value: reals, ev_action: whole, ev_target: whole, scale: reals, shift: reals, sw_time: reals,
           sw_start: whole, init: reals, Y: reals, SEEN: reals, R: reals, T: reals, H: reals) -> None:  # fmt: skip
    """Apply all events of lane `l` that are due: 0 add, 1 change of input rate, 2 reset, 3 stop only."""
    W = conf[0]
    e = lane[3 * W + l]
    jumped = 0
    while lane[8 * W + l] < sw_start[s + 1] and sw_time[lane[8 * W + l]] <= T[l]:
        lane[8 * W + l] += 1
        jumped = 1
    while e < lane[4 * W + l] and shift[s] + ev_time[e] <= T[l]:
        action = ev_action[e]
        target = ev_target[e]
        if action == 0:
            Y[target * W + l] += scale[s] * ev_value[e]
            SEEN[target * W + l] = max(SEEN[target * W + l], abs(Y[target * W + l]))
            jumped = 1
        elif action == 1:
            R[target * W + l] += scale[s] * ev_value[e]
            jumped = 1
        elif action == 2:
            for i in range(conf[1]):
                Y[i * W + l] = init[s * conf[1] + i]
            for i in range(conf[3]):
                R[i * W + l] = 0.0
            jumped = 1
        e += 1
    lane[3 * W + l] = e
    if jumped == 1:
        # not below what moves the clock, however short the step after the last jump was
        H[l] = max(min(H[l], clock[s * 16 + 2]), 4e-15 * abs(T[l]))
        book[s * 16 + 3] = 1
        book[s * 16 + 2] = 0


def judge(s: i64, l: i64, W: i64, tried: f64, error: f64, book: whole, clock: reals, lane: whole,
          MASK: reals, H: reals) -> None:  # fmt: skip
    """Take or refuse lane l's step, and choose the next one."""
    factor = 5.0
    if error > 0.0011:
        factor = max(0.2, min(5.0, 0.9 / sqrt(sqrt(error))))
    if error <= 1.0:
        MASK[l] = 1.0
        if book[s * 16 + 3] == 1:
            if lane[5 * W + l] == 0:
                clock[s * 16 + 2] = tried * factor
            else:  # cut short by a stop, which says nothing of what would have suited
                clock[s * 16 + 2] = max(clock[s * 16 + 2], tried * factor)
            book[s * 16 + 3] = 0
        if book[s * 16 + 2] > 0:
            factor = min(1.0, factor)
        if lane[5 * W + l] == 0:
            H[l] = tried * factor
        else:
            H[l] = max(H[l], tried * factor)
        book[s * 16 + 2] = 0
        book[s * 16 + 4] += 1
    else:
        MASK[l] = 0.0
        if not error > 1.0:
            factor = 0.1
        H[l] = tried * min(factor, 0.9)
        book[s * 16 + 2] += 1
        book[s * 16 + 5] += 1
        if book[s * 16 + 2] > 60:
            book[s * 16 + 1] = 2
            if not error > 1.0:
                book[s * 16 + 1] = 3


def widen(l: i64, conf: whole, first: f64, tried: f64, tol: reals, Y: reals, SEEN: reals, T: reals,
          YN: reals) -> None:  # fmt: skip
    """Give states of lane `l` that were empty up to now a size to measure their error by.

    What a step brings into an empty state may be wrong by a fixed share of itself however short the step is:
    where an input begins, or far down a chain of empty states. It then counts as nothing if it is 1e-9 of the
    largest state, or what flows within 1e-14 of the time. Asked for only where a step was refused again and again.
    """
    W = conf[0]
    largest = 0.0
    for i in range(conf[1]):
        largest = max(largest, SEEN[i * W + l])
    moment = 1e-14 * max(abs(T[l]), first)
    for i in range(conf[1]):
        if SEEN[i * W + l] <= 1e-9 * largest and tol[2] > 0.0:
            flow = abs(YN[i * W + l] - Y[i * W + l]) / tried
            SEEN[i * W + l] = max(1e-9 * largest, moment * flow / (tol[0] * tol[2]))


def lift(l: i64, conf: whole, tol: reals, Y: reals, SEEN: reals) -> None:
    """Take states of lane `l` that are negative by less than the error allowed as 0, so that they have roots.

    Asked for only where a rate is no number.
    """
    W = conf[0]
    largest = 0.0
    for i in range(conf[1]):
        largest = max(largest, SEEN[i * W + l])
    for i in range(conf[1]):
        if Y[i * W + l] < 0.0 and -Y[i * W + l] <= tol[0] * max(SEEN[i * W + l], 1e-9 * largest):
            Y[i * W + l] = 0.0


def gather(place: i64, l: i64, share: f64, n_out: i64, W: i64, F0: reals, F1: reals, O: reals, mean: reals,
           top: reals, low: reals) -> None:  # fmt: skip
    """Add one part of a step, seen at its start, middle and end, to its bin: Simpson's rule and the parabola."""
    for o in range(n_out):
        f0 = F0[o * W + l]
        f1 = F1[o * W + l]
        f2 = O[o * W + l]
        mean[place + o] += share * (f0 + 4.0 * f1 + f2)
        high = max(max(f0, f1), f2)
        down = min(min(f0, f1), f2)
        bend = 0.5 * (f0 + f2) - f1
        tilt = 0.5 * (f2 - f0)
        if abs(tilt) < 2.0 * abs(
            bend
        ):  # it turns within the part: the parabola's vertex, but no change of sign
            vertex = f1 - 0.25 * tilt * tilt / bend
            if high <= 0.0:
                vertex = min(vertex, 0.0)
            if down >= 0.0:
                vertex = max(vertex, 0.0)
            high = max(high, vertex)
            down = min(down, vertex)
        top[place + o] = max(top[place + o], high)
        low[place + o] = min(low[place + o], down)


def aim(l: i64, conf: whole, until: f64, ev_time: reals, shift: reals, sw_time: reals, sw_start: whole,
        lane: whole, T: reals, H: reals, TRY: reals, END: reals) -> None:  # fmt: skip
    """Choose what lane `l` attempts: the step that suits, or up to the next stop, or half the way there."""
    W = conf[0]
    s = lane[l]
    TRY[l] = 1.0
    if s >= 0:
        TRY[l] = H[l]
        lane[5 * W + l] = 0
        stop = 1e300
        if conf[9] == 1:
            stop = until
        if lane[3 * W + l] < lane[4 * W + l]:
            stop = min(stop, shift[s] + ev_time[lane[3 * W + l]])
        if lane[8 * W + l] < sw_start[s + 1]:
            stop = min(stop, sw_time[lane[8 * W + l]])
        gap = stop - T[l]
        if H[l] * 1.000001 >= gap:
            TRY[l] = gap
            lane[5 * W + l] = 1
        elif H[l] * 2.0 > gap:
            TRY[l] = 0.5 * gap
            lane[5 * W + l] = 2
        END[l] = T[l] + TRY[l]
        if lane[5 * W + l] == 1:
            END[l] = stop


def look(conf: whole, until: f64, times: reals, values: reals, lane: whole, Y: reals, K: reals, T: reals,
         TRY: reals, YN: reals, D1: reals, D2: reals, MASK: reals, TH: reals, TX: reals, O: reals,
         END: reals) -> None:  # fmt: skip
    """Observe all lanes at the output times that lie inside their steps."""
    W = conf[0]
    n_out = conf[4]
    nt = conf[5]
    wanted = 1
    while wanted == 1:
        wanted = 0
        for l in range(W):
            lane[6 * W + l] = 0
            TH[l] = 0.0
            if MASK[l] == 1.0 and lane[W + l] < nt:
                t = times[lane[W + l]]
                if t < END[l] and t <= until:
                    lane[6 * W + l] = 1
                    wanted = 1
                    TX[l] = t
                    TH[l] = (t - T[l]) / TRY[l]
        if wanted == 1:
            observe(Y, YN, D1, D2, K, TX, TH, O)
            for l in range(W):
                if lane[6 * W + l] == 1:
                    for o in range(n_out):
                        values[(lane[l] * nt + lane[W + l]) * n_out + o] = O[o * W + l]
                    lane[W + l] += 1


def sum_up(conf: whole, until: f64, edges: reals, mean: reals, top: reals, low: reals, lane: whole, Y: reals,
           K: reals, T: reals, TRY: reals, YN: reals, D1: reals, D2: reals, MASK: reals, TH: reals, TX: reals,
           O: reals, F0: reals, F1: reals, SEG: reals, END: reals) -> None:  # fmt: skip
    """Add the steps of all lanes to their bins, one part of each step within one bin at a time."""
    W = conf[0]
    n_out = conf[4]
    nb = conf[6]
    wanted = 1
    while wanted == 1:
        wanted = 0
        for l in range(W):
            lane[6 * W + l] = 0
            if MASK[l] == 1.0 and lane[2 * W + l] < nb:
                SEG[l] = max(max(SEG[l], T[l]), edges[lane[2 * W + l]])
                if SEG[l] < min(END[l], until):
                    lane[6 * W + l] = 1
                    wanted = 1
        if wanted == 0:
            break
        for part in range(3):
            for l in range(W):
                TH[l] = 0.0
                if lane[6 * W + l] == 1:
                    stop = min(END[l], edges[lane[2 * W + l] + 1])
                    TX[l] = SEG[l] + 0.5 * float(part) * (stop - SEG[l])
                    TH[l] = (TX[l] - T[l]) / TRY[l]
            observe(Y, YN, D1, D2, K, TX, TH, O)
            for i in range(n_out * W):
                if part == 0:
                    F0[i] = O[i]
                elif part == 1:
                    F1[i] = O[i]
        for l in range(W):
            if lane[6 * W + l] == 1:
                b = lane[2 * W + l]
                stop = min(END[l], edges[b + 1])
                share = (stop - SEG[l]) / (edges[b + 1] - edges[b]) / 6.0
                gather((lane[l] * nb + b) * n_out, l, share, n_out, W, F0, F1, O, mean, top, low)
                SEG[l] = stop
                if stop >= edges[b + 1]:
                    lane[2 * W + l] += 1


def drive(conf: whole, queue: whole, bounds: whole, real: reals, y: reals, seen: reals, init: reals, k: reals,
          rate: reals, clock: reals, book: whole, ev_time: reals, ev_value: reals, ev_action: whole,
          ev_target: whole, start: whole, which: whole, scale: reals, shift: reals, sw_time: reals,
          sw_start: whole, times: reals, values: reals, edges: reals, mean: reals, top: reals, low: reals,
          Y: reals, SEEN: reals, K: reals, R: reals, T: reals, H: reals, TRY: reals, TOL: reals, YN: reals,
          D1: reals, D2: reals, ERR: reals, MASK: reals, TH: reals, TX: reals, O: reals, F0: reals, F1: reals,
          SEG: reals, END: reals, lane: whole) -> None:  # fmt: skip
    """Advance subjects to the pause real[0], each through its own events; real[1] is the first step's length.

    This is thread conf[7] of conf[8]. Thread t begins with subjects bounds[t] to bounds[t+1], whose next is
    queue[16 t]; one that has none left helps the others, so that none waits.
    """
    W = conf[0]
    n_out = conf[4]
    nt = conf[5]
    until = real[0]
    waiting = 1
    helped = 0
    own = conf[7]
    active = 0
    for l in range(W):
        lane[l] = -1
    while active > 0 or waiting == 1:
        # 1. fill idle lanes
        for l in range(W):
            if lane[l] < 0 and waiting == 1:
                s = take(queue, own * 16)
                while s >= bounds[own + 1] and helped < conf[8] - 1:
                    helped += 1
                    own += 1
                    if own == conf[8]:
                        own = 0
                    s = take(queue, own * 16)
                if s >= bounds[own + 1]:
                    waiting = 0
                elif book[s * 16 + 1] == 0:
                    load(s, l, conf, y, seen, k, rate, clock, Y, SEEN, K, R, T, H)
                    lane[l] = s
                    lane[W + l] = 0
                    lane[2 * W + l] = 0
                    lane[3 * W + l] = start[which[s]] + book[s * 16]
                    lane[4 * W + l] = start[which[s] + 1]
                    lane[8 * W + l] = sw_start[s]
                    SEG[l] = T[l]
                    active += 1
        # 2. what is due now: events, then observations at this very time
        wanted = 0
        for l in range(W):
            s = lane[l]
            TH[l] = 0.0
            TX[l] = T[l]
            if s >= 0:
                arrive(s, l, conf, book, clock, lane, ev_time, ev_value, ev_action, ev_target, scale, shift,
                       sw_time, sw_start, init, Y, SEEN, R, T, H)  # fmt: skip
                if lane[W + l] < nt and times[lane[W + l]] <= T[l]:
                    wanted = 1
        if wanted == 1:
            observe(Y, Y, Y, Y, K, TX, TH, O)  # at the step's start; YN may be another subject's
            for l in range(W):
                s = lane[l]
                if s >= 0:
                    while lane[W + l] < nt and times[lane[W + l]] <= T[l]:
                        if times[lane[W + l]] == T[l]:
                            for o in range(n_out):
                                values[(s * nt + lane[W + l]) * n_out + o] = O[o * W + l]
                        lane[W + l] += 1
        # 3. who is there already
        left = 0
        for l in range(W):
            s = lane[l]
            if s >= 0 and (T[l] >= until or book[s * 16 + 1] != 0):
                save(s, l, conf, y, seen, rate, clock, Y, SEEN, R, T, H)
                book[s * 16] = lane[3 * W + l] - start[which[s]]
                lane[l] = -1
                active -= 1
                left = 1
        if left == 1 and (active == 0 or waiting == 1):
            continue
        # 4. one attempted step for all, cut where a stop is near
        for l in range(W):
            aim(l, conf, until, ev_time, shift, sw_time, sw_start, lane, T, H, TRY, END)
        step(Y, K, R, SEEN, T, TRY, TOL, YN, D1, D2, ERR)
        # 5. judge; a step past the pause serves its observations and is then forgotten
        for l in range(W):
            s = lane[l]
            MASK[l] = 0.0
            lane[7 * W + l] = 0
            if s >= 0:
                if ERR[l] <= 1.0 and END[l] > until:
                    lane[7 * W + l] = 1
                    MASK[l] = 1.0
                else:
                    judge(s, l, W, TRY[l], ERR[l], book, clock, lane, MASK, H)
                    if not ERR[l] >= 0.0:
                        lift(l, conf, TOL, Y, SEEN)
                    again = book[s * 16 + 2]
                    if (again == 20 or again == 40 or TRY[l] <= 1e-14 * max(abs(T[l]), real[1])) and ERR[
                        l
                    ] > 1.0:
                        widen(l, conf, real[1], TRY[l], TOL, Y, SEEN, T, YN)
                    if END[l] <= T[l]:  # too short for the clock to move
                        book[s * 16 + 1] = 2
                    if book[s * 16 + 4] + book[s * 16 + 5] >= conf[10]:
                        book[s * 16 + 1] = 1
        # 6. observations, and means and extremes, inside the step
        look(conf, until, times, values, lane, Y, K, T, TRY, YN, D1, D2, MASK, TH, TX, O, END)
        if conf[6] > 0:
            sum_up(conf, until, edges, mean, top, low, lane, Y, K, T, TRY, YN, D1, D2, MASK, TH, TX, O, F0,
                   F1, SEG, END)  # fmt: skip
        # 7. take the step, or leave the lane as it was before the pause
        for l in range(W):
            s = lane[l]
            if s >= 0 and lane[7 * W + l] == 1:
                MASK[l] = 0.0
                save(s, l, conf, y, seen, rate, clock, Y, SEEN, R, T, H)
                book[s * 16] = lane[3 * W + l] - start[which[s]]
                lane[l] = -1
                active -= 1
            elif MASK[l] == 1.0:
                T[l] = END[l]
        commit(Y, YN, SEEN, MASK)
