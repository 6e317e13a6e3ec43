"""The command line: thin, and quick to start, since only the command that is called is loaded."""

import gc
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from inspect import getdoc
from pathlib import Path
from typing import Annotated, Final

import typer

from db.errors import StoreError
from mapcap.commands.base import Db, RunNumber, errors
from mapcap.errors import UserError
from mapcap.printing.streams import leave_stdout, prepare_streams
from mapcap.text import clean

_COLORS: Final = ("auto", "truecolor", "256")


def about(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Explain a whole class of an image classifier, in words.

    [bold]mapcap index[/] looks at every photo of a labelled data set: what CLIP predicts,
    where it looks, and what is there, in words. It fills one SQLite file. The other commands read
    that file, on any machine, without a GPU and without torch.

    Start with the photos and networks that come with MapCap:

    [cyan]mapcap index sample --db sample.db[/]   fill a file

    [cyan]mapcap classes sample.db[/]             which classes fail, and what they are predicted as

    [cyan]mapcap show sample.db cat[/]            one class: summary, confusions, words

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
    colors: Annotated[
        str,
        typer.Option(
            help="Colours of the terminal: auto (as COLORTERM and TERM say), truecolor or 256."
        ),
    ] = "auto",
    verdicts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of your verdicts; beside DB if not given."),
    ] = None,
) -> None:
    """Walk through a file in the terminal: classes, images, regions, captions, summaries.

    The file is opened read-only, also while `mapcap index` still fills it.
    """
    if colors not in _COLORS:
        raise UserError(f"--colors is one of {', '.join(_COLORS)}, not {colors}")
    _check_terminal()
    if colors != "auto":
        # Textual reads it when it is loaded.
        os.environ["TEXTUAL_COLOR_SYSTEM"] = colors
    # What is loaded stays: looking for garbage in it takes a tenth of the time to the first paint.
    gc.disable()
    # Textual waits for one frame after each key: half as long.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from tui.app import make_app

    make_app(
        db, run=run, class_name=class_name, images=images, verdicts=verdicts, meaning=_meaning
    ).run()


def _check_terminal() -> None:
    """Raise UserError where the app could not be drawn, or no key would reach it."""
    # Textual reads keys from the one and draws on the other.
    there = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    if not there or os.environ.get("TERM") == "dumb":
        raise UserError(
            "browse needs a terminal, and this is none: run it in one (ssh -t, docker run -it), or "
            "print with mapcap classes, mapcap show or mapcap report"
        )


def _meaning(name: str) -> str:
    """Return what a metric says."""
    from mapcap.metrics.names import meaning

    metric = meaning(name)
    return f"{name}: {metric.line}" if metric is not None else name


# Where each command is, in the order of `mapcap --help`.
_COMMANDS: Final = {
    "index": "mapcap.commands.index:index",
    "browse": "mapcap.cli:browse",
    "status": "mapcap.commands.overview:status",
    "classes": "mapcap.commands.overview:classes",
    "show": "mapcap.commands.details:show_class",
    "image": "mapcap.commands.details:image",
    "search": "mapcap.commands.details:search",
    "summarize": "mapcap.commands.summarize:summarize",
    "audit": "mapcap.commands.audit:audit",
    "evaluate": "mapcap.commands.evaluate:evaluate",
    "verdicts": "mapcap.commands.verdicts:verdicts",
    "report": "mapcap.commands.report:report",
    "export": "mapcap.commands.export:export",
    "sample": "mapcap.commands.sample:sample",
    "fetch": "mapcap.commands.fetch:fetch",
    "presets": "mapcap.commands.presets:presets",
    "upgrade": "mapcap.commands.upgrade:upgrade",
}
_ALIASES: Final = {"quality": "evaluate", "summarise": "summarize"}
"""Commands under another name: that of an older version, and the other spelling."""


def make_app(
    names: Iterable[str] = (*_COMMANDS, *_ALIASES), *, completing: bool = True
) -> typer.Typer:
    """Return the command line with these commands, and the options that set up completion."""
    app = typer.Typer(
        name="mapcap",
        no_args_is_help=True,
        # What completes words is slow to import, and serves a bare `mapcap` alone.
        add_completion=completing,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(about)
    for name in names:
        module, _, function = _COMMANDS[_ALIASES.get(name, name)].partition(":")
        command = getattr(import_module(module), function)
        # The lines of a docstring are broken for the source, and typer would keep their ends.
        text = "\n\n".join(" ".join(each.split()) for each in (getdoc(command) or "").split("\n\n"))
        app.command(name=name, help=text, hidden=name in _ALIASES)(command)
    return app


def _called() -> list[str] | None:
    """Return the commands that have to be loaded, None for all.

    Only what is called is loaded: `mapcap browse` is to paint within half a second.
    """
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first == "--version":
        return []
    return [first] if first in _COMMANDS or first in _ALIASES else None


def main() -> None:
    """Run the command line: whatever a user can mend ends in one line and exit code 2."""
    prepare_streams()
    try:
        try:
            _run()
        finally:
            # A full disk shows only now.
            sys.stdout.flush()
    except UserError as error:
        _refuse(str(error))
    except StoreError as error:
        from mapcap.commands.naming import named

        _refuse(named(str(error), sys.argv[1:]))
    except BrokenPipeError:
        leave_stdout()
        sys.exit(141)
    except OSError as error:
        from mapcap.commands.naming import brief, option_of

        leave_stdout()
        path = str(error.filename or "the output")
        option = option_of(path, sys.argv[1:])
        _refuse(
            f"{option + ' ' if option else ''}{brief(path)}: {error.strerror or error}: make room "
            "or mend it"
        )
    except MemoryError:
        _refuse(
            "this needs more memory than there is: close other programs, or take a smaller file"
        )
    except KeyboardInterrupt:
        sys.exit(130)


def _run() -> None:
    called = _called()
    app = make_app() if called is None else make_app(called, completing=False)
    app(prog_name="mapcap")


def _refuse(line: str) -> None:
    errors().print(
        f"mapcap: {clean(line)}", style="red", markup=False, highlight=False, soft_wrap=True
    )
    sys.exit(2)
