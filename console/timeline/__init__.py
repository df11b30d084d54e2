"""What happened, for the people who come after: timelines out of the journal."""
