"""Addresses: one form to compare them in, which texts are a FHIR base, and what lies under one."""

from __future__ import annotations

import pytest

from cds_server.limits import UnusableError
from cds_server.outgoing.base_url import is_under, normalised_base
from fhir_mappings.reading.fhir_base import comparable
from tests.support.tables import rows

# Text → the form it is compared in (– none), and whether a FHIR base may be written so.
ADDRESSES = rows(r"""
| address                         | compared as                | a base | because                                       |
| https://x/fhir                  | https://x/fhir             | yes    | it is in that form already                    |
| HTTPS://FHIR.Example.org:443/r4 | https://fhir.example.org/r4 | yes   | case and default port of https do not count   |
| http://x:80                     | http://x                   | yes    | nor does the default port of http             |
| http://x:443/fhir               | http://x:443/fhir          | yes    | of the other scheme it is a port of its own   |
| https://x:8443/fhir             | https://x:8443/fhir        | yes    | another port                                  |
| https://x//fhir///r4//          | https://x/fhir/r4          | yes    | empty segments name nothing                   |
| https://x/FHIR                  | https://x/FHIR             | yes    | the case of a path counts                     |
| http://[::1]:8080/fhir          | http://[::1]:8080/fhir     | yes    | an address of IPv6                            |
| http://[::1]:80                 | http://[::1]               | yes    | with the default port                         |
| x/fhir                          | –                          | no     | no scheme                                     |
| ftp://x/fhir                    | –                          | no     | no http                                       |
| file:///fhir                    | –                          | no     | no http, no host                              |
| urn:oid:1.2.3                   | –                          | no     | no address                                    |
| https://                        | –                          | no     | no host                                       |
| https:///fhir                   | –                          | no     | no host                                       |
| https://x/fhir?a=b              | –                          | no     | a query                                       |
| https://x/fhir#a                | –                          | no     | a fragment                                    |
| https://u:p@x/fhir              | https://u:p@x/fhir         | no     | user info: what is not called may be compared |
| https://x/a/../fhir             | https://x/a/../fhir        | no     | a path that climbs                            |
| https://x/%2e%2e/fhir           | https://x/%2e%2e/fhir      | no     | a path that may climb                         |
| https://x/fhir;a=b              | https://x/fhir;a=b         | no     | a path with parameters                        |
| https://x\@y/fhir               | https://x\@y/fhir          | no     | read as another host by some                  |
| https://x:port/fhir             | https://x:port/fhir        | no     | no port                                       |
""")


@pytest.mark.parametrize("row", ADDRESSES, ids=lambda row: row["address"])
def test_addresses_are_compared_in_one_form_and_a_base_is_kept_in_it(row: dict[str, str]) -> None:
    assert (comparable(row["address"]) or "–") == row["compared as"], row["because"]
    if row["a base"] == "yes":
        assert normalised_base(f" {row['address']} ") == row["compared as"], row["because"]
    else:
        with pytest.raises(UnusableError):
            normalised_base(row["address"])


def test_nothing_is_no_address() -> None:
    assert (comparable(None), comparable("")) == (None, None)


UNDER = rows(r"""
| address                          | under | because                          |
| https://x/fhir                   | yes   | the base itself                  |
| https://x/fhir?_getpages=1       | yes   | a page of a search of HAPI       |
| https://x/fhir/Observation?a=b   | yes   | a search                         |
| https://X:443/fhir/Observation   | yes   | written in another way           |
| https://x/fhirevil               | no    | only its name begins so          |
| https://x/fhir/../admin          | no    | it climbs                        |
| https://x/fhir/%2e%2e/admin      | no    | it climbs, in escapes            |
| https://x/fhir/..;/admin         | no    | it climbs, for some servers      |
| https://x/fhir/Observation;a=b   | no    | parameters of a path             |
| https://x:444/fhir               | no    | another port                     |
| http://x/fhir                    | no    | another scheme                   |
| https://x@y/fhir                 | no    | another host, and a user         |
| https://x\@y/fhir                | no    | another host for some            |
| https://y/fhir                   | no    | another host                     |
| file:///fhir                     | no    | no http                          |
""")


@pytest.mark.parametrize("row", UNDER, ids=lambda row: row["address"])
def test_what_lies_under_a_base(row: dict[str, str]) -> None:
    assert is_under(row["address"], "https://x/fhir") is (row["under"] == "yes"), row["because"]
