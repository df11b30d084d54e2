"""Verbs for runs of jobs and for what starts them: applications, schedules, Jobs."""
