"""Runs one command for as long as its parent lives: a child that no crash, kill or Ctrl-C of the parent leaves behind.

The parent holds the write end of this process's standard input. When it closes, by intent or because the parent is
gone, the command gets the stop signal and, ten seconds (or ``--grace``) later, SIGKILL. On Linux it also dies with
this process itself.

Run as ``python guard.py [options] COMMAND…``; it uses the standard library only, so that it starts fast.
"""

import argparse
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys

GRACE_SECONDS = 10
_PR_SET_PDEATHSIG = 1


def main(arguments: argparse.Namespace) -> int:
    """Run the command until it ends or standard input closes; its exit status, 0 when it was ended on purpose."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    parent = os.getppid()
    child = subprocess.Popen(  # noqa: S603
        arguments.command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_prepare_child,
        user=arguments.uid,
        group=arguments.gid,
        extra_groups=None if arguments.uid is None else [],
    )
    try:
        while child.poll() is None:
            readable, _, _ = select.select([sys.stdin.fileno()], [], [], 0.2)
            if os.getppid() != parent or (readable and not os.read(sys.stdin.fileno(), 4096)):
                return _end(child, signal.Signals[arguments.stop_signal], arguments.grace)
        return child.returncode
    finally:
        for folder in arguments.remove:
            shutil.rmtree(folder, ignore_errors=True)


def _prepare_child() -> None:
    for restored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(restored, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(child: "subprocess.Popen[bytes]", stop_signal: signal.Signals, grace: float) -> int:
    child.send_signal(stop_signal)
    try:
        child.wait(grace)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stop-signal", default="SIGTERM", help="signal that asks the command to end")
    parser.add_argument("--grace", type=float, default=GRACE_SECONDS, help="seconds it has for that, then it is killed")
    parser.add_argument("--remove", action="append", default=[], help="folder to remove when the command has ended")
    parser.add_argument("--uid", type=int, help="user to run the command as (needs root)")
    parser.add_argument("--gid", type=int, help="group to run the command as (needs root)")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
