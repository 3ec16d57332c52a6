"""The documents that a runtime prints, against the schemas in conformance/schema."""

import json
from pathlib import Path

import jsonschema

HERE = Path(__file__).parent.parent / "schema"


def validate(document, name: str) -> None:
    """Fails with every fault of the document: `name` is "state" or "features"."""
    schema = json.loads((HERE / f"{name}.schema.json").read_text())
    faults = [
        f"{'.'.join(map(str, fault.absolute_path)) or 'document'}: {fault.message}"
        for fault in jsonschema.Draft7Validator(schema).iter_errors(document)]
    assert not faults, f"not a valid {name} document: {'; '.join(faults)}"
