"""Where a ledger may lie: a drive of this machine's own, whose locks hold, and which nobody copies from and to."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from qmtcli.errors import ConfigError

#: kinds of file system that are another machine's
_REMOTE = frozenset(
    [
        "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "ncpfs", "afs", "ceph", "lustre", "gpfs",
        "webdav", "davfs", "fuse.davfs2", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse", "fuse.glusterfs",
        "fuse.curlftpfs",
    ]
)  # fmt: skip
#: folders that a program keeps the same on several machines, by the beginning of their names
_SYNCHRONISED = (
    "onedrive", "dropbox", "google drive", "googledrive", "my drive", "icloud drive", "iclouddrive",
    "mobile documents", "nutstore", "坚果云", "我的坚果云", "baidusyncdisk", "baidunetdiskworkspace",
    "百度网盘同步空间", "wps云盘", "wpsdrive", "box sync", "nextcloud", "owncloud", "pcloud", "pclouddrive",
    "seafile", "syncthing",
)  # fmt: skip
#: what such programs leave in the folders that they keep
_MARKS = (".stfolder", ".dropbox", ".dropbox.cache", ".owncloudsync.log", ".sync_folder")
#: Windows' number for a drive of another machine
_DRIVE_REMOTE = 4


def hold_local(folder: Path, env: Mapping[str, str]) -> None:
    """Hold that a state folder is a local one. Raises ConfigError ``state_on_network`` or ``state_synchronised``.

    On a network drive neither SQLite's log nor locks hold, and a copied ledger forgets what was sent.
    """
    folder = Path(os.path.realpath(folder))
    if kind := _remote_kind(folder):
        raise ConfigError("state_on_network", path=str(folder), kind=kind)
    homes = [Path(os.path.realpath(env[name])) for name in env if name.upper().startswith("ONEDRIVE") and env[name]]
    for each in (folder, *folder.parents):
        known = each.name.casefold().startswith(_SYNCHRONISED) or each in homes
        if known or any((each / mark).exists() for mark in _MARKS):
            raise ConfigError("state_synchronised", path=str(folder), folder=str(each))


def _remote_kind(folder: Path) -> str:
    """The kind of file system, where it is another machine's; else an empty text."""
    if os.name == "nt":
        import ctypes

        drive = folder.drive
        if drive.startswith("\\\\"):
            return "UNC"
        remote = ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE  # type: ignore[attr-defined]
        return drive if remote else ""
    kind = mounted_as(folder, _mounts())
    return kind if kind in _REMOTE else ""


def mounted_as(folder: Path, mounts: Mapping[str, str]) -> str:
    """The kind of file system that a folder lies on, by mount points; an empty text when none is known."""
    for each in (folder, *folder.parents):
        if str(each) in mounts:
            return mounts[str(each)]
    return ""


def _mounts() -> dict[str, str]:
    """Kinds of file system by mount point."""
    if sys.platform == "darwin":
        import subprocess

        said = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
        lines = (line.partition(" on ")[2].rpartition(" (") for line in said.splitlines())
        return {point: more.partition(",")[0].rstrip(")") for point, _, more in lines if point}
    try:
        text = Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return {}
    fields = [line.split() for line in text.splitlines()]
    return {_unescaped(each[1]): each[2] for each in fields if len(each) > 2}


def _unescaped(text: str) -> str:
    """A mount point as it is; the kernel writes blanks and the like in octal."""
    for octal, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, char)
    return text
