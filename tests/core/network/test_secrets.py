"""Keys: what of them is sent, and that they show in no text."""

import pytest

from bench.core.errors import UsageError
from bench.core.network.secrets import LONGEST_QUOTE, quoted, usable_secret


def test_blanks_around_a_key_are_no_part_of_it_and_it_never_shows() -> None:
    assert usable_secret(" marked-key-1\r\n", "KEY") == "marked-key-1"
    assert quoted("the key marked-key-1 is\n\n wrong\x1b[31m") == "the key *** is wrong [31m"
    assert usable_secret(" \n", "KEY") == ""


@pytest.mark.parametrize("key", ["marked-key-2\nx", "marked-key-2ü", "marked key-2", "marked-key-2\x00"])
def test_a_key_that_no_server_can_be_sent_is_refused_and_never_shows(key: str) -> None:
    with pytest.raises(UsageError, match=r"^the KEY holds a blank") as raised:
        usable_secret(key, "the KEY")
    assert "key-2" not in str(raised.value)


def test_addresses_show_neither_user_nor_query() -> None:
    assert quoted("at https://u:word@host/a?key=1&b#c and ftp://u@h.") == "at https://***@host/a?*** and ftp://***@h."


def test_a_quote_is_short_and_a_key_is_not_cut_in_two() -> None:
    usable_secret("marked-key-3", "KEY")
    said = quoted("x" * (LONGEST_QUOTE - 5) + "marked-key-3")
    assert len(said) <= LONGEST_QUOTE and "mark" not in said
