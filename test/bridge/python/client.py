"""A plain grpcio client of snakepit.bridge.BridgeService, made of the contract alone: client.py ADDRESS

Runs every check below and prints one line of JSON for each.
"""

import concurrent.futures
import json
import pickle
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "gen"))

import grpc  # noqa: E402
from google.protobuf import any_pb2  # noqa: E402
from snakepit.bridge import bridge_pb2 as pb  # noqa: E402

SERVICE = "snakepit.bridge.BridgeService"
URL = "type.googleapis.com/snakepit."
BARE = "type.googleapis.com/google.protobuf.StringValue"
METHODS = {method.name: method for method in pb.DESCRIPTOR.services_by_name["BridgeService"].methods}
STREAMS = {"WatchVariables", "ExecuteStreamingTool"}
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def message(descriptor):
    return getattr(pb, descriptor.name)


class Client:
    """Every RPC as a method of its name, with its fields as arguments."""

    def __init__(self, channel):
        for name, method in METHODS.items():
            make = channel.unary_stream if name in STREAMS else channel.unary_unary
            stub = make(
                f"/{SERVICE}/{name}",
                request_serializer=message(method.input_type).SerializeToString,
                response_deserializer=message(method.output_type).FromString,
            )
            setattr(self, name, self.caller(stub, message(method.input_type)))

    @staticmethod
    def caller(stub, request):
        return lambda **fields: stub(request(**fields), timeout=20)


def typed(kind, value):
    return any_pb2.Any(type_url=URL + kind, value=json.dumps(value).encode())


def bare(value):
    return any_pb2.Any(type_url=BARE, value=json.dumps(value).encode())


def value_of(variable):
    return json.loads(variable.value.value)


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def refused(call, code, text):
    try:
        call()
    except grpc.RpcError as error:
        equal(error.code(), code)
        assert text in error.details(), error.details()
        return
    raise AssertionError("the call was not refused")


class Session:
    """A session and what is done in it."""

    def __init__(self, client, name):
        self.client = client
        self.id = name
        client.InitializeSession(session_id=name)

    def __getattr__(self, rpc):
        call = getattr(self.client, rpc)
        return lambda **fields: call(session_id=self.id, **fields)

    def register(self, name, kind, value, constraints=None, **fields):
        text = "" if constraints is None else json.dumps(constraints)
        answer = self.RegisterVariable(
            name=name, type=kind, initial_value=typed(kind, value), constraints_json=text, **fields
        )
        assert answer.success, answer.error_message
        return answer.variable_id

    def read(self, identifier):
        return self.GetVariable(variable_identifier=identifier).variable

    def set(self, identifier, kind, value, **fields):
        return self.SetVariable(variable_identifier=identifier, value=typed(kind, value), **fields)


@check
def sessions(client, session):
    answer = client.Ping(message="hello")
    equal(answer.message, "pong: hello")
    assert abs(answer.server_time.seconds - time.time()) < 60
    refused(
        lambda: client.InitializeSession(session_id=session.id),
        grpc.StatusCode.ALREADY_EXISTS,
        f"Session already exists: {session.id}",
    )
    session.register("x", "integer", 1)
    told = session.GetSession()
    equal((told.session_id, told.variable_count), (session.id, 1))
    assert abs(told.created_at.seconds - time.time()) < 60
    equal(session.Heartbeat().session_valid, True)
    equal(client.Heartbeat(session_id="nobody").session_valid, False)
    refused(lambda: client.GetSession(session_id="nobody"), grpc.StatusCode.NOT_FOUND, "Session not found: nobody")
    equal(client.CleanupSession(session_id="nobody", force=True).success, True)


