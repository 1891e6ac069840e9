"""The control loop: every lane with its own subject, time, step, doses and observations.

Written in the dialect of `dialect.py`: compiled for use, plain Python for its tests. It knows nothing of the
model; `step`, `commit`, `observe` and `gather` are the inner functions of `emit.py`.

One subject's run is a sequence of attempted steps that depends on its own doses and stops alone. `until` is a
pause: a step that would pass it is used for the observations before it and then forgotten, so the next call
takes the same step again. That is why a split run gives the same bits as a single one.
"""

from __future__ import annotations

from typing import Any

from lissive.simulation.engine.dialect import f64, i64, take
from lissive.simulation.engine.turns import attend, find, shorten
from lissive.simulation.engine.work import Work

step: Any = None
commit: Any = None
observe: Any = None
gather: Any = None


def load(w: Work, s: i64, l: i64) -> None:
    """Bring subject `s` into lane `l`."""
    W = w.lanes
    for i in range(w.n_states):
        w.Y[i * W + l] = w.y[s * w.n_states + i]
        w.SEEN[i * W + l] = w.seen[s * w.n_states + i]
    for i in range(w.n_constants):
        w.K[i * W + l] = w.k[s * w.n_constants + i]
    for i in range(w.n_inputs):
        w.R[i * W + l] = w.rate[s * w.n_inputs + i]
    w.T[l] = w.clock[s * 16]
    w.H[l] = w.clock[s * 16 + 1]


def save(w: Work, s: i64, l: i64) -> None:
    """Put lane `l` back into the memory of subject `s`."""
    W = w.lanes
    for i in range(w.n_states):
        w.y[s * w.n_states + i] = w.Y[i * W + l]
        w.seen[s * w.n_states + i] = w.SEEN[i * W + l]
    for i in range(w.n_inputs):
        w.rate[s * w.n_inputs + i] = w.R[i * W + l]
    w.clock[s * 16] = w.T[l]
    w.clock[s * 16 + 1] = w.H[l]


def arrive(w: Work, s: i64, l: i64) -> None:
    """Apply all events of lane `l` that are due: 0 add, 1 change of input rate, 2 reset, 3 stop only."""
    W = w.lanes
    e = w.next_event[l]
    jumped = 0
    low = 0
    high = 0
    fresh = 0
    suits = 1e300
    while w.next_switch[l] < w.sw_start[s + 1] and w.sw_time[w.next_switch[l]] <= w.T[l]:
        w.next_switch[l] += 1
        jumped = 1
    while e < w.last_event[l] and w.shift[s] + w.ev_time[e] <= w.T[l]:
        action = w.ev_action[e]
        target = w.ev_target[e]
        if action <= 1:
            size = w.scale[s] * w.ev_value[e]
            kind = 2 * target + action + 1
            if action == 0:
                w.Y[target * W + l] += size
                w.SEEN[target * W + l] = max(w.SEEN[target * W + l], abs(w.Y[target * W + l]))
            else:
                w.R[target * W + l] += size
            place = s * 2 * w.n_states + kind - 1
            known = abs(w.suit[place])
            if abs(size) > 10.0 * w.given[place] or known <= 1e-300:
                fresh = 1
            w.given[place] = abs(size)
            # of all that is given at once the shortest; each learns of the step that follows
            suits = min(suits, known)
            w.suit[place] = -max(known, 1e-300)
            if low == 0 or kind < low:
                low = kind
            high = max(high, kind)
            jumped = 1
        elif action == 2:
            for i in range(w.n_states):
                w.Y[i * W + l] = w.init[s * w.n_states + i]
            for i in range(w.n_inputs):
                w.R[i * W + l] = 0.0
            jumped = 1
            fresh = 1
        e += 1
    w.next_event[l] = e
    if jumped == 1:
        # a step that suited after next to nothing would leap over what a dose does, and its error not show it
        if low == 0 or fresh == 1:
            suits = w.first_step
        # not below what moves the clock, however short the step after the last jump was
        w.H[l] = max(min(w.H[l], suits), 4e-15 * abs(w.T[l]))
        w.book[s * 16 + 3] = 1
        w.book[s * 16 + 2] = 0
        w.book[s * 16 + 6] = low
        w.book[s * 16 + 7] = high


