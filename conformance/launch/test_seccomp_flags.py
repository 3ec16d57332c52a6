"""-s and -S."""

import platform

import pytest


def test_the_minimal_list_is_enough_for_a_shell(launch):
    """-s: busybox sh, pipes, substitutions, loops, background jobs, redirections"""
    script = """
        x=$(echo a | cat) && for i in 1 2 3; do x=$x$i; done && echo $x >/tmp/f && cat </tmp/f && ls / >/dev/null
        sleep 0.01 & wait $! && (cd /tmp && pwd) && test -e /tmp/f && exec env -i sh -c 'echo end; exit 12'"""
    result = launch("-s", command=["/bin/sh", "-c", script])
    assert (result.status, result.stdout, result.stderr) == (12, "a123\n/tmp\nend\n", "")


def test_the_filter_is_in_force(launch):
    """-s: deny all but the list"""
    assert launch("-s", command=["sh", "-c", "busybox mkdir /tmp/d"]).status != 0
    report = launch("-s", command=["sh", "-c", "busybox grep Seccomp: /proc/self/status"]).ok().stdout
    assert report.split() == ["Seccomp:", "2"]
    assert launch.shell("busybox grep Seccomp: /proc/self/status").split() == ["Seccomp:", "0"]


def test_what_is_listed_is_allowed_too(launch):
    """-S, which means -s; names"""
    assert launch("-S", "mkdir,mkdirat", command=["sh", "-c", "busybox mkdir /tmp/d && test -d /tmp/d"]).ok()
    assert launch("-S", "mkdir,mkdirat", command=["sh", "-c", "busybox rmdir /tmp/d"]).status != 0
    assert launch("-S", "mkdir,mkdirat", "-S", "rmdir,unlinkat", command=["sh", "-c", "busybox rmdir /tmp/d"]).ok()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86-64")
def test_numbers_are_those_of_the_machine(launch):
    """-S 83: mkdir on x86-64"""
    launch("-S", "83", command=["sh", "-c", "busybox mkdir /tmp/n"]).ok()
    assert launch("-S", "84", command=["sh", "-c", "busybox mkdir /tmp/m"]).status != 0


def test_what_is_denied_answers_eperm(launch):
    """the default action"""
    words = ["/bin/probe", "syscall", "socket", "1", "1", "0"]
    assert launch("-s", command=words).seen.error("syscall") == "EPERM"
    assert launch("-S", "socket", command=words).seen.error("syscall") is None


def test_a_program_that_cannot_be_executed_is_told_also_under_the_filter(launch, bundle):
    """-s and a broken program: one line, though sending is denied"""
    (bundle.rootfs / "bin/junk").write_text("\x01junk")
    (bundle.rootfs / "bin/junk").chmod(0o755)
    result = launch("-s", command=["/bin/junk"])
    assert result.status == 1
    assert result.stderr.count("\n") == 1 and "/bin/junk" in result.stderr and "exec format error" in result.stderr
