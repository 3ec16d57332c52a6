"""Bundles from container images: image-spec 1.1, image-layout.md, layer.md, conversion.md."""

import bz2
import gzip
import json
import lzma
import os
import subprocess
import tarfile

import pytest

from harness.errors import refused
from archives import samples as a

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001:Bob:/home/bob:/bin/sh\n"
GROUP = b"root:x:0:\nbobs:x:1001:\nextra:x:1002:alice,bob\n"


@pytest.fixture
def layout(work):
    return a.Layout(work / "layout")


def base(*members):
    return a.tar(a.directory("etc"), a.member("etc/passwd", data=PASSWD), a.member("etc/group", data=GROUP), *members)


def config(made) -> dict:
    return json.loads((made.path / "config.json").read_text())


def names(path) -> list[str]:
    return sorted(os.listdir(path))


@pytest.fixture(params=["oci", "oci-archive", "docker-archive", "docker-archive.gz", "skopeo"])
def image(request, work, layout):
    """The same image of two layers in each form."""
    layers = [base(a.member("lower", data=b"1"), a.member("gone")),
              a.tar(a.member(".wh.gone"), a.member("upper", data=b"2"))]
    settings = {"Entrypoint": ["/entry"], "Cmd": ["with", "words"], "Env": ["A=b"], "WorkingDir": "/srv/here"}
    if request.param.startswith("docker"):
        path = a.docker_archive(work / "image.tar", layers, settings)
        if request.param.endswith("gz"):
            subprocess.run(["gzip", path], check=True)
            return work / "image.tar.gz"
        return path
    layout.write(layout.image(*layers, config=settings))
    if request.param == "oci":
        return layout.path
    archive = layout.archive(work / "image.tar")
    return f"oci-archive:{archive}" if request.param == "skopeo" else archive


def test_an_image_is_unpacked_and_configured(make, image):
    """conversion.md: Entrypoint and Cmd, Env, WorkingDir"""
    made = make(image)
    made.result.ok()
    assert names(made.rootfs) == ["etc", "lower", "srv", "upper"]
    process = config(made)["process"]
    assert process["args"] == ["/entry", "with", "words"] and process["cwd"] == "/srv/here"
    assert "A=b" in process["env"] and any(entry.startswith("PATH=") for entry in process["env"])
    assert (made.rootfs / "srv/here").is_dir()
    assert made.peak < 64 << 20


def test_the_container_of_an_image_runs(make, layout, runtime):
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        layer = base(a.member("bin/busybox", data=file.read(), mode=0o755))
    layout.write(layout.image(layer, config={
        "Entrypoint": ["/bin/busybox"], "Cmd": ["id"], "User": "bob", "WorkingDir": "/home/bob"}))
    made = make(layout.path)
    made.result.ok()
    result = runtime.command("run", "--bundle", made.path, runtime.new_id())
    assert "uid=1000(bob) gid=1001(bobs)" in result.ok().stdout


@pytest.mark.parametrize("text, uid, gid, more", [
    ("", 0, 0, []), ("bob", 1000, 1001, [1002]), ("1000", 1000, 1001, [1002]), ("bob:extra", 1000, 1002, []),
    ("77", 77, 0, []), ("77:88", 77, 88, []), ("1000:extra", 1000, 1002, []), ("root", 0, 0, [])])
def test_users_are_looked_up_in_the_image(make, layout, text, uid, gid, more):
    """config.md, User"""
    layout.write(layout.image(base(), config={"User": text}))
    made = make(layout.path)
    made.result.ok()
    user = config(made)["process"]["user"]
    assert (user["uid"], user["gid"], user.get("additionalGids", [])) == (uid, gid, more)


def test_a_user_that_the_image_does_not_have_is_refused(make, layout):
    layout.write(layout.image(base(), config={"User": "nobody-here"}))
    refused(make(layout.path).result, names=["nobody-here", "/etc/passwd"])


def test_labels_and_properties_become_annotations(make, layout):
    """conversion.md: a label goes before what is concluded"""
    layout.write(layout.image(base(), config={
        "Labels": {"k": "v", "org.opencontainers.image.stopSignal": "SIGHUP"}, "StopSignal": "SIGINT",
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}}}))
    made = make(layout.path)
    found = config(made)["annotations"]
    assert found["k"] == "v" and found["org.opencontainers.image.stopSignal"] == "SIGHUP"
    assert found["org.opencontainers.image.exposedPorts"] == "53/udp,80/tcp"
    assert found["org.opencontainers.image.os"] == "linux"
    assert found["org.opencontainers.image.architecture"] == "amd64"