def judge(w: Work, s: i64, l: i64) -> None:
    """Take or refuse lane l's step, and choose the next one."""
    tried = w.TRY[l]
    error = w.ERR[l]
    factor = max(0.2, min(5.0, 0.9 * w.ERR[w.lanes + l]))
    if error <= 1.0:
        w.MASK[l] = 1.0
        if w.book[s * 16 + 3] == 1:
            for kind in range(max(w.book[s * 16 + 6], 1), w.book[s * 16 + 7] + 1):
                place = s * 2 * w.n_states + kind - 1
                if w.suit[place] < 0.0:
                    suits = tried * factor
                    if w.at_stop[l] != 0:  # cut short by a stop, which says nothing of what would have suited
                        suits = max(-w.suit[place], suits)
                    w.suit[place] = suits
            w.book[s * 16 + 3] = 0
        if w.book[s * 16 + 2] > 0:
            factor = min(1.0, factor)
        if w.at_stop[l] == 0:
            w.H[l] = tried * factor
        else:
            w.H[l] = max(w.H[l], tried * factor)
        w.book[s * 16 + 2] = 0
        w.book[s * 16 + 4] += 1
    else:
        w.MASK[l] = 0.0
        if not error > 1.0:
            factor = 0.1
        w.H[l] = tried * min(factor, 0.9)
        w.book[s * 16 + 2] += 1
        w.book[s * 16 + 5] += 1
        if w.book[s * 16 + 2] > 60:
            w.book[s * 16 + 1] = 2
            if not error > 1.0:
                w.book[s * 16 + 1] = 3


def widen(w: Work, l: i64) -> None:
    """Give states of lane `l` that were empty up to now a size to measure their error by.

    What a step brings into an empty state may be wrong by a fixed share of itself however short the step is:
    where an input begins, or far down a chain of empty states. It then counts as nothing if it is 1e-9 of the
    largest state, or what flows within 1e-14 of the time. Asked for only where a step was refused again and again.
    """
    W = w.lanes
    largest = 0.0
    for i in range(w.n_states):
        largest = max(largest, w.SEEN[i * W + l])
    moment = 1e-14 * max(abs(w.T[l]), w.first_step)
    for i in range(w.n_states):
        if w.SEEN[i * W + l] <= 1e-9 * largest and w.TOL[2] > 0.0:
            flow = abs(w.YN[i * W + l] - w.Y[i * W + l]) / w.TRY[l]
            w.SEEN[i * W + l] = max(1e-9 * largest, moment * flow / (w.TOL[0] * w.TOL[2]))


def lift(w: Work, l: i64) -> None:
    """Take states of lane `l` that are negative by less than the error allowed as 0, so that they have roots.

    Asked for only where a rate is no number.
    """
    W = w.lanes
    largest = 0.0
    for i in range(w.n_states):
        largest = max(largest, w.SEEN[i * W + l])
    for i in range(w.n_states):
        if w.Y[i * W + l] < 0.0 and -w.Y[i * W + l] <= w.TOL[0] * max(w.SEEN[i * W + l], 1e-9 * largest):
            w.Y[i * W + l] = 0.0


def clear(w: Work, l: i64) -> None:
    """Nothing is gathered yet in the bin of lane `l`."""
    W = w.lanes
    for o in range(w.n_outputs):
        w.MEAN[o * W + l] = 0.0
        w.TOP[o * W + l] = -1e400
        w.LOW[o * W + l] = 1e400


def put_down(w: Work, l: i64) -> None:
    """Write what lane `l` has gathered of its bin, and begin with nothing."""
    W = w.lanes
    place = (w.subject[l] * w.n_bins + w.next_bin[l]) * w.n_outputs
    for o in range(w.n_outputs):
        w.mean[place + o] = w.MEAN[o * W + l]
        w.top[place + o] = w.TOP[o * W + l]
        w.low[place + o] = w.LOW[o * W + l]
    clear(w, l)


def aim(w: Work, l: i64) -> None:
    """Choose what lane `l` attempts: the step that suits, or up to the next stop, or half the way there."""
    s = w.subject[l]
    w.TRY[l] = 1.0
    if s >= 0:
        w.TRY[l] = w.H[l]
        w.at_stop[l] = 0
        stop = 1e300
        if w.stops >= 1:
            stop = w.until
        if w.next_event[l] < w.last_event[l]:
            stop = min(stop, w.shift[s] + w.ev_time[w.next_event[l]])
        if w.next_switch[l] < w.sw_start[s + 1]:
            stop = min(stop, w.sw_time[w.next_switch[l]])
        stop = min(stop, w.halt[s])
        gap = stop - w.T[l]
        if w.H[l] * 1.000001 >= gap:
            w.TRY[l] = gap
            w.at_stop[l] = 1
        elif w.H[l] * 2.0 > gap:
            w.TRY[l] = 0.5 * gap
            w.at_stop[l] = 2
        w.END[l] = w.T[l] + w.TRY[l]
        if w.at_stop[l] == 1:
            w.END[l] = stop


