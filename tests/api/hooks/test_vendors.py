"""Our reading against the vendors' own packages, and the vectors that they publish."""

from __future__ import annotations

import json
import sys
import warnings
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from service.api.hooks.envelope import key_of, seal, signature, unseal
from service.api.hooks.feishu import decrypt
from service.api.hooks.registry import TOOLS
from service.api.hooks.tool import Call, Forged, TokenSecret
from tests.api.hooks import before
from tests.api.hooks.after import AES_KEY_SHOWN, AT, FEISHU, SECRETS, WECOM, call_of, enclosed, payload_of, secret_of

with warnings.catch_warnings():
    # Their own old habits are no matter of ours.
    warnings.simplefilter("ignore")
    from slack_sdk.signature import Clock, SignatureVerifier
    from wechatpy.enterprise.crypto import WeChatCrypto  # type: ignore[import-untyped]


def lark_cipher(key: str) -> Any:
    """lark_oapi's AESCipher from its own file: the package itself takes seconds to import, and leaves a loop open."""
    spec = find_spec("lark_oapi")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    import_module("Crypto.Cipher.AES")
    with patch.dict(sys.modules):
        for name, folder in (("", root), (".core", root / "core"), (".core.utils", root / "core" / "utils")):
            package = ModuleType(f"lark_oapi{name}")
            package.__path__ = [str(folder)]
            sys.modules[package.__name__] = package
        return import_module("lark_oapi.core.utils.decryptor").AESCipher(key)


class Then(Clock):
    def now(self) -> float:
        return AT


def test_slack_sdk_takes_what_we_take_and_signs_what_we_take() -> None:
    call = call_of("slack", payload_of("slack"))
    verifier = SignatureVerifier(SECRETS["slack"], Then())
    assert verifier.is_valid_request(call.body, dict(call.headers))
    body = json.dumps(payload_of("slack"))
    signature_of = verifier.generate_signature(timestamp=str(AT), body=body)
    headers = {"x-slack-request-timestamp": str(AT), "x-slack-signature": signature_of or ""}
    tool = TOOLS["slack"]
    assert tool.verify(Call("POST", "", {}, headers, body.encode(), call.now), secret_of("slack"), tool.settings())


def test_the_example_of_slacks_documentation_fits() -> None:
    """docs.slack.dev, verifying requests: a slash command, so the body is a form and is refused only after the proof."""
    secret = TokenSecret("8f742231b10e8888abcd99yyyzzz85a5")
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    given = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": given}
    call = Call("POST", "", {}, headers, body, datetime.fromtimestamp(1531420618, UTC))
    tool = TOOLS["slack"]
    with pytest.raises(Exception, match="not JSON"):
        tool.verify(call, secret, tool.settings())


def test_meiqias_own_example_fits() -> None:
    """MeiqiaSDK-Push-Signature-Example: the text is signed as it is, so it is refused only after the proof."""
    secret = TokenSecret("$2a$12$skg8Mk3UJ3ylnmciryxCQ.IyjKTqi2ujRYwH0ak/BMXYiFBacZbx6")
    body = "美洽，在线客服软件的漂亮之选".encode()
    given = "meiqia_sign:YTgyMmFkMDY5OWJjYzI1ODRkNjBhNzAyMTdlY2M4YjU2NDNiYjhkZA=="
    tool, at = TOOLS["meiqia"], datetime.fromtimestamp(AT, UTC)
    with pytest.raises(Exception, match="not JSON"):
        tool.verify(Call("POST", "", {}, {"authorization": given}, body, at), secret, tool.settings())
    with pytest.raises(Forged):
        tool.verify(Call("POST", "", {}, {"authorization": given}, body + b".", at), secret, tool.settings())


def test_wechatpy_and_we_read_each_others_envelopes() -> None:
    crypto = WeChatCrypto(WECOM["token"], AES_KEY_SHOWN, WECOM["corp_id"])
    key = key_of(AES_KEY_SHOWN)
    theirs = _encrypted(crypto.encrypt_message("<xml><a>高仿</a></xml>", "n1", str(AT)))
    assert unseal(key, theirs, WECOM["corp_id"]) == "<xml><a>高仿</a></xml>".encode()
    ours = seal(key, "<xml><a>高仿</a></xml>".encode(), WECOM["corp_id"])
    xml = f"<xml><ToUserName>x</ToUserName><Encrypt>{ours}</Encrypt></xml>"
    signed = signature(WECOM["token"], str(AT), "n1", ours)
    assert "高仿" in _text(crypto.decrypt_message(xml, signed, str(AT), "n1"))


def _encrypted(xml: Any) -> str:
    return _text(xml).partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_lark_and_we_decrypt_alike() -> None:
    body = json.loads(call_of("feishu", payload_of("feishu")).body)["encrypt"]
    theirs = lark_cipher(FEISHU["encrypt_key"]).decrypt_str(body)
    assert decrypt(FEISHU["encrypt_key"], body).decode() == theirs
    assert json.loads(theirs) == payload_of("feishu")


@pytest.mark.parametrize("broken", ["", "AAAA", "!", "A" * 64])
def test_what_is_no_envelope_is_forged(broken: str) -> None:
    with pytest.raises(Forged):
        unseal(key_of(AES_KEY_SHOWN), broken, WECOM["corp_id"])
    with pytest.raises(Forged):
        decrypt(FEISHU["encrypt_key"], broken)


def test_an_envelope_for_somebody_else_is_forged() -> None:
    with pytest.raises(Forged, match="another account"):
        unseal(key_of(AES_KEY_SHOWN), enclosed(b"hello", "another-corp"), WECOM["corp_id"])


@pytest.mark.parametrize(
    ("provider", "name", "other"), [("tencent_im", "MsgKey", "MsgId"), ("yunxin", "msgidClient", "msgidServer")]
)
def test_a_message_is_known_by_the_id_that_all_its_calls_bear(provider: str, name: str, other: str) -> None:
    """MsgKey is what a message is taken back by, and before it is stored it has no id of the server's."""
    payload = before.payload_of(provider, "高仿") | {name: "own", other: "other"}
    call = Call("POST", "", {}, {}, json.dumps(payload).encode(), datetime.fromtimestamp(AT, UTC))
    (message,) = TOOLS[provider].read(payload, call, TOOLS[provider].settings()).messages
    assert (message.message_id, message.delivery_id) == ("own", "own")
