"""A text classifier of Hugging Face's transformers from a folder: answers, labels, shadow models by fine-tuning."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gnomon
from gnomon.cli.app import run
from gnomon.core.errors import GnomonError
from gnomon.models.files import read_model
from gnomon.models.readers.model_file import Use
from gnomon.models.text_network import TextNetwork, TextTrainer

transformers = pytest.importorskip("transformers", reason="transformers (extra transformers) is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="transformers (extra transformers) is not installed")
pd = pytest.importorskip("pandas")
DOCS = Path(__file__).parents[2] / "docs"


def texts() -> Any:
    """Sentences of this project's own documents, and which document each is from."""
    rows = [
        (" ".join(part.split()), name)
        for name in ("defend", "glossary")
        for part in re.split(r"(?<=[.:])\s", (DOCS / f"{name}.md").read_text(encoding="utf-8"))
        if len(part.split()) > 5
    ]
    return pd.DataFrame(rows, columns=["text", "document"]).drop_duplicates("text").sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT of random weights, with a WordPiece tokenizer trained on the sentences."""
    folder = tmp_path_factory.mktemp("base")
    words = tokenizers.BertWordPieceTokenizer(lowercase=True)
    words.train_from_iterator(texts()["text"].tolist(), vocab_size=600)
    made = transformers.BertTokenizerFast(tokenizer_object=words._tokenizer, model_max_length=48)
    config = transformers.BertConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=48,
    )
    transformers.set_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    made.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def target(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It, fine-tuned on the first half."""
    from gnomon.models.text_network import FineTuning

    rows, folder = texts(), tmp_path_factory.mktemp("target")
    half, labels = len(rows) // 2, np.array(["defend", "glossary"])
    how = FineTuning(str(base), epochs=6, learning_rate=2e-3, batch=8, max_length=48)
    y = (rows["document"] == "glossary").to_numpy().astype(np.int64)
    [model] = TextTrainer(how).train(rows[["text"]], y, 2, [np.arange(half)], [0])
    model.network.config.id2label = dict(enumerate(labels.tolist()))
    model.network.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


def test_answers_are_those_of_the_library(target: Path) -> None:
    rows = texts()[["text"]][:12]
    read = read_model(target)
    assert read.known == ("defend", "glossary")
    model = read.model(Use(("glossary", "defend")))
    network = transformers.AutoModelForSequenceClassification.from_pretrained(target)
    words = transformers.AutoTokenizer.from_pretrained(target)
    batch = words(rows["text"].tolist(), padding=True, truncation=True, max_length=48, return_tensors="pt")
    shares = network.eval()(**batch).logits.softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(np.exp(model.log_probs(rows)), shares[:, ::-1], atol=1e-5)


def test_it_is_audited_with_shadow_models_from_the_command_line(
    target: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = texts()
    half = len(rows) // 2
    rows[:half].to_csv("in.csv", index=False)
    rows[half:].to_csv("out.csv", index=False)
    (tmp_path / "plan.toml").write_text(
        f'[data]\nmembers = "in.csv"\nnonmembers = "out.csv"\nlabel = "document"\n[target]\nmodel = "{target}"\n'
        f'[trainer]\nparams = {{ base = "{base}", epochs = 6, learning_rate = 2e-3 }}\n'
        '[shadow]\ncount = 4\n[attacks]\nnames = ["loss", "lira"]\n[preflight]\noverride = ["distribution-shift"]\n'
    )
    assert run(["audit", "plan.toml", "--workers", "1", "--to", "run"]) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    model = read_model(target).model(Use(("defend", "glossary")))
    right = model.log_probs(rows[["text"]]).argmax(axis=1) == (rows["document"] == "glossary").to_numpy()
    assert record["target"]["train_accuracy"] == pytest.approx(right[:half].mean())
    assert record["target"]["test_accuracy"] == pytest.approx(right[half:].mean())
    assert [a["status"] for a in record["attacks"]] == ["ok", "ok"]
    assert record["shadows"]["count"] == 4
    assert record["recipe"]["kind"] == "fine-tuning"


def test_the_same_seed_gives_the_same_model_and_the_base_is_part_of_the_recipe(base: Path, tmp_path: Path) -> None:
    from gnomon.models.text_network import FineTuning

    rows, y = texts()[["text"]][:16], np.arange(16) % 2
    trainer = TextTrainer(FineTuning(str(base), epochs=1))
    one, other, third = (trainer.train(rows, y, 2, [np.arange(16)], [seed])[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.log_probs(rows), other.log_probs(rows))
    assert not np.array_equal(one.log_probs(rows), third.log_probs(rows))
    (tmp_path / "moved").symlink_to(base)
    assert TextTrainer(FineTuning(str(tmp_path / "moved"), epochs=1)).recipe() == trainer.recipe()


def test_what_can_not_be_is_one_line(target: Path, tmp_path: Path) -> None:
    model = read_model(target).model(Use(("defend", "glossary")))
    assert isinstance(model, TextNetwork)
    assert model.clone_recipe() is None
    with pytest.raises(GnomonError, match='no "base", the folder of the base model'):
        model.clone_recipe({"epochs": 3})
    with pytest.raises(GnomonError, match=r'no parameter "epoch".*did you mean "epochs"'):
        model.clone_recipe({"base": "x", "epoch": 3})
    with pytest.raises(GnomonError, match="a text classifier takes one text a row"):
        model.log_probs(np.zeros((2, 3)))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(GnomonError, match="no text classifier as save_pretrained writes it"):
        read_model(tmp_path)
    with pytest.raises(GnomonError, match="no such folder of a base model"):
        gnomon.audit(
            model,
            (texts()["text"][:20].tolist(), ["defend", "glossary"] * 10),
            (texts()["text"][20:40].tolist(), ["defend", "glossary"] * 10),
            trainer={"kind": "clone", "params": {"base": "nowhere"}},
        )
