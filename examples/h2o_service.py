"""H2O's AutoML behind the four requests of a trainer (docs/endpoints.md): nobody outside learns what it chooses.

pip install h2o (needs Java); python examples/h2o_service.py; then, next to it:
gnomon audit examples/h2o-service.toml --to runs/h2o
With words (python examples/h2o_service.py DRF GBM) it searches among these of H2O's algorithms only.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import h2o
from h2o.automl import H2OAutoML

PORT = 8123
MODELS = 4  # that each search tries: by number, not by time
JOBS: dict[str, dict[str, Any]] = {}
ONE_AT_A_TIME = threading.Lock()  # H2O's client is no friend of threads


def frame_of(columns: list[str], rows: list[list[Any]]) -> h2o.H2OFrame:
    """Rows as a frame on H2O's server."""
    return h2o.H2OFrame(rows, column_names=columns)


def train(name: str, sent: dict[str, Any]) -> None:
    """Searches a model on the rows that were sent."""
    job = JOBS[name]
    try:
        with ONE_AT_A_TIME:
            table = frame_of(
                [*sent["columns"], "label"],
                [[*row, label] for row, label in zip(sent["rows"], sent["labels"], strict=True)],
            )
            table["label"] = table["label"].asfactor()
            search = H2OAutoML(
                max_models=MODELS,
                seed=sent["seed"],
                nfolds=3,
                include_algos=sys.argv[1:] or None,
                verbosity=None,
                project_name=f"m{name}",
            )
            search.train(y="label", training_frame=table)
            job.update(status="ready", model=search.leader, classes=[str(k) for k in sent["classes"]])
            print(name[:8], search.leader.algo, len(sent["rows"]), "rows", flush=True)
    except Exception as error:
        job.update(status="failed", message=f"{type(error).__name__}: {error}")


def predict(job: dict[str, Any], sent: dict[str, Any]) -> list[list[float]]:
    """Probabilities of the rows that were sent, in the order of the classes; 0 for one that it never saw."""
    with ONE_AT_A_TIME:
        header, *lines = job["model"].predict(frame_of(sent["columns"], sent["rows"])).as_data_frame(use_pandas=False)
    found = [dict(zip(header, line, strict=True)) for line in lines]
    names = [(name, f"p{name}") for name in job["classes"]]  # p7: a number as class
    return [[float(row.get(name, row.get(other, 0.0))) for name, other in names] for row in found]


class Requests(BaseHTTPRequestHandler):
    """The contract: begin, look, answer, remove."""

    def do_any(self) -> None:
        """One request about one model."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        _, _, name, *rest = [*self.path.split("/"), "", ""]
        job = JOBS.get(name)
        if self.command == "PUT":
            if job is None:
                job = JOBS[name] = {"status": "training"}
                threading.Thread(target=train, args=(name, json.loads(body)), daemon=True).start()
            self.reply(201, {"status": job["status"]})
        elif job is None:
            self.reply(404, {})
        elif self.command == "DELETE":
            model = JOBS.pop(name).get("model")
            if model is not None:
                with ONE_AT_A_TIME:
                    h2o.remove(model.model_id)
            self.reply(200, {})
        elif rest[0] == "predict":
            self.reply(200, {"probabilities": predict(job, json.loads(body))})
        else:
            self.reply(200, {key: job[key] for key in ("status", "message") if key in job})

    do_GET = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815 - the base class looks for these names

    def reply(self, status: int, document: dict[str, Any]) -> None:
        """Sends JSON."""
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Says nothing of single requests."""


if __name__ == "__main__":
    h2o.init(nthreads=2, max_mem_size="2G", bind_to_localhost=True)
    h2o.no_progress()
    print(f"ready at http://127.0.0.1:{PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Requests).serve_forever()
