"""Which internet addresses may be asked: an address in, yes or no out. No names, no network."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Permits = Callable[[Address], bool]

TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 by way of NAT64 (RFC 6052)."""
COMPATIBLE = IPv6Network("::/96")
"""IPv4-compatible addresses (RFC 4291), long out of use."""


def permit(networks: tuple[Network, ...] = ()) -> Permits:
    """A rule that permits public addresses and `networks`."""

    def permits(address: Address) -> bool:
        inner = embedded(address) or address
        return any(each in network for each in (address, inner) for network in networks) or is_public(address)

    return permits


def is_public(address: Address) -> bool:
    """Whether `address` is of the public internet, and so is the IPv4 address that it may stand for."""
    inner = embedded(address)
    if inner is not None:
        return is_public(inner)
    special = (
        address.is_private,
        address.is_loopback,
        address.is_link_local,
        address.is_multicast,
        address.is_reserved,
        address.is_unspecified,
        isinstance(address, IPv6Address) and address.is_site_local,
    )
    return address.is_global and not any(special)


def embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that packets to an IPv6 address end at: mapped, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return None
    if address in TRANSLATED or address in COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


def parse_networks(text: str) -> tuple[Network, ...]:
    """`10.1.0.0/16, fd00::/8`. Raises ValueError for what is no network."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
