"""A qmt that starts fast, for the many runs of the sessions: forked from a process that has imported what all import.

    python prefork.py SOCKET

Every run is a process of its own with its caller's arguments, descriptors, folder and environment. The modules of the
commands, which choose their language when they are imported, and the vendor's are left to each run.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from datetime import datetime
from importlib import import_module
from typing import NoReturn

_IMPORTED = """
    asyncio csv difflib sqlite3 tabulate yaml platformdirs click click.shell_completion
    qmtcli.config qmtcli.console qmtcli.desk qmtcli.orders qmtcli.output qmtcli.symbols
    qmtcli.paper.market qmtcli.paper.sample qmtcli.paper.trading
"""

#: the program that asks for a run; {python} and {socket} are to be filled in. It must start faster than what it saves:
#: importing ``socket`` takes twice as long as all of it
CLIENT = """\
#!{python} -ISE
import _socket, os, sys
link = _socket.socket(_socket.AF_UNIX)
link.connect({socket!r})
descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
link.sendmsg([b"."], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
said = [os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:], *map("=".join, os.environ.items())]
link.sendall(os.fsencode("\\0".join(said)))
link.shutdown(_socket.SHUT_WR)
sys.exit(int(link.recv(100)))
"""


def serve(path: str) -> NoReturn:
    """Fork a run for every caller; a line on stdout says that it can be asked."""
    for name in _IMPORTED.split():
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(100)
        print("ready", flush=True)
        while True:
            link, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(link)
            link.close()


def _answer(link: socket.socket) -> NoReturn:
    """Run qmt in a child and tell the caller its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, descriptors, _, _ = socket.recv_fds(link, 1, 3)
    folder, count, *words = os.fsdecode(link.makefile("rb").read()).split("\0")
    arguments, environ = words[: int(count)], words[int(count) :]
    child = os.fork()
    for number, descriptor in enumerate(descriptors):
        if child == 0:
            os.dup2(descriptor, number)
        os.close(descriptor)
    if child == 0:
        link.close()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update((name, value) for name, _, value in (variable.partition("=") for variable in environ))
        # those that Python made know what the descriptors were
        encoding = os.environ.get("PYTHONIOENCODING")
        sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w", encoding=encoding)
        sys.stderr = os.fdopen(2, "w", buffering=1, encoding=encoding)
        if "MACHINE_CLOCK" in os.environ:  # the machine's clock stands there
            now = datetime.fromisoformat(os.environ["MACHINE_CLOCK"] + "+08:00").timestamp()
            time.time = lambda: now
        sys.path[0] = folder
        sys.argv = ["qmt", *arguments]
        from qmtcli.__main__ import run

        run()
    _, status = os.waitpid(child, 0)
    link.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
