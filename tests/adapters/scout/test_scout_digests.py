"""The digest of a build, where builds come from."""

import hashlib
from pathlib import Path
from typing import Any

from adapters.hosts.ssh.artifacts import Directory, There, Url
from adapters.scout.digests import Digests
from pipeline.readiness.seen import Digest

SHA = "ab" * 32
BODY = b"a build"
OF_BODY = hashlib.sha256(BODY).hexdigest()


async def test_a_build_in_a_folder_has_its_own_sum_or_the_one_beside_it(tmp_path: Path) -> None:
    folder = Directory(str(tmp_path))
    (tmp_path / "r1.tar.gz").write_bytes(BODY)
    digests = Digests()
    assert await digests.of(folder, "r1") == Digest(OF_BODY)
    (tmp_path / "r1.tar.gz").write_bytes(BODY + b"!")
    assert await digests.of(folder, "r1") != Digest(OF_BODY)
    (tmp_path / "r1.tar.gz.sha256").write_text(f"{SHA}  r1.tar.gz\n")
    assert await digests.of(folder, "r1") == Digest(SHA)
    missing = await digests.of(folder, "r2")
    assert missing is not None
    assert missing.fault.startswith("no artifact ")
    (tmp_path / "r1.tar.gz.sha256").write_text("rubbish rubbish\nmore more\n")
    broken = await digests.of(folder, "r1")
    assert broken is not None
    assert (broken.value, "no sha256 of r1.tar.gz" in broken.fault) == ("", True)


async def test_a_build_at_a_url_has_the_sum_of_its_list(tmp_path: Path, peers: Any, http_answer: Any) -> None:
    sums = tmp_path / "sums"
    sums.write_text(f"{SHA}  r1.tgz\n{OF_BODY}  r2.tgz\n")
    assert await Digests().of(Url("http://x/{revision}.tgz", sha256_file=str(sums)), "r2") == Digest(OF_BODY)

    def reply(_: str, path: str, __: bytes) -> bytes:
        return http_answer(200, f"{SHA} *r1.tgz\n") if path == "/r1.sum" else http_answer(404, "")

    address = await peers.answering(reply)
    far = Url("http://x/{revision}.tgz", f"http://{address}/{{revision}}.sum")
    assert await Digests().of(far, "r1") == Digest(SHA)
    assert await Digests().of(far, "r2") == Digest(fault=f"http://{address}/r2.sum: HTTP 404")


async def test_builds_that_are_on_the_hosts_have_none() -> None:
    assert await Digests().of(There(), "r1") is None
    assert await Digests().of(None, "r1") is None
