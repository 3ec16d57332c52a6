"""State: its fields, their values, and the document as a whole."""


def test_trial(runtime, bundle):
    seen = runtime.look(bundle, "report", ["stat", "/dev/null"])
    assert seen.report["umask"] == 0o22
    assert seen.report["pid"] == 1


def test_trial2(runtime, bundle):
    bundle.probe("report", "hold")
    c = runtime.create(bundle)
    assert c.status == "created"
    c.start().ok()
    c.wait_for("hold")
    assert c.status == "running"
    c.kill("TERM").ok()
    c.wait()
    c.delete().ok()
    runtime.expect_nothing(c.id)
