"""Claims of the notebooks: silent where they hold, a sentence for who changed a parameter, an error in the tests."""

import re

import numpy as np
import pytest

from mpas_lite.course import claim
from tests.helpers import ROOT


def test_a_claim_that_holds_says_nothing(capsys):
    claim("All of it holds.", True, np.bool_(True), np.array([1]).any())
    assert capsys.readouterr().out == ""


def test_a_claim_that_does_not_hold_is_said_and_the_notebook_goes_on(capsys, monkeypatch):
    monkeypatch.delenv("MPAS_LITE_CLAIMS", raising=False)
    claim("Two is more than three.", True, 2 > 3)
    assert capsys.readouterr().out == "With these values it does not hold: Two is more than three.\n"


def test_in_tests_and_builds_it_is_an_error():
    with pytest.raises(AssertionError, match=r"does not hold: Two is more than three\."):
        claim("Two is more than three.", 2 > 3)


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/[0-9]*.py")), ids=lambda path: path.stem)
def test_notebooks_claim_in_sentences_and_never_stop(path):
    source = path.read_text(encoding="utf-8")
    assert not re.findall(r"^ *assert .*", source, re.MULTILINE), "say it with claim(sentence, condition)"
    sentences = re.findall(r'\bclaim\(\s*"([^"]+)",', source)
    assert len(sentences) == len(re.findall(r"\bclaim\(", source))
    assert sentences
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z0-9$].*\.", sentence, re.DOTALL), sentence
