"""The pid file: what is in it, and how it appears (the command line contract: --pid-file)."""

import os


def test_the_pid_file_holds_the_pid_and_nothing_else(runtime, bundle):
    """the command line contract: decimal digits, no line end is needed"""
    file = bundle.path / "pid"
    container = runtime.create(bundle.probe("hold"), "--pid-file", file)
    assert file.read_text().strip() == str(container.pid)
    assert file.read_text() in (str(container.pid), f"{container.pid}\n")
    assert file.stat().st_mode & 0o022 == 0


def test_the_pid_file_is_renamed_into_place(runtime, bundle):
    """the command line contract: whoever waits for the file never reads half of it"""
    file = bundle.path / "pid"
    file.write_text("old content, longer than a pid")
    with open(file) as old:
        container = runtime.create(bundle.probe("hold"), "--pid-file", file)
        assert old.read() == "old content, longer than a pid", "the old file was written over"
        assert os.fstat(old.fileno()).st_ino != file.stat().st_ino
    assert file.read_text().strip() == str(container.pid)
    assert sorted(path.name for path in bundle.path.iterdir()) == ["config.json", "pid", "rootfs"]


def test_a_relative_pid_file_lies_where_the_command_was_called(runtime, bundle):
    """the command line contract: the bundle is no reason to change directory"""
    container = runtime.create(bundle.probe("hold"), "--pid-file", "of-container", cwd=runtime.directory)
    assert (runtime.directory / "of-container").read_text().strip() == str(container.pid)


def test_run_writes_a_pid_file_too(runtime, bundle):
    """the command line contract: run --pid-file"""
    file = bundle.path / "pid"
    container = runtime.new_id()
    bundle.probe("hold").write()
    runtime.command("run", "--detach", "--bundle", bundle.path, "--pid-file", file, container).ok()
    assert file.read_text().strip() == str(runtime.command("state", container).json["pid"])


def test_a_pid_file_that_cannot_be_written_makes_create_fail(runtime, bundle):
    """runtime.md, Errors: nothing of the container is left"""
    container = runtime.try_create(bundle, "--pid-file", bundle.path / "no/such/directory/pid")
    assert container.created.status > 0
    runtime.expect_nothing(container.id)
