"""Indexes with known truth: consistent in every respect, from a seed, with the line of everything that they say.

`Plan` holds what the index says; `render` writes it and remembers the lines. Declared figures are computed once, by
`Plan.declare`, so that a later change of a row or of a figure is the only thing that is wrong.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Row:
    """A row. `ids` are what it stands for; `needs` pairs of (token, ids of (feature, id) that it means)."""

    cell: str
    ids: list[str]
    name: str
    loc: int
    status: str
    needs: list[tuple[str, list[tuple[str, str]]]] = field(default_factory=list)
    scenarios: int = 0
    raw: str | None = None

    @property
    def completed(self) -> bool:
        return self.status.replace("*", "").lower().split()[0] in ("completed", "closed")


@dataclass
class Feature:
    id: str
    title: str
    rows: list[Row]
    columns: list[str]
    keys: dict[str, str] = field(default_factory=dict)
    heading: str = ""
    art: list[str] = field(default_factory=list)
    extra_head: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    review: dict[str, str] = field(default_factory=dict)
    audit: list[str] = field(default_factory=list)
    blank_before_row: int | None = None
    fence: str = "```"
    dashes: bool = True

    def row_text(self, row: Row) -> str:
        if row.raw is not None:
            return row.raw
        values = {
            "ID": row.cell,
            "Name": row.name,
            "Scope": f"SMALL (~{row.loc} LOC)",
            "Scenarios": str(row.scenarios),
            "Dependency": ", ".join(token for token, _ in row.needs) or "-",
            "Dependencies": ", ".join(token for token, _ in row.needs) or "None",
            "Status": row.status,
            "Bead": "spark_k8s-abc",
        }
        return "| " + " | ".join(values[column] for column in self.columns) + " |"

    @property
    def ids(self) -> list[str]:
        return [name for row in self.rows for name in row.ids]

    @property
    def done(self) -> int:
        return sum(len(row.ids) for row in self.rows if row.completed)


@dataclass
class Plan:
    features: list[Feature]
    summary: list[list[str]] = field(default_factory=list)
    waves: list[tuple[str, list[list[str]]]] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    footer: str = "*Last updated: 2026-02-13*"

    def declare(self) -> None:
        """Write headers, drawings, summary and total so that they agree with the rows."""
        for feature in self.features:
            total, done = len(feature.ids), feature.done
            state = "Completed" if done == total else "In Progress (some remain)" if done else "Backlog"
            feature.keys = {"Source": f"`docs/{feature.id}.md`", "Status": state, "Total Workstreams": str(total)}
            if "Scope" in feature.columns:
                feature.keys["Estimated LOC"] = f"~{sum(row.loc for row in feature.rows)} (charts)"
            if "Scenarios" in feature.columns:
                feature.keys["Total Scenarios"] = str(sum(row.scenarios for row in feature.rows))
            feature.art = []
            for row in feature.rows:
                own = [name for _, meant in row.needs for home, name in meant if home == feature.id]
                if own and len(row.ids) == 1:
                    feature.art.append(f"{' + '.join(dict.fromkeys(own))} → {row.cell} ({row.name})")
                elif len(row.ids) == 1:
                    feature.art.append(f"{row.cell} ({row.name})")
        rows = [(f"{f.id}: {f.title}", len(f.ids), f.done) for f in self.features]
        self.summary = [[label, str(n), str(done), "0", str(n - done)] for label, n, done in rows]
        total, done = sum(n for _, n, _ in rows), sum(d for _, _, d in rows)
        self.summary.append([f"**{word}**" for word in ("TOTAL", str(total), str(done), "0", str(total - done))])
        self.claims = [f"**{self.features[0].id}** ({len(self.features[0].ids)} WS)"]

    def truth(self) -> dict[str, int]:
        """Counts from the plan itself, without parsing."""
        state = {(f.id, name): row.completed for f in self.features for row in f.rows for name in row.ids}
        ready = 0
        for feature in self.features:
            for row in feature.rows:
                met = all(state[target] for _, meant in row.needs for target in meant)
                ready += len(row.ids) if not row.completed and met else 0
        done = sum(state.values())
        return {
            "features": len(self.features),
            "rows": sum(len(f.rows) for f in self.features),
            "rows_unread": 0,
            "workstreams": len(state),
            "completed": done,
            "not_completed": len(state) - done,
            "ready": ready,
            "blocked": len(state) - done - ready,
            "contradictions": 0,
        }

    def render(self) -> tuple[str, dict[tuple[object, ...], int]]:
        """The text, and the line of each thing: `("row", feature, row)`, `("key", feature, name)`, `("total",)`, …"""
        out: list[str] = ["# Workstreams Index", ""]
        at: dict[tuple[object, ...], int] = {}

        def put(text: str, *where: object) -> None:
            out.append(text)
            if where:
                at[where] = len(out)

        for f, feature in enumerate(self.features):
            put(feature.heading or f"## Feature {feature.id}: {feature.title}", "heading", f)
            put("")
            for name, value in feature.keys.items():
                put(f"**{name}:** {value}", "key", f, name)
            for text in feature.extra_head:
                put(text, "extra", f)
            put("")
            put("| " + " | ".join(feature.columns) + " |", "table", f)
            if feature.dashes:
                put("|" + "----|" * len(feature.columns))
            for r, row in enumerate(feature.rows):
                if feature.blank_before_row == r:
                    put("")
                put(feature.row_text(row), "row", f, r)
            put("")
            for a, text in enumerate(feature.after):
                put(text, "after", f, a)
            if feature.art:
                put("### Dependency Graph")
                put("")
                put(feature.fence, "fence", f)
                for a, text in enumerate(feature.art):
                    put(text, "art", f, a)
                if feature.fence == "```":
                    put("```")
                put("")
            if feature.review:
                put("### Review Summary")
                put("")
                for name, value in feature.review.items():
                    put(f"**{name}:** {value}", "review", f, name)
                put("")
            if feature.audit:
                put("### Audit Cross-Reference")
                put("")
                put("| Audit ID | Description | WS | Status |")
                put("|---|---|---|---|")
                for a, text in enumerate(feature.audit):
                    put(text, "audit", f, a)
                put("")
            put("---")
            put("")
        put("## Audit → Feature Cross-Reference Map")
        put("")
        put("| Aspect | New Features |")
        put("|---|---|")
        for c, text in enumerate(self.claims):
            put(f"| Quality | {text} |", "claim", c)
        put("")
        put("## Execution Priority (Waves)")
        put("")
        for title, rows in self.waves:
            put(f"### {title}")
            put("")
            put("| WS | Feature | Effort | Impact |")
            put("|---|---|---|---|")
            for cells in rows:
                put("| " + " | ".join(cells) + " |", "wave", title, cells[0])
            put("")
        put("## Summary")
        put("")
        put("| Feature | Total WS | Completed | In Progress | Backlog |")
        put("|---------|----------|-----------|-------------|---------|")
        for s, cells in enumerate(self.summary):
            put("| " + " | ".join(cells) + " |", "summary", s)
        put("")
        put("---")
        put("")
        put(self.footer, "footer")
        return "\n".join(out) + "\n", at


STYLES = (
    ["ID", "Name", "Scope", "Dependency", "Status"],
    ["ID", "Name", "Scenarios", "Dependency", "Status"],
    ["ID", "Name", "Scope", "Dependencies", "Status"],
    ["ID", "Name", "Scope", "Dependency", "Status", "Bead"],
    ["Status", "ID", "Scope", "Dependency", "Name"],
)


def plan(seed: int) -> Plan:
    """A consistent index. It has at least six features, chains, ranges, and dependencies of every form."""
    chance = random.Random(seed)
    features: list[Feature] = []
    for f in range(chance.randint(6, 7)):
        title = f"Part {f}" if f > 1 else f"Phase {f} — Part {f}"
        feature = Feature(f"F{f + 1:02d}", title, [], list(STYLES[f % len(STYLES)]))
        finished = f < 2 or (f > 2 and chance.random() < 0.4)
        for r in range(chance.randint(4, 5)):
            name = f"WS-{f + 101}-{r + 1:02d}"
            row = Row(name, [name], f"Work {r} of {f}", chance.randint(1, 9) * 50, "backlog", [], chance.randint(1, 9))
            if r == 3 and f % 3 == 2:
                last = f"WS-{f + 101}-{r + 4:02d}"
                row.ids = [f"WS-{f + 101}-{n + 1:02d}" for n in range(r, r + 4)]
                row.cell = f"{name}..{last.rsplit('-', 1)[1]}" if chance.random() < 0.5 else f"{name} to {last}"
            elif r > 3 and f % 3 == 2:
                row.cell = f"WS-{f + 101}-{r + 10:02d}"
                row.ids = [row.cell]
            row.needs = _needs(chance, features, feature, r)
            met = all(_done(features, feature, target) for _, meant in row.needs for target in meant)
            if met and (finished or chance.random() < 0.4):
                row.status = chance.choice(["completed", "**completed**", "closed", "Completed", "COMPLETED (by hand)"])
            else:
                row.status = chance.choice(["backlog", "open", "backlog (redesigned)", "**backlog**"])
            feature.rows.append(row)
        features.append(feature)
    made = Plan(features)
    features[0].review = {"Review Date": "2026-02-10 (re-review)", "Verdict": "APPROVED", "Previous": "2026-02-01 NO"}
    features[3].review = {"Review Date": "2026-01-16", "Verdict": "APPROVED"}
    first = features[0].rows[0]
    features[0].audit = [
        f"| CQ-1 | something | {first.cell} | **done** |",
        "| CQ-2 | later | Future (out of scope) | - |",
    ]
    made.waves = [
        ("Wave 1 — First", [[f"**{features[0].rows[0].cell}**", f"{features[0].id}: x", "SMALL", "high"]]),
        ("Wave 2 — Second", [[f"**{features[5].rows[0].cell}**", f"{features[5].id}: y", "SMALL", "low"]]),
    ]
    made.declare()
    return made


def _needs(
    chance: random.Random, features: list[Feature], feature: Feature, r: int
) -> list[tuple[str, list[tuple[str, str]]]]:
    out: list[tuple[str, list[tuple[str, str]]]] = []
    own = [row for row in feature.rows if len(row.ids) == 1]
    if r and own:
        before = own[-1]
        out.append((before.cell, [(feature.id, before.cell)]))
    if r == 0 and features:
        kind = chance.randrange(5)
        other = chance.choice(features)
        everything = [(other.id, name) for name in other.ids]
        if kind == 0:
            out.append((other.id, everything))
        elif kind == 1:
            target = next(row for row in other.rows if len(row.ids) == 1)
            out.append((target.cell, [(other.id, target.cell)]))
        elif kind == 2 and len(features) > 1:
            phase = chance.randrange(2)
            out.append((f"Phase {phase}", [(features[phase].id, name) for name in features[phase].ids]))
        elif kind == 3:
            names = other.ids[:3]
            joint = chance.choice([f"{names[0]}..{names[-1].rsplit('-', 1)[1]}", f"{names[0]} to {names[-1]}"])
            out.append((joint, [(other.id, name) for name in names]))
        else:
            out.append((chance.choice(["Independent", "None", "-"]), []))
    return out


def _done(features: list[Feature], feature: Feature, target: tuple[str, str]) -> bool:
    home, name = target
    for candidate in (*features, feature):
        if candidate.id == home:
            for row in candidate.rows:
                if name in row.ids:
                    return row.completed
    raise AssertionError(target)
