"""`tertulia learn`: fits the weights of affinities to logged decisions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from tertulia.output import show_line, show_table, stop

if TYPE_CHECKING:
    from services.matching.learning.fit import FitResult

app = typer.Typer()
console = Console()


@app.command()
def learn(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="Files of JSON lines, written by `tertulia training export`."),
    ],
    base: Annotated[str, typer.Option(help="Version of the configuration whose weights are fitted.")] = "2",
    configurations: Annotated[
        Path | None, typer.Option(help="Folder of the installation's own configurations, if any.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Name of the new version; derived from the decisions if unset.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="File for the proposed configuration; an existing file is an error.")
    ] = None,
) -> None:
    """Fit the weights of affinities to logged decisions.

    The weights are judged on editions left out of the fit, and proposed as a new configuration. Nothing is applied:
    matching reads the file from its folder of configurations, and uses it for an edition that names its version.
    """
    from services.matching.configurations import BadConfiguration, configurations_in  # noqa: PLC0415
    from services.matching.learning.fit import CannotFit, fit_weights, read_decisions  # noqa: PLC0415

    try:
        known = configurations_in(configurations)
        if base not in known:
            known_versions = ", ".join(sorted(known))
            raise typer.BadParameter(
                f"there is no version {base!r}: it is one of {known_versions}", param_hint="--base"
            )
        decisions = [
            decision
            for file in files
            for decision in read_decisions(file.read_text(encoding="utf-8").splitlines(), file.name)
        ]
        result = fit_weights(decisions, known[base], version)
        if output:
            with output.open("x", encoding="utf-8") as file:
                file.write(result.proposed.model_dump_json(indent=2) + "\n")
    except (BadConfiguration, CannotFit, FileExistsError, UnicodeDecodeError, ValueError) as error:
        stop(console, f"{type(error).__name__}: {error}")
    _show(result, output)


def _show(result: FitResult, output: Path | None) -> None:
    base = result.base
    show_table(
        console,
        ("Edition left out", "Decisions", "Accepted", f"AUC, {base.version}", "AUC, learnt"),
        [
            (fold.edition, str(fold.decisions), str(fold.accepted), _auc(fold.current), _auc(fold.learnt))
            for fold in result.folds
        ],
    )
    show_table(
        console,
        ("Term", base.version, "Learnt", "Spread over folds"),
        [
            (term, f"{base.weights[term]:.4f}", f"{weight:.4f}", f"{result.spread[term]:.4f}")
            for term, weight in result.proposed.weights.items()
        ],
    )
    gain, error = result.gain
    left_out = "; ".join(f"{count} {reason}" for reason, count in sorted(result.left_out.items()))
    show_line(console, f"{result.used} decisions used{f'; left out: {left_out}' if left_out else ''}.")
    show_line(console, f"AUC of an edition left out: {gain:+.4f} in the mean, standard error {error:.4f}.")
    if not gain > error:
        show_line(console, f"These decisions show no gain over version {base.version}: keep it.", style="yellow")
    where = f"written to {output}" if output else "not written: give --output"
    show_line(console, f"Proposed as version {result.proposed.version}, {where}. Nothing has been applied.")


def _auc(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
