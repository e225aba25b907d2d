"""The door of the store: a folder of extracts is checked against its contracts, and admitted or refused.

    found = check(folder, contracts_folder=contracts)      what is wrong, in words, without a value
    write_faults_csv(found, file)                          the same with row and value, for the secure folder
    admit(folder, store_file, contracts_folder=contracts)  the same, and then one DuckDB file

This version reads CSV.
"""

from evalkit.store.intake.admission import admit
from evalkit.store.intake.examination import Examination, Examined, Fault, check
from evalkit.store.intake.faultlist import write_faults_csv, write_faults_html
from evalkit.store.intake.folder import extract_date_of, inputs_fingerprint

__all__ = [
    "Examination", "Examined", "Fault", "admit", "check", "extract_date_of", "inputs_fingerprint", "write_faults_csv",
    "write_faults_html",
]  # fmt: skip
