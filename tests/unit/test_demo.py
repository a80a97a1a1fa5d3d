"""The demo: a taken port is no error."""

from __future__ import annotations

import socket

from example_patients.programs.demo import HOST, free_port


def test_a_port_that_is_taken_is_no_error() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        assert free_port(wanted) not in (0, wanted)