def look(w: Work) -> None:
    """Observe all lanes at the output times that lie inside their steps."""
    W = w.lanes
    n_out = w.n_outputs
    nt = w.n_times
    wanted = 1
    while wanted == 1:
        wanted = 0
        for l in range(W):
            w.wanted[l] = 0
            w.TH[l] = 0.0
            if w.MASK[l] == 1.0 and w.next_time[l] < nt:
                t = w.times[w.next_time[l]]
                if t < w.END[l] and t <= w.until:
                    w.wanted[l] = 1
                    wanted = 1
                    w.TX[l] = t
                    w.TH[l] = (t - w.T[l]) / w.TRY[l]
        if wanted == 1:
            observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.OUT)
            for l in range(W):
                if w.wanted[l] == 1:
                    for o in range(n_out):
                        w.values[(w.subject[l] * nt + w.next_time[l]) * n_out + o] = w.OUT[o * W + l]
                    w.next_time[l] += 1


def quarter(w: Work, part: f64) -> None:
    """Look at each wanted lane's part of a step, this far into it."""
    for l in range(w.lanes):
        w.TH[l] = 0.0
        if w.wanted[l] == 1:
            stop = min(w.END[l], w.edges[w.next_bin[l] + 1])
            w.TX[l] = w.SEG[l] + part * (stop - w.SEG[l])
            w.TH[l] = (w.TX[l] - w.T[l]) / w.TRY[l]


def sum_up(w: Work) -> None:
    """Add the steps of all lanes to their bins, one part of each step within one bin at a time."""
    W = w.lanes
    nb = w.n_bins
    wanted = 1
    while wanted == 1:
        wanted = 0
        for l in range(W):
            w.wanted[l] = 0
            if w.MASK[l] == 1.0 and w.next_bin[l] < nb:
                w.SEG[l] = max(max(w.SEG[l], w.T[l]), w.edges[w.next_bin[l]])
                if w.SEG[l] < min(w.END[l], w.until):
                    w.wanted[l] = 1
                    wanted = 1
        if wanted == 0:
            break
        quarter(w, 0.0)
        observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.F0)
        quarter(w, 0.25)
        observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.F1)
        quarter(w, 0.5)
        observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.F2)
        quarter(w, 0.75)
        observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.F3)
        quarter(w, 1.0)
        observe(w.Y, w.YN, w.D, w.K, w.TX, w.TH, w.F4)
        for l in range(W):
            w.SHARE[l] = 0.0
            if w.wanted[l] == 1:
                b = w.next_bin[l]
                stop = min(w.END[l], w.edges[b + 1])
                w.SHARE[l] = (stop - w.SEG[l]) / (w.edges[b + 1] - w.edges[b]) / 90.0
        gather(w.F0, w.F1, w.F2, w.F3, w.F4, w.SHARE, w.MEAN, w.TOP, w.LOW)
        for l in range(W):
            if w.wanted[l] == 1:
                w.SEG[l] = min(w.END[l], w.edges[w.next_bin[l] + 1])
                if w.SEG[l] >= w.edges[w.next_bin[l] + 1]:
                    put_down(w, l)
                    w.next_bin[l] += 1


