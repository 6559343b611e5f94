"""Small series of a city that does not exist: a daily course, moods that last, and noise."""

from __future__ import annotations

import numpy as np

from cityloop.learn.ahead.grid import Floats, Grid, calendar

HOUR = 3600


def town(days: int = 30, entities: int = 4, seed: int = 1, horizon: int = 24, lasting: float = 0.9) -> Grid:
    """Hourly values: a course over the day, a deviation that fades by ``lasting`` an hour, and some noise."""
    chance = np.random.default_rng(seed)
    steps = days * 24
    mood = np.zeros((steps, entities))
    for step in range(1, steps):
        mood[step] = lasting * mood[step - 1] + chance.normal(0, 4, entities)
    course = 50 + 20 * np.sin(2 * np.pi * (np.arange(steps) % 24) / 24)
    values: Floats = (course[:, None] + mood + chance.normal(0, 1, (steps, entities))).astype(np.float32)
    return Grid(values, calendar(HOUR * np.arange(steps + horizon), HOUR))
