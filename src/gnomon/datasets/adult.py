"""Adult: does a person of the 1994 US census earn over 50,000 dollars a year? Mixed columns (Becker & Kohavi 1996)."""

from __future__ import annotations

import io

from gnomon.core.data.dataset import Dataset, make_dataset
from gnomon.core.errors import DataError, import_extra
from gnomon.datasets.fetch import RemoteFile, Source, fetch

HOME = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/"
TRAIN = RemoteFile(
    path="adult/adult.data",
    url=f"{HOME}adult.data",
    pin="sha256:5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
)
TEST = RemoteFile(
    path="adult/adult.test",
    url=f"{HOME}adult.test",
    pin="sha256:a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
)
NUMBERS = ("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week")
COLUMNS = (
    *("age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation"),
    *("relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country"),
)
CLASSES = ("<=50K", ">50K")
NOTE = 'UCI Adult (Becker & Kohavi 1996), CC BY 4.0; both parts; a missing answer is the category "?".'


def load_adult(classes: int = 2, train: RemoteFile = TRAIN, test: RemoteFile = TEST) -> Dataset:
    """48,842 persons x 14 columns (6 of whole numbers, 8 of text), 2 classes.

    Args:
        classes: 2.
        train: where ``adult.data`` comes from (the first 32,561 rows).
        test: where ``adult.test`` comes from (the other 16,281 rows).

    Returns:
        ``x`` as a pandas data frame; text columns hold objects, and "?" is a category of its own.

    Raises:
        MissingExtraError: pandas is not installed.
        DataError: a file can't be had, or is not in UCI's form.
    """
    pd = import_extra("pandas", "data", "the data set adult")
    parts = []
    for file, skip in ((train, 0), (test, 1)):  # adult.test opens with a line that is no record
        try:
            part = pd.read_csv(
                io.BytesIO(fetch(file)),
                names=[*COLUMNS, "income"],
                skiprows=skip,
                skipinitialspace=True,
                keep_default_na=False,
                dtype=dict.fromkeys(NUMBERS, "int64"),
            )
        except ValueError as error:
            raise DataError(f"{file.path}: expected UCI's table of {len(COLUMNS) + 1} columns ({error})") from error
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    income = table.pop("income").str.rstrip(".")  # the test part ends its labels with a full stop
    labels = income.map({name: k for k, name in enumerate(CLASSES[:classes])})
    if labels.isna().any():
        raise DataError(
            f"{train.path}: expected the labels {' and '.join(CLASSES)}, got {income[labels.isna()].iloc[0]}"
        )
    # Objects, not pandas' own text type, so that the fingerprint is the same for every version of pandas.
    text = {name: object for name in COLUMNS if name not in NUMBERS}
    return make_dataset(table.astype(text), labels.to_numpy("int64"), classes=CLASSES, name="adult", note=NOTE)


ADULT = Source(
    name="adult",
    title="Adult: income of persons in the 1994 US census, mixed columns (needs pandas)",
    rows=48842,
    features=14,
    classes=(2,),
    terms="CC BY 4.0 (UCI)",
    load=load_adult,
)
