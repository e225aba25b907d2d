"""The pieces of work of a run, each a plain function of a small description that any process can be given."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.errors import NotComparable, NotReleasable, RunFailed
from evalkit.results import Finding, Result, decoded, encoded
from evalkit.store import Store, in_words, read_json, shelf, write_json, write_whole
from evalkit.study import Study

if TYPE_CHECKING:
    from nbformat import NotebookNode

RESULTS = "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One page to be made: a notebook for a study.

    Attributes
    ----------
    study_file : Path
        The resolved study, in the work folder.
    notebook : Path
        The report notebook.
    executed : Path
        Where the executed notebook is kept, in the work folder.
    page : Path
        Where the page is left once it is whole, in the work folder.
    """

    study_file: Path
    notebook: Path
    executed: Path
    page: Path


def admit(study: Study) -> tuple[str, ...]:
    """Admit the extracts of a study's data cut, once for all studies on it; in words, which rows were set aside."""
    return Store.open(study).set_aside


def compute(study: Study) -> None:
    """Compute everything that the plan asks of one study, and keep it in the work folder."""
    from evalkit import cohort, expectation, matching, outcomes, sensitivity

    store = Store.open(study)
    people = cohort.build(store, study)
    compared = matching.match(people, study)
    found = [
        *outcomes.estimate(compared, store, study),
        *expectation.expected(compared, store, study),
        *sensitivity.checks(compared, store, study),
    ]
    settled = (*people.flow, *compared.balance, *compared.gates, *compared.overlap)
    write_json(shelf(study) / RESULTS, encoded((*settled, *found)))


def parts_of(study: Study) -> tuple[tuple[Study, tuple[Finding, ...]], ...]:
    """What may be shown of each study that a study of the whole programme speaks of, computed first where it was not.

    In the order of its periods, all areas first; of a study of one period and area, that study alone. Nothing of a part
    whose people cannot be set beside each other.
    """
    from evalkit.disclosure import release

    found = []
    for part in study.parts:
        try:
            if not (shelf(part) / RESULTS).is_file():
                compute(part)
            found.append((part, release(results_of(part), part)))
        except NotComparable:
            if not study.periods:
                raise
            found.append((part, ()))
    return tuple(found)


def findings_of(study: Study) -> tuple[Finding, ...]:
    """Everything released for a study; for one of the whole programme, the primary outcomes of its parts."""
    if not study.periods:
        return parts_of(study)[0][1]
    return tuple(finding for _, found in parts_of(study) for finding in found if finding.planned == "primary")


def results_of(study: Study) -> tuple[Result, ...]:
    """What was computed for a study."""
    kept = read_json(shelf(study) / RESULTS)
    if kept is None:
        raise RunFailed(
            "the data, the contracts or evalkit itself were changed while the run was under way. Run again."
        )
    results: tuple[Result, ...] = decoded(kept)
    return results


def show(unit: Unit) -> None:
    """Run a report notebook and leave its page, if everything on it was released and nothing is missing."""
    from evalkit import export

    study = Study.read(unit.study_file)
    if study.profile == "public":
        export.refuse_logic(unit.notebook)
    notebook = _executed(unit, study)
    absent = export.missing(notebook)
    if absent:
        raise RunFailed(f"{unit.notebook.name}: does not show what it says it shows: {', '.join(absent)}.")
    page = export.page(notebook)
    _refuse_words_of_nobody(page, study)
    problems = export.lint(page)
    if problems:
        raise NotReleasable(f"{unit.notebook.name}: the page may not be shown: {' '.join(problems)}")
    with in_words("the work folder"):
        write_whole(unit.page, page)


def _executed(unit: Unit, study: Study) -> NotebookNode:
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        with in_words("the work folder"):
            os.close(os.open(unit.executed, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            return papermill.execute_notebook(
                str(unit.notebook),
                str(unit.executed),
                parameters={"study_file": str(unit.study_file)},
                kernel_name="python3",
                cwd=str(study.root),
                progress_bar=False,
                log_output=False,
            )
    except PapermillExecutionError as error:
        raise _in_words(unit, error) from None
    except DeadKernelError:
        why = "its kernel died: it was stopped from within, or the machine ran out of memory"
        raise RunFailed(f"{unit.notebook.name}: {why}.") from None


def _in_words(unit: Unit, error: Any) -> Exception:
    """What went wrong in a notebook. The words of an error of evalkit's own name nobody; any other's might."""
    import evalkit.errors

    kind = getattr(evalkit.errors, error.ename, None)
    cell = f"{unit.notebook.name}, code cell {error.exec_count}"
    if isinstance(kind, type) and issubclass(kind, evalkit.errors.Refusal):
        return kind(f"{cell}: {error.evalue}")
    return RunFailed(
        f"{cell}: stopped with {error.ename}. What it said may name a person and is kept in the work folder."
    )


def _refuse_words_of_nobody(page: str, study: Study) -> None:
    """Every sentence that is marked as generated must be one that was released for this study."""
    from bs4 import BeautifulSoup

    said = set(_words_of(study))
    shown = [span.get_text() for span in BeautifulSoup(page, "html.parser").select("[data-finding]")]
    strange = [words for words in shown if words not in said]
    if strange:
        raise NotReleasable(f"{len(strange)} sentences are marked as findings but were not released for this study.")


def _words_of(study: Study) -> Iterable[str]:
    for _, findings in parts_of(study):
        for finding in findings:
            yield from (finding.sentence, finding.grade_sentence, *finding.can_say, *finding.cannot_say)
