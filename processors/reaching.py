"""The one HTTP client of jobs, which goes only where they may go.

A URL in a payload, a redirect and what a stranger's answer names may lead to this machine, a private network or the
metadata of a cloud. What counts is the address that is connected to: the name is looked up here, checked, and that very
address is used, for each connection anew. Behind a proxy, which looks names up itself, the name is checked before.
"""

import ipaddress
import socket
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from jobdesk import Context, Reject

FOREIGN = "http"
"""The source of jobs that came over the HTTP API, and of what follows from them."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_USUAL: Mapping[str, Any] = {"private": "local", "hosts": ()}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client(ctx: Context, timeout_s: float, *, own: str | None = None, **options: Any) -> httpx.Client:
    """A client for one request of a job and its redirects.

    Args:
        own: the URL of a service of the settings: its host may be reached, wherever it is.

    Raises:
        Reject: not by this, but by its requests, with `PrivateAddress` as the reason: they lead where they may not.
    """
    settings = ctx.settings.get("fetching") or _USUAL
    hosts = [*settings["hosts"], *([urlsplit(own).hostname or ""] if own is not None else [])]
    private = settings["private"] == "always" or (settings["private"] == "local" and ctx.source != FOREIGN)
    return httpx.Client(timeout=timeout_s, transport=_Transport(Gate(hosts, private=private)), **options)


class Gate:
    """What may be connected to.

    Args:
        hosts: names, addresses and networks that always may.
        private: whether this machine and private networks may too; link-local addresses, where clouds have their
            metadata, only if `hosts` has them.
    """

    def __init__(self, hosts: Iterable[str], *, private: bool) -> None:
        self._names = {host.lower() for host in hosts}
        self._networks = [network for host in self._names if (network := _network(host)) is not None]
        self._private = private

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of which may be connected to.

        Raises:
            Reject: one of them may not.
            OSError: it has none.
        """
        name = host.lower().rstrip(".")
        found = list(dict.fromkeys(str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        if name not in self._names:
            for text in found:
                self._check(name, text)
        return found

    def _check(self, name: str, text: str) -> None:
        address = _plain(ipaddress.ip_address(text.partition("%")[0]))
        if any(address in network for network in self._networks):
            return
        kind = _kind(address)
        if kind is None or (self._private and kind != "a link-local address"):
            return
        where = name if name == text else f"{name} ({text})"
        raise Reject(
            f"{where} is {kind}, where this job may fetch nothing: if it shall, name it in hosts of [fetching]",
            "PrivateAddress",
        )


def _network(host: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """The IPv4 address that stands in one of IPv6, if one does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _kind(address: Address) -> str | None:
    """What is special about an address; None if it is one of the world's."""
    if address.is_loopback or address.is_unspecified:
        return "an address of this machine"
    if address.is_link_local:
        return "a link-local address"
    if not address.is_global or address.is_multicast or address.is_reserved:
        return "an address of a private network"
    return None


class _Transport(httpx.BaseTransport):
    """Goes through the gate, to the host itself or to the proxy that the environment names for it."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._direct = httpx.HTTPTransport()
        self._direct._pool._network_backend = _Backend(gate)
        self._proxied: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host, proxies = request.url.host, urllib.request.getproxies()
        proxy = proxies.get(request.url.scheme) or proxies.get("all")
        if not proxy or urllib.request.proxy_bypass(host):
            return self._direct.handle_request(request)
        with suppress(OSError):  # only the proxy may know the name
            self._gate.addresses(host, request.url.port or 443)
        if proxy not in self._proxied:
            self._proxied[proxy] = httpx.HTTPTransport(proxy=proxy if "://" in proxy else f"http://{proxy}")
        return self._proxied[proxy].handle_request(request)

    def close(self) -> None:
        for one in (self._direct, *self._proxied.values()):
            one.close()


class _Backend(httpcore.SyncBackend):
    """Connects to addresses that the gate has seen."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def connect_tcp(self, host: str, port: int, *args: Any, **more: Any) -> httpcore.NetworkStream:
        try:
            addresses = self._gate.addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, *args, **more)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return super().connect_tcp(addresses[-1], port, *args, **more)
