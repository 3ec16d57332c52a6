"""annotations (config.md, Annotations)."""

import pytest


@pytest.mark.parametrize("annotations", [{"": "x"}, {"key": None}, {"key": {}}, {"key": 1}, "text", []])
def test_annotations_that_are_no_map_of_strings_are_refused(runtime, bundle, annotations):
    """config.md, Annotations: MUST be a key-value map; keys MUST NOT be empty; values MUST be strings"""
    bundle.config["annotations"] = annotations
    runtime.refuses(bundle, "annotations")


def test_values_may_be_empty_and_names_may_be_anything(runtime, bundle):
    """config.md, Annotations: values MAY be an empty string"""
    bundle.config["annotations"] = {"a": "", "x y": "1", "org.opencontainers.image.stopSignal": "SIGKILL"}
    assert runtime.create(bundle).state()["annotations"] == bundle.config["annotations"]
