"""Which keys name a secret, and which of their values are none: a reference, a word, a number that counts."""

from __future__ import annotations

import re
from functools import lru_cache


def words(text: str) -> tuple[str, ...]:
    """The words of a list that is written as a text."""
    return tuple(text.split())


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST = 160
"""Characters of a key that are looked at: the last ones decide."""
_AZURE = re.compile(r"(?i)\.[\w-]+\.(?:dfs|blob|file|queue|table)\.core\.(?:windows\.net|chinacloudapi\.cn)$")
_AZURE_SAS = re.compile(r"(?i)fs\.azure\.sas\.")
_REFERS = re.compile(r"(?i)secretKeyRef|secretRef|(?<![a-z])(?:driver|executor)\.secrets\.[\w.-]*$")
_NEUTRAL = frozenset(
    words(r"""
    value val plain plaintext text string str base b raw encoded old new current previous prev prod dev staging
    test primary secondary main backup enc encrypted hash data json
""")
)
"""Words that may follow the word that decides: `password.prod`, `token_1`, `client-key-data`."""
_PASSWORD = frozenset(
    words(r"""
    password passwords passwd passphrase passcode passkey pwd psw pass
""")
)
_SECRET = _PASSWORD | frozenset(
    words(r"""
    secret token credential credentials creds jwt dockercfg dockerconfigjson jsessionid privkey apikey
""")
)
_ENDS = (
    "password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "secretkey", "privatekey",
    "accountkey", "sharedkey", "authkey", "credential", "credentials", "signingkey", "encryptionkey", "masterkey",
    "dbpass", "userpass", "keypass", "storepass", "rootpass", "adminpass", "mypass", "pgpass", "dbpwd", "sapwd",
    "rootpwd", "userpwd", "mysqlpwd",
)  # fmt: skip
_KEYS = frozenset(
    words(r"""
    api access secret private account signing encryption shared session auth master storage sas subscription hmac
    aes ssh deploy symmetric consumer integration instrumentation ingestion unseal recovery crypto decryption
    cipher webhook app client function pass authorization gpg fernet wrapping
""")
)
"""What a key is the key of, where it is a secret: an API, an account; not a partition or a map."""
_BEFORE_OTHERS = {
    "secret": frozenset(words("existing pull tls kubernetes k8s opaque")),
    "token": frozenset(
        words("next unexpected extraneous bad mismatched end start first last column row syntax parser page continue")
    ),
    "pass": frozenset(words("single multi first second by two one merge sort on if when")),
}
"""What a word is preceded by where it means something else: the name of a Secret, the token of a grammar or a page."""


@lru_cache(maxsize=16_384)
def is_secret_key(key: str) -> bool:
    """Whether a configuration key, environment name or flag names a secret value.

    The last word decides: `trustStorePassword` does, `passwordFile` and `TokenCredentialsProvider` do not.
    """
    return bool(_deciding(key))


@lru_cache(maxsize=16_384)
def is_password_key(key: str) -> bool:
    """Whether it names a password: then numbers and single words are secrets too."""
    word = _deciding(key)
    if key.lower() == "pass":
        return False
    return word in _PASSWORD or word.endswith(("password", "passwd", "passphrase", "passcode", "pass", "pwd"))


def _deciding(key: str) -> str:
    """The word for which `key` is one of a secret; `` where it is none."""
    key = _AZURE.sub("", key[-_LONGEST:])
    if _AZURE_SAS.search(key):
        return "sas"
    if _REFERS.search(key):
        return ""
    found = [word.lower() for word in _WORDS.findall(key)]
    while len(found) > 1 and (found[-1] in _NEUTRAL or found[-1].isdigit()):
        found.pop()
    if not found:
        return ""
    last, before = found[-1], found[-2] if len(found) > 1 else ""
    if last == "key":
        return "key" if before in _KEYS or before.endswith(_ENDS) else ""
    if last in ("authorization", "auth"):
        return last if last == "authorization" or key.strip("-") in ("_auth", "auth") else ""
    if before in _BEFORE_OTHERS.get(last, ()) or key == "pass":  # the outcome of a step, or of a test
        return ""
    return last if last in _SECRET or last.endswith(_ENDS) else ""


