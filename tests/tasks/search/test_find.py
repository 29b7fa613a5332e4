"""Searches find what has the words and what means the same, and never what is gone, hidden, or another's."""

from __future__ import annotations

import pytest

from gh_backfill.errors import ConfigurationError, EmbedderAway, TextRefused
from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.resources import sql
from gh_backfill.store.db import Database
from gh_backfill.store.search import EXACT, SearchScope
from gh_backfill.tasks.search.find import chosen, find, similar
from gh_backfill.tasks.search.query_vectors import QueryVector
from tests.embedding_rows import rows
from tests.search_rows import RECIPE, Item, always, names, nobody, store, towards

EVERYWHERE = SearchScope()
ANOTHER = VectorRecipe(provider="another", model="of the tests")
HERE, NEAR, FAR = towards(1, 0), towards(0.9, 0.1), towards(0, 1)


def found(db: Database, text: str, scope: SearchScope = EVERYWHERE) -> list[str]:
    """Return what the words of a text find."""
    return names(find(db, text, scope, nobody))


def told_of(db: Database, text: str) -> list[str]:
    """Return what a text finds, or why it is refused."""
    try:
        return names(find(db, text, EVERYWHERE, always(HERE)))
    except ConfigurationError as error:
        return [str(error)]


def test_an_identifier_is_found_by_words_that_vectors_miss_and_a_paraphrase_by_vectors_that_words_miss(
    db: Database,
) -> None:
    away = [Item(number=n, title="something else", vector=towards(0.5, n)) for n in range(100, 160)]
    store(db, "octo/one", [
        Item(number=1, title="Start fails", body="the log says ERR_FOO_BAR and ends", vector=FAR),
        Item(number=2, title="Boot does not come up", body="nothing is shown", vector=HERE),
        *away,
    ])  # fmt: skip
    both = find(db, "ERR_FOO_BAR", EVERYWHERE, always(HERE), limit=5)
    assert names(both)[:2] == ["octo/one#1", "octo/one#2"]
    first, second = both.items[:2]
    assert (first.by_words, first.by_vector) == (1, None)
    assert (second.by_words, second.by_vector) == (None, 1)
    assert second.similarity == pytest.approx(1)
    assert both.by_vectors
    assert not both.notes


def test_what_both_find_stands_before_what_one_finds(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=1, title="crash"),
        Item(number=2, title="quiet", vector=HERE),
        Item(number=3, title="crashes", vector=NEAR),
    ])  # fmt: skip
    assert names(find(db, "crash", EVERYWHERE, always(HERE)))[0] == "octo/one#3"


@pytest.mark.parametrize(
    "text",
    ["ERR_FOO_BAR", "err_foo_bar", "foo.bar()", "foo.bar", "`foo.bar`", "src/lib/main.c", "main.c", "--dry-run",
     "getUserById", "v1.2.3", "#4711", "4711", "x@y.test", "std::vector<int>", "is_not_null", '"the lock is dead"'],
)  # fmt: skip
def test_identifiers_are_found_wherever_they_stand(db: Database, text: str) -> None:
    body = (
        "see ERR_FOO_BAR, foo.bar().baz in https://example.test/src/lib/main.c#L7 with --dry-run; getUserById; v1.2.3; "
        "fixes #4711, by x@y.test: std::vector<int> is_not_null, and the lock is dead."
    )
    store(db, "octo/one", [Item(number=1, body=body), Item(number=2, body="err, bar of foo; lib; null; vector; dead")])
    assert found(db, text)[:1] == ["octo/one#1"]


def test_a_number_finds_the_item_that_has_it_first(db: Database) -> None:
    ours = store(db, "octo/one", [Item(number=8, title="as in #7"), Item(number=7, table="pull_requests")])
    store(db, "octo/two", [Item(number=7)])
    assert found(db, "#7", SearchScope(repositories=(ours,))) == ["octo/one#7", "octo/one#8"]
    assert found(db, "#7") == ["octo/one#8"]


