"""The definitions once more, written as plainly as possible and without any of the product's code."""

from __future__ import annotations

import re


def counts(text: str) -> dict[str, int]:
    """Counts of a well-formed index."""
    features, rows = _rows(text)
    items = []
    for feature, cells in rows:
        for name in _expand(cells["ID"].replace("*", "")):
            needs = cells.get("Dependency", cells.get("Dependencies", ""))
            items.append((feature, name, _done(cells["Status"]), needs))
    ready = [
        (feature, name) for feature, name, done, needs in items if not done and _met(feature, needs, items, features)
    ]
    done = sum(item[2] for item in items)
    return {
        "features": len(features),
        "rows": len(rows),
        "workstreams": len(items),
        "completed": done,
        "not_completed": len(items) - done,
        "ready": len(ready),
        "blocked": len(items) - done - len(ready),
    }


def _rows(text: str) -> tuple[list[tuple[str, str]], list[tuple[str, dict[str, str]]]]:
    features: list[tuple[str, str]] = []
    rows: list[tuple[str, dict[str, str]]] = []
    state, columns = "outside", []
    for line in text.split("\n"):
        heading = re.match(r"## Feature (\S+): ?(.*)", line)
        if heading:
            features.append((heading[1], heading[2]))
            state = "head"
        elif line.startswith("## "):
            state = "outside"
        elif line.startswith("###"):
            state = "done" if state != "outside" else state
        elif line.startswith("|") and state == "head":
            columns = [cell.strip() for cell in line.strip("|").split("|")]
            state = "dashes"
        elif state == "dashes":
            state = "table"
        elif state == "table" and line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            rows.append((features[-1][0], dict(zip(columns, cells, strict=True))))
        elif state == "table":
            state = "done"
    return features, rows


def _expand(text: str) -> list[str]:
    found = re.fullmatch(r"(.*?)(\d+)(?:\.\.| to )(?:.*?-)?(\d+)", text)
    if not found:
        return [text]
    return [f"{found[1]}{n:0{len(found[2])}d}" for n in range(int(found[2]), int(found[3]) + 1)]


def _done(status: str) -> bool:
    return (status.lower().replace("*", "").split() or [""])[0] in ("completed", "closed")


def _met(feature: str, needs: str, items: list, features: list) -> bool:
    for token in (part.strip() for part in needs.split(",")):
        if token in ("", "-", "None", "Independent"):
            continue
        phase = re.fullmatch(r"Phase (\d+)", token)
        if phase:
            homes = [name for name, title in features if re.match(rf"Phase {phase[1]}\b", title)]
            if len(homes) != 1 or not all(item[2] for item in items if item[0] == homes[0]):
                return False
        elif token in [name for name, _ in features]:
            if not all(item[2] for item in items if item[0] == token):
                return False
        else:
            for name in _expand(token):
                own = [item for item in items if item[:2] == (feature, name)]
                found = own or [item for item in items if item[1] == name]
                if len(found) != 1 or not found[0][2]:
                    return False
    return True
