"""Names of accounts: which ids and display names there can be, and which two look the same to a reader."""

import re
import unicodedata

from cuelight_server.kernel.errors import Invalid

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
MOST = 120  # characters of a display name
# Small letters of Cyrillic and of Greek that most typefaces draw like a Latin one, and pairs that read as one letter.
_TWINS = str.maketrans(
    "\u0430\u0435\u0451\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0457\u0458\u04bb\u0501\u051b\u051d\u04af\u0432\u043a\u043c\u043d\u0442"
    "\u03b1\u03bd\u03bf\u03c1\u03c5\u03b9\u03ba\u03c4\u03c9\u03b7\u03b3\u03c7",
    "aeeopcyxsiijhdqwybkmhtavopuiktwnyx",
)
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_SAME = str.maketrans("0i1\u0131", "olll")


def check_id(id: str) -> str:
    """The id, if it is one: ASCII, so that no two ids look alike by script; Invalid otherwise."""
    if not ID.fullmatch(id):
        raise Invalid(f"{id!r} is no id", "use lower-case letters, digits, dot, dash and underscore, at most 63")
    return id


def display_name(text: str) -> str:
    """A name as it is stored: NFC, single spaces; Invalid for control, bidi or other unseen characters, and no letters."""
    name = re.sub(" +", " ", unicodedata.normalize("NFC", text[: 4 * MOST])).strip(" ")
    unseen = next((one for one in name if unicodedata.category(one)[0] in "CZ" and one != " "), None)
    if unseen is not None:
        raise Invalid(
            f"a name holds U+{ord(unseen):04X}, which nobody can see", "type the name with letters and spaces"
        )
    if not 1 <= len(name) <= MOST or not any(unicodedata.category(one)[0] in "LN" for one in name):
        raise Invalid("this is no name", f"give one of 1 to {MOST} characters, with a letter in it")
    return name


def looks(name: str) -> str:
    """What a reader takes the name for: two names with the same look are too easily mixed up.

    Compatibility forms, accents, case, punctuation and spaces do not count; letters that look alike are one letter.
    A short table stands in for the whole of Unicode's confusables (UTS 39): Latin, Cyrillic and Greek.
    """
    plain = "".join(
        one for one in unicodedata.normalize("NFKD", name).casefold() if unicodedata.category(one)[0] in "LN"
    )
    same = plain.translate(_TWINS)
    for pair, letter in _PAIRS:
        same = same.replace(pair, letter)
    return same.translate(_SAME)
