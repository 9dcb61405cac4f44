"""The report of a campaign: one object for programs, one page for people."""

import statistics
from collections import Counter
from typing import Any

from tests.chaos.campaign import ALONE, MOST_IN_A_ROW, Campaign, Plan
from tests.chaos.faults import FAULTS


def as_object(found: Campaign) -> dict[str, Any]:
    """Everything that the campaign found."""
    return {
        "passed": found.passed,
        "seed": found.plan.seed,
        "engine": found.plan.engine,
        "naive": found.plan.naive,
        "versions": found.versions,
        "kills": found.kills,
        "faults": dict(Counter(one.kind for one in found.happened)),
        "in_order": [
            {"fault": one.kind, "what": one.what, "recovery": None if one.recovery is None else round(one.recovery, 1)}
            for one in found.happened
        ],
        "not_reached": found.missed,
        "inputs": found.inputs,
        "effects": found.effects,
        "dead_letters": found.letters,
        "published": found.published,
        "store_lines": found.dump_lines,
        "lost": len(found.verdict.lost),
        "doubled": len(found.verdict.doubled),
        "different": len(found.verdict.different),
        "first_findings": [*found.verdict.lost[:20], *found.verdict.doubled[:20], *found.verdict.different[:20]],
        "delivered": {topic: {"messages": n, "different": d} for topic, (n, d) in found.deliveries.items()},
        "recovery_seconds": {
            kind: {"n": len(times), "median": round(statistics.median(times), 1), "max": round(max(times), 1)}
            for kind, times in _recoveries(found).items()
        },
        "unasked_ends": found.unasked,
        "hung": found.hung,
        "not_settled": found.not_settled,
        "seconds": {name: round(seconds) for name, seconds in found.seconds.items()},
    }


def as_page(found: Campaign) -> str:
    """The same for people."""
    verdict = found.verdict
    outcome = "passed" if found.passed else "FAILED"
    command = f"make chaos KILLS={found.plan.kills} SEED={found.plan.seed}{_further(found.plan)}"
    lines = [
        f"# Chaos campaign: {outcome}",
        "",
        f"`{command}`: {found.kills} kills and {len(found.happened) - found.kills} other faults in"
        f" {found.seconds.get('campaign', 0) / 60:.0f} minutes, engine {found.plan.engine}.",
        "",
        f"**Lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, different from the run without faults"
        f" {len(verdict.different)}.**",
        "",
        f"{found.inputs} messages in; {found.effects} events with an effect, {found.letters} dead letters,"
        f" {found.published} recommendation events, {found.dump_lines} lines of `pgx store dump` compared.",
        "",
        "| fault | what happens | times | recovery alone: median | longest |",
        "|---|---|---:|---:|---:|",
    ]
    times = Counter(one.kind for one in found.happened)
    recoveries = _recoveries(found)
    for fault in FAULTS:
        if times[fault.name]:
            alone = recoveries.get(fault.name, [])
            figures = f"{statistics.median(alone):.1f} s | {max(alone):.1f} s" if alone else "only in a row |"
            lines.append(f"| {fault.name} | {fault.meaning} | {times[fault.name]} | {figures} |")
    lines += [
        "",
        "Recovery: from the end of the fault until everything published before and after it had come out at the end of"
        " the pipeline, restarts of processes included. Faults in a row are not timed.",
        "",
        "| topic | messages | different ones |",
        "|---|---:|---:|",
        *(f"| `{topic}` | {n} | {different} |" for topic, (n, different) in found.deliveries.items()),
        "",
        "What was delivered again had no second effect.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {version} |" for name, version in found.versions.items()),
        "",
    ]
    if found.unasked:
        lines += [f"Services that ended by themselves and came back: {', '.join(found.unasked)}.", ""]
    if found.hung or found.not_settled:
        lines += [f"Hung: {', '.join(found.hung) or 'none'}. {found.not_settled or ''}", ""]
    findings = [*verdict.lost, *verdict.doubled, *verdict.different]
    lines += [f"- {one}" for one in findings[:50]]
    return "\n".join(lines).rstrip() + "\n"


def _further(plan: Plan) -> str:
    """What else was asked for, as it is given to make."""
    minutes = "" if plan.minutes is None else f" MINUTES={plan.minutes:g}"
    asked = {
        "--engine": None if plan.engine == "faust" else plan.engine,
        "--inputs": plan.inputs,
        "--in-a-row": None if plan.in_a_row == MOST_IN_A_ROW else plan.in_a_row,
        "--alone": None if plan.alone == ALONE else plan.alone,
    }
    words = [f"{name} {value}" for name, value in asked.items() if value is not None]
    words += [name for name, given in (("--linked", plan.linked), ("--naive", plan.naive)) if given]
    words += [f"--only {name}" for name in plan.only]
    return minutes + (f" CHAOS_ARGS='{' '.join(words)}'" if words else "")


def _recoveries(found: Campaign) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    for one in found.happened:
        if one.recovery is not None:
            times.setdefault(one.kind, []).append(one.recovery)
    return dict(sorted(times.items()))
