"""Where an index contradicts itself: what it declares, compared with what follows from its rows.

`console.workstreams.codes` lists what can come out of here.
"""
