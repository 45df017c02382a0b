"""Notes are short, and each is said once."""

from analysis.output.notes import listed, merged


def test_long_lists_end_in_a_number() -> None:
    assert listed(["a", "b", "c", "d"]) == "a, b, c, d"
    assert listed(list("abcdefghij")) == "a, b, c and 7 more arms"
    assert listed(list("abcdef"), "event", "; ") == "a; b; c and 3 more events"


def test_notes_that_say_the_same_are_one() -> None:
    notes = [
        "note: cells were trained at 2 commits",
        "note: wd=0.3: t_grok was not seen",
        "note: 2 runs are left out",
        "note: wd=0.1: t_grok was not seen",
        "note: cells were trained on different processors: A, B",
        "note: 2 runs are left out",
        "note: 3 runs are left out",
        "note: wd=0.1: no forecast",
    ]
    assert merged(notes) == [
        "note: cells were trained at 2 commits; on different processors: A, B",
        "note: wd=0.3, wd=0.1: t_grok was not seen",
        "note: 2 runs are left out",
        "note: 3 runs are left out",
        "note: wd=0.1: no forecast",
    ]