def test_stems_titles_and_exclusions(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=1, title="unrelated", body="connections were closed on windows"),
        Item(number=2, title="unrelated", body="a connection closes on linux"),
        Item(number=3, title="Closed connection", table="discussions"),
    ])  # fmt: skip
    assert found(db, "closed connection")[0] == "octo/one#3"
    assert set(found(db, "closing connections")) == {"octo/one#1", "octo/one#2", "octo/one#3"}
    assert set(found(db, "connection -windows")) == {"octo/one#2", "octo/one#3"}
    assert set(found(db, "windows or linux")) == {"octo/one#1", "octo/one#2"}
    assert found(db, '"connection closes"') == ["octo/one#2"]


def test_without_vectors_what_has_only_some_of_the_words_stands_below_and_that_is_said(db: Database) -> None:
    store(db, "octo/one", [Item(number=1, title="deploy fails"), Item(number=2, title="deploy fails with timeouts")])
    told = find(db, "deploy fails with timeouts", EVERYWHERE, nobody)
    assert names(told) == ["octo/one#2", "octo/one#1"]
    assert told.notes == (
        "searched by words alone: nothing here has a vector yet: gh-backfill embed makes them",
        "only some have all of the words; those with one of them stand below",
    )
    assert not told.by_vectors


def test_vectors_of_another_recipe_are_never_compared_and_that_is_said(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=1, title="crash", vector=HERE, recipe=ANOTHER),
        Item(number=2, title="quiet", vector=HERE, recipe=ANOTHER),
    ])  # fmt: skip
    told = find(db, "crash", EVERYWHERE, always(HERE))
    assert names(told) == ["octo/one#1"]
    (note,) = told.notes
    assert note.startswith(
        "searched by words alone: vectors here that another provider or model than fixed of the tests"
    )
    store(db, "octo/two", [Item(number=3, title="crash", vector=FAR)])
    told = find(db, "crash", EVERYWHERE, always(HERE))
    assert {each.name: each.by_vector for each in told.items} == {"octo/one#1": None, "octo/two#3": 1}
    (note,) = told.notes
    assert note.startswith("vectors here that another provider")


@pytest.mark.parametrize("error", [EmbedderAway("nobody answers"), TextRefused("poison"), ConfigurationError("no key")])
def test_where_nobody_makes_the_vector_the_search_goes_by_words_and_says_why(db: Database, error: Exception) -> None:
    def refuse(_text: str) -> QueryVector:
        raise error

    store(db, "octo/one", [Item(number=1, title="crash", vector=HERE)])
    told = find(db, "crash", EVERYWHERE, refuse)
    assert names(told) == ["octo/one#1"]
    assert told.notes == (f"searched by words alone: {error}",)


def test_gone_items_private_ones_for_guests_and_pull_requests_kept_as_issues_are_never_found(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=1, title="crash", vector=HERE),
        Item(number=2, title="crash", vector=HERE, gone=True),
        Item(number=3, title="crash", vector=HERE, is_pull_request=True),
        Item(number=3, title="crash", vector=HERE, table="pull_requests"),
        Item(number=4, title="crash", vector=HERE, table="discussions", gone=True),
        Item(number=5, title="crash", vector=HERE, table="pull_requests", gone=True),
    ])  # fmt: skip
    store(db, "octo/secret", [Item(number=1, title="crash", vector=HERE)], is_private=True)
    store(db, "octo/unknown", [Item(number=1, title="crash", vector=HERE)], is_private=None)
    public, hidden = {"octo/one#1", "octo/one#3"}, {"octo/secret#1", "octo/unknown#1"}
    for most in (100, 0):  # exactly, and by the index
        every, guests = SearchScope(exact_up_to=most), SearchScope(public_only=True, exact_up_to=most)
        told = find(db, "crash", every, always(HERE))
        assert set(names(told)) == public | hidden
        assert len(told.items) == 4
        assert {each.by_vector for each in told.items} == {1, 2, 3, 4}
        assert set(names(find(db, "crash", guests, always(HERE)))) == public
        alike = similar(db, "octo/one#1", everywhere=True, exact_up_to=most)
        assert set(names(alike)) == {"octo/one#3"} | hidden
        alike = similar(db, "octo/one#1", everywhere=True, exact_up_to=most, public_only=True)
        assert names(alike) == ["octo/one#3"]
    with pytest.raises(ConfigurationError, match="octo/secret#1 is not here, or is gone"):
        similar(db, "octo/secret#1", public_only=True)
    with pytest.raises(ConfigurationError, match="octo/one#2 is not here, or is gone"):
        similar(db, "octo/one#2")


