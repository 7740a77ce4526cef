"""Feeds every body that a document accepts to the clients that other tools generate from the document.

Reads what to do from the file in the first argument, and prints the problems as JSON. The clients are in the folder of
this file. Each body goes the whole way that a response goes in the client; only the connection is replaced.
"""

import importlib
import inspect
import io
import json
import pathlib
import pkgutil
import sys
import typing

import httpx
import urllib3

FOLDER = pathlib.Path(__file__).parent
HEADERS = {"content-type": "application/json"}


def attrs_parser(part):
    """Parses with a client of openapi-python-client."""
    package = part["package"]
    api = importlib.import_module(f"{package}.api")
    names = [module.name for module in pkgutil.walk_packages(api.__path__, f"{api.__name__}.")]
    (name,) = [name for name in names if name.rsplit(".", 1)[-1] == part["operation"]]
    operation = importlib.import_module(name)
    client = importlib.import_module(f"{package}.client").Client(
        base_url="http://127.0.0.1", raise_on_unexpected_status=True
    )

    def parse(status, text):
        response = httpx.Response(status, headers=HEADERS, content=text)
        return operation._parse_response(client=client, response=response)

    return parse


def pydantic_parser(part):
    """Parses with a client of openapi-generator."""
    package = part["package"]
    sys.path.insert(0, str(FOLDER / f"{package}_project"))
    api = importlib.import_module(f"{package}.api")
    root = importlib.import_module(package)
    (owner,) = [item for item in vars(api).values() if inspect.isclass(item) and hasattr(item, part["operation"])]
    client = root.ApiClient(root.Configuration(host="http://127.0.0.1"))
    method = getattr(owner(client), f"{part['operation']}_with_http_info")
    arguments = dict(part["arguments"])
    for name, kind in typing.get_type_hints(method).items():
        if inspect.isclass(kind) and hasattr(kind, "from_dict"):
            arguments[name] = kind.from_dict(part["request"])

    def parse(status, text):
        def request(*_, **__):
            response = urllib3.HTTPResponse(
                body=io.BytesIO(text), headers=HEADERS, status=status, preload_content=False
            )
            return importlib.import_module(f"{package}.rest").RESTResponse(response)

        client.rest_client.request = request
        try:
            return method(**arguments).data
        except root.ApiException as error:
            # How this client returns a response that is not a success.
            return error.data

    return parse


def without_nulls(value):
    """The value without members that are null: a client may write one that was absent."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(element) for element in value]
    return value


def problem(parse, body):
    """What is wrong with the result for one body, if anything is."""
    try:
        result = parse(body["status"], json.dumps(body["value"]).encode())
    except Exception as error:  # Whatever a client raises is a problem.
        return f"{type(error).__name__}: {error}"
    result = getattr(result, "actual_instance", result)
    if not body["is_described"]:
        return None
    if not hasattr(result, "to_dict"):
        return f"the body has no type and remains {result!r}"
    if without_nulls(result.to_dict()) != without_nulls(body["value"]):
        return f"the body became {result.to_dict()!r}"
    return None


def main():
    sys.path.insert(0, str(FOLDER))
    parsers = {"attrs": attrs_parser, "pydantic": pydantic_parser}
    names = {"attrs": "openapi-python-client", "pydantic": "openapi-generator"}
    found = []
    for part in json.loads(pathlib.Path(sys.argv[1]).read_text()):
        name = names[part["kind"]]

        def report(text):
            found.append({"file": part["file"], "text": f"{name}: {part['operation']}: {text}"})

        try:
            parse = parsers[part["kind"]](part)
        except Exception as error:
            report(f"cannot use the client: {type(error).__name__}: {error}")
            continue
        for body in part["bodies"]:
            text = problem(parse, body)
            if text is not None:
                report(f"{body['label']} with status {body['status']}: {json.dumps(body['value'])}: {text}")
    print(json.dumps(found))


main()
