"""`tertulia learn`: weights for affinities, fitted to logged decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from services.matching.learning.fit import Lesson

app = typer.Typer()
console = Console()


@app.command()
def learn(
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="JSON lines, of `tertulia training export`.")
    ],
    base: Annotated[str, typer.Option(help="The version whose weights are to be improved.")] = "2",
    configurations: Annotated[
        Path | None, typer.Option(help="The installation's folder of configurations, if it has one.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="The new version's name; made from the decisions if unset.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the proposed configuration here; a file that exists is left alone.")
    ] = None,
) -> None:
    """Fit the weights of the terms to decisions, judge them on editions left out, and propose a new configuration.

    Nothing is applied: matching reads the file once it lies in its folder of configurations, and scores an edition by
    it once the edition names its version.
    """
    from services.matching.configurations import BadConfiguration, configurations_in  # noqa: PLC0415
    from services.matching.learning.fit import CannotLearn, read  # noqa: PLC0415
    from services.matching.learning.fit import learn as learn_from  # noqa: PLC0415

    try:
        known = configurations_in(configurations)
        if base not in known:
            raise typer.BadParameter(f"{base!r} is not one of {', '.join(sorted(known))}", param_hint="--base")
        logged = [one for file in files for one in read(file.read_text(encoding="utf-8").splitlines(), file.name)]
        lesson = learn_from(logged, known[base], version)
        if output:
            with output.open("x", encoding="utf-8") as file:
                file.write(lesson.proposed.model_dump_json(indent=2) + "\n")
    except (BadConfiguration, CannotLearn, FileExistsError, UnicodeDecodeError, ValueError) as error:
        console.print(f"{type(error).__name__}: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from None
    _show(lesson, output)


def _show(lesson: Lesson, output: Path | None) -> None:
    judged = Table("Edition left out", "Decisions", "Accepted", f"AUC, {lesson.base.version}", "AUC, learnt")
    for fold in lesson.folds:
        judged.add_row(fold.edition, str(fold.decisions), str(fold.accepted), _auc(fold.current), _auc(fold.learnt))
    weights = Table("Term", lesson.base.version, "Learnt", "Spread over folds")
    for term, weight in lesson.proposed.weights.items():
        weights.add_row(term, f"{lesson.base.weights[term]:.4f}", f"{weight:.4f}", f"{lesson.spread[term]:.4f}")
    console.print(judged, weights)
    gain, error = lesson.gain
    left_out = "; ".join(f"{count} {reason}" for reason, count in sorted(lesson.left_out.items()))
    console.print(f"{lesson.used} decisions used{f'; left out: {left_out}' if left_out else ''}.", highlight=False)
    console.print(f"AUC of an edition left out: {gain:+.4f} in the mean, standard error {error:.4f}.", highlight=False)
    if not gain > error:
        console.print("No better than what there is, as far as these decisions tell: keep it.", style="yellow")
    where = f"written to {output}" if output else "not written: give --output"
    console.print(f"Proposed as version {lesson.proposed.version}, {where}. Nothing has been applied.", highlight=False)


def _auc(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