def test_volumes_are_directories_of_the_bundle(make, layout, runtime):
    """conversion.md, Config.Volumes: with what the image has there; what is written to them is not in the root filesystem"""
    with open(os.environ["CONFORMANCE_BUSYBOX"], "rb") as file:
        busybox = a.member("bin/busybox", data=file.read(), mode=0o755)
    layout.write(layout.image(
        base(busybox, a.directory("data", mode=0o750, uid=7, gid=8), a.member("data/there", data=b"of the image", uid=7)),
        config={"Volumes": {"/var/new/": {}, "/data": {}, "/data/inner": {}},
                "Cmd": ["/bin/busybox", "sh", "-c", "cat /data/there; echo x > /data/written; echo y > /var/new/file"]}))
    made = make(layout.path)
    made.result.ok()
    mounts = {mount["destination"]: mount for mount in config(made)["mounts"] if mount["type"] == "bind"}
    assert sorted(mounts) == ["/data", "/data/inner", "/var/new"]
    data = made.path / mounts["/data"]["source"]
    assert (data.stat().st_mode & 0o7777, data.stat().st_uid, data.stat().st_gid) == (0o750, 7, 8)
    document = config(made)
    document["process"]["terminal"] = False
    document["process"]["capabilities"]["effective"] = document["process"]["capabilities"]["bounding"]
    (made.path / "config.json").write_text(json.dumps(document))
    assert runtime.command("run", "--bundle", made.path, runtime.unique()).ok().stdout == "of the image"
    assert (data / "written").read_text() == "x\n" and not (made.rootfs / "data/written").exists()
    assert (made.path / mounts["/var/new"]["source"] / "file").read_text() == "y\n"


@pytest.mark.parametrize("path", ["/", "relative", "/../../escaped", "/a/../../b", ""])
def test_a_volume_that_is_no_place_in_the_image_is_refused(make, layout, path):
    layout.write(layout.image(base(), config={"Volumes": {path: {}}}))
    made = make(layout.path)
    assert made.result.status == 1 and "is no place in it" in made.result.stderr


def test_a_volume_through_a_link_stays_in_the_image(make, layout):
    layout.write(layout.image(base(a.member("data", type=tarfile.SYMTYPE, linkname="../../../../etc")), config={"Volumes": {"/data": {}}}))
    made = make(layout.path)
    made.result.ok()
    (mount,) = [mount for mount in config(made)["mounts"] if mount["type"] == "bind"]
    assert names(made.path / mount["source"]) == ["group", "passwd"], "those of the image"


def test_init_goes_before_the_image(make, layout):
    layout.write(layout.image(base(), config={"Entrypoint": ["/entry"]}))
    made = make(layout.path, "--init", "/bin/other word", "--hostname", "name")
    assert config(made)["process"]["args"] == ["/bin/other", "word"] and config(made)["hostname"] == "name"


# Layers


def test_whiteouts_hide_what_is_below(make, layout):
    """layer.md, Whiteouts"""
    layout.write(layout.image(
        base(a.directory("d"), a.member("d/x"), a.directory("d/sub"), a.member("d/sub/y"), a.member("f"), a.symlink("l", "d")),
        a.tar(a.member(".wh.f"), a.member("d/.wh.sub"), a.member(".wh.l"), a.member(".wh.never-was"))))
    made = make(layout.path)
    made.result.ok()
    assert names(made.rootfs) == ["d", "etc"] and names(made.rootfs / "d") == ["x"]


@pytest.mark.parametrize("order", ["before", "after", "between"])
def test_an_opaque_directory_hides_only_what_is_below(make, layout, order):
    """layer.md, Opaque Whiteout: in whichever order the layer lists them"""
    opaque = a.member("d/.wh..wh..opq")
    new = [a.directory("d"), a.member("d/new"), a.directory("d/sub"), a.member("d/sub/new")]
    layer = {"before": [opaque, *new], "after": [*new, opaque], "between": [*new[:2], opaque, *new[2:]]}[order]
    layout.write(layout.image(
        base(a.directory("d"), a.member("d/old"), a.directory("d/sub"), a.member("d/sub/old")), a.tar(*layer)))
    made = make(layout.path)
    made.result.ok()
    assert names(made.rootfs / "d") == ["new", "sub"] and names(made.rootfs / "d/sub") == ["new"]


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_whiteout_does_not_hide_what_its_own_layer_has(make, layout, order):
    """layer.md: whiteouts apply to lower layers"""
    new, whiteout = a.member("f", data=b"new"), a.member(".wh.f")
    layer = [whiteout, new] if order == "before" else [new, whiteout]
    layout.write(layout.image(base(a.member("f", data=b"old")), a.tar(*layer)))
    made = make(layout.path)
    made.result.ok()
    assert (made.rootfs / "f").read_text() == "new"


