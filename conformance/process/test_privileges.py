"""noNewPrivileges and oomScoreAdj (config.md, Linux Process)."""

import pytest

from harness import host, refused


@pytest.mark.parametrize("value, expected", [(True, 1), (False, 0), (None, 0)])
def test_no_new_privileges_is_set_when_the_configuration_says_so(runtime, bundle, value, expected):
    """config.md, Linux Process: noNewPrivileges"""
    bundle.process["noNewPrivileges"] = value
    if value is None:
        del bundle.process["noNewPrivileges"]
    report = runtime.look(bundle).report
    assert report["no_new_privs"] == expected
    assert report["securebits"] == 0


def test_the_oom_score_adjustment_is_set(runtime, bundle):
    """config.md, Linux Process: if oomScoreAdj is set, the runtime MUST set oom_score_adj to the given value"""
    bundle.process["oomScoreAdj"] = 567
    assert runtime.look(bundle).report["oom_score_adj"] == "567\n"
    bundle.process["oomScoreAdj"] = 0
    assert runtime.look(bundle).report["oom_score_adj"] == "0\n"


@pytest.mark.parametrize("value", [0, 321])
def test_without_the_property_the_adjustment_is_not_changed(runtime, bundle, value):
    """config.md, Linux Process: if not set, the runtime MUST NOT change the value"""
    runtime.wrapper = ["sh", "-c", f'echo {value} > /proc/self/oom_score_adj; exec "$@"', "sh"]
    assert runtime.look(bundle).report["oom_score_adj"] == f"{value}\n"
    container = runtime.start(bundle.probe("report", "hold"))
    assert container.wait_for("hold").report["oom_score_adj"] == f"{value}\n"


@pytest.mark.parametrize("value", [1001, -1001, "5", 1.5])
def test_a_score_that_does_not_exist_is_refused(runtime, bundle, value):
    """config.md, Valid values; proc(5): -1000 to 1000"""
    bundle.process["oomScoreAdj"] = value
    runtime.refuses(bundle, "oomScoreAdj")


def test_a_score_that_may_not_be_set_is_an_error(runtime, bundle):
    """config.md, Linux Process: MUST set; lowering it needs CAP_SYS_RESOURCE"""
    runtime.wrapper = ["sh", "-c", 'echo 100 > /proc/self/oom_score_adj; exec "$@"', "sh"]
    if host.may_grant("SYS_RESOURCE"):
        pytest.skip("the runtime has CAP_SYS_RESOURCE, nothing is denied")
    bundle.process["oomScoreAdj"] = -500
    container = runtime.try_create(bundle)
    refused(container.created if container.created.status else container.start(), names=["oomScoreAdj|oom_score_adj"])
