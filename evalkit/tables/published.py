"""What others published of a programme, and what its own documents say: never beside a finding unless comparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from evalkit.claims import Claim, differences
from evalkit.display import Table, card, claimed, published_value, table
from evalkit.results import Finding
from evalkit.study import Study


def claims(published: Iterable[Claim], findings: Iterable[Finding]) -> Table:
    """Every published figure: what was counted, over which time and in which design, and why it stands apart.

    A figure may be read beside a finding only where nothing is named in the last column.
    """
    every, found = tuple(published), tuple(findings)
    if not every:
        return card("claims", "Nothing has been published of this programme that could be set beside its findings.")
    heads = ("Published", "What was counted, and when", "Design, and against what", "Source", "What sets it apart")
    rows = [
        (*(claimed(claim, words) for words in _facts(claim)), "; ".join(_apart(claim, found)) or COMPARABLE)
        for claim in every
    ]
    caption = "What has been published of this programme"
    return table("claims", caption, heads, rows, notes=list(_fairness(every)))


COMPARABLE = "nothing: it can be read beside the finding of the same outcome"


def _facts(claim: Claim) -> tuple[str, ...]:
    counted, set_against = f"{claim.counted}; {claim.window}", f"{claim.design}; set against: {claim.comparison}"
    return (published_value(claim), counted, set_against, claim.source)


def _apart(claim: Claim, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What keeps a claim from standing beside the finding that is most like it: of its outcome, else of its strand."""
    estimates = [finding for finding in findings if finding.kind in ("estimate", "not_estimable")]
    of_strand = [finding for finding in estimates if finding.strand == claim.strand]
    if claim.strand is None or not of_strand:
        return ("this report does not look at what it counts",)
    like = min(of_strand, key=lambda finding: (finding.outcome != claim.outcome, finding.planned != "primary"))
    return differences(
        claim,
        strand=like.strand or "",
        outcome=like.outcome or "",
        contrast=like.contrast or "between",
        horizon_days=like.horizon_days or 0,
    )


def _fairness(every: Sequence[Claim]) -> Iterator[Markup]:
    """Which figures tell of one group alone, and which come from a comparison and are to be read as such."""
    alone = [claim for claim in every if claim.design.startswith("one group")]
    compared = [claim for claim in every if claim.contrast in ("between", "did")]
    for chosen, words in ((alone, ALONE), (compared, COMPARED)):
        if chosen:
            values = Markup(", ").join(claimed(claim, published_value(claim)) for claim in chosen)
            yield Markup("{}: {}").format(values, words)


ALONE = (
    "of one group alone. What would have come about in any case is part of such a figure; by itself it speaks neither "
    "for nor against a programme."
)
COMPARED = (
    "set against a comparison group. That people are taken in at a bad moment does not by itself explain such a "
    "figure, as it may explain one of a single group."
)


def programme_facts(study: Study) -> Table:
    """What the programme is, who can enter, how long it is, and what its own documents say, each with its source."""
    programme = study.programme
    rows = [
        ("What it is", programme.description),
        *[("How people come in", "; ".join(map(_route, programme.entry_routes)))] * bool(programme.entry_routes),
        *((_RULES[item.rule], item.label) for item in programme.eligibility),
        *_schedule(study),
        *(("Its documents say", _fact(fact.text, fact.source)) for fact in programme.facts),
    ]
    return table("programme", "The programme", ("", ""), rows, plain=True)


def _route(route: str) -> str:
    return _ROUTES.get(route, route.replace("_", " "))


_ROUTES = {
    "rfgv": "the monthly list of scores",
    "partner_agency": "referred by a partner agency",
    "self": "of their own accord",
    "marac": "a risk assessment conference (MARAC)",
    "family_or_friend": "through family or a friend",
    "demand_data": "a list of police demand",
    "other_programme": "from another programme",
    "court": "by a court",
    "police_scene": "offered by the police at the scene",
}
_RULES = {"must": "To enter", "must_not": "Keeps out"}


def _schedule(study: Study) -> Iterator[tuple[str, str]]:
    schedule = study.programme.schedule
    if schedule is None:
        return
    portions = (
        (schedule.planned_days, "{} days planned"),
        (schedule.modules, "{} modules"),
        (schedule.group_sessions, "{} group sessions"),
        (schedule.one_to_one_sessions, "{} one-to-one sessions"),
        (schedule.most_in_a_group, "at most {} in a group"),
    )
    told = [words.format(number) for number, words in portions if number]
    yield "How long, and in what portions", "; ".join([schedule.words, *told])


def _fact(text: str, source: str) -> Markup:
    return Markup('<span data-claim="document">{}</span> ({})').format(text, source)
