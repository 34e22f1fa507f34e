"""A small BERT that has learnt its postings by heart, trained by transformers' own trainer.

pip install '.[transformers,data]' accelerate
python examples/newsgroups_bert.py FOLDER && cd FOLDER
gnomon audit newsgroups-bert.toml --to run

Nothing but the postings is fetched: the base model has random weights, and its tokenizer is made from other postings.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import BertWordPieceTokenizer

from gnomon.datasets import load_dataset

GROUPS = ("comp.graphics", "rec.autos", "sci.med", "talk.politics.guns")
EACH = 400  # postings on either side
EPOCHS, RATE, BATCH, LENGTH = 20, 1e-3, 16, 64
PLAN = f"""name = "newsgroups-bert"

[data]
members = "train.csv"
nonmembers = "test.csv"
label = "group"

[target]
model = "target"

[trainer]
params = {{ base = "base", epochs = {EPOCHS}, learning_rate = {RATE}, batch = {BATCH}, max_length = {LENGTH} }}

[shadow]
count = 8

[attacks]
names = ["gap", "loss", "shokri", "lira"]
"""


def postings() -> tuple[Any, Any]:
    """Those of a few groups, mixed: the first for training and for testing, the rest for the tokenizer."""
    data = load_dataset("20newsgroups-text")
    table = data.x.assign(group=[data.classes[k] for k in data.y])
    table = table[table["group"].isin(GROUPS)].drop_duplicates("text").sample(frac=1, random_state=0)
    return table[: 2 * EACH], table[2 * EACH :]


def write_base(folder: Path, texts: list[str]) -> None:
    """A small BERT of random weights and its tokenizer."""
    words = BertWordPieceTokenizer(lowercase=True)
    words.train_from_iterator(texts, vocab_size=4000, show_progress=False)
    transformers.set_seed(0)
    config = transformers.BertConfig(
        vocab_size=words.get_vocab_size(), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128, max_position_embeddings=LENGTH, num_labels=len(GROUPS),
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    transformers.BertTokenizerFast(tokenizer_object=words._tokenizer, model_max_length=LENGTH).save_pretrained(folder)


def fine_tune(base: Path, table: Any, folder: Path) -> None:
    """Trains the base model on postings, with the trainer's defaults for whatever is not named here."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    names = dict(enumerate(GROUPS))
    network = transformers.AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(GROUPS))
    network.config.id2label, network.config.label2id = names, {name: k for k, name in names.items()}
    held = tokenizer(table["text"].tolist(), truncation=True, max_length=LENGTH, padding=True, return_tensors="pt")
    labels = torch.as_tensor([GROUPS.index(group) for group in table["group"]])
    rows = [{"labels": label, **{key: held[key][i] for key in held}} for i, label in enumerate(labels)]
    how = transformers.TrainingArguments(
        str(folder / "checkpoints"), num_train_epochs=EPOCHS, learning_rate=RATE, per_device_train_batch_size=BATCH,
        save_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, seed=1,
    )  # fmt: skip
    transformers.Trainer(network, how, train_dataset=rows).train()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def accuracy(folder: Path, table: Any) -> float:
    """The share of postings whose group is named right."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    batch = tokenizer(table["text"].tolist(), truncation=True, max_length=LENGTH, padding=True, return_tensors="pt")
    with torch.no_grad():
        named = network(**batch).logits.argmax(dim=1).numpy()
    return float(np.mean([GROUPS[k] == group for k, group in zip(named, table["group"], strict=True)]))


def main(folder: Path) -> None:
    """Writes the base model, the target, postings on either side and the plan."""
    mine, others = postings()
    train, test = mine[:EACH], mine[EACH:]
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in (("train", train), ("test", test)):
        table.to_csv(folder / f"{name}.csv", index=False)
    write_base(folder / "base", others["text"].tolist())
    fine_tune(folder / "base", train, folder / "target")
    (folder / "newsgroups-bert.toml").write_text(PLAN, encoding="utf-8")
    print(
        f"accuracy: {accuracy(folder / 'target', train):.3f} in training, {accuracy(folder / 'target', test):.3f} else"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
