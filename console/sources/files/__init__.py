"""Facts from files of one's own: the workstreams index, git, runbooks."""
