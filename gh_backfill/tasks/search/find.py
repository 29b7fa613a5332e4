"""Search: free text by words and by vectors together, and what is alike by vectors alone.

Measured on 360 real issues and pull requests: for a few words the two together find what either misses; for the text of
a whole issue the words only spoil the order.  What stands against vectors makes no search fail: it goes by words, and
says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gh_backfill.errors import ConfigurationError, EmbedderError
from gh_backfill.policy.search import fusion, item_names, words
from gh_backfill.policy.search.words import WordsAsked
from gh_backfill.store import repositories, search, vectors
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.search import ItemKey, NearItems, SearchScope
from gh_backfill.tasks import workspaces
from gh_backfill.tasks.search.found import Found, FoundItem
from gh_backfill.tasks.search.query_vectors import QueryVector

USUAL, MOST = 10, 200
# In seconds: so long a statement may take where nobody says anything else.
PATIENCE = 30
LEFT_OUT = "private repositories are left out: anybody may read what a workflow prints"
MakeVector = Callable[[str], QueryVector]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenScope:
    """Where is searched, and the names of what is not here."""

    scope: SearchScope
    unknown: tuple[str, ...]


def chosen(
    db: Database,
    names: Sequence[str],
    workspace: str | None = None,
    *,
    types: str | None = None,
    states: str | None = None,
    public_only: bool = False,
) -> ChosenScope:
    """Return where is to be searched: everywhere, where nothing is named.

    Raises ConfigurationError where nothing of what is named is here, or a word is none.
    """
    wanted = SearchScope(types=item_names.types(types), states=item_names.states(states), public_only=public_only)
    slug = (workspace or "").strip()
    if not names and not slug:
        return ChosenScope(scope=wanted, unknown=())
    every = [*names, *(workspaces.members(db, slug) if slug else [])]
    with db.reading() as tx:
        found = repositories.find(tx, every)
    ids = tuple(dict.fromkeys(known.id for known in found.values() if known is not None))
    unknown = tuple(name for name, known in found.items() if known is None)
    if not ids:
        raise ConfigurationError(f"not here: {', '.join(unknown)}: gh-backfill track brings them")
    return ChosenScope(
        scope=SearchScope(repositories=ids, types=wanted.types, states=wanted.states, public_only=wanted.public_only),
        unknown=unknown,
    )


def find(
    db: Database, text: str, scope: SearchScope, make: MakeVector, *, limit: int = USUAL, seconds: int = PATIENCE
) -> Found:
    """Return what is found for a text; `make` returns its vector, and is asked only where there is one to compare.

    Raises ConfigurationError for a text without a word, and StoreError where a statement takes over so many seconds.
    """
    asked = words.asked(text)
    size, reason = _size(db, scope, seconds)
    made: QueryVector | None = None
    if reason is None:
        try:
            made = make(asked.text)
        except (ConfigurationError, EmbedderError) as error:
            reason = str(error)
    depth = fusion.depth(limit)
    with search.reading(db, seconds) as tx:
        by_words = _by_words(tx, scope, asked, depth)
        near = NearItems(distances={}, others=False) if made is None else _near(tx, scope, made, size, depth)
        if made is not None and not near.distances:
            reason = _others(made) if near.others else "no vector here fits what was chosen"
        some = _by_some_words(tx, scope, asked, depth, known=by_words) if reason is not None else []
        shown = _shown(tx, fusion.fused([*by_words, *some], list(near.distances)), near, limit)
    notes = [] if reason is None else [f"searched by words alone: {reason}"]
    if near.others and near.distances and made is not None:
        notes.append(_others(made))
    if some:
        notes.append(f"{'only some' if by_words else 'none'} have all of the words; those with one of them stand below")
    if scope.public_only and not shown:
        notes.append(LEFT_OUT)
    return Found(asked=asked.text, items=shown, by_words=True, by_vectors=reason is None, notes=tuple(notes))


def similar(
    db: Database,
    name: str,
    *,
    limit: int = USUAL,
    everywhere: bool = False,
    public_only: bool = False,
    exact_up_to: int = search.EXACT,
    seconds: int = PATIENCE,
) -> Found:
    """Return what is most like an item, in its repository or `everywhere`; itself never.

    `exact_up_to` is that of the scope.  Raises ConfigurationError where the item is not here, or has no vector.
    """
    full_name, number = item_names.item(name)
    with db.reading() as tx:
        if (obstacle := vectors.standing(tx).obstacle) is not None:
            raise ConfigurationError(obstacle)
        repository = repositories.find(tx, [full_name])[full_name]
    if repository is None:
        raise ConfigurationError(f"{full_name} is not here: gh-backfill track {full_name} brings it")
    where = None if everywhere else (repository.id,)
    scope = SearchScope(repositories=where, public_only=public_only, exact_up_to=exact_up_to)
    size, _ = _size(db, scope, seconds)
    with search.reading(db, seconds) as tx:
        own = search.named(tx, repository.id, number)
        told = search.shown(tx, [own]) if own is not None else {}
        if own is None or own not in told or (public_only and told[own].is_private):
            left_out = f"; {LEFT_OUT}" if public_only else ""
            raise ConfigurationError(f"{full_name}#{number} is not here, or is gone at GitHub{left_out}")
        vector = search.vector_of(tx, own)
        if vector is None:
            raise ConfigurationError(f"{full_name}#{number} has no vector yet: gh-backfill embed {full_name} makes it")
        near = compare(tx, scope, vector.vector, vector.fingerprint, size, limit, other_than=own)
        shown = _shown(tx, fusion.fused([], list(near.distances)), near, limit)
    notes: tuple[str, ...] = ()
    if near.others:
        notes = ("some vectors here were made by another provider or model than its own, and are not compared",)
    return Found(asked=f"{repository.full_name}#{number}", items=shown, by_words=False, by_vectors=True, notes=notes)


def _size(db: Database, scope: SearchScope, seconds: int) -> tuple[int, str | None]:
    """Return how many vectors there are to compare with, and why none are to be, if so."""
    with search.reading(db, seconds) as tx:
        if (obstacle := vectors.standing(tx).obstacle) is not None:
            return 0, obstacle
        size = search.size(tx, scope)
    return size, None if size else "nothing here has a vector yet: gh-backfill embed makes them"


def _by_words(tx: Transaction, scope: SearchScope, asked: WordsAsked, depth: int) -> list[ItemKey]:
    numbered = search.by_number(tx, scope, asked, depth)
    found = search.by_words(tx, scope, asked.every, asked.literal, depth)
    return list(dict.fromkeys([*numbered, *found]))


def _by_some_words(
    tx: Transaction, scope: SearchScope, asked: WordsAsked, depth: int, *, known: Sequence[ItemKey]
) -> list[ItemKey]:
    """Return what has only some of the words, where nothing else brings what says the same in others."""
    if asked.some is None or len(known) >= depth:
        return []
    found = search.by_words(tx, scope, asked.some, asked.literal, depth)
    return [item for item in found if item not in set(known)]


def _near(tx: Transaction, scope: SearchScope, made: QueryVector, size: int, depth: int) -> NearItems:
    return compare(tx, scope, made.vector, made.recipe.fingerprint, size, depth)


def compare(
    tx: Transaction,
    scope: SearchScope,
    vector: str,
    fingerprint: str,
    size: int,
    most: int,
    *,
    other_than: ItemKey | None = None,
) -> NearItems:
    """Return the nearest items of a scope of that `size`, the nearest first.

    All of a small one are compared; else the index is asked, to look further where it found too few, and at last all.
    An index of before pgvector 0.8 looks at some rows and filters those: it is asked only where nothing is filtered.
    """
    goes_on = search.reach_vectors(tx)
    if size > scope.exact_up_to and (goes_on or not scope.narrow):
        for _ in range(2 if goes_on else 1):
            found = search.nearest(tx, scope, vector, fingerprint, most, exact=False, other_than=other_than)
            if len(found.distances) >= most:
                return found
            search.scan_on(tx)
    return search.nearest(tx, scope, vector, fingerprint, most, exact=True, other_than=other_than)


def _shown(
    tx: Transaction, order: Sequence[fusion.Fused[ItemKey]], near: NearItems, limit: int
) -> tuple[FoundItem, ...]:
    best = order[:limit]
    items = search.shown(tx, [each.item for each in best])
    return tuple(
        FoundItem(
            item=items[each.item],
            score=each.score,
            by_words=each.by_words,
            by_vector=each.by_vector,
            similarity=1 - near.distances[each.item] if each.item in near.distances else None,
        )
        for each in best
        if each.item in items
    )


def _others(made: QueryVector) -> str:
    return (
        f"vectors here that another provider or model than {made.recipe.provider} {made.recipe.model} made are not "
        "compared: gh-backfill embed makes them anew"
    )
