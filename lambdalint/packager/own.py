"""Files of the project that the handler does not lead to."""

from lambdalint.packager.contents import Contents
from lambdalint.packager.plan import SOURCE
from lambdalint.packager.reached import Reading

_REASON = "the handler does not lead to it"


def leave_unreached(contents: Contents, reading: Reading, handler: str | None) -> str | None:
    """Leave out the project's modules that *handler* does not lead to, and the data that only lies beside such.

    Says in words why nothing is left out, where that is so.
    """
    if not reading.has_own(handler):
        return f"all files of the project are packaged: {handler or 'the handler'} is in none of its modules"
    own = {path for path, entry in contents.entries.items() if entry.origin == SOURCE}
    found = reading.reached(handler)
    kept = own.intersection((*found.init, *found.deferred))
    unclear = sorted(path for path in found.unclear if path in own)
    if unclear:
        return f"all files of the project are packaged: {unclear[0]} imports by a name that it works out"
    modules = {path for path in own if path.endswith((".py", ".pyc", ".so"))}
    with_code = {_folder(path) for path in modules}
    used = {_folder(path) for path in kept}
    useless = modules - kept
    for path in own - modules:
        around = _folder(path)
        while around and around not in with_code:
            around = _folder(around)
        if around in with_code and around not in used:
            useless.add(path)
    contents.remove(dict.fromkeys(useless, _REASON))
    return None


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
