"""What the rules in schemathesis.toml can't say: the token of another system, and what no run may do to itself."""

import json
import os
import urllib.request
import uuid

import schemathesis


@schemathesis.auth().apply_to(operation_id="reportAlert")
class AnotherSystem:
    """Reports alerts with a token that was made for it."""

    def get(self, case, context):
        request = urllib.request.Request(
            os.environ["TIRTA_URL"] + "/api/v1/intake-tokens",
            data=json.dumps({"name": f"fuzz-{uuid.uuid4().hex[:20]}"}).encode(),
            headers={"content-type": "application/json", "cookie": "tirta_session=" + os.environ["TIRTA_SESSION"]},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["token"]

    def set(self, case, data, context):
        case.headers["authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Leaves alone the account that the run is signed in with: a new role or password ends its session."""
    if "/users/{name}" in case.operation.path and (case.path_parameters or {}).get("name") == "admin":
        case.path_parameters["name"] = "nobody"
