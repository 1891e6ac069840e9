"""The memory that the control loop works on, as one record."""

from __future__ import annotations

from lissive.simulation.engine.dialect import Record, f64, i64, reals, whole


class Work(Record):
    """All that one thread works on; threads share everything but the lanes.

    Arrays are laid out one row after the other. Those of subjects are (subject, ...), so that a subject's numbers lie
    together; those of lanes (capitals, and the last ten) are (..., lane), so that a register takes one row at a time.
    """

    # -- how many there are of what, and what is asked --
    lanes: i64
    n_states: i64
    n_constants: i64
    n_inputs: i64
    n_outputs: i64
    n_times: i64
    n_bins: i64
    n_watch: i64
    """So many of the outputs, the last ones, are triggers and what they compare: 0 or 1."""
    thread: i64
    """This one of `threads`."""
    threads: i64
    stops: i64
    """1: `until` is a stop for everybody; 2: at which more is to come, before the model's own events; 0: a pause."""
    most_steps: i64
    until: f64
    first_step: f64
    # -- which subjects --
    queue: whole
    """(thread, 16) first column: the next subject of those that thread t begins with."""
    bounds: whole
    """(thread + 1,) they are bounds[t] to bounds[t + 1]."""
    # -- subjects --
    y: reals
    """(subject, state) now."""
    seen: reals
    """(subject, state) the largest size so far."""
    init: reals
    """(subject, state) at the start, and after a reset."""
    k: reals
    """(subject, constant) what the equations have worked out once."""
    rate: reals
    """(subject, input) rates of input now."""
    clock: reals
    """(subject, 16): time, next step. So wide that threads share no line."""
    book: whole
    """(subject, 16): next event, status (5: halted), refused just now, jumped, steps taken, steps refused, and the
    lowest and highest place in `suit` of what was given last, counted from 1; 0 where the last jump was no dose."""
    suit: reals
    """(subject, state, 2) step that suited after the last dose into it, at once and as an input; 0: none yet. Below 0
    from the dose until that step is taken."""
    given: reals
    """(subject, state, 2) size of that dose."""
    # -- events, switches and what is observed --
    ev_time: reals
    """(event,) as are the next three; subject s has start[which[s]] to start[which[s] + 1]."""
    ev_value: reals
    ev_action: whole
    """0 add, 1 change of input rate, 2 reset, 3 stop only."""
    ev_target: whole
    start: whole
    which: whole
    scale: reals
    """(subject,) factor of all doses."""
    shift: reals
    """(subject,) added to all times of events."""
    sw_time: reals
    """Moments at which the equations switch; subject s has sw_start[s] to sw_start[s + 1]."""
    sw_start: whole
    halt: reals
    """(subject,) when the subject stops for what the model's own events ask for."""
    flag: reals
    """(subject, watch) what the last outputs were when last looked at."""
    times: reals
    values: reals
    """(subject, time, output)"""
    edges: reals
    """(bin + 1,)"""
    mean: reals
    """(subject, bin, output), as are the next two."""
    top: reals
    low: reals
    # -- lanes: state, largest size, constants, input rates, time, next step, step tried --
    Y: reals
    SEEN: reals
    K: reals
    R: reals
    T: reals
    H: reals
    TRY: reals
    TOL: reals
    """rtol, atol, share of the largest size."""
    # -- lanes, of the step tried: new state, dense output, error (1 is what is allowed; then by how much the step
    # could have been longer), whether it is taken --
    YN: reals
    D: reals
    ERR: reals
    MASK: reals
    S: reals
    """Scratch memory of the step, see steps.py."""
    # -- lanes, while observing: fraction of the step, time; outputs now, at a part's start and middle; its start --
    TH: reals
    TX: reals
    OUT: reals
    F0: reals
    F1: reals
    F2: reals
    F3: reals
    F4: reals
    SHARE: reals
    MEAN: reals
    TOP: reals
    LOW: reals
    SEG: reals
    END: reals
    """(lane,) when the step tried ends."""
    LO: reals
    HI: reals
    """(lane,) between these a trigger turns; then LO is the share of the step that is taken."""
    # -- lanes: whom they have (-1: nobody), and how far that is --
    subject: whole
    next_time: whole
    next_bin: whole
    next_event: whole
    last_event: whole
    at_stop: whole
    """1: the step ends at a stop; 2: half the way to it."""
    wanted: whole
    done: whole
    next_switch: whole
    cut: whole
    """1: the step is taken up to where a trigger turns."""
