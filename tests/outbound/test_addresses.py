from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.outbound.addresses import is_public, parse_networks, permit


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::", "2001:0:0:0:0:0:f5ff:fffe", "fe80::1", "fec0::1", "fc00::1",
    "fd12:3456::1", "ff02::1", "2001:db8::1", "100::1", "4000::1",
])  # fmt: skip
def test_what_is_not_of_the_public_internet(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not permit()(ip_address(address))


@pytest.mark.parametrize("address", [
    "1.1.1.1", "8.8.8.8", "223.5.5.5", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2400:3200::1",
    "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1",
])  # fmt: skip
def test_what_is(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_address_hides_in_no_other(address: object) -> None:
    number = int(ip_address(str(address)))
    clothes = (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80)
    for dressed in clothes:
        assert is_public(ip_address(dressed.to_bytes(16, "big"))) <= is_public(ip_address(number))


def test_named_networks_are_permitted_in_any_clothes() -> None:
    permits = permit(parse_networks("10.1.0.0/16, fd00:1::/32"))
    assert all(permits(ip_address(each)) for each in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5", "8.8.8.8"))
    assert not any(permits(ip_address(each)) for each in ("10.2.0.1", "fd00:2::5", "127.0.0.1", "::ffff:10.2.0.1"))


def test_networks_are_written_with_commas() -> None:
    assert parse_networks(" 10.1.0.0/16,::1 ,") == (ip_network("10.1.0.0/16"), ip_network("::1/128"))
    assert parse_networks("") == ()
    with pytest.raises(ValueError, match="host bits"):
        parse_networks("10.1.0.1/16")
