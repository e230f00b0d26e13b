"""What the code of a function needs and its subnets certainly cannot reach."""

from dataclasses import dataclass

from lambdalint.facts.needs import HostNeed, Needs, ServiceNeed
from lambdalint.facts.path_calls import PathCalls
from lambdalint.facts.per_module import PerModule
from lambdalint.facts.symbols import Symbols
from lambdalint.facts.ways_out import WaysOut
from lambdalint.model.function import Function
from lambdalint.model.network import Subnet
from lambdalint.model.values import Known

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Unreached:
    """Needs with the subnets from which there is no path; both are empty when nothing is certain.

    With a proxy in the environment everything may be reached through it.
    """

    hosts: tuple[tuple[HostNeed, tuple[Subnet, ...]], ...]
    services: tuple[tuple[ServiceNeed, tuple[Subnet, ...]], ...]

    @classmethod
    def of(cls, function: Function, ways: WaysOut, calls: PathCalls, symbols: PerModule[Symbols]) -> "Unreached":
        env = function.env
        if not ways.closed or not isinstance(env, Known) or any(name.lower() in _PROXIES for name in env.value):
            return cls((), ())
        needs = Needs.of(function, calls, symbols)  # worked out here, for the few functions that it matters for
        hosts = ((need, ways.closed_to_host(need.host)) for need in needs.hosts)
        services = ((need, ways.closed_to_service(need.client)) for need in needs.services)
        return cls(
            tuple((need, subnets) for need, subnets in hosts if subnets),
            tuple((need, subnets) for need, subnets in services if subnets),
        )

    def __bool__(self) -> bool:
        return bool(self.hosts or self.services)
