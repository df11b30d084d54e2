"""Secrets that are known by their shape, wherever they stand: tokens of products, passwords in URLs, webhooks."""

from __future__ import annotations

import re

from console.base.secretcommands import MARK, in_commands
from console.base.secretkeys import is_no_secret, looks_random, words

__all__ = ["MARK", "known_shapes"]

_B = r"(?<![A-Za-z0-9_-])"
_TOKENS = re.compile(
    "|".join(
        (
            _B + r"eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){2,4}",  # JWT, JWE
            r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9])",  # AWS access key id
            r"(?<![A-Za-z0-9])(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=_%-]{20,}+",  # AWS session token
            _B + r"k8s-aws-v1\.[A-Za-z0-9_-]{20,}+",
            _B + r"gh[pousr]_[A-Za-z0-9]{20,}+|" + _B + r"github_pat_[A-Za-z0-9_]{22,}+",
            _B + r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}+",  # Slack
            _B + r"gl(?:pat|rt|dt|cbt|ptt|soat|ft|agent|oas|imt)-[A-Za-z0-9_-]{16,}+",
            _B + r"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])",
            _B + r"ya29\.[0-9A-Za-z_-]{20,}+|" + _B + r"1//0[0-9A-Za-z_-]{20,}+|" + _B + r"GOCSPX-[0-9A-Za-z_-]{20,}+",
            _B + r"hf_[A-Za-z0-9]{20,}+",
            r"(?<![A-Za-z0-9_])sha256~[A-Za-z0-9_-]{30,}+",  # OpenShift token
            _B + r"sk-(?:proj-|ant-(?:api\d\d-)?|svcacct-|or-v1-|lf-)?(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}+",
            _B + r"(?:sk|rk|pk|whsec)_(?:live_|test_)?(?=[A-Za-z]*[0-9])[A-Za-z0-9]{16,}+",  # Stripe
            _B
            + r"dap[ik](?:[0-9a-f]{32}|[0-9A-F]{32})(?:-\d)?|"
            + _B
            + r"dose[0-9a-f]{32}|"
            + _B
            + r"dkea[0-9a-f]{32}",
            _B
            + r"hv[sbr]\.[A-Za-z0-9_-]{20,}+"  # Vault
            + r"|(?<![A-Za-z0-9_.-])s\.(?=[A-Za-z]*[0-9])[A-Za-z0-9]{24}(?![A-Za-z0-9])",
            _B + r"npm_[A-Za-z0-9]{36}|" + _B + r"pypi-[A-Za-z0-9_-]{50,}+|" + _B + r"rubygems_[0-9a-f]{40,}+",
            _B + r"SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+",  # SendGrid
            _B
            + r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}+|"
            + _B
            + r"dop_v1_[0-9a-f]{40,}+|"
            + _B
            + r"shp(?:at|ss|ca|pa)_[0-9a-f]{32}",
            _B + r"ATATT3x[A-Za-z0-9_=-]{20,}+|" + _B + r"ATCTT3x[A-Za-z0-9_=-]{20,}+|" + _B + r"ATBB[A-Za-z0-9]{28,}+",
            _B
            + r"(?:NRAK|NRJS|NRRA|PMAK|LTAI|AGE-SECRET-KEY-1|tskey-[a-z]+|lin_api|figd|sbp|sntry[su]|phc|glc|glsa|nfp"
            + r"|pscale_tkn|pscale_pw|EAAC|vercel|pul|fly|FlyV1|r8|gsk|pplx|ops|sdp|cfut)"
            + r"(?:-|_|(?<=LTAI)|(?<=KEY-1)|(?<=EAAC))(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}+",
            r"(?<![A-Za-z0-9])[0-9a-f]{36}NRAL(?![A-Za-z0-9])",  # New Relic
            r"(?<![A-Za-z0-9:/])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])",  # Telegram
            r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$[156y]\$[^\s$]{1,40}\$[./A-Za-z0-9]{20,100}",  # crypt
            r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])",  # a storage account's key
        )
    )
)
_SCHEMES = re.compile(
    r"(?i)\b(bearer|basic|negotiate|token|apikey|geniekey|splunk|sharedkey(?:lite)?)(\s{1,4})([A-Za-z0-9._~+/=:|-]{8,}+)"
)
_USERINFO = re.compile(
    r"(?i)(?<![a-z0-9+.-])((?:[a-z][a-z0-9+.-]{0,40}+:){1,3}//[^\s/:@\"'<>\\?#]{0,256}+):([^\s/@\"'<>]{1,1024}+)@"
)
_S3_USERINFO = re.compile(r"(?i)(?<![a-z0-9+.-])(s3[an]?://[A-Z0-9]{8,128}+):([^\s@\"'<>]{8,256}+)@")
_OPAQUE_USER = re.compile(r"(?i)(?<![a-z0-9+.-])(https?://)([A-Za-z0-9_-]{20,256}+)@")
_ORACLE = re.compile(r"(?i)(jdbc:oracle:[a-z0-9]{1,20}:[^\s/@:]{1,128}+)/([^\s@]{1,256}+)@")
_ORACLE_TOOL = re.compile(
    r"(?i)\b((?:sqlplus|expdp|impdp|rman|sqlldr|exp|imp)\s{1,4}(?:-\w+\s{1,4})?[\w$#]{1,64})/([^\s@/]{1,128}+)@"
)
_HOOKS = re.compile(
    r"(?i)(https?://(?:hooks\.slack\.com/(?:services|workflows|triggers)/"
    r"|(?:[\w-]{1,60}\.)?(?:webhook\.office|discord(?:app)?)\.com/(?:webhookb2|api/webhooks)/"
    r"|outlook\.office(?:365)?\.com/webhook/|hooks\.zapier\.com/hooks/catch/|maker\.ifttt\.com/trigger/"
    r"|api\.telegram\.org/bot|events\.pagerduty\.com/integration/|hc-ping\.com/|[\w.-]{1,60}\.opsgenie\.com/[^\s?]{0,80}?apiKey="
    r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/|chat\.googleapis\.com/v1/spaces/"
    r"|[\w.-]{1,80}/(?:hooks|webhooks?|incoming)/(?=[\w/-]{0,80}?[A-Za-z0-9]{24})))[^\s\"'<>\\),;]++"
)
_QUERY = re.compile(
    r"(?i)([?&;](?:sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential"
    r"|awsaccesskeyid|access_?token|auth|hmac|code|key)=)([^&\s\"'<>\\)]++)"
)
_ROUTING = re.compile(r"(?i)(routing_?key[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[A-Z0-9]{32}(?![A-Za-z0-9])")
"""PagerDuty's; that of a message broker is a name."""
_AWS4 = re.compile(r"(?i)(\b(?:credential|signature)=)([A-Za-z0-9/_.%-]{16,}+)")

