-- A clock that is on time, for Supabase: starts the workflow STARTED of REPOSITORY.  Run it once, in the SQL editor, with a
-- fine-grained token of GitHub that may write Actions of that repository in the place of <the token>.
create extension if not exists pg_cron;
create extension if not exists pg_net;
select vault.create_secret('<the token>', 'gh_backfill_clock');

select cron.schedule('gh-backfill', 'CRON', $$
    select net.http_post(
        url := 'https://api.github.com/repos/REPOSITORY/actions/workflows/STARTED/dispatches',
        headers := jsonb_build_object('Authorization', 'Bearer ' || decrypted_secret, 'User-Agent', 'pg_net',
                                      'Accept', 'application/vnd.github+json'),
        body := '{"ref": "BRANCH"}')
    from vault.decrypted_secrets where name = 'gh_backfill_clock'
$$);
