"""Verifications as a person sees them: a certificate in a line, and what differs below it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.redaction import redacted
from gh_backfill.policy.verify.differences import folded
from gh_backfill.terminal.console import say

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.policy.verify.certificate import Certificate
    from gh_backfill.tasks.verify.verify import Verified

# So many lines say what differs in a repository; --json has more of them.
MOST_LINES = 20


def show(done: Sequence[Verified], *, dry_run: bool) -> None:
    """Print what was proven of each repository."""
    for each in done:
        say(escape(f"{each.repository.full_name}: {each.line}"))
        if each.certificate is not None:
            _show_differences(each.certificate)
    if not done:
        say("no repository's turn has come: everything is proven, and was lately")
    if dry_run:
        say("dry run: nothing was written")


def markdown_of(done: Sequence[Verified]) -> str:
    """Return it for the step summary; private repositories are named by their id only."""
    rows = [
        (
            markdown.plain(each.repository.id if each.repository.is_private else each.repository.full_name),
            "" if each.certificate is None else markdown.percent(each.certificate.score.percent),
            markdown.plain(redacted(each.line)),
        )
        for each in done
    ]
    table = markdown.table(("repository", "quality", "certificate"), rows)
    return f"## Verified\n\n{table if rows else 'No turn has come: everything is proven, and was lately.'}"


def _show_differences(certificate: Certificate) -> None:
    say(escape(f"  quality {markdown.percent(certificate.score.percent)}"))
    told = sorted(certificate.differences, key=lambda each: (not each.open, each.kind, each.number or 0))
    lines = folded(told)
    for line in lines[:MOST_LINES]:
        say(escape(f"  {line}"))
    if len(lines) > MOST_LINES:
        say(f"  and {len(lines) - MOST_LINES:,} more lines: --json has them all")