def test_hard_links_reach_into_lower_layers(make, layout):
    layout.write(layout.image(base(a.member("a", data=b"1")), a.tar(a.hard_link("b", "a"))))
    made = make(layout.path)
    made.result.ok()
    assert (made.rootfs / "b").samefile(made.rootfs / "a")


def test_a_file_that_is_replaced_does_not_change_its_other_names(make, layout):
    layout.write(layout.image(base(a.member("a", data=b"1"), a.hard_link("b", "a")), a.tar(a.member("a", data=b"2"))))
    made = make(layout.path)
    assert (made.rootfs / "a").read_text() == "2" and (made.rootfs / "b").read_text() == "1"


def test_files_change_their_kind(make, layout):
    """layer.md, Change Types"""
    layout.write(layout.image(
        base(a.directory("a"), a.member("a/x"), a.member("b"), a.symlink("c", "a")),
        a.tar(a.member("a", data=b"file"), a.directory("b"), a.member("b/y"), a.directory("c"))))
    made = make(layout.path)
    made.result.ok()
    assert (made.rootfs / "a").read_text() == "file" and names(made.rootfs / "b") == ["y"]
    assert (made.rootfs / "c").is_dir() and not (made.rootfs / "c").is_symlink()


def test_a_directory_that_is_listed_again_is_described_anew(make, layout):
    layout.write(layout.image(
        base(a.directory("d", mode=0o700, uid=5, mtime=50), a.member("d/x")),
        a.tar(a.directory("d", mode=0o1777, uid=6, mtime=60), a.member("d/y"))))
    made = make(layout.path)
    status = (made.rootfs / "d").stat()
    assert (status.st_mode & 0o7777, status.st_uid, status.st_mtime) == (0o1777, 6, 60)
    assert names(made.rootfs / "d") == ["x", "y"]


def test_times_of_directories_are_those_of_the_archive(make, layout):
    layout.write(layout.image(base(a.directory("d", mtime=70), a.member("d/x", mtime=80)), a.tar(a.member("e"))))
    made = make(layout.path)
    assert (made.rootfs / "d").stat().st_mtime == 70 and (made.rootfs / "d/x").stat().st_mtime == 80


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-c"], input=data, check=True, capture_output=True).stdout


COMPRESS = {"none": bytes, "gzip": gzip.compress, "zstd": zstd, "xz": lzma.compress, "bzip2": bz2.compress}


@pytest.mark.parametrize("kind", COMPRESS)
@pytest.mark.parametrize("form", ["oci", "docker-archive"])
def test_layers_may_be_compressed(make, work, layout, form, kind):
    """layer.md, "+gzip", "+zstd"; archives hold what `docker load` takes"""
    layer = base(a.member("f", data=b"x" * 300_000))
    if form == "oci":
        suffix = "" if kind == "none" else f"+{kind}"
        image = layout.write(layout.image(layout.layer(layer, COMPRESS[kind], suffix)))
    else:
        image = a.docker_archive(work / "image.tar", [layer], compress=COMPRESS[kind])
    made = make(image)
    made.result.ok()
    assert (made.rootfs / "f").read_bytes() == b"x" * 300_000
    assert made.peak < 64 << 20


@pytest.mark.parametrize("kind", list(COMPRESS)[1:])
def test_archives_of_images_may_be_compressed(make, work, kind):
    path = a.docker_archive(work / "plain.tar", [base(a.member("f", data=b"content"))])
    path.write_bytes(COMPRESS[kind](path.read_bytes()))
    made = make(path)
    made.result.ok()
    assert (made.rootfs / "f").read_bytes() == b"content"


@pytest.mark.parametrize("kind", COMPRESS)
def test_what_a_layer_unpacks_to_is_verified(make, work, kind):
    """config.md, rootfs.diff_ids"""
    layer = base(a.member("f", data=b"content"))
    path = a.docker_archive(work / "image.tar", [layer], compress=lambda data: COMPRESS[kind](data.replace(b"content", b"changed")))
    refused(make(path).result, names=["layer 1 of 1", "not the one of the configuration"])


@pytest.mark.parametrize("type, word", [
    ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "not distributed"),
    ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "not distributed"),
    ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"),
    ("application/vnd.wasm.content.layer.v1+wasm", "no layer of files")])
