"""A signal to stop counts even where Python drops the exception that it raises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
IN_A_DESTRUCTOR = """
import os, signal, sys
from gh_backfill.engine import interrupts

class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

sys.unraisablehook = lambda lost: None
interrupts.listen()
interrupts.heed()
dropped = Dropped()
del dropped
print("nobody noticed")
try:
    interrupts.heed()
except KeyboardInterrupt:
    print("stopped")
"""


def test_a_signal_that_comes_within_a_destructor_is_heeded_before_the_next_claim() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_DESTRUCTOR], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split("\n")[:2] == ["nobody noticed", "stopped"], done.stderr
