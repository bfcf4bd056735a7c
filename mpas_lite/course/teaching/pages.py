"""The lecturer's pages that are made from the notes: a page for each notebook, and the tables of the plan.

``python -m mpas_lite.course.teaching.pages`` writes them into ``docs/teaching``; a test holds them to the notes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from mpas_lite.course.checks.exercises import exercise
from mpas_lite.course.minutes import Pace, Section, sections, total
from mpas_lite.course.notebooks import notebook_paths
from mpas_lite.course.notes.reading import Notes, read_notes, read_toml
from mpas_lite.files.atomic import atomic_write

LETTERS = "abcd"
_MADE = "<!-- From here on made by `python -m mpas_lite.course.teaching.pages`. -->\n"


def notebook_page(path: Path) -> str:
    """The page of a notebook for lecturers, in Markdown: objectives, minutes, discussion, misconceptions, quiz."""
    notes = read_notes(path.name[:2])
    notebook = json.loads(path.read_text(encoding="utf-8"))
    way, bonus = total(notebook)
    rows = [f"| {part.title} | {_or_dash(part.minutes)} | {_or_dash(part.bonus)} |" for part in sections(notebook)]
    return "\n".join(
        [
            f"# {path.stem[:2]} {path.stem[3:].replace('_', ' ').capitalize()}\n",
            f"[The notebook](../../notebooks/{path.name})\n",
            "## Objectives\n\nAfterwards students can\n",
            *(f"- {one}{'.' if one == notes.objectives[-1] else ';'}" for one in notes.objectives),
            f"\n## Minutes\n\nOf a student alone, exercises included: {way:.0f}, and {bonus:.0f} for what is bonus.\n",
            "| section | minutes | bonus |\n|:--|--:|--:|",
            *rows,
            "\n## To talk about\n",
            *(f"**{one.asked}**\n\n{one.answer}\n" for one in notes.discussion),
            "## What students believe\n\nSeen in wrong answers to exercises; in italics what the check says to them.\n",
            *(f"- {one.exercise}: {one.belief} *{one.says}* — {one.reply}" for one in notes.misconceptions),
            "\n## Quiz\n\nThe right answer is in bold. Beside each wrong one stands why it tempts.\n",
            *_quiz(notes),
        ]
    )


def _quiz(notes: Notes) -> list[str]:
    """The ten questions; the place of the right answer changes from one to the next, and is always the same."""
    lines = []
    for number, one in enumerate(notes.quiz, start=1):
        answers = [f"{wrong} — *{reason}*" for wrong, reason in one.distractors]
        answers.insert((3 * number + int(notes.number)) % 4, f"**{one.answer}** — {one.why}")
        lines.append(f"**{number}.** {one.question}\n")
        lines += [f"- ({letter}) {answer}" for letter, answer in zip(LETTERS, answers, strict=True)]
        lines.append("")
    return lines


def plan_tables() -> str:
    """The plans for two and for six lectures, in Markdown, with the minutes of what is shown and of the homework."""
    notebooks = {path.name[:2]: json.loads(path.read_text(encoding="utf-8")) for path in notebook_paths()}
    all_parts = {number: sections(notebook, Pace(point=0)) for number, notebook in notebooks.items()}
    lines = []
    for plan in read_toml("plans")["plan"]:
        lines.append(f"## {plan['name']}\n\n{plan['text']}\n")
        lines.append("| lecture | notebook | sections | minutes |\n|:--|:--|:--|--:|")
        for number, lecture in enumerate(plan["lecture"], start=1):
            shown = {
                notebook: [find(all_parts[notebook], name) for name in names] for notebook, *names in lecture["shown"]
            }
            minutes = {notebook: sum(part.minutes + part.bonus for part in parts) for notebook, parts in shown.items()}
            lines.append(f"| **{number}. {lecture['title']}** | | | **{sum(minutes.values()):.0f}** |")
            lines += [
                f"| | {notebook} | {in_short(parts)} | {minutes[notebook]:.0f} |" for notebook, parts in shown.items()
            ]
            home = sum(Pace().point * exercise(one).points for one in lecture["homework"])
            lines.append(f"| | homework | exercises {', '.join(lecture['homework'])} | {home:.0f} |")
        lines.append("")
    return "\n".join(lines)


def in_short(parts: list[Section]) -> str:
    """Sections by their numbers, or by their headings where these have none.

    Examples
    --------
    >>> in_short([Section("1. Who?", 1, 0), Section("12. How?", 1, 0)]), in_short([Section("Who?", 1, 0)])
    ('1, 12', 'Who?')
    """
    return ", ".join(found[1] if (found := re.match(r"(\d+)\. ", part.title)) else part.title for part in parts)


def find(parts: list[Section], name: str) -> Section:
    """The section whose heading holds a text.

    Raises
    ------
    ValueError
        If there is none, or more than one.
    """
    found = [part for part in parts if name in part.title]
    if len(found) != 1:
        raise ValueError(
            f"{len(found)} sections have {name!r} in their heading; a plan names each by a part of its own."
        )
    return found[0]


def made(folder: Path) -> dict[Path, str]:
    """What each made page in a folder should hold; of ``plan.md`` what stands above the mark is kept."""
    pages = {folder / f"notebook_{path.name[:2]}.md": notebook_page(path) for path in notebook_paths()}
    plan = folder / "plan.md"
    above = plan.read_text(encoding="utf-8").partition(_MADE)[0] if plan.exists() else ""
    return {**pages, plan: above + _MADE + "\n" + plan_tables()}


def _or_dash(minutes: float) -> str:
    return f"{minutes:.0f}" if minutes else "–"


def main(folder: Path) -> None:
    """Write all made pages."""
    for path, text in made(folder).items():
        with atomic_write(path, ours=lambda path: path.parent == folder) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main(Path(__file__).parents[3] / "docs" / "teaching")
