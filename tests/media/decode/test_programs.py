"""A transport stream may hold several programmes; a video's sound is that of its own."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from clips import CFR, Video
from rich_clips import RichVideo, Sound, codecs, copy_video, delay, heard, noise

from stylize_live.media.decode.programs import other_program_pids

PACKET = 188


def two_programmes(first: Path, second: Path, target: Path) -> Path:
    """Both files' packets in turn; the second's streams get PIDs of their own, and its map another number."""
    moved = {0x100: 0x200, 0x101: 0x201, 0x1000: 0x1010}
    packets = [packets_of(first), packets_of(second)]
    association = next(packet for packet in packets[0] if pid_of(packet) == 0)
    mapping = next(packet for packet in packets[1] if pid_of(packet) == 0x1000)
    both = table(0, association[5 : 5 + 8] + entry(1, 0x1000) + entry(2, 0x1010))
    other = bytearray(mapping[5 : 5 + 3 + (int.from_bytes(mapping[6:8], "big") & 0xFFF) - 4])
    other[3:5] = (2).to_bytes(2, "big")
    at = 12 + (int.from_bytes(other[10:12], "big") & 0xFFF)
    other[8:10] = (0xE000 | 0x200).to_bytes(2, "big")
    while at + 5 <= len(other):
        other[at + 1 : at + 3] = (0xE000 | moved[pid(other, at + 1)]).to_bytes(2, "big")
        at += 5 + (int.from_bytes(other[at + 3 : at + 5], "big") & 0xFFF)
    found = []
    for number, packets_of_one in enumerate(packets):
        for packet in packets_of_one:
            kind = pid_of(packet)
            if kind == 0:
                packet = both
            elif number == 1 and kind in moved:
                packet = table(0x1010, bytes(other)) if kind == 0x1000 else with_pid(packet, moved[kind])
            found.append(packet)
    target.write_bytes(b"".join(found))
    return target


def packets_of(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return [data[at : at + PACKET] for at in range(0, len(data), PACKET)]


def pid(data: bytes | bytearray, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big") & 0x1FFF


def pid_of(packet: bytes) -> int:
    return pid(packet, 1)


def with_pid(packet: bytes, number: int) -> bytes:
    return packet[:1] + (int.from_bytes(packet[1:3], "big") & 0xE000 | number).to_bytes(2, "big") + packet[3:]


def entry(programme: int, where: int) -> bytes:
    return programme.to_bytes(2, "big") + (0xE000 | where).to_bytes(2, "big")


def table(number: int, body: bytes) -> bytes:
    """One packet with a table: its length and its checksum put right."""
    body = body[:1] + (0xB000 | len(body) - 3 + 4).to_bytes(2, "big") + body[3:]
    sum_of_all = 0xFFFFFFFF
    for byte in body:
        sum_of_all ^= byte << 24
        for _ in range(8):
            sum_of_all = (sum_of_all << 1 ^ (0x04C11DB7 if sum_of_all >> 31 else 0)) & 0xFFFFFFFF
    head = bytes([0x47]) + (0x4000 | number).to_bytes(2, "big") + b"\x10\0"
    return (head + body + sum_of_all.to_bytes(4, "big")).ljust(PACKET, b"\xff")


@pytest.fixture
def both(tmp_path: Path) -> Path:
    videos = [RichVideo([Sound("mp2", seed=seed)]).write(tmp_path / f"{seed}.ts") for seed in (1, 2)]
    return two_programmes(videos[0], videos[1], tmp_path / "both.ts")


def test_the_other_programme_is_left_out(both: Path) -> None:
    assert codecs(both) == ["video h264", "audio mp2", "video h264", "audio mp2"]
    target = both.with_name("out.mp4")
    notes = copy_video(both, target)
    assert [note for note in notes if "another programme" in note] == [
        "left out: video in stream 2 (h264), which belongs to another programme",
        "left out: sound in stream 3 (mp2), which belongs to another programme",
    ]
    assert codecs(target) == ["video h264", "audio aac"]
    sound = heard(target)
    assert abs(delay(noise(0.6, seed=1)[0], sound)) < 48_000 * 0.1


def test_pids_of_other_programmes(both: Path, tmp_path: Path) -> None:
    assert other_program_pids(both, 0x100) == {0x200, 0x201}
    assert other_program_pids(both, 0x200) == {0x100, 0x101}
    assert other_program_pids(both, 0x999) == set()
    assert other_program_pids(tmp_path / "1.ts", 0x100) == set()
    assert other_program_pids(Video(CFR).write(tmp_path / "no.mp4"), 1) == set()
    assert other_program_pids(tmp_path / "missing.ts", 1) == set()


def test_packets_with_a_time_before_them(both: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "both.m2ts"
    recorded.write_bytes(b"".join(b"\0\0\0\1" + packet for packet in packets_of(both)))
    assert other_program_pids(recorded, 0x100) == {0x200, 0x201}


def test_damaged_tables_end_in_an_answer(both: Path, tmp_path: Path) -> None:
    rng = random.Random(0)
    whole = both.read_bytes()
    for _ in range(60):
        data = bytearray(whole[: rng.randrange(len(whole))])
        for _ in range(40):
            if data:
                data[rng.randrange(min(len(data), 2000))] = rng.randrange(256)
        (tmp_path / "damaged.ts").write_bytes(bytes(data))
        assert other_program_pids(tmp_path / "damaged.ts", 0x100) <= set(range(0x2000))
