"""Says whether a script's output through a gateway is what it was straight against the API server.

All must be equal, but for one thing: where the gateway itself refuses, it ends the API server's sentence with `: ` and
what decided, and kubectl prints that. So a refusal by the gateway must be the same sentence and must have such an end.
"""
import difflib
import re

import pytest

# The Forbidden sentence as the API server writes it, at a line's end: nothing decided but that no rule allows it.
SENTENCE = re.compile(r"\bforbidden: User \"[^\"]*\" cannot \w+ (path|resource) .*[\"e]$")


def expected_line(direct, judged_here):
    """A pattern for the line that the gateway's user must see where the API server's user sees `direct`."""
    if judged_here and SENTENCE.search(direct):
        return re.escape(direct) + r": \S.*"
    if judged_here and direct == "no":  # kubectl auth can-i
        return r"no( - \S.*)?"
    return re.escape(direct)


def check_text(name, direct, other, judged_here):
    want, got = direct.split("\n"), other.split("\n")
    if len(got) != len(want) or not all(re.fullmatch(expected_line(w, judged_here), g) for w, g in zip(want, got)):
        diff = difflib.unified_diff(want, got, "straight", "through the gateway", lineterm="")
        pytest.fail("%s differs\n%s" % (name, "\n".join(diff)), pytrace=False)


def check_same(direct, other, judged_here):
    """judged_here: the gateway's own RBAC decides, so each refusal is the gateway's."""
    if other.status != direct.status:
        pytest.fail("exit status %d, straight %d\n%s\n%s" % (other.status, direct.status, other.stdout, other.stderr),
                    pytrace=False)
    check_text("stdout", direct.stdout, other.stdout, judged_here)
    check_text("stderr", direct.stderr, other.stderr, judged_here)
