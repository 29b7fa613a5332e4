"""Profiles of contributors come whole at their floor, each person once, and nobody gets somebody else's."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients.profiles import ProfileReader
from gh_backfill.engine import registry
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.engine.profiles import ProfileReading
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.github import NodeId, NotFound
from gh_backfill.models.profiles import Profile, ProfileWanted, Stranger
from gh_backfill.simulator import changes
from gh_backfill.simulator import profiles as made_up
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store import profiles as rows
from gh_backfill.store.db import Database
from gh_backfill.store.profiles import NOT_FOUND, STRANGER, ProfileStanding
from gh_backfill.tasks import capture, profiles, sync, track
from gh_backfill.tasks.beside import BesideRun
from gh_backfill.tasks.profiles import ProfilesFound
from gh_backfill.tasks.sync_told import SyncWish
from tests.corpus import smaller
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.test_installations import house_at

ALL = ("pull_requests", "issues", "discussions", "contributors")
ITEMS = ("pull_requests", "issues", "discussions")
KNOWN = "select * from contributors where profile_fetched_at is not null"
# Who is to be asked about at all.
PEOPLE = "select * from contributors where not is_bot and github_id <> 10137"
COLUMNS = "company location bio blog email public_repos public_gists followers following"


def captured(house: House, kinds: tuple[str, ...] = ITEMS, name: str = ENGINE) -> Captured:
    return capture.run(
        *(house.db, house.graphql(), house.run, name, Limits()),
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def read(house: House, *names: str, limits: Limits | None = None, days: int = 30) -> list[ProfilesFound]:
    run = house.beside(limits)
    return profiles.run(run, names or (ENGINE,), older_than=timedelta(days=days))


def standing(house: House, name: str = ENGINE) -> ProfileStanding:
    found = capture.find(house.db, name)
    with house.db.reading() as tx:
        return rows.standing(tx, found.id)


def wrong(house: House) -> list[tuple[str, str]]:
    """Return where a stored profile is not what the simulated GitHub has."""
    world = house.github.world
    owned = Counter(each.owner_id for each in world.repositories.values() if not each.private)
    found = []
    for row in house.rows(KNOWN):
        account = world.account(row["github_id"])
        assert account is not None
        told = made_up.of(account)
        shown = {name: getattr(told, name) for name in COLUMNS.split()}
        shown["public_repos"] += owned[account.id]
        of_all = ("location", "public_repos") if account.type == "Organization" else tuple(shown)
        found += [(row["username"], name) for name in of_all if row[name] != shown[name]]
        if f"{row['github_created_at']:%Y-%m-%dT%H:%M:%SZ}" != told.created_at:
            found.append((row["username"], "created_at"))
    return found


def paid(house: House) -> int:
    """Return how many queries for profiles GitHub has answered; each costs a point."""
    tallies = house.github.stats.as_json()["tokens"].values()
    return sum(n for each in tallies for name, n in each["operations"].items() if name.startswith("Profile"))


def test_everybody_who_occurs_gets_the_profile_that_github_shows_at_the_floor(house: House) -> None:
    house.track(ENGINE)
    done = captured(house, ALL)
    assert done.outcome is CaptureOutcome.COMPLETED, done.told
    people, known = standing(house)
    asked = len(house.rows(PEOPLE))
    assert people == known == house.count("contributors")
    assert len(house.rows(KNOWN)) == asked > 20
    assert wrong(house) == []
    assert paid(house) <= 1.1 * -(-asked // 100) + 2


def test_who_occurs_in_discussions_alone_is_a_contributor_too(db: Database, database_url: str) -> None:
    with running(load(recipes=[f"{ENGINE}:3:discussions=40"])) as github:
        house = House(db=db, url=database_url, github=github)
        house.track(ENGINE)
        captured(house, ("discussions",))
        discussing = house.count("contributors")
        assert standing(house) == (discussing, discussing - len(house.rows(PEOPLE)))
        read(house)
        assert standing(house).known == standing(house).people == discussing > 3


def test_nobody_is_asked_about_twice_and_a_second_capture_pays_for_no_profile(house: House) -> None:
    house.track(ENGINE)
    captured(house, ALL)
    before = paid(house)
    assert before
    captured(house, ALL)
    (again,) = read(house)
    assert (paid(house), again.read.asked, again.points) == (before, 0, 0)


def test_who_occurs_in_two_repositories_is_paid_for_once_and_neighbours_share_a_query(house: House) -> None:
    house.track(ENGINE, SMALL)
    captured(house)
    captured(house, name=SMALL)
    first, second = read(house, ENGINE, SMALL)
    assert standing(house, ENGINE).known == standing(house, ENGINE).people
    assert standing(house, SMALL).known == standing(house, SMALL).people
    assert (paid(house), first.points, second.points, second.read.asked) == (1, 1, 0, 0)


def test_a_profile_is_read_again_when_it_is_older_than_the_setting(house: House) -> None:
    house.track(ENGINE)
    captured(house, ALL)
    somebody = house.rows(f"{KNOWN} order by github_id")[0]["username"]
    made_up.edit(house.github.world, somebody, company=None, bio="New here", followers=7)
    read(house)
    assert house.only("select bio from contributors where username = %(name)s", name=somebody)["bio"] != "New here"
    with house.db.transaction() as tx:
        tx.run("update contributors set profile_asked_at = profile_asked_at - interval '31 days'")
    read(house)
    now = house.only("select * from contributors where username = %(name)s", name=somebody)
    assert (now["company"], now["bio"], now["followers"]) == (None, "New here", 7)
    assert wrong(house) == []


def test_a_killed_reading_goes_on_where_it_was_without_paying_twice(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    found = capture.find(house.db, ENGINE)
    graphql = house.graphql()

    def kill(progress: object) -> None:
        raise KeyboardInterrupt

    reader = ProfileReader(graphql=graphql)
    reader.halving.most = 10
    reading = ProfileReading(
        db=house.db,
        graphql=graphql,
        repository=found,
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
        listen=kill,
        reader=reader,
    )
    with pytest.raises(KeyboardInterrupt):
        reading.run()
    known = len(house.rows(KNOWN))
    assert 0 < known <= 10
    assert house.rows("select 1 from contributors where profile_leased_until is not null") == []
    (rest,) = read(house)
    assert rest.read.brought == len(house.rows(PEOPLE)) - known
    assert standing(house).known == standing(house).people


def test_whom_somebody_else_asks_about_just_now_is_left_to_them_until_their_lease_is_over(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    ids = tuple(row["id"] for row in house.rows(f"{PEOPLE} order by id limit 5"))
    with house.db.transaction() as tx:
        tx.run(
            "update contributors set profile_leased_until = clock_timestamp() + interval '1 minute' "
            "where id = any(%(ids)s::uuid[])",
            ids=ids,
        )
    (done,) = read(house)
    assert done.standing == (done.standing.people, done.standing.people - 5)
    with house.db.transaction() as tx:
        tx.run(
            "update contributors set profile_leased_until = clock_timestamp() - interval '1 second' "
            "where profile_leased_until is not null"
        )
    (done,) = read(house)
    assert (done.read.brought, done.standing.known) == (5, done.standing.people)


def test_a_renamed_account_is_found_by_githubs_id_and_its_old_login_is_somebody_elses_in_no_row(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    world = house.github.world
    first, second = (row["username"] for row in house.rows(f"{PEOPLE} order by github_id limit 2"))
    changes.rename_account(world, first, to="renamed")
    changes.rename_account(world, second, to=first)
    read(house)
    assert wrong(house) == []
    by_id = {row["github_id"]: row["username"] for row in house.rows(KNOWN)}
    assert {by_id[each] for each in by_id if world.account(each).login in ("renamed", first)} == {"renamed", first}  # type: ignore[union-attr]


def test_a_login_that_belongs_to_another_account_by_now_brings_no_strangers_profile(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    with house.db.transaction() as tx:
        tx.run("update contributors set node_id = null")  # as older versions stored people
    world = house.github.world
    first, second = house.rows(f"{PEOPLE} order by github_id limit 2")
    changes.rename_account(world, first["username"], to="renamed")
    changes.rename_account(world, second["username"], to=first["username"])
    (done,) = read(house)
    assert wrong(house) == []
    gaps = {
        row["github_id"]: row["profile_gap"] for row in house.rows("select * from contributors where profile_gap <> ''")
    }
    assert gaps == {first["github_id"]: STRANGER, second["github_id"]: NOT_FOUND}
    assert (done.read.absent, done.standing.known) == (2, done.standing.people)
    assert (
        house.rows("select 1 from contributors where followers = 0 and profile_fetched_at is null and node_id <> ''")
        == []
    )


def test_a_deleted_account_is_noted_keeps_what_is_here_and_is_asked_again_only_after_the_settings_time(
    house: House,
) -> None:
    house.track(ENGINE)
    captured(house)
    gone = house.rows(f"{PEOPLE} order by github_id")[0]
    with house.db.transaction() as tx:
        tx.run("update contributors set company = 'Kept' where id = %(id)s", id=gone["id"])
    changes.delete_account(house.github.world, gone["username"])
    (done,) = read(house)
    now = house.only("select * from contributors where id = %(id)s", id=gone["id"])
    assert (now["profile_gap"], now["profile_fetched_at"], now["company"]) == (NOT_FOUND, None, "Kept")
    assert (done.read.absent, done.standing.known) == (1, done.standing.people)
    before = paid(house)
    read(house)
    assert paid(house) == before


def test_what_an_application_knows_is_not_touched(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    account = next(
        row
        for row in house.rows(PEOPLE)
        if made_up.of(house.github.world.account(row["github_id"])).email is None  # type: ignore[arg-type]
    )
    with house.db.transaction() as tx:
        tx.run("alter table contributors add column if not exists discord_url text")
        tx.run(
            "update contributors set discord_url = 'mine', email = 'hers@host.example' where id = %(id)s",
            id=account["id"],
        )
    read(house)
    now = house.only("select * from contributors where id = %(id)s", id=account["id"])
    assert (now["discord_url"], now["email"]) == ("mine", "hers@host.example")


@pytest.mark.parametrize("options", [Options(reads_addresses=False)], ids=["no addresses"])
def test_a_token_that_may_not_read_addresses_brings_everything_else_for_one_query_more(
    house: House, options: Options
) -> None:
    house.track(ENGINE)
    captured(house)
    with house.db.transaction() as tx:
        tx.run("update contributors set email = 'known@before.example'")
    before = house.github.stats.requests
    (done,) = read(house)
    assert house.github.stats.requests - before == 2
    assert done.standing.known == done.standing.people
    assert {row["email"] for row in house.rows(KNOWN)} == {"known@before.example"}
    assert [each for each in wrong(house) if each[1] != "email"] == []


def test_bots_ghosts_and_mannequins_have_no_profile_and_keep_nobody_from_being_complete(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    with house.db.transaction() as tx:
        tx.run("""
            insert into contributors (github_id, username, is_bot)
            values (10137, 'ghost', false), (77, 'helper[bot]', true)
            on conflict do nothing""")
        tx.run("""
            update reviews set author_id = (select id from contributors where github_id = 77)
            where id in (select id from reviews order by id limit 1)""")
        tx.run("""
            update issues set author_id = (select id from contributors where github_id = 10137)
            where id in (select id from issues order by id limit 1)""")
    (done,) = read(house)
    assert done.standing.known == done.standing.people
    assert (
        house.rows("select 1 from contributors where profile_asked_at is not null and (is_bot or github_id = 10137)")
        == []
    )


def test_a_sync_brings_the_profiles_of_those_who_are_new(house: House) -> None:
    track.register(house.db, track.ask(house.graphql(), [ENGINE], name_of=lambda _: NotFound()), kinds=ALL)
    capture.run(*(house.db, house.graphql(), house.run, ENGINE, Limits()), listen=lambda _: None, sleep=house.wait)
    before = standing(house)
    assert before.known == before.people > 0
    changes.edit(house.github.world, ENGINE, 3, title="Moved")
    with house.db.transaction() as tx:
        tx.run("update contributors set profile_asked_at = null where id in (select id from contributors limit 4)")
    done = sync.run(house.db, house.graphql(), house.run, ENGINE, SyncWish(), sleep=house.wait)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED, done.captured.told
    assert standing(house).known == standing(house).people
    assert house.only("select last_success_at from repository_syncs")["last_success_at"] is not None


def test_people_alone_are_captured_once_but_not_for_good(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    done = captured(house, ("contributors",))
    assert (done.outcome, done.item) == (CaptureOutcome.COMPLETED, "profile")
    assert standing(house).known == standing(house).people
    assert registry.chosen("contributors", once=True) == ("contributors",)
    with pytest.raises(ConfigurationError, match="contributors are those of some items"):
        registry.chosen("contributors")


def test_a_sync_of_people_alone_reads_no_item_and_leaves_the_others_due(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    done = sync.run(
        *(house.db, house.graphql(), house.run, ENGINE, SyncWish()), kinds=("contributors",), sleep=house.wait
    )
    assert done.captured is not None
    assert (done.captured.outcome, done.captured.item) == (CaptureOutcome.COMPLETED, "profile")
    assert standing(house).known == standing(house).people
    assert house.only("select last_success_at from repository_syncs")["last_success_at"] is None


def test_profiles_that_fail_leave_the_items_and_the_next_capture_brings_them(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="forbidden", match={"operation": "Profile"}))
    done = captured(house, ALL)
    assert (done.outcome, done.partly) == (CaptureOutcome.FAILED, True)
    assert done.reason.startswith("contributors: GitHub refuses")
    assert house.state()["status"] == "completed"
    house.github.faults.clear()
    assert captured(house, ALL).outcome is CaptureOutcome.COMPLETED
    assert standing(house).known == standing(house).people


def test_the_order_is_items_first_whatever_was_said(house: House) -> None:
    assert registry.chosen("contributors discussions issues pull-requests") == ALL


def test_what_github_does_not_say_of_somebody_is_noted_and_asked_first_of_all_next_time(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    house.github.faults.add(Fault(name="node_unread", size=0.1, match={"operation": "Profile"}))
    (done,) = read(house)
    left = done.standing.people - done.standing.known
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert wrong(house) == []
    house.github.faults.clear()
    (done,) = read(house)
    assert (done.read.brought, done.standing.known) == (left, done.standing.people)
    assert house.rows("select 1 from contributors where profile_gap is not null") == []


def test_too_much_at_once_is_asked_for_in_halves(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    house.github.faults.add(Fault(name="504", count=2, match={"operation": "Profile"}))
    (done,) = read(house)
    assert done.standing.known == done.standing.people
    assert done.points == 3


def test_a_pause_of_githubs_ends_a_reading_in_time_and_says_until_when(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    house.github.faults.add(Fault(name="rate_limited", match={"operation": "Profile"}))
    (done,) = read(house, limits=Limits(deadline=datetime.now(UTC) + timedelta(seconds=5)))
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.PAUSED
    assert done.captured.resume_at is not None
    assert house.rows("select 1 from contributors where profile_leased_until is not null") == []


def test_two_readings_at_once_write_each_profile_once_and_lock_nobody_out(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            with Database(house.url) as db:
                run = BesideRun(db=db, graphql=house.graphql(f"tok{seed}"), run=house.run, sleep=lambda _: None)
                profiles.run(run, [ENGINE])
        except BaseException as error:  # noqa: BLE001  (it is the main thread's to tell)
            failed.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failed == []
    assert standing(house).known == standing(house).people
    assert wrong(house) == []


def test_an_older_reading_changes_nothing(house: House) -> None:
    house.track(ENGINE)
    captured(house, ALL)
    row = house.rows(KNOWN)[0]
    wanted = ProfileWanted(github_id=row["github_id"], login=row["username"])
    with house.db.transaction() as tx:
        rows.write(tx, [(wanted, NotFound())], row["profile_asked_at"] - timedelta(hours=1))
        rows.write(tx, [(wanted, Stranger())], row["profile_asked_at"] - timedelta(hours=1))
    assert house.only("select * from contributors where id = %(id)s", id=row["id"]) == row


def test_the_outlook_writes_nothing_and_foretells_the_points(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    before = paid(house)
    (line,) = profiles.outlook(house.db, [ENGINE])
    asked = len(house.rows(PEOPLE))
    assert f"would ask for {asked} profiles, about 1 point" in line.text
    assert paid(house) == before


def test_accounts_of_all_sorts_are_read_by_id_and_by_login(house: House) -> None:
    world = house.github.world
    organization = next(each for each in world.accounts.values() if each.type == "Organization")
    user = next(each for each in world.accounts.values() if each.type == "User")
    wanted = [
        ProfileWanted(github_id=organization.id, login=organization.login, node_id=NodeId(organization.node_id)),
        ProfileWanted(github_id=user.id, login=user.login),
        ProfileWanted(github_id=organization.id, login=organization.login),
        ProfileWanted(github_id=5, login="nobody-has-this"),
        ProfileWanted(github_id=6, login=user.login),
    ]
    (answer,) = ProfileReader(graphql=house.graphql()).read(wanted)
    told = [each for _, each in answer.told]
    assert [type(each) for each in told] == [Profile, Profile, Profile, NotFound, Stranger]
    assert isinstance(told[0], Profile)
    assert (told[0].followers, told[0].email_read) == (None, False)
    assert isinstance(told[1], Profile)
    assert told[1].followers == made_up.of(user).followers


def test_the_people_of_the_corpus_come_whole_and_each_once_at_the_floor(db: Database, database_url: str) -> None:
    folders = smaller()
    with running(load(folders), Options()) as github:
        house = House(db=db, url=database_url, github=github)
        names = sorted(each.full_name for each in github.world.repositories.values())
        house.track(*names)
        for name in names:
            assert captured(house, name=name).outcome is CaptureOutcome.COMPLETED
        occurring = {row["github_id"] for row in house.rows(f"{PEOPLE}")}
        done = read(house, *names)
        assert [each.standing.known for each in done] == [each.standing.people for each in done]
        assert {row["github_id"] for row in house.rows(KNOWN)} == occurring
        assert wrong(house) == []
        floor = -(-len(occurring) // 100)
        assert floor <= paid(house) <= 1.1 * floor + 2, (paid(house), floor, len(occurring))
        assert sum(each.points for each in done) == paid(house)


def test_in_a_host_applications_database_its_own_values_stay_and_the_rest_comes(existing_database_url: str) -> None:
    with house_at(existing_database_url) as house:
        house.track(ENGINE)
        captured(house)
        with house.db.transaction() as tx:
            tx.run("update contributors set discord_url = 'https://discord.example/' || username, linkedin_url = 'l'")
            tx.run("update issues set assignees = '\"odd\"' where id = (select id from issues order by id limit 1)")
        (done,) = read(house)
        assert done.standing.known == done.standing.people > 10
        assert wrong(house) == []
        assert house.rows("select 1 from contributors where discord_url is null or linkedin_url <> 'l'") == []
