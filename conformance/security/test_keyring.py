"""The session keyring of a container is new: nobody can have prepared it under its name (keyctl(2))."""

JOIN, SET_PERMISSION, GET = 1, 5, 0
EVERYTHING = hex(0x3F3F3F3F)


def test_a_keyring_that_another_container_made_is_not_joined(runtime, make_bundle):
    """root of another container knows the id; it makes keyrings of the names that runtimes give, and opens them to all"""
    id = runtime.unique()
    prepared = []
    for name in (f"_ses.{id}", id):
        attack = runtime.start(make_bundle().probe(
            ["syscall", "keyctl", JOIN, f"@{name}"], ["syscall", "keyctl", SET_PERMISSION, "-3", EVERYTHING], "hold"))
        prepared.append(attack.wait_for("hold")("syscall")["result"])
    bundle = make_bundle().probe(["syscall", "keyctl", GET, "-3", "0"])
    container = runtime.create(bundle, id=id)
    container.start().ok()
    container.wait()
    assert container.seen("syscall")["result"] not in prepared, "the keyring is another container's"