@check
def life_of_variables(client, session):
    session.register("count", "integer", 42, {"min": 0, "max": 100})
    session.register("rate", "float", 3.14, {"min": 0, "max": 10})
    session.register("word", "string", "hello", {"pattern": "^[a-z]+$"})
    session.register("flag", "boolean", True)
    variables = session.ListVariables(pattern="*").variables
    equal([(v.name, v.type, value_of(v)) for v in variables], [
        ("count", "integer", 42), ("rate", "float", 3.14), ("word", "string", "hello"), ("flag", "boolean", True)])
    for name, kind, value in (("count", "integer", 50), ("rate", "float", 2.71), ("word", "string", "world")):
        equal(session.set(name, kind, value).new_version, 1)
    refused(lambda: session.set("count", "integer", 150), grpc.StatusCode.INVALID_ARGUMENT, "above maximum")
    refused(lambda: session.set("rate", "float", -1.0), grpc.StatusCode.INVALID_ARGUMENT, "below minimum")
    refused(lambda: session.set("word", "string", "CAPS"), grpc.StatusCode.INVALID_ARGUMENT, "must match pattern")
    refused(lambda: session.set("count", "string", "no"), grpc.StatusCode.INVALID_ARGUMENT, "must be an integer")
    batch = session.SetVariables(updates={"count": typed("integer", 75), "flag": typed("boolean", False)})
    equal((batch.success, dict(batch.errors), dict(batch.new_versions)), (True, {}, {"count": 2, "flag": 1}))
    equal(session.DeleteVariable(variable_identifier="flag").success, True)
    refused(lambda: session.read("flag"), grpc.StatusCode.NOT_FOUND, "Variable not found: flag")
    equal(session.CleanupSession().success, True)


@check
def words_of_variables(client, session):
    fields = {"metadata": {"source": "python", "description": "how warm"}}
    name = session.register("temp", "float", 42, {"min": 0}, **fields)
    assert name.startswith("var_temp_")
    variable = session.read(name)
    equal(variable, session.read("temp"))
    equal((variable.version, variable.source, variable.optimization_status.optimizing), (0, pb.Variable.PYTHON, False))
    equal(json.loads(variable.constraints_json), {"min": 0})
    equal(dict(variable.metadata), {"source": "python", "description": "how warm", "created_by": "session_store"})
    session.set("temp", "float", 1, metadata={"reason": "test"})
    after = session.read("temp")
    equal((after.metadata["reason"], after.metadata["source"], after.source), ("test", "elixir", pb.Variable.ELIXIR))
    assert "updated_at" in after.metadata


@check
def values_of_every_type(client, session):
    values = [
        ("integer", 0), ("integer", 2147483647), ("integer", 2**100), ("integer", -(2**53) - 1),
        ("float", 0.0), ("float", -0.0), ("float", 1e-07), ("float", 1.7976931348623157e308), ("float", 3.0),
        ("string", ""), ("string", "Hello, 世界 🎈"), ("string", "x" * 1000),
        ("boolean", True), ("choice", "option_a"), ("module", "ChainOfThought"),
        ("embedding", [0.1, 0.2, 0.3]), ("embedding", []),
        ("tensor", {"shape": [2, 3], "data": [1.5, 2, 3, 4, 5, 6]}),
        ("tensor", {"shape": [2, 2], "data": [[1.0, 2.0], [3.0, 4.0]], "dtype": "float32"}),
        ("map", {"a": [1, None]}), ("list", [1, "b"]),
    ]
    for at, (kind, value) in enumerate(values):
        session.register(f"v{at}", kind, value)
        variable = session.read(f"v{at}")
        equal((variable.type, variable.value.type_url), (kind, URL + kind))
        back = value_of(variable)
        equal((back, str(back) if isinstance(value, float) else ""), (value, str(value) if isinstance(value, float) else ""))
        equal(type(back), type(value))
    for text in ("NaN", "Infinity", "-Infinity"):
        session.register(f"f{text}", "float", text)
        equal(value_of(session.read(f"f{text}")), text)
    session.RegisterVariable(name="bare", type="embedding", initial_value=typed("embedding", [1.0, float("nan")]))
    equal(value_of(session.read("bare")), [1.0, "NaN"])
    old = any_pb2.Any(type_url="dspex.variables/float", value=b"2.5")
    session.RegisterVariable(name="old", type="float", initial_value=old)
    equal(value_of(session.read("old")), 2.5)


