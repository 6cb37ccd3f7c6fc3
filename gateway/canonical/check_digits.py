"""GS1 check digits (GS1 General Specifications 7.9.1): GTIN, GLN, SSCC and all others weigh 3 and 1 from the right."""

from __future__ import annotations

SSCC_LENGTH = 18
GLN_LENGTH = 13
GTIN_LENGTHS = (8, 12, 13, 14)


def check_digit(body: str) -> str:
    """The digit that completes `body` (ASCII digits without it)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def is_right(number: str) -> bool:
    """Whether `number` consists of digits and ends with its check digit."""
    count = len(number)
    if count < 2 or not (number.isascii() and number.isdigit()):  # noqa: PLR2004  a digit and its check digit
        return False
    # The same sum with the check digit in it; its octets are the digits and 48 each.
    octets = number.encode()
    total = sum(octets[-1::-2]) + 3 * sum(octets[-2::-2])
    return (total - 48 * ((count + 1) // 2 + 3 * (count // 2))) % 10 == 0
