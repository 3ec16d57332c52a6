"""A directory tree of the host with a mount in it."""

import pytest

from harness import host


class Tree:
    """`path` holds a file and `sub`, which is a mount of its own."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        (path / "file").write_text("of the tree")
        (path / "sub").mkdir()

    def mount_sub(self, options="rw"):
        host.command("mount", "-t", "tmpfs", "-o", options, "sub", self.path / "sub")
        return self

    def on_a_mount_of_its_own(self, propagation="private", options=""):
        """Makes the top a mount point too, so that it can have flags and peers."""
        host.command("mount", "--bind", self.path, self.path)
        if options:
            host.command("mount", "-o", f"remount,bind,{options}", self.path)
        host.command("mount", f"--make-{propagation}", self.path)
        return self


@pytest.fixture
def tree(runtime):
    made = Tree(runtime.directory / "tree")
    yield made
    host.unmount_below(made.path)