_SCHEME_HINTS = words(r"""
    bearer basic negotiate token apikey geniekey splunk sharedkey
""")
_TOKEN_HINT = re.compile(
    r"eyJ|AKIA|ASIA|ABIA|ACCA|IQoJ|F[wQ]oG|k8s-aws|gh[pousr]_|github_|xox|xapp-|gl[a-z]{2,5}-|AIza|ya29|1//0|GOCSPX|hf_"
    r"|sha256~|[srpk]k-|[srp]k_|whsec_|dap[ik]|dose|dkea|hv[sbr]\.|s\.|npm_|pypi-|rubygems_|SG\.|dckr_|dop_|shp|AT[AC]TT|ATBB"
    r"|NRA[KL]|NRJS|NRRA|PMAK|LTAI|AGE-|tskey|lin_api|figd|sbp_|sntry|phc_|glc_|glsa_|nfp_|pscale|EAAC|vercel|pul-|fly|FlyV1"
    r"|r8_|gsk_|pplx-|ops_|sdp|cfut|:AA|\$[1256y]|=="
)


def known_shapes(line: str, low: str) -> str:
    """One line without what is known by its shape alone. `low` is the line in lower case."""
    if _TOKEN_HINT.search(line):
        line = _TOKENS.sub(MARK, line)
    if "//" in line:
        line = _HOOKS.sub(rf"\1{MARK}", line)
        if "@" in line:
            line = _S3_USERINFO.sub(rf"\1:{MARK}@", line)
            line = _USERINFO.sub(_userinfo, line)
            line = _OPAQUE_USER.sub(_opaque, line)
    if "?" in line or "&" in line or ";" in line:
        line = _QUERY.sub(_query, line)
    if "/" in line and "@" in line:
        line = _ORACLE.sub(rf"\1/{MARK}@", line)
        line = _ORACLE_TOOL.sub(rf"\1/{MARK}@", line)
    if "ignature=" in line or "redential=" in line:
        line = _AWS4.sub(rf"\1{MARK}", line)
    if any(scheme in low for scheme in _SCHEME_HINTS):
        line = _SCHEMES.sub(_scheme, line)
    if "routing" in low:
        line = _ROUTING.sub(rf"\1{MARK}", line)
    return in_commands(line, low)


_KEY_OF_MORE = re.compile(r"[A-Za-z_.]{2,60}(?::\Z|=[^=])")
"""`expirationSeconds:` or `expirationSeconds=3607`, which goes on behind a `token` that ended."""


def _scheme(found: re.Match[str]) -> str:
    """`Bearer x`; of a word that goes on with a sentence nothing is taken."""
    word = found.group(3)
    if not looks_random(word) and not word.endswith("="):
        return found.group(0)
    if found.group(1).lower() in ("token", "splunk") and (
        "/" in word or word[:4] == "http" or _KEY_OF_MORE.match(word)
    ):
        return found.group(0)
    return f"{found.group(1)}{found.group(2)}{MARK}"


def _userinfo(found: re.Match[str]) -> str:
    before, value = found.groups()
    port = re.match(r"[0-9]{1,5}[?#;,]", value)
    return found.group(0) if port or is_no_secret(value) else f"{before}:{MARK}@"


def _opaque(found: re.Match[str]) -> str:
    return f"{found.group(1)}{MARK}@" if looks_random(found.group(2)) else found.group(0)


def _query(found: re.Match[str]) -> str:
    key, value = found.groups()
    if key[1:-1].lower() in ("key", "code", "auth", "hmac") and (len(value) < 16 or not looks_random(value)):
        return found.group(0)
    return found.group(0) if is_no_secret(value) else key + MARK
