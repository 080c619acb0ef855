"""Hosts reached by the user's own `ssh HOST`, with nothing installed on them."""

from adapters.hosts.ssh.artifacts import Directory, There, Url
from adapters.hosts.ssh.client import SshClient, SshSettings
from adapters.hosts.ssh.hosts import SshHosts
from adapters.hosts.ssh.logs import Argv, File, Journal, SshLogs
from adapters.hosts.ssh.recipes import Command, Package, ReleaseDir, Way

__all__ = [
    "Argv",
    "Command",
    "Directory",
    "File",
    "Journal",
    "Package",
    "ReleaseDir",
    "SshClient",
    "SshHosts",
    "SshLogs",
    "SshSettings",
    "There",
    "Url",
    "Way",
]
