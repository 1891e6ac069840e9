"""What has been published: trials (data/trials.yaml) and courses over time (data/timecourse.yaml), as data."""

from pathlib import Path

DATA = Path(__file__).parent / "data"
TRIALS = DATA / "trials.yaml"
"""Published trials, with the provenance of each figure; `lissive.trials.published` reads them."""
TIMECOURSE = DATA / "timecourse.yaml"
"""Onsets, plateaus, doses and retention over time."""

__all__ = ["DATA", "TIMECOURSE", "TRIALS"]
