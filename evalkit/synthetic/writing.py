"""Made-up extracts as files: one CSV a table as the contracts want it, and the truth beside them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import RunFailed, StudyError
from evalkit.study import OWNER_FILE

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.synthetic import MadeUp


def write(made: MadeUp, folder: Path) -> None:
    """Write `<table>.csv`, extract.yaml, truth.json and person_counterfactual.parquet, for the owner's eyes only.

    The folder is there whole or not at all. It must not exist yet, or be empty.
    """
    refuse_unusable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            _fill(draft, made)
            if folder.exists():
                folder.rmdir()
            os.replace(draft, folder)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise RunFailed(f"{folder.name} cannot be written: {reason}. Choose another folder.") from None


def refuse_unusable(folder: Path) -> None:
    """A `StudyError` where the folder cannot be written because something is there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder.name}: is there already and is not an empty folder; choose another name.")


def _fill(draft: Path, made: MadeUp) -> None:
    for table, frame in made.tables.items():
        _in_words(frame).to_csv(draft / f"{table}.csv", index=False, date_format="%Y-%m-%d", lineterminator="\n")
    (draft / "extract.yaml").write_text(f"extract_date: {made.extract_date}\n", encoding="utf-8", newline="\n")
    truth = json.dumps(made.truth, indent=1, ensure_ascii=False, allow_nan=False)
    (draft / "truth.json").write_text(truth + "\n", encoding="utf-8", newline="\n")
    _parquet(made.people_truth, draft / "person_counterfactual.parquet")
    for file in draft.iterdir():
        file.chmod(OWNER_FILE)


def _in_words(frame: pd.DataFrame) -> pd.DataFrame:
    flags = frame.select_dtypes("bool")
    return frame.assign(**{str(name): flags[name].map({True: "yes", False: "no"}) for name in flags})


def _parquet(frame: pd.DataFrame, file: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("made_up", frame)
        connection.execute(f"COPY made_up TO '{str(file).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
