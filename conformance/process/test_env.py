"""env (config.md, Process)."""

import os


def test_the_environment_is_exactly_that_of_the_configuration(runtime, bundle):
    """config.md, Process: env with the semantics of environ"""
    env = ["PATH=/bin", "HOME=/somewhere", "EMPTY=", "EQUALS=a=b=c", "SPACES= a  b ", "LINES=a\nb", "TEXT=é"]
    bundle.process["env"] = env
    report = runtime.look(bundle, env=os.environ | {"OF_THE_RUNTIME": "1"}).report
    assert [entry.encode("latin-1").decode() for entry in report["env"]] == env


def test_nothing_of_the_runtimes_environment_is_inherited(runtime, bundle):
    """config.md, Process: env; without it the environment is empty, but for a HOME that runc adds"""
    del bundle.process["env"]
    report = runtime.look(bundle, env=os.environ | {"OF_THE_RUNTIME": "1", "LANG": "C.UTF-8"}).report
    assert [entry for entry in report["env"] if not entry.startswith(("HOME=", "PATH="))] == []
