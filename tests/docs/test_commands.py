"""The help of verbs looks on a page as it does in a terminal."""

import swath_commands


def test_examples_become_a_block_in_which_nothing_is_markup():
    lines = ["Run it.", "", "| Examples:", "|   swath run S2A_….SAFE *.zip", "", "More."]
    assert swath_commands.lay_out(lines) == [
        "Run it.",
        "",
        "",
        "Examples:",
        "",
        ".. code-block:: text",
        "",
        "     swath run S2A_….SAFE *.zip",
        "",
        "",
        "More.",
    ]


def test_other_blocks_keep_their_lines():
    assert swath_commands.lay_out(["| one", "| two_"]) == ["| one", r"| two\_"]


def test_the_help_of_options_is_escaped_and_their_fields_are_not():
    lines = [".. option:: --include <PATTERN>", "", "   As 'a/*'.", "", "   :default: ``'*'``"]
    swath_commands.on_option(None, None, lines)
    assert lines == [".. option:: --include <PATTERN>", "", r"   As 'a/\*'.", "", "   :default: ``'*'``"]


def test_marks_of_markup_are_escaped_outside_of_code():
    assert (
        swath_commands.escape("S2A_, *.zip and ``a_ *``, snake_case")
        == r"S2A\_, \*.zip and ``a_ *``, snake_case"
    )
