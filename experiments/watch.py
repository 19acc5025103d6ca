"""Shows a sweep while it runs: progress, curves and runs, in the terminal or in a browser."""

import sys
import threading
from pathlib import Path

from jaxnets.errors import UserError
from jaxnets.lab import commandline, serving, watch
from jaxnets.lab.experiment import Command, Option
from jaxnets.report import live_view
from jaxnets.report.console import Terminal

CLAIM = "Shows progress, curves and runs of a sweep while it runs, in the terminal or in a browser."

DETAILS = """Watches the run directory of a sweep, which may have started or not. It reads files alone: the sweep does
not notice, and Ctrl-C ends the watching only."""


def run(given):
    """Runs `watch`; returns the exit status."""
    if len(given.directory) != 1:
        raise UserError(f"directory: watch takes one run directory, not {len(given.directory)}; see --help.")
    if given.once and given.serve:
        raise UserError("once: it shows one state in the terminal, and --serve goes on in a browser; give one of them.")
    watched, console = watch.Watched(Path(given.directory[0])), Terminal()
    try:
        if given.once:
            watch.once(watched, console)
        elif given.serve:
            serve(watched, given.port, console)
        else:
            watch.follow(watched, console)
    except KeyboardInterrupt:
        return commandline.interrupted_status()
    return 0


def serve(watched, port, console):
    """Serves the page until the user ends it."""
    lock, drawn = threading.Lock(), {}

    def state():
        with lock:
            view = watched.view()
            if drawn.get("version", "") != view.version:
                drawn.update(version=view.version, pictures=live_view.pictures(view))
            return live_view.as_json(view) | {"pictures": drawn["pictures"]}

    with serving.Server(port, state) as server:
        address = f"http://{serving.ADDRESS}:{server.port}/"
        console.print(f"Watching {watched.directory} at {address}; Ctrl-C ends it.", soft_wrap=True)
        server.serve_forever()


EXPERIMENT = Command(
    name="watch",
    about=CLAIM,
    run=run,
    details=DETAILS,
    directories="RUN_DIR",
    options=(
        Option("once", False, "Shows the state once, and ends."),
        Option("serve", False, "Shows it in a browser, on this machine alone."),
        Option("port", 8765, "The port of --serve; 0 is any free one."),
    ),
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))
