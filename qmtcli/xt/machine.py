"""What the machine tells of a terminal: its processes, its disks, where programs were installed. Windows knows most."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Process(NamedTuple):
    """A running program."""

    #: ``XtMiniQmt.exe``
    name: str
    #: of its file; "" where the system does not say
    path: str


class Disk(NamedTuple):
    """The disk that a folder is on, bytes."""

    free: int
    total: int


def processes() -> list[Process] | None:
    """Everything that runs; None where that cannot be asked for."""
    if sys.platform != "win32":
        return None
    import ctypes
    from ctypes import POINTER, Structure, byref, c_size_t, c_wchar, create_unicode_buffer, sizeof
    from ctypes.wintypes import BOOL, DWORD, HANDLE, LONG, LPWSTR

    class Entry(Structure):
        """PROCESSENTRY32W."""

        _fields_ = [
            ("size", DWORD), ("usage", DWORD), ("id", DWORD), ("heap", c_size_t), ("module", DWORD), ("threads", DWORD),
            ("parent", DWORD), ("priority", LONG), ("flags", DWORD), ("name", c_wchar * 260),
        ]  # fmt: skip

    kernel = ctypes.WinDLL("kernel32")
    kernel.CreateToolhelp32Snapshot.restype = kernel.OpenProcess.restype = HANDLE
    for step in (kernel.Process32FirstW, kernel.Process32NextW):
        step.argtypes, step.restype = [HANDLE, POINTER(Entry)], BOOL
    kernel.QueryFullProcessImageNameW.argtypes = [HANDLE, DWORD, LPWSTR, POINTER(DWORD)]
    kernel.CloseHandle.argtypes = [HANDLE]

    def image(number: int) -> str:
        limited = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
        handle = kernel.OpenProcess(limited, False, number)
        if not handle:
            return ""
        path, size = create_unicode_buffer(1024), DWORD(1024)
        told = kernel.QueryFullProcessImageNameW(handle, 0, path, byref(size))
        kernel.CloseHandle(handle)
        return path.value if told else ""

    snapshot = kernel.CreateToolhelp32Snapshot(0x2, 0)  # TH32CS_SNAPPROCESS
    entry = Entry(size=sizeof(Entry))
    found = []
    more = kernel.Process32FirstW(snapshot, byref(entry))
    while more:
        found.append(Process(entry.name, image(entry.id)))
        more = kernel.Process32NextW(snapshot, byref(entry))
    kernel.CloseHandle(snapshot)
    return found


def is_administrator() -> bool | None:
    """Whether this process has an administrator's rights; None where there are no such."""
    if sys.platform != "win32":
        return None
    import ctypes

    return bool(ctypes.windll.shell32.IsUserAnAdmin())


def disk(folder: Path) -> Disk | None:
    """The disk of a folder; None where it cannot be asked for."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Disk(usage.free, usage.total)


def why_not_written(folder: Path) -> str:
    """Why no file can be made in a folder, in the system's words; "" when one can, which leaves nothing behind."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def installed() -> Iterator[tuple[str, str]]:
    """(name, folder) of each program that was installed, as the registry has them."""
    if sys.platform != "win32":
        return
    import winreg

    where = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
    for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        for view in (winreg.KEY_WOW64_64KEY, winreg.KEY_WOW64_32KEY):
            try:
                key = winreg.OpenKey(root, where, 0, winreg.KEY_READ | view)
            except OSError:
                continue
            with key:
                for number in range(winreg.QueryInfoKey(key)[0]):
                    with winreg.OpenKey(key, winreg.EnumKey(key, number)) as program:
                        yield _value(program, "DisplayName"), _place(program)


def _place(program: Any) -> str:
    """The folder of a program: as it says, else that of its uninstaller or its icon."""
    if place := _value(program, "InstallLocation").strip('"'):
        return place
    for name in ("UninstallString", "DisplayIcon"):
        command = _value(program, name)
        quoted = command.startswith('"') and command.count('"') > 1
        if file := command.split('"')[1] if quoted else command.partition(",")[0]:
            return str(Path(file).parent)
    return ""


def _value(key: Any, name: str) -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    try:
        return str(winreg.QueryValueEx(key, name)[0])
    except OSError:
        return ""


def drives() -> list[Path]:
    """The roots of fixed disks."""
    if sys.platform != "win32":
        return []
    import ctypes

    mask, fixed = ctypes.windll.kernel32.GetLogicalDrives(), 3
    roots = [f"{chr(65 + bit)}:\\" for bit in range(26) if mask >> bit & 1]
    return [Path(root) for root in roots if ctypes.windll.kernel32.GetDriveTypeW(root) == fixed]
