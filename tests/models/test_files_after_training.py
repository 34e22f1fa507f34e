"""Files of unknown origin are read in a process whose libraries have started threads, which a copy of it has not."""

from importlib import import_module

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from gnomon.engines import trial
from gnomon.models.files import read_model
from gnomon.models.readers.model_file import Use

X = np.random.default_rng(0).normal(size=(1200, 20)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
THREADS = 2


def _lightgbm(threads):
    library = pytest.importorskip("lightgbm", reason="needs LightGBM (extra boosting)")
    params = {"objective": "binary", "verbosity": -1, "num_threads": threads}
    made = library.train(params, library.Dataset(X, Y), 2)
    return lambda place: made.save_model(place.with_suffix(".txt"))


def _xgboost(threads):
    library = pytest.importorskip("xgboost", reason="needs XGBoost (extra boosting)")
    params = {"objective": "binary:logistic", "nthread": threads}
    made = library.train(params, library.DMatrix(X, Y, nthread=threads), 2)
    return lambda place: made.save_model(place.with_suffix(".json"))


def _catboost(threads):
    library = pytest.importorskip("catboost", reason="needs CatBoost (extra catboost)")
    made = library.CatBoostClassifier(iterations=2, verbose=0, allow_writing_files=False, thread_count=threads)
    made.fit(X, Y)
    return lambda place: made.save_model(str(place.with_suffix(".cbm")))


def _scikit_learn(threads):
    with threadpool_limits(threads):
        made = HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    return lambda place: skops.io.dump(made, place.with_suffix(".skops"))


def _torch(threads):
    torch = pytest.importorskip("torch", reason="needs torch (extra torch)")
    layer, before = torch.nn.Linear(20, 2), torch.get_num_threads()
    torch.set_num_threads(threads)
    for _ in range(2):
        torch.nn.functional.cross_entropy(layer(torch.tensor(X)), torch.tensor(Y)).backward()
    torch.set_num_threads(before)
    return lambda place: torch.save(torch.nn.Sequential(layer).state_dict(), place.with_suffix(".pt"))


def _onnx(threads):
    skl2onnx, library = pytest.importorskip("skl2onnx", reason="needs skl2onnx"), import_module("onnxruntime")
    made = skl2onnx.to_onnx(LogisticRegression().fit(X, Y), X[:1], options={"zipmap": False}).SerializeToString()
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    library.InferenceSession(made, options, providers=["CPUExecutionProvider"]).run(None, {"X": X})
    return lambda place: place.with_suffix(".onnx").write_bytes(made)


LIBRARIES = {
    "lightgbm": _lightgbm, "xgboost": _xgboost, "catboost": _catboost, "scikit-learn": _scikit_learn,
    "torch": _torch, "onnx": _onnx,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """All libraries that are there have trained on several threads in this process, one after the other, each twice."""
    writers = {}
    for name, train in LIBRARIES.items():
        try:
            writers[name] = train(THREADS)
        except pytest.skip.Exception as error:
            writers[name] = error
    for name, writer in writers.items():
        if not isinstance(writer, pytest.skip.Exception):
            LIBRARIES[name](THREADS)  # each has met the threads of the others
    yield writers
    if not isinstance(writers["lightgbm"], pytest.skip.Exception):
        _lightgbm(1)  # it keeps the number of threads for all that follows


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_file_is_read_where_its_library_and_all_others_have_started_threads(library, trained, tmp_path, monkeypatch):
    if isinstance(trained[library], pytest.skip.Exception):
        pytest.skip(str(trained[library]))
    monkeypatch.setattr("gnomon.models.files.TRIAL_SECONDS", 10.0)  # of the processor; what waits takes none
    monkeypatch.setattr(trial, "_try_in_new_process", None)  # which takes seconds: none is needed
    trained[library](tmp_path / "m")
    [place] = tmp_path.iterdir()
    recipe = None
    if library == "torch":
        recipe = import_module("gnomon.models.torch").TorchTrainer(hidden=(), device="cpu")
    model = read_model(place).model(Use(("0", "1"), x=X, recipe=recipe))
    assert (model.log_probs(X).argmax(axis=1) == Y).mean() > (0.0 if library == "torch" else 0.6)
