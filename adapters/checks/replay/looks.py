"""Texts that look like secrets, whatever they are called: tokens, keys, passwords in URLs, numbers of cards."""

import re

from adapters.checks.replay.names import is_cards, is_code, is_secret

SCRUBBED = "[scrubbed]"
QUOTED = "%5Bscrubbed%5D"
"""The same in a URL."""
TOKENS = re.compile(
    r"\beyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]*"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bAIza[A-Za-z0-9_-]{10,100}"
    r"|\bgh[pousr]_[A-Za-z0-9]{30,255}\b"
    r"|\bglpat-[A-Za-z0-9_-]{16,100}"
    r"|\b[sr]k_live_[A-Za-z0-9]{16,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
)
STARTS = tuple(
    start.encode()
    for start in "eyj akia asia aiza ghp_ gho_ ghu_ ghs_ ghr_ glpat- sk_live_ rk_live_ xox -----begin".split()  # noqa: SIM905
)
"""One of them is in every text that has a token, and most texts have none."""
_IN_URL = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s/:@?#\"'<>\\]{0,200}:)([^\s/@\"'<>\\]{1,200})(?=@)")
_PAIR = re.compile(r"([?&;#]([^=?&;#/\s\"'<>\\]{1,100})=)([^&;#\s\"'<>\\]+)")
_TAKEN_OUT = re.compile(
    r"(?:(?:bearer|basic|token) )?"
    r"(?:[*._-]*|x+|\[?(?:scrubbed|redacted|removed|masked|hidden)\]?|%5bscrubbed%5d|<[^<>]{0,60}>)\Z",
    re.IGNORECASE,
)
_CARD_LIKE = (
    r"(?<![\w.-])(?:(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2}|6[0-9]{3})(?:[ -]?[0-9]{4}){3}"
    r"|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5})(?![\w-]|\.[0-9])"
)
"""Cards of 16 and 15 digits, by how their numbers begin; others look like bar codes and ids: told by their names."""
_CARD = re.compile(_CARD_LIKE)
CARD_BYTES = re.compile(_CARD_LIKE.encode())
_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9])*\Z")


def taken_out(value: str) -> bool:
    """Whether another tool has masked it, or it is empty."""
    return len(value) <= 200 and _TAKEN_OUT.match(value.strip()) is not None


def masked(text: str, instead: str = SCRUBBED, *, cards: bool = True) -> str:
    """`text` without what looks like a secret."""
    text = passwords_masked(TOKENS.sub(instead, text), instead)
    if "=" in text:
        text = _PAIR.sub(lambda pair: f"{pair[1]}{instead}" if names_live(pair[2], pair[3]) else pair[0], text)
    return _CARD.sub(lambda found: instead if _luhn(found[0]) else found[0], text) if cards else text


def passwords_masked(text: str, instead: str = SCRUBBED) -> str:
    """`postgres://user:secret@db` and the like, of any scheme."""
    if "://" not in text or "@" not in text:
        return text
    return _IN_URL.sub(lambda found: found[0] if taken_out(found[2]) else f"{found[1]}{instead}", text)


def names_live(name: str, value: str) -> bool:
    """Whether `value` is a secret by its name, and not taken out yet."""
    if is_secret(name):
        return not taken_out(value)
    return card_under(name, value)


def card_under(name: str, digits: str) -> bool:
    """Whether it is a card's check code, or number of any length, by its name."""
    if is_code(name):
        return digits.isascii() and digits.isdigit() and len(digits) in (3, 4)
    return is_cards(name) and _DIGITS.match(digits) is not None and _luhn(digits)


def is_card(digits: str) -> bool:
    """By its look alone."""
    return _CARD.fullmatch(digits) is not None and _luhn(digits)


def _luhn(text: str) -> bool:
    """Luhn's check over 13 to 19 digits, blanks and dashes aside."""
    digits = [int(sign) for sign in text if sign in "0123456789"]
    if len(digits) not in range(13, 20):
        return False
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
