"""Did the programme work? Evaluation reports from study to page."""
__version__ = "0.1.0"