def test_types_states_repositories_and_workspaces_narrow_a_search(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=1, title="crash", vector=HERE),
        Item(number=2, title="crash", vector=HERE, state="closed"),
        Item(number=3, title="crash", vector=HERE, table="pull_requests", state="merged"),
        Item(number=4, title="crash", vector=HERE, table="discussions"),
    ])  # fmt: skip
    two = store(db, "octo/two", [Item(number=5, title="crash", vector=HERE)])
    with db.transaction() as tx:
        tx.run("insert into workspaces (id, name, slug, owner_id) values (%(id)s, 'team', 'team', %(id)s)", id=two)
        tx.run(
            "insert into workspace_repositories (workspace_id, repository_id, added_by) values (%(i)s, %(i)s, %(i)s)",
            i=two,
        )

    def of(
        given: list[str], workspace: str | None = None, *, types: str | None = None, states: str | None = None
    ) -> set[str]:
        scope = chosen(db, given, workspace, types=types, states=states).scope
        return set(names(find(db, "crash", scope, always(HERE))))

    assert of(["octo/one"], types="issue") == {"octo/one#1", "octo/one#2"}
    assert of(["octo/one"], types="prs, discussion") == {"octo/one#3", "octo/one#4"}
    assert of(["octo/one"], states="merged") == {"octo/one#3"}
    assert of([], states="closed") == {"octo/one#2"}
    assert of([], "team") == {"octo/two#5"}
    assert len(of(["octo/one", "octo/two"])) == 5
    assert chosen(db, ["octo/one", "octo/none"]).unknown == ("octo/none",)
    with pytest.raises(ConfigurationError, match="not here: octo/none"):
        chosen(db, ["octo/none"])
    with pytest.raises(ConfigurationError, match="a type is one of"):
        chosen(db, [], types="commit")


CLUSTERS, REPOSITORIES, ROWS = 50, 34, 20_000


@pytest.fixture
def twenty_thousand(db: Database) -> Database:
    """Fill a table with clustered vectors of 34 repositories, each with about 3 % of them, and its HNSW index."""
    with db.transaction() as tx:
        tx.run("select setseed(0.5)")
        tx.run(
            "insert into repositories (github_id, full_name, owner, name, is_private) "
            "select n, 'octo/r' || n, 'octo', 'r' || n, false from generate_series(1, %(n)s) n",
            n=REPOSITORIES,
        )
        tx.run("drop index idx_issues_embedding")
        tx.run(
            "with centres as materialized (select c, array_agg(random() - 0.5) as at "
            "    from generate_series(0, %(clusters)s - 1) c, generate_series(1, 384) group by c), "
            "points as (select n, c.at from generate_series(1, %(rows)s) n "
            "    join centres c on c.c = (n / %(repositories)s * 31) %% %(clusters)s) "
            "insert into issues (github_id, repository_id, number, title, state, created_at, updated_at, embedding, "
            "    content_hash, embedding_generated_at) "
            "select p.n, r.id, p.n, 'title ' || p.n, 'open', now(), now(), "
            "    ((select array_agg(x + (hashint8(p.n * 1000 + i) / 2147483648.0) * 0.5 order by i) "
            "      from unnest(p.at[1:32]) with ordinality u (x, i)) || p.at[33:])::real[], %(hash)s, now() "
            "from points p join repositories r on r.github_id = 1 + p.n %% %(repositories)s",
            clusters=CLUSTERS, rows=ROWS, repositories=REPOSITORIES, hash=RECIPE.content_hash("text"),
        )  # fmt: skip
    with db.transaction() as tx:
        tx.run("create index idx_issues_embedding on issues using hnsw (embedding vector_cosine_ops) "
               "where embedding is not null")  # fmt: skip
        tx.run("analyze issues")
    return db


