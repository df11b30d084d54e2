"""How a server is reached: proxies from the kubeconfig or the environment, and network failures in words."""

from __future__ import annotations

import ipaddress
import os
import ssl
import urllib.request
from urllib.parse import urlsplit

import aiohttp

from console.base.errors import ConsoleError, ReachError, UsageError
from console.base.redact import redact
from console.base.text import clean, shorten
from console.wire.checks import http_address, named


def proxy_for(server: str, configured: str) -> str:
    """The proxy to use for `server`, or ``. `configured` is the kubeconfig's `proxy-url` and wins over the environment.

    Raises:
        UsageError: it is of a kind that is not supported.
    """
    proxy, source = configured, "proxy-url"
    if not proxy:
        proxy, source = _from_environment(server), "the proxy of the environment"
    if not proxy:
        return ""
    url = proxy if "://" in proxy else f"http://{proxy}"
    scheme = url.partition("://")[0].lower()
    if scheme.startswith("socks"):
        raise UsageError(
            f"{source} is a {scheme} proxy, which Console cannot use",
            hint="use an http proxy, or `ssh -L` and the forwarded port as server",
        )
    if scheme not in ("http", "https"):
        raise UsageError(f"{source} has the unknown scheme {scheme!r}", hint="http://HOST:PORT")
    if http_address(url) is None:
        raise UsageError(f"{source} is no URL: {redact(proxy)!r}", hint="http://HOST:PORT")
    return url


def _from_environment(server: str) -> str:
    parts = urlsplit(server)
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host):
        return ""
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(parts.scheme, "")
    exempt = proxies.get("no", "")
    return "" if not proxy or _is_named(host, exempt) or _in_networks(host, exempt) else proxy


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_named(host: str, exempt: str) -> bool:
    """Whether NO_PROXY names the host, a domain above it, or everything."""
    for part in (part.strip().lower().lstrip(".") for part in exempt.split(",")):
        name = part.rsplit(":", 1)[0] if part.count(":") == 1 else part
        if name == "*" or (name and (host.lower() == name or host.lower().endswith("." + name))):
            return True
    return False


def _in_networks(host: str, exempt: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for part in exempt.split(","):
        try:
            if "/" in part and address in ipaddress.ip_network(part.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False


def network_error(error: BaseException, server: str, seconds: float | None = None) -> ConsoleError:
    """A failure of the network as a sentence about `server`."""
    where = named(server)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ReachError(
            f"the proxy for {where} cannot be reached: {_cause(error)}", hint="check proxy-url, HTTPS_PROXY"
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return ReachError(
            f"the proxy refuses the way to {where}: HTTP {error.status} {clean(error.message)}".rstrip(),
            hint="check proxy-url, HTTPS_PROXY and its credentials",
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ReachError(
            f"the certificate of {where} is not trusted: {_certificate(error.certificate_error)}",
            hint="check certificate-authority-data and tls-server-name in the kubeconfig",
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError | ssl.SSLError):
        return ReachError(f"no TLS with {where}: {_cause(error)}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ReachError(f"the name of {where} does not resolve: {_cause(error)}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return ReachError(
            f"{where} cannot be reached: {_cause(error)}", hint="it is down, or a VPN, tunnel or proxy is missing"
        )
    if isinstance(error, TimeoutError):
        limit = f" within {seconds:g} s" if seconds else " in time"
        return ReachError(f"{where} did not answer{limit}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return ReachError(f"the connection to {where} was lost in the middle of an answer")
    return ReachError(f"the connection to {where} was lost: {_cause(error)}")


def _certificate(error: BaseException) -> str:
    return clean(getattr(error, "verify_message", "") or str(error))


def _cause(error: BaseException) -> str:
    inner = getattr(error, "os_error", None)
    text = (getattr(inner, "strerror", None) or str(inner)) if inner is not None else str(error)
    if isinstance(inner, OSError) and inner.errno and text.startswith("Connect call failed"):
        text = os.strerror(inner.errno)  # asyncio puts the address there, which is named already
    return shorten(clean(redact(text or type(error).__name__)), 160)
