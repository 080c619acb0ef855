"""Names that say that a secret follows: of headers, and of values in queries, forms, paths and JSON."""

import re
from functools import lru_cache

HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "apikey",
        "jwt",
        "token",
        "secret",
        "x-api-secret",
        "x-password",
        "x-amz-credential",
        "x-goog-credential",
    }
)
_HEADERS_LIKE = re.compile(
    r"(?:x-session(?:-|\Z)|(?:.*-)?(?:auth|jwt|session-id|sessionid|sid)(?:-|\Z)|.*-(?:token|key)\Z)"
)
HARMLESS = frozenset(
    {
        "cache-key",
        "x-cache-key",
        "surrogate-key",
        "x-surrogate-key",
        "idempotency-key",
        "x-idempotency-key",
        "partition-key",
        "x-partition-key",
        "routing-key",
        "x-routing-key",
        "sort-key",
        "sec-websocket-key",
        "continuation-token",
        "x-continuation-token",
        "next-token",
        "x-next-token",
        "page-token",
        "x-page-token",
        "sync-token",
        "x-sync-token",
    }
)
"""They end like a credential's and open nothing."""
NAMES = frozenset(
    {
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "clientsecret",
        "token",
        "authtoken",
        "accesstoken",
        "apitoken",
        "bearertoken",
        "csrftoken",
        "xsrftoken",
        "refreshtoken",
        "idtoken",
        "oauthtoken",
        "sessiontoken",
        "session",
        "sessionid",
        "sessionkey",
        "sessid",
        "sid",
        "phpsessid",
        "jsessionid",
        "aspnetsessionid",
        "connectsid",
        "jwt",
        "authorization",
        "apikey",
        "xapikey",
        "accesskey",
        "accountkey",
        "secretkey",
        "privatekey",
        "sharedaccesskey",
        "subscriptionkey",
        "sig",
        "signature",
        "oauthsignature",
        "sharedaccesssignature",
        "xamzsignature",
        "xamzcredential",
        "xamzsecuritytoken",
        "xgoogsignature",
        "xgoogcredential",
    }
)
"""Without case, dashes, underscores, dots and brackets."""
CODES = frozenset({"cvv", "cvv2", "cvc", "cvc2", "cardcvv", "cardcvc", "securitycode"})
"""Three or four digits are a secret under these."""
CARDS = frozenset({"card", "cc", "cardnumber", "cardno", "ccnumber", "creditcard", "creditcardnumber", "pan"})
"""A card's number of any length is one under these."""
STEMS = tuple(
    stem.encode()
    for stem in "pass pwd secret token sess sid key jwt auth sig amz goog cvv cvc securit card cc pan".split()  # noqa: SIM905
)
"""One of them is in every name above, in lower case."""
_DULL = re.compile(r"[-_.\[\] ]")


@lru_cache(maxsize=4096)
def is_secret_header(name: str) -> bool:
    """`name` in lower case."""
    return name in HEADERS or (name not in HARMLESS and _HEADERS_LIKE.match(name) is not None)


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    return _DULL.sub("", name.lower()) in NAMES


@lru_cache(maxsize=4096)
def is_code(name: str) -> bool:
    """Of a card's check code."""
    return _DULL.sub("", name.lower()) in CODES


@lru_cache(maxsize=4096)
def is_cards(name: str) -> bool:
    return _DULL.sub("", name.lower()) in CARDS
