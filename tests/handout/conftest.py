"""What tests here share."""

from __future__ import annotations

import pytest
from tests.handout.handouts import EXAMPLES, UK, made

from lissive.case import read_case
from lissive.case_answer import CaseAnswer, answer


@pytest.fixture(scope="session")
def uk(tmp_path_factory: pytest.TempPathFactory) -> CaseAnswer:
    return made(UK, tmp_path_factory.mktemp("uk"))


@pytest.fixture(scope="session")
def als(tmp_path_factory: pytest.TempPathFactory) -> CaseAnswer:
    return made(UK.replace("cause: multiple_sclerosis", "cause: als"), tmp_path_factory.mktemp("als"))


@pytest.fixture(scope="session")
def new_york() -> CaseAnswer:
    return answer(read_case(EXAMPLES / "ms-new-york.yaml"), subjects=20)
