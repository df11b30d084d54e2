"""The table of docs/diagnosis.md is what the exam says of the project's own cases, the misses too."""

from tools.diagnosed import PAGE, table


def test_the_table_is_what_the_exam_says() -> None:
    assert table() in PAGE.read_text(), "python -m tools.diagnosed writes it anew"
