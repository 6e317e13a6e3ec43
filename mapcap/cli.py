"""The command line: thin, and quick to start, since torch is imported inside the commands."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from db.errors import StoreError
from db.text import clean
from mapcap.commands.base import Db, RunNumber, errors
from mapcap.commands.details import image, search, show_class
from mapcap.commands.index import index
from mapcap.commands.overview import classes, status
from mapcap.commands.sample import sample
from mapcap.commands.summarize import summarize
from mapcap.commands.upgrade import upgrade
from mapcap.errors import UserError

app = typer.Typer(
    name="mapcap",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Explain a whole class of an image classifier, in words.

    [bold]mapcap index[/] looks at every photo of a labelled data set: what CLIP takes it for,
    where it looks, and what is there, in words. It fills one SQLite file. The other commands read
    that file, on any machine, without a GPU and without torch.

    Start with the photos and networks that come with MapCap:

    [cyan]mapcap index sample --db sample.db[/]   fill a file

    [cyan]mapcap classes sample.db[/]             which classes fail, and what they are taken for

    [cyan]mapcap show sample.db insect[/]         one class: summary, confusions, words

    [cyan]mapcap browse sample.db[/]              all of it, as a terminal app
    """
    if version:
        from importlib.metadata import version as installed

        print(f"mapcap {installed('mapcap')}")
        raise typer.Exit


def browse(
    db: Db,
    run: RunNumber = None,
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Class to begin with.")
    ] = None,
    images: Annotated[
        str, typer.Option(help="How pictures are drawn: auto, kitty, sixel, half or off.")
    ] = "auto",
    verdicts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of your verdicts; beside DB if not given."),
    ] = None,
) -> None:
    """Walk through a file in the terminal: classes, images, regions, captions, summaries.

    The file is opened read-only, also while `mapcap index` still fills it.
    """
    from tui.app import make_app

    make_app(db, run=run, class_name=class_name, images=images, verdicts=verdicts).run()


# In the order of `mapcap --help`.
_COMMANDS: dict[str, Callable[..., None]] = {
    "index": index,
    "browse": browse,
    "status": status,
    "classes": classes,
    "show": show_class,
    "image": image,
    "search": search,
    "summarize": summarize,
    "sample": sample,
    "upgrade": upgrade,
}
for _name, _command in _COMMANDS.items():
    app.command(name=_name)(_command)


def main() -> None:
    """Run the command line: a mistake of the user's ends in one line and exit code 2."""
    try:
        app()
    except (UserError, StoreError) as error:
        errors().print(
            f"mapcap: {clean(str(error))}",
            style="red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)
