import ipaddress

import pytest

from strongroom_node.config.addresses import AddressInvalid, expand_template, local_addresses, split_address

CARDS = {"lo": "127.0.0.1", "eth0": "10.1.2.3", "eth1": "8.8.4.4"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:8300", ("127.0.0.1", 8300)),
        ("0.0.0.0", ("0.0.0.0", 8200)),
        (":8200", ("", 8200)),
        ("[::1]:8200", ("::1", 8200)),
        ("::1", ("::1", 8200)),
        ("[::]", ("::", 8200)),
        ("host:0", ("host", 0)),
    ],
)
def test_split(address, expected):
    assert split_address(address) == expected


@pytest.mark.parametrize("address", ["a:b", "a:65536", "a:-1", "a:", "a:123456"])
def test_no_addresses(address):
    with pytest.raises(AddressInvalid):
        split_address(address)


def test_templates():
    assert expand_template("{{ GetPrivateIP }}:8200", lambda: CARDS) == "10.1.2.3:8200"
    assert expand_template("https://{{GetPublicIP}}:8200", lambda: CARDS) == "https://8.8.4.4:8200"
    assert expand_template('{{ GetInterfaceIP "lo" }}', lambda: CARDS) == "127.0.0.1"
    assert expand_template("plain") == "plain"
    for text in ('{{ GetInterfaceIP "none" }}', "{{ GetMood }}", "{{ GetPrivateIP | sort }}"):
        with pytest.raises(AddressInvalid):
            expand_template(text, lambda: CARDS)
    with pytest.raises(AddressInvalid):
        expand_template("{{ GetPublicIP }}", lambda: {"lo": "127.0.0.1"})


def test_local_addresses_are_addresses():
    for address in local_addresses().values():
        ipaddress.ip_address(address)
