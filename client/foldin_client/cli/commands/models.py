"""The commands about published models: models, activate, rollback."""

import click

from foldin_client.cli.session.session import Session, server_command


@click.command()
@server_command
def models(session: Session) -> None:
    """List the published models with their metrics, newest first."""
    session.show(session.client.list_models())


@click.command()
@click.argument("version")
@click.option(
    "--epoch",
    type=click.IntRange(min=1),  # 0 would set no condition
    help="Only if the store is at this epoch, as `foldin models --json` shows it.",
)
@server_command
def activate(session: Session, *, version: str, epoch: int | None) -> None:
    """Make VERSION the current model of every server."""
    session.show(session.client.activate_model(version, epoch=epoch or 0))


@click.command()
@server_command
def rollback(session: Session) -> None:
    """Make the previous model the current one of every server; ratings stay as they are."""
    session.show(session.client.rollback())
