"""How fast level-0 packets are decoded, as a ratio to sentinel1decoder on the same file in the same run.

    python benchmarks/s1_l0_decode.py --other PYTHON [--packets 2048] [--json FILE]

PYTHON is an interpreter that has sentinel1decoder 2.1.0 (it is not a dependency of Swath). Both decode the
real FDBAQ echo of the samples, replicated, from one file on disk (read before, so that it is in memory): each
by what its users call, and each by its decoding loop alone, on packets that are in memory. Beside them stands
the floor: the file read, and the decoded bytes copied. Told are the best of several runs, by the clock and in
seconds of processors, which are the steadier ones on a shared machine.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask.array as da
import numpy as np
from swath.io.isp import _kernels as kernels
from swath.io.isp import decode_packets, scan_packets
from swath.io.isp._tables import fdbaq_values
from swath.io.store import open_store
from swath.product import lazy_array
from swath.product.sentinel1 import PacketChunks

HEADER = 68
SAMPLES = Path(os.environ.get("SWATH_SAMPLES") or Path(__file__).parents[2] / "shared" / "samples")

OTHER = """
import json, sys, time
import sentinel1decoder
from sentinel1decoder import _sentinel1decoder as loops

def best(run, times):
    wall, processors = [], []
    for _ in range(times):
        start = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - start[0])
        processors.append(time.process_time() - start[1])
    return min(wall), min(processors)

def users():
    decoder = sentinel1decoder.Level0Decoder(sys.argv[1])
    return decoder.decode_packets(decoder.decode_metadata())

data = open(sys.argv[1], "rb").read()
size, times = int(sys.argv[2]), int(sys.argv[3])
packets = [data[k + 68 : k + size] for k in range(0, 256 * size, size)]
quads = int.from_bytes(data[65:67], "big")
print(json.dumps({
    "users": best(users, times),
    "loop": best(lambda: loops.decode_batched_fdbaq_packets(packets, quads), times),
}))
"""


def best(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Return the shortest of some runs: seconds by the clock, and of processors."""
    wall, processors = [], []
    for _ in range(times):
        start = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - start[0])
        processors.append(time.process_time() - start[1])
    return min(wall), min(processors)


def ours(folder: Path, times: int) -> dict[str, tuple[float, float]]:
    """Return the times of Swath, by what users call and by the loop alone."""

    def users() -> object:
        samples = lazy_array(PacketChunks(scan_packets(open_store(folder), "packets.dat")))
        decoded = np.empty(samples.shape, samples.dtype)
        da.store(samples, decoded, lock=False)
        return decoded

    packets = scan_packets(open_store(folder), "packets.dat")[:256]
    decode_packets(packets[:1])  # compiled before the clock starts
    data = bytearray((folder / "packets.dat").read_bytes()[: int(packets.starts[-1] + packets.sizes[-1])])
    words = kernels.as_words(data + bytes(kernels.SLACK - len(data) % 8))
    out = np.zeros((256, 4 * int(packets.quads[0])), np.float32)
    rows, outcome = np.arange(256), np.zeros(256, np.int64)
    starts, blocks = packets.starts + HEADER, np.full(256, 128)
    codes, sizes = kernels.huffman_tables()
    values = fdbaq_values()

    def part(which: slice) -> None:
        first, quads = starts[which], packets.quads[which]
        last = first + packets.sizes[which] - HEADER
        kernels.decode_fdbaq(
            words, first, last, quads, blocks[which], codes, sizes, values, out, rows[which], outcome[which]
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = [slice(k, k + 16) for k in range(0, 256, 16)]
        loop = best(lambda: list(pool.map(part, parts)), times)
    return {"users": best(users, times), "loop": loop}


def floor(folder: Path, packets: int, times: int) -> dict[str, tuple[float, float]]:
    """Return the times of reading the file and of copying the decoded bytes."""
    decoded = np.ones((packets, 21558), np.complex64)
    return {
        "read": best((folder / "packets.dat").read_bytes, times),
        "copy": best(decoded.copy, times),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--other", required=True, help="interpreter that has sentinel1decoder")
    arguments.add_argument("--packets", type=int, default=2048)
    arguments.add_argument("--times", type=int, default=5)
    arguments.add_argument("--json", type=Path, help="write the figures to this file, too")
    chosen = arguments.parse_args()
    echo = (SAMPLES / "s1/l0/000408-echo.dat").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "packets.dat").write_bytes(echo * chosen.packets)
        command = [chosen.other, "-c", OTHER, str(folder / "packets.dat"), str(len(echo)), str(chosen.times)]
        other = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        swath, least = ours(folder, chosen.times), floor(folder, chosen.packets, chosen.times)
    figures = {
        f"{chosen.packets} packets, file to array": (swath["users"], other["users"]),
        "256 packets, loop alone": (swath["loop"], other["loop"]),
    }
    print(f"{'':27} {'swath':>19} {'sentinel1decoder':>20} {'ratio':>15}")
    for told, (mine, its) in figures.items():
        times = "".join(f"{wall * 1e3:9.1f} {cpu * 1e3:7.1f} ms" for wall, cpu in (mine, its))
        print(f"{told:27} {times} {its[0] / mine[0]:6.1f} {its[1] / mine[1]:6.1f} x")
    print("(by the clock, and of processors)")
    read, copied = least["read"][0] * 1e3, least["copy"][0] * 1e3
    print(f"floor: file read {read:.1f} ms, decoded bytes copied {copied:.1f} ms")
    if chosen.json:
        chosen.json.write_text(
            json.dumps({"swath": swath, "sentinel1decoder": other, "floor": least}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
