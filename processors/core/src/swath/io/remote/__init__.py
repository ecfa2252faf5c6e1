"""Files behind S3 and HTTP: as few requests as can be, many at once, asked again where they fail.

fsspec and the clients it works with (aiobotocore, aiohttp) hold the connections and know the credentials;
what is here decides which bytes are asked for, when, and what an answer is worth.
"""

from swath.io.remote._blob import RemoteBlob
from swath.io.remote._directory import RemoteDirectory
from swath.io.remote._files import Files, open_files
from swath.io.remote._open import find_remote, open_remote
from swath.io.remote._retry import Patience, patience
from swath.io.remote._transport import GoneError

__all__ = [
    "Files",
    "GoneError",
    "Patience",
    "RemoteBlob",
    "RemoteDirectory",
    "find_remote",
    "open_files",
    "open_remote",
    "patience",
]