def drive(w: Work) -> None:
    """Advance subjects to `until`, each through its own events.

    A thread that has none of its own left helps the others, so that none waits.
    """
    W = w.lanes
    n_out = w.n_outputs
    nt = w.n_times
    until = w.until
    waiting = 1
    helped = 0
    own = w.thread
    active = 0
    for l in range(W):
        w.subject[l] = -1
    while active > 0 or waiting == 1:
        # 1. fill idle lanes
        for l in range(W):
            if w.subject[l] < 0 and waiting == 1:
                s = take(w.queue, own * 16)
                while s >= w.bounds[own + 1] and helped < w.threads - 1:
                    helped += 1
                    own += 1
                    if own == w.threads:
                        own = 0
                    s = take(w.queue, own * 16)
                if s >= w.bounds[own + 1]:
                    waiting = 0
                elif w.book[s * 16 + 1] == 0:
                    load(w, s, l)
                    w.subject[l] = s
                    w.next_time[l] = 0
                    w.next_bin[l] = 0
                    w.next_event[l] = w.start[w.which[s]] + w.book[s * 16]
                    w.last_event[l] = w.start[w.which[s] + 1]
                    w.next_switch[l] = w.sw_start[s]
                    if (
                        w.book[s * 16 + 4] + w.book[s * 16 + 5] > 0
                    ):  # those that are passed were met before a pause
                        while w.next_switch[l] < w.sw_start[s + 1] and w.sw_time[w.next_switch[l]] <= w.T[l]:
                            w.next_switch[l] += 1
                    w.SEG[l] = w.T[l]
                    clear(w, l)
                    active += 1
        # 2. what is due now: events, then observations at this very time
        for l in range(W):
            s = w.subject[l]
            if s >= 0:
                arrive(w, s, l)
        if w.n_watch > 0:
            attend(w)
        wanted = 0
        for l in range(W):
            s = w.subject[l]
            w.TH[l] = 0.0
            w.TX[l] = w.T[l]
            if s >= 0 and w.next_time[l] < nt and w.times[w.next_time[l]] <= w.T[l]:
                wanted = 1
        if wanted == 1:
            # at the step's start; YN may be another subject's
            observe(w.Y, w.Y, w.D, w.K, w.TX, w.TH, w.OUT)
            for l in range(W):
                s = w.subject[l]
                if s >= 0 and w.book[s * 16 + 1] != 5:
                    while w.next_time[l] < nt and w.times[w.next_time[l]] <= w.T[l]:
                        if w.times[w.next_time[l]] == w.T[l]:
                            for o in range(n_out):
                                w.values[(s * nt + w.next_time[l]) * n_out + o] = w.OUT[o * W + l]
                        w.next_time[l] += 1
        # 3. who is there already
        left = 0
        for l in range(W):
            s = w.subject[l]
            if s >= 0 and (w.T[l] >= until or w.book[s * 16 + 1] != 0):
                save(w, s, l)
                w.book[s * 16] = w.next_event[l] - w.start[w.which[s]]
                w.subject[l] = -1
                active -= 1
                left = 1
        if left == 1 and (active == 0 or waiting == 1):
            continue
        # 4. one attempted step for all, cut where a stop is near
        for l in range(W):
            aim(w, l)
        step(w.Y, w.K, w.R, w.SEEN, w.T, w.TRY, w.TOL, w.YN, w.D, w.ERR, w.S)
        if w.n_watch > 0:
            find(w)
        # 5. judge; a step past the pause serves its observations and is then forgotten
        for l in range(W):
            s = w.subject[l]
            w.MASK[l] = 0.0
            w.done[l] = 0
            if s >= 0:
                if w.ERR[l] <= 1.0 and w.END[l] > until:
                    w.done[l] = 1
                    w.MASK[l] = 1.0
                else:
                    judge(w, s, l)
                    if not w.ERR[l] >= 0.0:
                        lift(w, l)
                    again = w.book[s * 16 + 2]
                    moment = 1e-14 * max(abs(w.T[l]), w.first_step)
                    if (again == 20 or again == 40 or w.TRY[l] <= moment) and w.ERR[l] > 1.0:
                        widen(w, l)
                    if w.END[l] <= w.T[l]:  # too short for the clock to move
                        w.book[s * 16 + 1] = 2
                    if w.book[s * 16 + 4] + w.book[s * 16 + 5] >= w.most_steps:
                        w.book[s * 16 + 1] = 1
        # 6. observations, and means and extremes, inside the step
        look(w)
        if w.n_bins > 0:
            sum_up(w)
        # 7. take the step, or leave the lane as it was before the pause
        for l in range(W):
            s = w.subject[l]
            if s >= 0 and w.done[l] == 1:
                w.MASK[l] = 0.0
                save(w, s, l)
                w.book[s * 16] = w.next_event[l] - w.start[w.which[s]]
                w.subject[l] = -1
                active -= 1
            elif w.MASK[l] == 1.0:
                if w.cut[l] == 1:
                    shorten(w, l)
                w.T[l] = w.END[l]
        commit(w.Y, w.YN, w.SEEN, w.MASK)
