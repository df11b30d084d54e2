"""The short language of runbooks: one verb a step, ends that are built in; it is expanded to steps of the long form."""
