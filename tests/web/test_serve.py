"""The command, as far as it goes before it serves."""

from __future__ import annotations

import socket

import pytest

from lissive.cli.main import main


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--calculator", "--public-url", "calculator.example.org"], "is no address of a site"),
        (["--calculator", "--public-url", "https://a.org/b?c=1"], "is no address of a site"),
        (["--calculator", "--port", "0"], "--port"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_served(capsys, words, said):
    assert main(["serve", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--calculator", "--port", str(taken.getsockname()[1])]) == 2
    assert "The port cannot be used" in capsys.readouterr().err
