"""The only room that changes anything: one gate, its appliers, the journal, locks, the runner and the desk."""