@check
def pickles_come_back_untouched(client, session):
    numbers = [0.5] * 1500
    header = {"shape": [1500], "dtype": "float32", "binary_format": "pickle", "type": "embedding"}
    value = any_pb2.Any(type_url=URL + "embedding.binary", value=json.dumps(header).encode())
    payload = pickle.dumps(numbers)
    session.RegisterVariable(name="e", type="embedding", initial_value=value, initial_binary_value=payload)
    variable = session.read("e")
    equal((variable.type, variable.value, variable.binary_value), ("embedding", value, payload))
    equal(pickle.loads(variable.binary_value), numbers)
    session.SetVariables(updates={"e": value}, binary_updates={"e": payload[:5]}, atomic=True)
    equal(session.read("e").binary_value, payload[:5])
    session.set("e", "embedding", [1.0])
    equal((value_of(session.read("e")), session.read("e").binary_value), ([1.0], b""))


@check
def batches(client, session):
    for name in ("a", "b", "c"):
        session.register(name, "integer", 0, {"max": 10})
    found = session.GetVariables(variable_identifiers=["a", "y", "c", "x"])
    equal((sorted(found.variables), list(found.missing_variables)), (["a", "c"], ["y", "x"]))
    mixed = {"a": typed("integer", 1), "b": typed("integer", 2), "c": typed("integer", 11)}
    loose = session.SetVariables(updates=mixed)
    equal((loose.success, list(loose.errors), dict(loose.new_versions)), (True, ["c"], {"a": 1, "b": 1}))
    assert "above maximum" in loose.errors["c"]
    strict = session.SetVariables(updates=mixed, atomic=True)
    equal((strict.success, list(strict.errors), dict(strict.new_versions)), (False, ["c"], {}))
    equal(session.read("a").version, 1)


@check
def errors_are_told_apart(client, session):
    code = grpc.StatusCode
    bad = lambda **fields: lambda: session.RegisterVariable(name="x", **fields)  # noqa: E731
    refused(bad(type="uuid", initial_value=typed("uuid", 1)), code.INVALID_ARGUMENT, "Unknown type: uuid")
    refused(bad(type="integer"), code.INVALID_ARGUMENT, "missing")
    one = typed("integer", 1)
    refused(bad(type="integer", initial_value=one, constraints_json="{"), code.INVALID_ARGUMENT, "Invalid constraints")
    session.register("x", "integer", 1)
    refused(bad(type="integer", initial_value=one), code.ALREADY_EXISTS, "x")
    refused(lambda: session.set("x", "integer", 2, expected_version=7), code.ABORTED, "version")
    refused(lambda: session.set("y", "integer", 2), code.NOT_FOUND, "Variable not found: y")
    equal(value_of(session.read("x")), 1)


@check
def many_threads_share_a_channel(client, session):
    session.register("x", "integer", 0)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        versions = sorted(pool.map(lambda at: session.set("x", "integer", at).new_version, range(50)))
        reads = set(pool.map(lambda _: value_of(session.read("x")), range(100)))
    equal((versions, len(reads)), (list(range(1, 51)), 1))


@check
def optimization(client, session):
    session.register("x", "integer", 0)
    started = session.StartOptimization(variable_identifier="x", optimizer_id="adam")
    status = session.read("x").optimization_status
    equal((started.success, status.optimizing, status.optimizer_id), (True, True, "adam"))
    locked = "variable_locked_for_optimization"
    refused(lambda: session.set("x", "integer", 1), grpc.StatusCode.FAILED_PRECONDITION, locked)
    session.set("x", "integer", 2, metadata={"optimization_id": started.optimization_id})
    stopped = session.StopOptimization(variable_identifier="x")
    equal((stopped.success, json.loads(stopped.final_value.value)), (True, 2))
    equal(session.set("x", "integer", 3).new_version, 2)


@check
def history_and_rollback(client, session):
    session.register("x", "integer", 10)
    session.set("x", "integer", 20, metadata={"source": "python"})
    entries = session.GetVariableHistory(variable_identifier="x").entries
    equal([(e.version, json.loads(e.value.value), e.changed_by) for e in entries], [(0, 10, "elixir"), (1, 20, "python")])
    answer = session.RollbackVariable(variable_identifier="x", target_version=0)
    equal((answer.success, value_of(answer.variable), answer.variable.version), (True, 10, 2))


