"""
Simulated time: it runs at any speed, can stop, and can be moved forward.

Rule: nothing else in the simulator reads the machine's clock.
"""

import threading
import time

from attrs import define, field, setters

MAX_STEP = 3_660 * 86_400
MAX_SPEED = 10_000_000  # a year in three seconds


@define
class Clock:
    """
    Unix seconds as a float. `speed` is simulated seconds per real second; 0 stops the clock.

    `start` is the first reading, by default the machine's time. The clock moves forward only, so
    that no timestamp that was sent can be in the future.
    """

    speed: float = field(default=1.0, on_setattr=setters.frozen)
    start: float = field(factory=time.time)
    _origin: float = field(factory=time.monotonic, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.speed <= MAX_SPEED:
            raise ValueError(f"speed must be between 0 and {MAX_SPEED:,}, not {self.speed!r}.")

    def now(self) -> float:
        return self.start + (time.monotonic() - self._origin) * self.speed

    def advance(self, *, seconds: float = 0, hours: float = 0, days: float = 0) -> float:
        """Moves the clock by the sum of its arguments and returns the new time."""
        step = seconds + hours * 3600 + days * 86_400
        if not 0 <= step <= MAX_STEP:
            raise ValueError(
                f"Invalid step of {step!r} seconds: time moves forward, by ten years at most."
            )
        with self._lock:
            self.start += step
        return self.now()
