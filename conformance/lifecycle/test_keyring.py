"""The session keyring of the container (the command line contract: --no-new-keyring)."""


def test_the_container_has_a_session_keyring_of_its_own(runtime, bundle):
    """keys of the caller must not be readable in the container"""
    id = runtime.new_id()
    bundle.write()
    report = runtime.command("run", "--bundle", bundle.path, id).ok().seen.report
    assert report["keyring"].endswith((f";_ses.{id}", f";{id}", ";_ses")), report["keyring"]


def test_no_new_keyring_keeps_that_of_the_caller(runtime, bundle):
    """the command line contract: --no-new-keyring"""
    bundle.write()
    id = runtime.new_id()
    report = runtime.command("run", "--no-new-keyring", "--bundle", bundle.path, id).ok().seen.report
    assert id not in report["keyring"]
