"""One tick: what is due is asked about, what changed gets a job, and each job that waits goes to a processor."""