@check
def dependencies(client, session):
    for name in ("a", "b", "y"):
        session.register(name, "float", 1)
    add = lambda a, b: session.AddDependency(from_variable=a, to_variable=b, dependency_type="sum")  # noqa: E731
    equal([add("a", "y").success, add("b", "y").success], [True, True])
    cycle = add("y", "a")
    equal((cycle.success, cycle.error_message.startswith("cycle: a -> y -> a")), (False, True))
    session.set("a", "float", 5)
    until = time.monotonic() + 10
    while value_of(session.read("y")) != 6:
        assert time.monotonic() < until, "the sum was not computed again"


@check
def watching(client, session):
    session.register("x", "integer", 0)
    session.register("other", "integer", 0)
    call = session.WatchVariables(variable_identifiers=["x"], include_initial_values=True)
    seen = []
    for update in call:
        if update.update_type == "initial_end":
            for value in range(1, 6):
                session.set("other", "integer", value)
                session.set("x", "integer", value, metadata={"source": "python", "step": str(value)})
        if not update.HasField("variable"):
            continue
        seen.append((update.update_type, update.variable.name, value_of(update.variable), update.variable.version))
        if value_of(update.variable) == 5:
            equal((update.update_source, update.update_metadata["step"]), ("python", "5"))
            break
    call.cancel()
    changes = [("value_change", "x", value, value) for value in range(1, 6)]
    equal(seen, [("initial_value", "x", 0, 0), *changes])
    lost = lambda: next(iter(client.WatchVariables(session_id="nobody", variable_identifiers=["x"])))  # noqa: E731
    refused(lost, grpc.StatusCode.NOT_FOUND, "Session not found: nobody")


@check
def host_tools(client, session):
    tools = {tool.name: tool for tool in session.GetExposedElixirTools().tools}
    equal(sorted(tools), ["count", "greet"])
    equal([(p.name, p.type, p.required) for p in tools["greet"].parameters], [("who", "string", True)])
    answer = session.ExecuteElixirTool(tool_name="greet", parameters={"who": bare("you")})
    equal((answer.success, json.loads(answer.result.value)), (True, "hello you"))
    failed = session.ExecuteTool(tool_name="none")
    equal((failed.success, failed.error_message), (False, f"Tool none not found for session {session.id}"))
    chunks = list(session.ExecuteStreamingTool(tool_name="count", parameters={"to": typed("integer", 2)}))
    equal([(c.chunk_id, c.data, c.is_final) for c in chunks],
          [("count-1", b"1", False), ("count-2", b"2", False), ("count-3", b"", True)])


@check
def tools_of_a_worker(client, session):
    def execute(request, _context):
        total = sum(json.loads(one.value) for one in request.parameters.values())
        return pb.ExecuteToolResponse(success=True, result=typed("integer", total))

    handler = grpc.unary_unary_rpc_method_handler(
        execute,
        request_deserializer=pb.ExecuteToolRequest.FromString,
        response_serializer=pb.ExecuteToolResponse.SerializeToString,
    )
    worker = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    worker.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"ExecuteTool": handler}),))
    port = worker.add_insecure_port("127.0.0.1:0")
    worker.start()
    try:
        tools = [pb.ToolRegistration(name="add")]
        registered = session.RegisterTools(tools=tools, worker_id=f"127.0.0.1:{port}")
        equal(dict(registered.tool_ids), {"add": f"{session.id}:add"})
        answer = session.ExecuteTool(tool_name="add", parameters={"a": typed("integer", 3), "b": typed("integer", 4)})
        equal((answer.success, json.loads(answer.result.value), answer.metadata["tool_type"]), (True, 7, "remote"))
    finally:
        worker.stop(None)


def run(client, function):
    try:
        function(client, Session(client, f"python-{function.__name__}"))
        return None
    except Exception:  # every failure is told, not only assertions
        return traceback.format_exc()


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        client = Client(channel)
        for function in CHECKS:
            print(json.dumps({"check": function.__name__, "error": run(client, function)}), flush=True)


if __name__ == "__main__":
    main()
