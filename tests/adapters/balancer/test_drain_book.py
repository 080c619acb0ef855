"""The drain book on disk."""

from datetime import UTC, datetime

import pytest

from adapters.balancer.book import BookFault, DrainBook, Drained


def entry(host: str = "web-1") -> Drained:
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    return Drained(host, f"web-7.forward.{host}.1", "be_web", host, ("/run/haproxy/admin.sock", "lb-2:9999"), at)


def test_what_is_put_is_there_for_the_next_process_and_what_is_struck_is_not(tmp_path) -> None:
    path = tmp_path / "state" / "drains.json"
    book = DrainBook(path)
    assert (book.put(entry()), book.put(entry("web-2")), book.strike("web-1"), book.strike("web-1")) == ("", "", "", "")
    assert DrainBook(path).entries == {"web-2": entry("web-2")}
    assert [file.name for file in path.parent.iterdir()] == ["drains.json"]


def test_a_book_that_cannot_be_written_is_kept_in_memory_and_said(tmp_path) -> None:
    book = DrainBook(tmp_path / "drains.json")
    (tmp_path / "drains.json.new").mkdir()
    assert book.put(entry()).endswith("drains.json cannot be written: Is a directory")
    assert book.entries == {"web-1": entry()}


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "malformed: "),
        (b"\xff", "malformed: "),
        (b"[]", "malformed: "),
        (b'{"version": 1, "drained": [{"host": "web-1"}]}', "malformed: "),
        (b'{"version": 2, "drained": []}', "version 2, not 1"),
    ],
)
def test_a_book_that_cannot_be_read_says_what_to_do(tmp_path, raw: bytes, said: str) -> None:
    path = tmp_path / "drains.json"
    path.write_bytes(raw)
    with pytest.raises(BookFault) as caught:
        DrainBook(path)
    assert said in str(caught.value)
    assert "put the servers that it names back by hand, then delete it" in str(caught.value)
