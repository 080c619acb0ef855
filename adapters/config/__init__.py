"""The configuration: one TOML file, read whole and checked whole before anything starts."""

from pathlib import Path

from adapters.config.build import build
from adapters.config.errors import ConfigError, ConfigErrors
from adapters.config.find import NoConfig, demo_config_path, find
from adapters.config.settings import DemoSettings, Settings, UiSettings, shifted
from adapters.config.source import document_of

__all__ = [
    "ConfigError",
    "ConfigErrors",
    "DemoSettings",
    "NoConfig",
    "Settings",
    "UiSettings",
    "demo_config_path",
    "find",
    "load",
    "shifted",
]


def load(path: Path) -> Settings:
    """The settings in the file at `path`; raises `ConfigErrors` with all that is wrong, and takes nothing then."""
    document, problems = document_of(path)
    return build(document, path, problems)