def explained(db: Database, section: str, name: str, *before: str, **params: object) -> str:
    """Return the plan of a statement of the search."""
    with db.transaction(read_only=True) as tx:
        for each in before:
            tx.run(sql(section)[each])
        return "\n".join(row["QUERY PLAN"] for row in tx.rows(f"explain {sql(section)[name]}", **params))


def test_words_are_looked_up_in_their_index_also_within_a_repository_and_where_many_have_them(db: Database) -> None:
    one = store(db, "octo/one", [])
    with db.transaction() as tx:
        tx.run(
            "insert into issues (github_id, repository_id, number, title, body, state, created_at, updated_at) "
            "select n, %(one)s, n, 'title ' || n, 'word' || n %% 5 || ' rare' || n, 'open', now(), now() "
            "from generate_series(1, 20000) n",
            one=one,
        )
    with db.transaction() as tx:
        tx.run("analyze issues")
    for repositories in (None, (one,)):
        for word in ("rare77", "word1"):
            scope = SearchScope(repositories=repositories)
            asked = {"words": word, "loose": word, "literal": word, "pool": 100, "reach": 100, "most": 50}
            phrases = {"phrased": False, "checked": 0, "either": False, "patterns": (), "excluded": ()}
            given = {**scope.parameters(), **asked, **phrases}
            plan = explained(db, "search", "search_words", "search_tell_costs", **given)
            assert "on idx_issues_words" in plan
            assert "Seq Scan on issues" not in plan
    assert found(db, "rare77") == ["octo/one#77"]
    assert len(find(db, "word1", EVERYWHERE, nobody, limit=200).items) == 200


def test_a_repository_of_three_per_cent_gets_its_ten_rows_where_a_plain_query_by_the_index_does_not(
    twenty_thousand: Database,
) -> None:
    db = twenty_thousand
    plain = (
        "select count(*) as n from (select from issues where repository_id = %(id)s and embedding is not null "
        "order by embedding <=> %(vector)s::vector limit 10) i"
    )
    short = 0
    for n in range(1, 9):
        ids = rows(db, "select id from repositories where github_id = %(n)s", n=n)
        (one,) = rows(db, "select number, embedding::text as vector from issues where number = %(n)s", n=n * 100 + 7)
        with db.transaction() as tx:
            naive = tx.row(plain, id=ids[0]["id"], vector=one["vector"])
        assert naive is not None
        short += naive["n"] < 10
        best = rows(
            db,
            "with d as materialized (select number, embedding <=> %(vector)s::vector as d from issues "
            "where repository_id = %(id)s) select number from d order by d limit 10",
            id=ids[0]["id"],
            vector=one["vector"],
        )
        for most in (EXACT, 0):
            scope = SearchScope(repositories=(ids[0]["id"],), exact_up_to=most)
            told = find(db, "xylophone", scope, always(one["vector"]))
            assert len(told.items) == 10
            assert {each.item.full_name for each in told.items} == {f"octo/r{n}"}
            near = {each.item.number for each in told.items} & {each["number"] for each in best}
            assert len(near) == 10 if most else len(near) >= 8
    assert short >= 4
    asked = {"vector": towards(1), "fingerprint": RECIPE.fingerprint, "most": 50, "deep": 500, "except": None}
    plan = explained(db, "search_vectors", "search_index", "search_ready_vectors", **EVERYWHERE.parameters(), **asked)
    assert "Index Scan using idx_issues_embedding" in plan


