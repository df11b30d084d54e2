"""Workstreams: the grammar of a hand-kept index, what follows from its rows, and where it contradicts itself.

Everything here is pure: text in, values out. `console.workstreams.build.build` is the way in: `grammar` reads,
`derived` says what follows from what was read, `lint` compares both, `reports` shows all of it.

A *feature* is a `## Feature ID:` heading. A *row* is a data row of the first table under it, before any `###`. A
*workstream* is a pair (feature, id) after inclusive expansion of ranges; equal ids in different features are different
workstreams. *Completed* means that the first word of the status, lower case and without `*`, is `completed` or
`closed`. *Ready* means not completed, with every dependency resolved and completed; any other that is not completed is
*blocked*.
"""
