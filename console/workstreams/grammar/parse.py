"""Text of an index to its parts. Tolerant: whatever cannot be understood becomes a problem with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from console.base.text import shorten
from console.workstreams.codes import problem
from console.workstreams.grammar import values
from console.workstreams.grammar.encoding import split_lines
from console.workstreams.grammar.head import MAX_WORKSTREAMS, FeatureHead, counted_rows, read_key, trim
from console.workstreams.grammar.markdown import Mask, heading, masks
from console.workstreams.grammar.tail import audit_items, claims, last_updated, summary_rows, tables, waves
from console.workstreams.model import (
    AuditItem,
    DeclaredCount,
    Feature,
    IndexProblem,
    KeyLine,
    Number,
    Review,
    Section,
    SummaryRow,
    Wave,
)

_FEATURE = re.compile(r"Feature[ \t]+([^\s:]+)[ \t]*:(.*)", re.DOTALL)
_LIKE_FEATURE = re.compile(r"(?i)\s*#{1,6}\s*feature\b")


class Parsed(Struct, frozen=True):
    """What stands in an index, before anything is looked up."""

    title: str
    preamble: tuple[str, ...]
    parts: tuple[int | Section, ...]
    features: tuple[Feature, ...]
    summary: tuple[SummaryRow, ...]
    waves: tuple[Wave, ...]
    audits: tuple[AuditItem, ...]
    reviews: tuple[Review, ...]
    claims: tuple[DeclaredCount, ...]
    updated: KeyLine | None
    problems: tuple[IndexProblem, ...]


class _Block(Struct):
    """A heading of the first or second level with the range of lines below it, and its sub-headings."""

    level: int
    title: str
    line: int
    start: int
    end: int
    subs: list[tuple[int, str, int]]


def parse(text: str) -> Parsed:
    """The parts of an index. Never fails."""
    return _IndexReader(text).read()


class _IndexReader:
    def __init__(self, text: str) -> None:
        self.lines = split_lines(text)
        self.mask: list[Mask]
        self.mask, dangling = masks(self.lines)
        self.problems: list[IndexProblem] = [
            problem(
                "fence-open", line, "this code fence is never closed; it was taken to end before the next ## heading"
            )
            for line in dangling
        ]
        self.budget = MAX_WORKSTREAMS

    def read(self) -> Parsed:
        blocks = self.blocks()
        first = blocks[0].line - 1 if blocks else len(self.lines)
        title = next((b[1] for line in self.lines[:first] if (b := heading(line)) and b[0] == 1), "")
        features: list[Feature] = []
        parts: list[int | Section] = []
        tops: list[tuple[Section, ...]] = []
        for block in blocks:
            found = _FEATURE.fullmatch(block.title) if block.level == 2 else None
            sections = self.sections(block)
            if found:
                features.append(self.feature(len(features), block, found, sections))
                parts.append(features[-1].number)
            else:
                self.like_feature(block)
                body = tuple(self.lines[block.start : block.subs[0][2] if block.subs else block.end])
                top = Section(block.title, block.level, block.line, body)
                parts.append(top)
                parts.extend(sections)
                tops.append((top, *sections))
        self.stray_headings(first)
        self.stray_tables([Section("", 1, 0, tuple(self.lines[:first])), *(s for top in tops for s in top)], features)
        summary, said = summary_rows(tops)
        self.problems.extend(said)
        return Parsed(
            title=title,
            preamble=tuple(self.lines[:first]),
            parts=tuple(parts),
            features=tuple(features),
            summary=summary,
            waves=waves(tops),
            audits=audit_items(features),
            reviews=tuple(review for feature in features for review in self.reviews(feature)),
            claims=claims(tops, {feature.id for feature in features}),
            updated=last_updated(self.lines, self.mask),
            problems=tuple(self.problems),
        )

    def blocks(self) -> list[_Block]:
        """Headings with their lines. A first-level heading before everything else belongs to the preamble."""
        out: list[_Block] = []
        for at, line in enumerate(self.lines):
            if self.mask[at] != "text" or not (found := heading(line)):
                continue
            level, title = found
            if level > 2:
                if out:
                    out[-1].subs.append((level, title, at))
            elif level == 2 or out:
                if out:
                    out[-1].end = at
                out.append(_Block(level, title, at + 1, at + 1, len(self.lines), []))
        return out

    def sections(self, block: _Block) -> tuple[Section, ...]:
        if not block.subs:
            return ()
        ends = [at for _, _, at in block.subs[1:]] + [block.end]
        return tuple(
            Section(title, level, at + 1, tuple(self.lines[at + 1 : end]))
            for (level, title, at), end in zip(block.subs, ends, strict=True)
        )

    def like_feature(self, block: _Block) -> None:
        """`## Feature F01` without a colon, or on the first level, is no feature heading."""
        if re.match(r"(?i)feature\b", block.title):
            self.heading_unread(block.line, block.title, self.lines[block.start : block.end])

    def stray_headings(self, first: int) -> None:
        """`### Feature F02: …` and `##Feature F02:` are no feature headings, nor is one of the first level."""
        for at, line in enumerate(self.lines):
            if "eature" not in line[:24] or self.mask[at] != "text" or not _LIKE_FEATURE.match(line[:80]):
                continue
            found = heading(line)
            if found and (found[0] == 2 or (found[0] == 1 and at >= first)):
                continue
            below = self.lines[at + 1 : at + 2000]
            end = next((n for n, other in enumerate(below) if heading(other)), len(below))
            self.heading_unread(at + 1, line.strip().lstrip("#").strip(), below[:end])

    def heading_unread(self, line: int, title: str, below: Sequence[str]) -> None:
        rows = counted_rows(below)
        named = re.match(r"(?i)feature\s+([^\s:]{1,64})\s*(:?)", title)
        name = named.group(1).strip("*`") if named else ""
        if not rows and not (name and (values.is_id(name) or (name.isupper() and named and named.group(2)))):
            return
        lost = f"; {rows} lines below it that look like rows are not counted" if rows else ""
        self.problems.append(
            problem(
                "heading-unread",
                line,
                f"{shorten(title, 60)!r} looks like a feature, but a feature is a heading '## Feature ID: title'{lost}",
                declared=title,
            )
        )

    def stray_tables(self, outside: Sequence[Section], features: Sequence[Feature]) -> None:
        """Tables of workstreams before the features, in other sections, or behind a ### of a feature without one."""
        known = {item.line for item in self.problems if item.code == "heading-unread"}
        found = [section for section in outside if section.line not in known]
        found += [section for feature in features if not feature.table_line for section in feature.sections]
        for section in found:
            for table in tables(section):
                rows = counted_rows(self.lines[table.line + 1 : table.line + 1 + len(table.rows)])
                if "id" in table.columns and "status" in table.columns and rows:
                    said = f"{rows} rows here look like workstreams, but stand in no table right below a feature"
                    self.problems.append(problem("table-outside", table.line, said))

    def reviews(self, feature: Feature) -> Iterable[Review]:
        for section in feature.sections:
            if section.title.lower().startswith("review"):
                keys = [key for n, line in enumerate(section.body) if (key := read_key(line, section.line + 1 + n))]
                yield Review(feature.id, section.line, tuple(keys))

    def feature(self, number: int, block: _Block, found: re.Match[str], sections: tuple[Section, ...]) -> Feature:
        name = found.group(1).strip("*`") or found.group(1)
        end = block.subs[0][2] if block.subs else block.end
        head = FeatureHead(self.lines, self.mask, name, (block.start, end), self.budget)
        head.read()
        self.problems.extend(head.problems)
        self.budget = head.budget
        keys = tuple(head.keys)
        seen: set[str] = set()
        for key in keys:
            if key.name.lower() in seen:
                self.problems.append(
                    problem(
                        "key-duplicate", key.line, f"{key.name} stands twice in {name}; the first counts", feature=name
                    )
                )
            seen.add(key.name.lower())
        by_name: dict[str, KeyLine] = {}
        for key in keys:
            by_name.setdefault(key.name.lower(), key)
        declared = by_name.get("status")
        beads = by_name.get("beads") or by_name.get("bead")
        return Feature(
            number=number,
            id=name,
            title=found.group(2).strip(),
            line=block.line,
            keys=keys,
            notes=trim(head.notes),
            table_line=head.table_line,
            columns=head.columns,
            entries=tuple(head.entries),
            after=trim(head.after),
            sections=sections,
            status=values.status(declared.value) if declared else None,
            total=self.figure(name, by_name, "total workstreams"),
            loc=self.figure(name, by_name, "estimated loc", "actual loc"),
            scenarios=self.figure(name, by_name, "total scenarios"),
            beads=tuple(re.findall(r"[A-Za-z0-9_]+-[A-Za-z0-9.]+", beads.value)) if beads else (),
        )

    def figure(self, feature: str, keys: dict[str, KeyLine], *names: str) -> Number | None:
        key = next((keys[name] for name in names if name in keys), None)
        if key is None:
            return None
        found = values.number(key.value)
        if found is None:
            self.problems.append(
                problem(
                    "value-unread",
                    key.line,
                    f"{key.name} of {feature} does not start with a number, so it was not compared",
                    feature=feature,
                    declared=key.value,
                )
            )
            return None
        return found[0]
