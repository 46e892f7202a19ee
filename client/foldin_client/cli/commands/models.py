"""The commands about published models: models, activate, rollback."""

import click

from foldin_client.cli.session.session import Session, asks_server


@click.command()
@asks_server
def models(session: Session) -> None:
    """List the published models with their metrics, newest first."""
    session.show(session.client.list_models())


@click.command()
@click.argument("version")
@click.option(
    "--epoch",
    type=click.IntRange(min=1),  # 0, where no model was ever active, would be no condition
    help="Only if the store is at this epoch, as `foldin models --json` shows it.",
)
@asks_server
def activate(session: Session, *, version: str, epoch: int | None) -> None:
    """Make VERSION the model that every server serves."""
    session.show(session.client.activate_model(version, epoch=epoch or 0))


@click.command()
@asks_server
def rollback(session: Session) -> None:
    """Make the previous model the one that every server serves; ratings stay as they are."""
    session.show(session.client.rollback())
