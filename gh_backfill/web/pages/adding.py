"""The steps of adding repositories: names are looked up, a batch begins, captures are woken; for page and API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.initial import Wish
from gh_backfill.policy.markdown import counted
from gh_backfill.store.backfill_events import Actor
from gh_backfill.tasks import accounts, connect
from gh_backfill.tasks.accounts import AccountRepositories, Filters
from gh_backfill.tasks.initial import batches, proposals
from gh_backfill.tasks.initial.batches import Batch
from gh_backfill.tasks.initial.proposals import BatchEstimate, Proposal
from gh_backfill.tasks.track import Result
from gh_backfill.web.access import Role
from gh_backfill.web.page import Ask

MOST_OF_ACCOUNT = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One name as GitHub knows it: a mark and words, and how many pull requests there are."""

    name: str
    total: int | None
    mark: str
    word: str
    more: str
    private: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What adding would mean: a line for each name, how many would be added, and the estimate."""

    lines: tuple[Line, ...]
    new: int
    addable: int
    estimate: BatchEstimate | None
    proposals: tuple[Proposal, ...]

    @property
    def waits(self) -> bool:
        """Say whether GitHub may speak a moment later of a name: it is checked again."""
        return any(each.passing for each in self.proposals)


def check(ask: Ask, names: Sequence[str], wish: Wish) -> Checked:
    """Ask GitHub and the database about names, out of the budget that all share; nothing else is written.

    Raises GitHubError and ConfigurationError.
    """
    way = ask.context.github
    with way.open() as graphql, connect.sharing(graphql, ask.db, apart=False):
        given = _expanded(names, lambda login: way.recent_account(graphql, login))
        proposed = proposals.propose(
            ask.db, graphql, given, wish, name_of=way.recent_name_of, look_up=way.recent, now=ask.now
        )
    found = proposed.proposals
    addable = [each for each in found if not each.failed and each.result is not Result.DUPLICATE]
    return Checked(
        lines=tuple(_line(each) for each in found),
        new=sum(not each.tracked for each in addable),
        addable=len(addable),
        estimate=proposed.estimate,
        proposals=found,
    )


def begin(ask: Ask, names: Sequence[str], wish: Wish, *, backfill: bool) -> Batch:
    """Add names and let their captures begin beside us.  Raises GitHubError and ConfigurationError."""
    context = ask.context
    if not names:
        raise ConfigurationError("There is no name yet: paste some, such as octocat/hello-world.")
    with context.github.open() as graphql, connect.sharing(graphql, ask.db, apart=False):
        batch = batches.begin(
            ask.db,
            graphql,
            _expanded(names, lambda login: accounts.ask(graphql, [login], Filters())[0]),
            wish,
            name_of=context.github.recent_name_of,
            actor=actor_of(ask),
            now=ask.now,
            backfill=backfill,
        )
    wake(ask)
    return batch


def wake(ask: Ask) -> None:
    """Let the captures on this machine look for work."""
    if ask.context.runner is not None:
        ask.context.runner.wake()


def actor_of(ask: Ask) -> Actor:
    """Return who acts, for the record: this machine's user, or whoever had the token that was set."""
    if ask.context.access.made:
        return connect.actor(ask.context.settings)
    return Actor(who=f"{'administrator' if ask.viewer.role is Role.ADMIN else 'editor'} on the pages")


def _expanded(names: Sequence[str], account: Callable[[str], AccountRepositories]) -> list[str]:
    """Return names, those of all repositories of an account in place of `owner/*`.  Raises ConfigurationError."""
    expanded: list[str] = []
    for name in names:
        login = accounts.login_of(name)
        if login is None:
            expanded.append(name)
            continue
        found = account(login)
        if found.trouble is not None:
            raise found.trouble
        if len(found.chosen) > MOST_OF_ACCOUNT:
            many = counted(len(found.chosen), "repository")
            raise ConfigurationError(f"{login} has {many}, too many for a page: gh-backfill track '{login}/*'")
        expanded += [each.full_name for each in found.chosen]
    return expanded


def _line(each: Proposal) -> Line:
    mark, word, more = _words(each)
    return Line(
        name=each.full_name or each.given,
        total=each.total,
        mark=mark,
        word=word,
        more=more,
        private=each.is_private,
    )


def _words(each: Proposal) -> tuple[str, str, str]:
    """Return the mark, the word, and what else is to be said of a name."""
    asked = each.given if each.full_name is not None and _differs(each) else ""
    match each.result:
        case Result.ADDED:
            return "✓", "new", f"asked for as {asked}" if asked else ""
        case Result.RENAMED:
            return "✓", "new", f"renamed from {each.given}"
        case Result.DUPLICATE:
            return "◇", "twice in the list", ""
        case Result.UNKNOWN if each.passing:
            return "‖", "GitHub did not say yet, it is asked again", each.reason
        case _ if each.failed:
            return "✕", each.text, ""
        case _:
            here = "" if each.captured is None else f"{counted(each.captured, 'pull request')} here"
            return "◇", "tracked already", here


def _differs(each: Proposal) -> bool:
    return (each.full_name or "").lower() not in each.given.lower()
