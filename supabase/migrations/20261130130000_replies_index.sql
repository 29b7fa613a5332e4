-- Whoever deletes a comment looks for its replies: without this each deletion reads all comments.  Repeatable.

create index if not exists idx_comments_in_reply_to on comments (in_reply_to_id) where in_reply_to_id is not null;
