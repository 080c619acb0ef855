"""Programs that a test runs beside itself: found, or the test is skipped, or fails where they are required."""

import os
import shutil

import pytest

PACKAGES = {
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "haproxy": "haproxy",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "victoria-metrics": "victoria-metrics",
    "createrepo_c": "createrepo-c",
    "rpmbuild": "rpm",
    "runsv": "runit",
    "sv": "runit",
    "supervisorctl": "supervisor",
    "supervisord": "supervisor",
}
"""By program: Debian's package."""
PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def path_of(program: str) -> str | None:
    return shutil.which(program, path=PLACES)


def need(program: str) -> str:
    """The program's path; without it the test is skipped, or fails under PITHEAD_NEIGHBOURS=required."""
    path = path_of(program)
    if path is not None:
        return path
    missing = f"needs {program} (Debian: {PACKAGES.get(program, program)})"
    if os.environ.get("PITHEAD_NEIGHBOURS") == "required":
        pytest.fail(missing)
    pytest.skip(missing)
