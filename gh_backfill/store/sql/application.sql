-- What only the database of an application has: its users.

-- name: has_users
select to_regclass('app_users') is not null as hosted;

-- name: user
-- The users of an application have two ids, and the one of their login is often taken for the other.
select id, id <> %(id)s::uuid as is_login from app_users where id = %(id)s::uuid or auth_user_id = %(id)s::uuid
order by id <> %(id)s::uuid
limit 1;
