"""Many replays side by side: a process each, on this machine or, through joblib, on the machines of a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from qmtcli.errors import UsageError

#: where replays can run
BACKENDS = ("dask", "ray")
#: seconds that a scheduler is given to answer
_CONNECTING = 10


class Job(NamedTuple):
    """One replay, by the words of the command line that does it."""

    #: what it is called where it fails
    name: str
    #: after the interpreter and what has it run qmt
    words: list[str]


def sweep(
    jobs: Sequence[Job], start: Sequence[str], env: Mapping[str, str], on: str | None
) -> Iterator[dict[str, Any]]:
    """The figures of every job, in their order, as they come.

    ``start``: what runs qmt here. ``on``: ``dask:ADDRESS`` of a scheduler, ``ray`` or ``ray:ADDRESS``; None: this
    machine's processors. Raises UsageError for a library that is not there, a cluster that cannot be reached, and the
    first job that fails.
    """
    try:
        from joblib import Parallel, delayed, parallel_config
    except ImportError:
        raise UsageError("joblib_missing") from None
    if on is None:
        # each waits for a process of its own
        with parallel_config(backend="threading"):
            yield from Parallel(n_jobs=-1, return_as="generator")(
                delayed(_replay)([*start, *job.words], job.name, dict(env)) for job in jobs
            )
        return
    ours = {name: value for name, value in env.items() if name.startswith("QMT_")}
    with _cluster(on):
        yield from Parallel(n_jobs=-1)(delayed(_replay_there)(job, ours) for job in jobs)


def check(on: str | None) -> None:
    """Raises UsageError for what is no backend."""
    name, _, address = (on or "").partition(":")
    if on is not None and (name not in BACKENDS or (name == "dask" and not address)):
        raise UsageError("bad_backend", text=on)


def _cluster(on: str) -> Any:
    """joblib's setting for a cluster. Raises UsageError."""
    from joblib import parallel_config

    name, _, address = on.partition(":")
    try:
        if name == "dask":
            from distributed import Client

            return parallel_config(backend="dask", client=Client(address, timeout=_CONNECTING))
        import ray
        from ray.util.joblib import register_ray

        if not ray.is_initialized():
            ray.init(address=address or None, log_to_driver=False)
        register_ray()
        return parallel_config(backend="ray")
    except (ImportError, ValueError, OSError) as error:
        raise UsageError("backend_unusable", name=on, why=f"{type(error).__name__}: {error}") from error


def _replay_there(job: Job, env: Mapping[str, str]) -> dict[str, Any]:
    """A job on another machine: its own Python and its own qmt, our settings."""
    return _replay([sys.executable, "-m", "qmtcli", *job.words], job.name, {**os.environ, **env})


def _replay(command: Sequence[str], name: str, env: Mapping[str, str]) -> dict[str, Any]:
    """One replay in a process of its own: a process has one backend, and it is used once. Raises UsageError."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UsageError("replay_failed", name=name, status=done.returncode, why=done.stderr.strip()[-500:])
    row: dict[str, Any] = json.loads(done.stdout)
    return row