def test_other_layers_are_refused_by_name(make, layout, type, word):
    layer, diff_id = layout.layer(base())
    layout.write(layout.image((layer | {"mediaType": type}, diff_id)))
    refused(make(layout.path).result, names=[type, word])


# Which image


def test_the_platform_of_the_machine_is_chosen(make, layout):
    """image-index.md"""
    images = [layout.image(base(a.member(f"is-{os.path.basename(p)}")), platform=p)
              for p in ("linux/arm64", "linux/amd64", "linux/s390x")]
    layout.write(layout.index(*images))
    made = make(layout.path)
    made.result.ok()
    assert "is-amd64" in names(made.rootfs)
    made = make(layout.path, "--platform", "linux/s390x", name="other")
    assert "is-s390x" in names(made.rootfs)


def test_indexes_may_be_in_indexes(make, layout):
    inner = layout.index(layout.image(base(a.member("found")), platform="linux/amd64"))
    layout.write(layout.index(layout.index(inner)) | {"annotations": {"org.opencontainers.image.ref.name": "n"}})
    made = make(f"oci:{layout.path}:n")
    made.result.ok()
    assert "found" in names(made.rootfs)


def test_variants_are_chosen(make, layout):
    layout.write(*[layout.image(base(a.member(v)), platform=f"linux/arm/{v}") for v in ("v5", "v6", "v7")])
    made = make(layout.path, "--platform", "linux/arm/v6")
    made.result.ok()
    assert "v6" in names(made.rootfs)
    made = make(layout.path, "--platform", "linux/arm", name="any")
    assert "v7" in names(made.rootfs)


def test_a_platform_that_is_not_there_is_told_with_those_that_are(make, layout):
    layout.write(layout.image(base(), platform="linux/arm64"), layout.image(base(), platform="linux/s390x"))
    refused(make(layout.path).result, names=["linux/amd64", "linux/arm64", "linux/s390x"])


def test_an_image_is_chosen_by_name(make, layout):
    layout.write(layout.image(base(a.member("one")), name="1.0"), layout.image(base(a.member("two")), name="2.0"))
    refused(make(layout.path).result, names=["2 images", "1.0", "2.0", "--ref"])
    made = make(layout.path, "--ref", "2.0")
    made.result.ok()
    assert "two" in names(made.rootfs)
    refused(make(layout.path, "--ref", "3.0", name="none").result, names=["3.0", "1.0, 2.0"])


def test_the_layout_is_printed(runtime, layout):
    layout.write(layout.image(base(), name="1.0", platform="linux/amd64"))
    result = runtime.command("bundle", "--layout", layout.path)
    assert "1.0  linux/amd64  1 layers" in result.ok().stdout


def test_archives_of_docker_save_of_all_ages_are_read(make, work):
    """Layers that are there once, and links to them"""
    layer = base(a.member("f"))
    config_text = json.dumps({"os": "linux", "architecture": "amd64", "config": {},
                              "rootfs": {"type": "layers", "diff_ids": [a.digest(layer)] * 2}}).encode()
    name = a.digest(config_text)[7:] + ".json"
    one, two = "1" * 64, "2" * 64
    manifest = [{"Config": name, "RepoTags": None, "Layers": [f"{one}/layer.tar", f"{two}/layer.tar"]}]
    (work / "a.tar").write_bytes(a.tar(
        a.directory(one), a.member(f"{one}/VERSION", data=b"1.0"), a.member(f"{one}/layer.tar", data=layer),
        a.directory(two), a.symlink(f"{two}/layer.tar", f"../{one}/layer.tar"), a.member(name, data=config_text),
        a.member("manifest.json", data=json.dumps(manifest).encode()), format=tarfile.USTAR_FORMAT))
    made = make(work / "a.tar")
    made.result.ok()
    assert "f" in names(made.rootfs)


def test_skopeo_fetches_what_other_transports_have(make, layout, work):
    layout.write(layout.image(base(a.member("fetched")), name="t"))
    subprocess.run(["skopeo", "copy", "-q", f"oci:{layout.path}:t", f"dir:{work}/dir"], check=True)
    made = make(f"dir:{work}/dir")
    made.result.ok()
    assert "fetched" in names(made.rootfs)


def test_an_error_of_skopeo_is_told_on_one_line(make, work):
    refused(make(f"dir:{work}/nothing").result, names=["skopeo", "nothing"])


def test_skopeo_is_named_when_it_is_missing(make, work):
    refused(make(f"dir:{work}/nothing", env={**os.environ, "PATH": str(work)}).result, names=["skopeo", "Debian"])
