"""The data cut of a study: which extracts they are, named by their content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import RunFailed
from evalkit.store.work import owned, work_folder
from evalkit.study import Programme, Study, code_fingerprint, contracts_of, fingerprint_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCut:
    """The extracts that a study is computed from, and the contracts that they are read by.

    Attributes
    ----------
    folder : Path
        Where the extracts lie; of made-up data, where they are written when they are first needed.
    fingerprint : str
        SHA-256, in hex, over the files and their contracts; of made-up data, over all that they are made from.
    """

    folder: Path
    fingerprint: str


def cut_of(study: Study) -> DataCut:
    """The data cut of a study."""
    if study.made_up is None:
        from evalkit.store.intake import inputs_fingerprint

        folder = study.root / str(study.data)
        return DataCut(folder=folder, fingerprint=inputs_fingerprint(folder, study.root / "data_contracts"))
    maker = [study.made_up.model_dump(mode="json"), _made_for(study).model_dump(mode="json"), code_fingerprint()]
    name = fingerprint_of([*maker, contracts_of(study.root, study.programme)])
    return DataCut(folder=work_folder(study.root) / "made_up" / name[:32], fingerprint=name)


def admitted(study: Study) -> Path:
    """The store of a study's data cut: made up and admitted first where these very extracts have not been.

    Raises `ContractBroken` where the extracts do not keep their contracts.
    """
    from evalkit.store.intake import admit

    cut = cut_of(study)
    file = owned(work_folder(study.root) / "stores") / f"{cut.fingerprint[:32]}.duckdb"
    if not file.is_file():
        _make_up(study, cut)
        admit(cut.folder, file, contracts_folder=study.root / "data_contracts")
        if cut_of(study).fingerprint != cut.fingerprint:
            file.unlink()
            raise RunFailed("an extract was changed while it was being admitted. Run again.")
    return file


def _make_up(study: Study, cut: DataCut) -> None:
    if study.made_up is None or cut.folder.is_dir():
        return
    from evalkit import synthetic

    owned(cut.folder.parent)
    spec = _made_for(study).recorded.rfgv
    synthetic.write(synthetic.generate(study.made_up, spec, study.root), cut.folder)


def _made_for(study: Study) -> Programme:
    """The programme that the data are made up for, by whose score, criteria and reporters they come about."""
    slug = study.made_up.programme if study.made_up else ""
    return study.programme if study.programme.slug == slug else Programme.read(slug, study.root)