def test_similar_finds_the_nearest_of_the_repository_never_itself_and_everywhere_on_request(db: Database) -> None:
    store(db, "octo/one", [
        Item(number=1, title="a", vector=HERE),
        Item(number=2, title="b", vector=FAR, table="discussions"),
        Item(number=3, title="c", vector=NEAR, table="pull_requests"),
        Item(number=4, title="a"),
        Item(number=5, title="d", vector=HERE, recipe=ANOTHER),
    ])  # fmt: skip
    store(db, "octo/two", [Item(number=9, vector=HERE)])
    told = similar(db, "https://github.com/Octo/One/issues/1")
    assert names(told) == ["octo/one#3", "octo/one#2"]
    assert told.asked == "octo/one#1"
    assert [each.by_vector for each in told.items] == [1, 2]
    assert told.notes == (
        "some vectors here were made by another provider or model than its own, and are not compared",
    )
    assert names(similar(db, "octo/one#1", everywhere=True)) == ["octo/two#9", "octo/one#3", "octo/one#2"]
    with pytest.raises(ConfigurationError, match="octo/one#4 has no vector yet: gh-backfill embed octo/one makes it"):
        similar(db, "octo/one#4")
    with pytest.raises(ConfigurationError, match="octo/one#99 is not here, or is gone at GitHub"):
        similar(db, "octo/one#99")
    with pytest.raises(ConfigurationError, match="octo/none is not here: gh-backfill track"):
        similar(db, "octo/none#1")


@pytest.mark.parametrize(
    "text",
    ["'", "%", "\0", "a\0b", "'; drop table issues; --", '"', '""', "& | ! ( ) :*", "-", "- -", "or", "or or or", "-x",
     "<->", "%s %(words)s", "x" * 5000, "é" * 3000, "or " * 900, "\ud800", "🚀", "a & ! b | c", "\\", "a:*", "$$", "²"],
)  # fmt: skip
def test_odd_texts_are_searched_for_or_refused_in_one_line(db: Database, text: str) -> None:
    store(db, "octo/one", [Item(number=1, title="crash", vector=HERE)])
    told = told_of(db, text)
    assert told == ["octo/one#1"] or "word" in told[0]
    assert "\n" not in told[0]


def test_equal_ones_come_in_the_same_order_each_time(db: Database) -> None:
    store(db, "octo/one", [Item(number=n, title="crash", vector=HERE) for n in range(1, 40)])
    first = names(find(db, "crash", EVERYWHERE, always(HERE), limit=20))
    assert first == [f"octo/one#{n}" for n in range(1, 21)]
    assert names(find(db, "crash", EVERYWHERE, always(HERE), limit=20)) == first


def test_the_index_of_ivfflat_of_an_existing_installation_serves(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        store(db, "octo/one", [Item(number=n, title="crash", vector=HERE) for n in range(900, 930)])
        told = find(db, "crash", SearchScope(exact_up_to=0), always(HERE), limit=20)
        assert len(told.items) == 20
        assert all(each.by_vector for each in told.items)


@pytest.mark.parametrize("existing_database_url", ["without vector"], indirect=True)
def test_without_room_for_vectors_the_search_goes_by_words(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        with db.transaction() as tx:
            tx.run("drop extension if exists vector cascade")
        store(db, "octo/one", [Item(number=901, title="ERR_FOO_BAR")])
        told = find(db, "ERR_FOO_BAR", EVERYWHERE, nobody)
        assert names(told) == ["octo/one#901"]
        assert told.notes[0].startswith(
            "searched by words alone: embeddings are off: pgvector is there and not created"
        )
        with pytest.raises(ConfigurationError, match="embeddings are off"):
            similar(db, "octo/one#901")


def test_pgvector_in_another_schema_serves(db: Database) -> None:
    store(db, "octo/one", [Item(number=n, title="crash", vector=HERE) for n in range(1, 4)])
    with db.transaction() as tx:
        tx.run("create schema aside")
        tx.run("alter extension vector set schema aside")
    told = find(db, "quiet", EVERYWHERE, always(HERE))
    assert len(told.items) == 3
    assert ItemType.ISSUE in {each.item.key.item_type for each in told.items}
