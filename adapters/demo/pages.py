"""What the ledger answers when it is asked for an account: the pages that its recorded traffic asks for.

The same account has the same balance in staging and in production, today and when it was recorded.
"""

import json
import re

from adapters.demo.builds import Build

LEDGER = "ledger"
CURRENCIES = ("CHF", "EUR", "GBP", "USD")
_ACCOUNT = re.compile(r"/accounts/([1-9][0-9]{0,2})(/owner)?\Z")


def page_of(service: str, build: Build, path: str) -> str | None:
    """The JSON that `build` answers at `path`; None where the service has no such page."""
    if service != LEDGER:
        return None
    if path == "/currencies":
        return json.dumps({"currencies": CURRENCIES})
    found = _ACCOUNT.match(path)
    if found is None:
        return None
    number = int(found[1])
    return json.dumps(_owner(number) if found[2] else _account(number, build))


def _account(number: int, build: Build) -> dict[str, object]:
    cents = number * 7_919 % 500_000
    balance: object = f"{cents / 100:.2f}" if build.amounts_as_text else cents / 100
    return {"account": number, "currency": CURRENCIES[number % len(CURRENCIES)], "balance": balance}


def _owner(number: int) -> dict[str, object]:
    return {"account": number, "owner": f"customer {number * 31 % 1_000}"}
