"""The envelope of WeCom and DingTalk: AES-256-CBC around 16 random bytes, the length, the message and the receiver's id.

Source: sbzhu/weworkapi_python `WXBizMsgCrypt`; DingTalk's `DingCallbackCrypto3` is the same with another id at the end.
"""

from __future__ import annotations

import hashlib
import struct
from base64 import b64decode, b64encode
from secrets import compare_digest, token_bytes

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from service.api.hooks.tool import Forged

AES_BLOCK = 128
"""Bits."""
PADDED_TO = 256
"""Bits: the format pads to 32 bytes, not to AES's 16."""
PREFIX = 16
KEY_BYTES = 32


def key_of(encoding_aes_key: str) -> bytes:
    """The 32 bytes behind the 43 characters that both consoles show. Raises ValueError for others."""
    key = b64decode(encoding_aes_key + "=")
    if len(key) != KEY_BYTES:
        raise ValueError("the AES key has 43 characters")
    return key


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """SHA-1, in hex, of the four in sorted order."""
    joined = "".join(sorted((token, timestamp, nonce, encrypted)))
    return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()


def unseal(key: bytes, encrypted: str, receiver: str) -> bytes:
    """The message. Raises Forged for what is no envelope of this key, or one that is meant for somebody else."""
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:PREFIX])).decryptor()
        padded = decryptor.update(b64decode(encrypted, validate=True)) + decryptor.finalize()
        unpadder = PKCS7(PADDED_TO).unpadder()
        plain = unpadder.update(padded) + unpadder.finalize()
        (length,) = struct.unpack_from(">I", plain, PREFIX)
    except (ValueError, struct.error):
        raise Forged("The body can't be decrypted with this connection's AES key.") from None
    start = PREFIX + 4
    message, owner = plain[start : start + length], plain[start + length :]
    if not compare_digest(owner, receiver.encode()):
        raise Forged("The body is meant for another account than this connection's.")
    return message


def seal(key: bytes, message: bytes, receiver: str) -> str:
    """The other way round, for answers."""
    padder = PKCS7(PADDED_TO).padder()
    plain = token_bytes(PREFIX) + struct.pack(">I", len(message)) + message + receiver.encode()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:PREFIX])).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return b64encode(encryptor.update(padded) + encryptor.finalize()).decode()
