"""From what the file says of the world outside to the means of each service."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.config.errors import Spot, Unread, nearest
from adapters.config.outside import RECIPES
from adapters.config.schema import Values
from adapters.config.values import made
from adapters.health.checks import HealthCheck, HealthRule, HttpCheck, InnerCheck, TcpCheck
from adapters.hosts.ssh.artifacts import Artifact, Directory, There, Url
from adapters.hosts.ssh.logs import Argv, File, Journal, Source
from adapters.hosts.ssh.recipes import Command, Package, Recipe, ReleaseDir, Way
from adapters.means import Means, SeatRule

PARTS = ("reach", "artifact", "health", "balancer", "logs")
SHARED = ("restart", "health")
"""Of recipes: keys that some have in common."""


def means(service: str, common: Values, own: Values, haproxy: Mapping[str, Values], spot: Spot) -> Means:
    """Of one service: its own words, and where it has none those of the organisation."""
    said = {part: _merged(part, common.get(part, {}), own.get(part, {})) for part in PARTS}
    try:
        way = _way(service, said["reach"], said["artifact"], own, spot)
        health = _health(said["health"], way, spot / "health")
        seat = _seat(service, said["balancer"], haproxy, spot / "balancer")
        log = _log(service, said["logs"], way, spot / "logs")
    except Unread:
        return Means()
    return Means(way, health, seat, log)


ALTERNATIVES = {
    "artifact": (("directory", "name"), ("url", "sha256_url", "sha256_file"), ("there",)),
    "health": (("path", "status", "contains"), ("tcp",)),
    "logs": (("unit",), ("file",), ("command",)),
}
"""Of each part, groups of keys of which one rules out the others."""


def _merged(part: str, common: Values, own: Values) -> Values:
    """Key by key; a service that chooses another alternative drops what the organisation says of its own."""
    kept = dict(common)
    for group in ALTERNATIVES.get(part, ()):
        if any(key in own for key in group):
            others = {key for other in ALTERNATIVES[part] if other is not group for key in other}
            kept = {key: value for key, value in kept.items() if key not in others}
    if part == "reach" and own.get("recipe", kept.get("recipe")) != kept.get("recipe"):
        kept = {key: kept[key] for key in ("by", "directory", "command_s", "health_s") if key in kept}
    return {**kept, **own}


def _way(service: str, reach: Values, artifact: Values, own: Values, spot: Spot) -> Way | None:
    at = spot / "reach"
    if reach.get("by", "agent") == "agent":
        for key in own.get("reach", {}):
            if key != "by":
                (at / key).wrong('belongs to hosts that are reached by ssh: say by = "ssh"')
        if "artifact" in own:
            (spot / "artifact").wrong('belongs to hosts that are reached by ssh: say reach.by = "ssh"')
        return None
    if "recipe" not in reach:
        at.refuse(f'"recipe" is missing: expected {nearest("", RECIPES).removeprefix("there is ")}')
    recipe = reach["recipe"]
    for key in own.get("reach", {}):
        owner = next((name for name, keys in RECIPES.items() if key in keys), recipe)
        if owner != recipe:
            (at / key).wrong(f"belongs to the recipe {owner}, and this one is {recipe}")
    if "artifact" in own and recipe != "release-dir":
        (spot / "artifact").wrong(f"belongs to the recipe release-dir, and this one is {recipe}")
    found = _recipe(service, recipe, reach, artifact, spot)
    rest: dict[str, Any] = {key: int(reach[key]) for key in ("command_s", "health_s") if key in reach}
    if "directory" in reach:
        rest["directory"] = reach["directory"]
    return made(lambda: Way(service, found, **rest), at)


def _recipe(service: str, recipe: str, reach: Values, artifact: Values, spot: Spot) -> Recipe:
    at = spot / "reach"
    values = {key: reach[key] for key in (*RECIPES[recipe], *SHARED) if key in reach}
    if recipe == "release-dir":
        values["root"] = _needed(values, "root", at).replace("{service}", service)
        its = _artifact(service, artifact, spot / "artifact")
        return made(lambda: ReleaseDir(artifact=its, **values), at)
    if recipe == "package":
        values["name"] = _needed(values, "package", at).replace("{service}", service)
        values.pop("package")
        _needed(values, "manager", at)
        return made(lambda: Package(**values), at)
    _needed(values, "deploy", at)
    return made(lambda: Command(**values), at)


def _needed(values: Values, key: str, spot: Spot) -> Any:
    if key not in values:
        spot.refuse(f'"{key}" is missing')
    return values[key]


def _artifact(service: str, said: Values, spot: Spot) -> Artifact:
    values = {
        key: value.replace("{service}", service) if isinstance(value, str) else value for key, value in said.items()
    }
    if len({"directory", "url", "there"} & values.keys()) != 1 or values.get("there") is False:
        spot.refuse('expected one of directory, url and there = true: where a build of "release-dir" comes from')
    if "directory" in values:
        name = {"name": values["name"]} if "name" in values else {}
        return made(lambda: Directory(values["directory"], **name), spot)
    if "url" in values:
        sums = (values.get("sha256_url", ""), values.get("sha256_file", ""))
        return made(lambda: Url(values["url"], *sums), spot)
    return There()


def _health(said: Values, way: Way | None, spot: Spot) -> HealthRule | None:
    """By ssh, what nobody said more of is healthy once its own word has held for a while."""
    if not said:
        return HealthRule(InnerCheck()) if way is not None else None
    check: HealthCheck = InnerCheck()
    if "path" in said and said.get("tcp"):
        spot.refuse("expected path (HTTP) or tcp = true, not both")
    if "path" in said:
        check = HttpCheck(said["path"], said.get("status", 200), said.get("contains", ""))
    elif said.get("tcp"):
        check = TcpCheck()
    elif said.keys() & {"status", "contains"}:
        spot.refuse('"path" is missing: what is asked for that status or text')
    return HealthRule(check, said.get("healthy_for_s", 10.0))


def _seat(service: str, said: Values, haproxy: Mapping[str, Values], spot: Spot) -> SeatRule | None:
    if not said:
        return None
    for key in ("haproxy", "backend"):
        if key not in said:
            spot.refuse(f'"{key}" is missing')
    name = said["haproxy"]
    if name not in haproxy:
        (spot / "haproxy").refuse(f'expected the name of a [haproxy.NAME], got "{name}": {nearest(name, haproxy)}')
    rest = {key: said[key] for key in ("server", "drain_s", "staging") if key in said}
    timeout = {"timeout_s": haproxy[name]["timeout_s"]} if "timeout_s" in haproxy[name] else {}
    backend = said["backend"].replace("{service}", service)
    return SeatRule(haproxy[name].get("sockets", ()), backend, **rest, **timeout)


def _log(service: str, said: Values, way: Way | None, spot: Spot) -> Source | None:
    if not said:
        return None
    if len(said) != 1:
        spot.refuse("expected one of unit, file and command")
    if way is None:
        spot.warn("logs are read by ssh, and these hosts are reached by their agent: nothing is shown")
        return None
    makers: dict[str, Callable[[Any], Source]] = {"unit": Journal, "file": File, "command": Argv}
    [(kind, value)] = said.items()
    if isinstance(value, str):
        value = value.replace("{service}", service)
    return made(lambda: makers[kind](value), spot / kind)