_LITERAL = frozenset(
    words(r"""
    true false null none nil undefined unset yes no on off empty n/a na nan - -- * <nil> <null> <none> <unset>
    <empty> <unknown> <set> <hidden> <redacted> redacted hidden masked [masked] [hidden] ... … some(redacted)
""")
)
_STATES = frozenset(
    words(r"""
    expired invalid missing required unknown valid unauthorized forbidden refused failed failure denied ok okay
    error errors found created deleted updated rotated must should cannot can could not is was are were has have
    had will may might the a an and or to for from in of on at by with without if when while as this that it its
    be been because but failed: access authentication authorization connection timeout timed timeout: permission
    please use using used unable no nothing unexpected expected mismatch mismatched malformed wrong incorrect too
    already never see set flag option argument instead value values name type string via provided given specified
    supported unsupported disabled enabled ignored generated issued obtained received renewed refreshed refresh
    revoked validation verification signature could would cannot, http status response request server client
    java.lang based rejected pending accepted available unavailable exceeded length file path key keys id ids
""")
)
"""What is said of a secret where a sentence goes on behind the colon."""
_REFERENCE = re.compile(
    r"\$\{[^{}\n]{1,200}\}|\$\([^()\n]{1,200}\)|\$[A-Za-z_][A-Za-z0-9_]*|\{\{[^\n]{1,200}\}\}|%[sdr]|%\([\w.]+\)s|\{\w*\}"
    r"|<[A-Za-z][\w /.-]{0,80}>|@[\w.]+@|\(?secretKeyRef\b.*|vault:[\w/.#-]+|(?:projects|arn:aws\w*):?/?[\w:/.-]+"
)
_STARS = re.compile(r"[*xX•.#]{3,}(?:\(redacted\))?|\*{3,}\S{0,4}")
_PATH = re.compile(
    r"\.{1,2}/[\w./@-]+|(?:file:/{1,3}|/)(?:var|etc|opt|run|mnt|tmp|home|usr|root|secrets?|vault|app|data|dev)(?:/[\w.@-]+)+/?"
)
_CLASS = re.compile(r"(?:[a-z_][\w$]*\.){1,12}[A-Z][\w$]*:?|[A-Z][A-Za-z]*(?:Exception|Error|Provider)s?:?")
_SURE_CLASS = re.compile(r"(?:[a-z_][\w$]*\.){2,12}[A-Z][A-Za-z$]*:?|[A-Z][A-Za-z]*(?:Exception|Error|Provider)s?:?")
"""What is taken for a class where a password may stand: nobody chooses such a one."""
_NUMBER = re.compile(r"[-+]?[0-9]{1,5}(?:\.[0-9]+)?[a-zA-Z%]{0,3}[.,;:)]?|-[0-9]{1,19}")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://\S*")
_DNS_NAME = re.compile(r"[a-z]+(?:-(?:[a-z]+|[0-9]{1,4}))+")


def is_no_secret(value: str, key: str = "") -> bool:
    """Whether a value under the key of a secret is none: `true`, `${env.X}`, `****`, a file's path."""
    word = value.strip().lower()
    if not word or word in _LITERAL:
        return True
    if len(value) > 300:
        return False
    if _REFERENCE.fullmatch(value) or _STARS.fullmatch(value) or _PATH.fullmatch(value):
        return True
    if word.startswith("/") and key.lower().endswith("pwd"):
        return True  # a working directory
    if is_password_key(key):
        return _SURE_CLASS.fullmatch(value) is not None
    return bool(_NUMBER.fullmatch(value)) or bool(_CLASS.fullmatch(value))


def looks_random(value: str) -> bool:
    """Whether a word looks made by a machine or chosen as a password, not taken from a sentence."""
    if _CLASS.fullmatch(value) or _NUMBER.fullmatch(value) or _URL.match(value) or len(value) < 5:
        return False
    core = value.strip(".,;:!?()[]'\"")
    digits, upper = any(c.isdigit() for c in core), any(c.isupper() for c in core[1:])
    lower = any(c.islower() for c in core)
    if digits and (lower or upper):
        return True
    if upper and lower and not core[1:].isalpha():
        return True
    return (upper and lower and len(core) >= 16) or any(c in "!#$%^&*+=~" for c in core[1:-1])


def is_said_of_it(word: str) -> bool:
    """Whether a word behind a colon goes on with a sentence: `token: expired`."""
    return word.strip(".,;:!?()'\"").lower() in _STATES


def is_object_name(value: str) -> bool:
    """Whether it reads as the name of a Kubernetes object, as a Secret has one."""
    return _DNS_NAME.fullmatch(value) is not None
