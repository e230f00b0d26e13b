"""Distributions that have no wheel: built here, as far as the user lets them be.

Building runs what the distribution brings along, so nothing is built unless it is asked for.
"""

import hashlib
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name, parse_wheel_filename

from lambdalint.errors import Refused
from lambdalint.packager import measured
from lambdalint.packager.bytecode import interpreter
from lambdalint.packager.choice import Pin
from lambdalint.packager.host import Host
from lambdalint.packager.index import IndexSettings
from lambdalint.packager.retag import retagged
from lambdalint.packager.target import Target
from lambdalint.packager.times import EARLIEST_S, VARIABLE, source_date_epoch
from lambdalint.packager.uv import own_words, uv_binary

_MAX_S: Final = 1800
#: Changes with the way of building, so that wheels that were built otherwise are not taken for ours.
_RULES: Final = "1"


class Sdist(Enum):
    """What becomes of a distribution that has no wheel which fits."""

    DENY = "deny"
    PURE = "pure"  # built, and taken when it holds no native code
    NATIVE = "native"  # also with native code, when this machine is like the target
    CROSS = "cross"  # also for another machine and an older C library, by zig


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds source distributions as *policy* says."""

    policy: Sdist
    host: Host
    scratch: Path

    def wheel(self, source: Path, pin: Pin, target: Target) -> Path:
        """A wheel of the source distribution at *source*, which fits *target* and lies in the cache or in scratch.

        Raises:
            Refused: it does not build, or not to what the policy allows.
        """
        key = self._key(pin, target)
        folder = self.host.cache.path("built", key)
        if folder is not None and (known := next(iter(sorted(folder.glob("*.whl"))), None)) is not None:
            return known
        made = self._made(source, pin, target)
        if folder is None:
            return made
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            place = folder / made.name
            made.replace(place)
            return place
        return made

    @property
    def _modified_s(self) -> int:
        return source_date_epoch(self.host.environment) or EARLIEST_S

    def _key(self, pin: Pin, target: Target) -> str:
        parts = (_RULES, pin.sha256 or pin.url, self.policy.value, str(target), str(self._modified_s))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _made(self, source: Path, pin: Pin, target: Target) -> Path:
        python, environment = sys.executable, {**self.host.environment, **_indexes(self.host.environment)}
        if self.policy in (Sdist.NATIVE, Sdist.CROSS):
            python = self._python(pin, target)
        if self.policy is Sdist.CROSS:
            from lambdalint.packager.cross import cross_environment

            environment |= cross_environment(target, Path(tempfile.mkdtemp(dir=self.scratch, prefix="cross-")))
        wheel = self._built(source, pin, python, environment)
        if parse_wheel_filename(wheel.name)[3] and wheel.name.endswith("-none-any.whl"):
            measured.check(wheel, target)
            if target.rank(wheel.name) is None:
                raise Refused(f"{pin.origin} builds {wheel.name}, which {target.runtime} does not take")
            return wheel
        if self.policy is Sdist.PURE:
            raise Refused(
                f"{pin.origin} has only a source distribution, and it builds native code ({wheel.name})",
                hint="`--sdist cross` builds it for the target by zig, `--sdist native` for a machine like this one",
            )
        return self._honest(wheel, pin, target)

    def _python(self, pin: Pin, target: Target) -> str:
        """An interpreter of the target's version, on a machine that can build for it."""
        version = ".".join(map(str, target.python))
        found = interpreter(target.python, self.host.environment)
        if found is None:
            raise Refused(
                f"no Python {version} is here to build {pin.origin} with", hint=f"`uv python install {version}`"
            )
        if self.policy is Sdist.NATIVE and (sys.platform != "linux" or platform.machine() != target.machine):
            raise Refused(
                f"{pin.origin} has no wheel for {target}, and this machine is {platform.machine()} on {sys.platform}",
                hint="`--sdist cross` builds for another machine",
            )
        return found.path

    def _built(self, source: Path, pin: Pin, python: str, environment: Mapping[str, str]) -> Path:
        out = Path(tempfile.mkdtemp(dir=self.scratch, prefix="built-"))
        command = [uv_binary(), "build", "--wheel", "--out-dir", str(out), "--python", python, "--color", "never"]
        try:
            done = subprocess.run(  # noqa: S603
                [*command, str(source)],
                # A time of their own would make every wheel another one.
                env={**environment, VARIABLE: str(self._modified_s), "PYTHONHASHSEED": "0"},
                cwd=out,
                capture_output=True,
                timeout=_MAX_S,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"{pin.origin} cannot be built: {error}") from error
        wheels = sorted(out.glob("*.whl"))
        if done.returncode != 0 or len(wheels) != 1:
            words = own_words(done.stderr.decode(errors="replace"), last=True)
            raise Refused(
                f"{pin.origin} has only a source distribution, which does not build:\n{words}",
                hint="build a wheel of it elsewhere, put it into the project and name its path",
            )
        name, version, _, _ = parse_wheel_filename(wheels[0].name)
        if canonicalize_name(name) != pin.name or (pin.version and str(version) != pin.version):
            raise Refused(f"{pin.filename} builds {wheels[0].name}, which is something else", hint="do not install it")
        return wheels[0]

    def _honest(self, wheel: Path, pin: Pin, target: Target) -> Path:
        """The wheel, named for what its files need."""
        try:
            found = measured.check(wheel, target)
        except Refused as error:
            hint = "`--sdist cross` builds against the target's C library"
            raise Refused(f"{pin.origin}, built here, does not load on {target}: {error.message}", hint=hint) from error
        renamed = retagged(wheel, measured.platform_of(found, target))
        if target.rank(renamed.name) is None:
            raise Refused(f"{pin.origin} builds {renamed.name}, which {target} does not take")
        return renamed


def _indexes(environment: Mapping[str, str]) -> dict[str, str]:
    """uv's variables for the indexes that *environment* names, so that what a build needs comes from there as well."""
    settings = IndexSettings.of(environment)
    variables = {
        "UV_DEFAULT_INDEX": settings.default or "",
        "UV_NO_INDEX": "" if settings.default else "1",
        "UV_INDEX": " ".join(settings.extra),
        "UV_FIND_LINKS": ",".join(settings.find_links),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if settings.merge else "",
    }
    return {name: value for name, value in variables.items() if value}
