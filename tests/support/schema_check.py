"""Holds YAML documents against a JSON Schema: schema_check.py SCHEMA.json FILE...

Prints a line for each document that the schema refuses, FILE: PATH: why, and exits with 1 when there
is one. Scalars are read as YAML 1.2 reads them (its core schema), which is what YAML language servers
do: no dates, no yes and no, and 1e9 is a number.
"""

import json
import re
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2."""


Loader.yaml_implicit_resolvers = {}
INT = r"[-+]?[0-9]+"
FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
for tag, pattern in [
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", INT),
    ("float", FLOAT),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), None)
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value, 10))
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))


def main(schema_path, *paths):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    refused = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = yaml.load(file, Loader)
        for error in validator.iter_errors(document):
            best = jsonschema.exceptions.best_match([error])
            where = ".".join(str(step) for step in best.absolute_path)
            print(f"{path}: {where}: {best.message[:200]}")
            refused += 1
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
