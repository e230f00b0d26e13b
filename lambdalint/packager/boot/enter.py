"""Goes into the root of an image, gives up all that it may do there, and becomes the image's program.

It runs under lambdalint's own Python: an image need not have any program but its own.
"""

# ruff: noqa: PTH123, S606

import ctypes
import json
import os
import sys

_SET_SECUREBITS = 28
_DROP_FROM_BOUNDING_SET = 24
_NO_NEW_PRIVILEGES = 38
_ROOT_IS_NOBODY = 0b11  # no privileges by being root, and no way back
_CAPABILITIES = 64
_MAX_DESCRIPTORS = 4096


def main() -> None:
    root, said, ready, user, group = sys.argv[1:6]
    with open(said, encoding="utf-8") as file:
        program = json.load(file)
    ready_file = os.open(ready, os.O_WRONLY | os.O_CREAT, 0o600)
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    os.chroot(root)
    os.chdir(program["folder"])
    for capability in range(_CAPABILITIES):
        prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    if int(user) < 0:
        if prctl(_SET_SECUREBITS, _ROOT_IS_NOBODY, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "privileges cannot be given up")
    else:
        os.setgroups([])
        os.setresgid(int(group), int(group), int(group))
        os.setresuid(int(user), int(user), int(user))
    if prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "privileges can be gained again")
    os.write(ready_file, b"ready")
    os.closerange(3, _MAX_DESCRIPTORS)
    arguments, environment = program["arguments"], program["environment"]
    # By hand: what the library would import for it would be looked for in the image.
    folders = [""] if "/" in arguments[0] else [each + "/" for each in environment["PATH"].split(":") if each]
    said = ""
    for folder in folders:
        try:
            os.execve(folder + arguments[0], arguments, environment)
        except FileNotFoundError as error:
            said = said or str(error.strerror)
        except OSError as error:
            said = str(error.strerror)
    sys.exit(f"{arguments[0]} cannot be started: {said}")


if __name__ == "__main__":
    main()
