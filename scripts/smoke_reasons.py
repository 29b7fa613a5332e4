"""Why an assumption of docs/assumptions.md can't be tried by reading for five minutes, by its id."""

from __future__ import annotations

from typing import Final

_LIMITS = "it takes a limit that is reached, and a check must not bring one about"
_GONE = "it takes something that is deleted, moved or changed meanwhile, and a check only reads"
_HOOKS = "it takes a webhook, which somebody has to set up"
_RUN = "it takes a run of GitHub Actions: the workflow Smoke is one, and its log shows it"
_STARS = "it takes stars of which both the day and the time are known by another way"
_ODD = "GitHub does so now and then, and nobody can ask for it"

REASONS: Final = {
    "P5": "P1 would say so: the prices of samples are compared",
    "P12": "it takes tokens of several users",
    "P15": _ODD,
    "P16": _ODD,
    "L1": "it takes tokens of several users",
    "L8": _LIMITS,
    "L9": _LIMITS,
    "L10": _LIMITS,
    "L11": _LIMITS,
    "G2": _GONE,
    "G3": _GONE,
    "G4": _GONE,
    "G5": "it takes a repository that the token may not read",
    "G6": _ODD,
    "G7": _ODD,
    "G8": "it takes a repository that GitHub blocked",
    "O1": "it takes weeks",
    "O4": _GONE,
    "O5": _GONE,
    "O6": "it takes a repository whose discussions were switched off",
    "O10": "it takes a request for review that the token may not see",
    "O11": _GONE,
    "O12": _GONE,
    "O13": _ODD,
    "O14": "the rows of the capture say so: a list that ends before its count is a gap in its line",
    "O15": _ODD,
    "O18": _GONE,
    "O19": "a checklist of a time range says both numbers: gh-backfill aggressive owner/name --time-range 30",
    "O17": "it takes a pull request of before September 2016 with comments of its files",
    "V3": _GONE,
    "W1": _HOOKS,
    "W2": _HOOKS,
    "W3": _HOOKS,
    "A1": _RUN,
    "A2": "it takes writing an issue",
    "A3": _RUN,
    "A4": _RUN,
    "A5": _RUN,
    "S3": _STARS,
    "S4": _STARS,
}
