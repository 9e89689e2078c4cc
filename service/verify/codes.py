"""What the codes in attached pictures lead to. In: a message's images. Out: one finding or one dismissal for each code.

A payload is read as a text of its own, by the same terms, detectors and checks: what blocks when typed blocks when scanned,
and what the platform or the shop owns passes. The code stays one finding, `qr_code`, with where it leads as its reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import msgspec

from service.lexicon.policy import PlatformRules
from service.lexicon.term import Localized
from service.match.candidate import Candidate
from service.match.pictures import PictureWords
from service.match.propose import Proposer
from service.normalise.views import fold
from service.text.message import MAX_TEXT, Assets, Message
from service.verify.finding import Dismissal, Finding
from service.verify.outcome import Dismissed
from service.verify.own import host_of, is_own_account, own_hosts, owner
from service.verify.verify import Verifier
from service.vocabulary import SEVERITY_RANK, Severity

WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\x7f]+")
DROPPED = str.maketrans("", "", "\t\r\n")
"""What browsers leave out of an address, so that https://own.example, a line break and .other.example are one host."""
SEGMENT_END = re.compile(r"[/?#=&:]+")
MAX_READ = 20
"""Codes of one message that are read: nobody shows a customer more."""
OWN = ("own_domain", "own_account", "own_address")


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a code leads."""

    kind: str
    by: str
    severity: Severity | None = None
    """None: the kind's own."""
    found: Candidate | None = None
    """What a detector or a term found in it; None where a pattern told, or nothing objects."""


@dataclass(frozen=True, slots=True)
class CodeReader:
    """Reads the codes of one message."""

    message: Message
    rules: PlatformRules
    proposer: Proposer
    verifier: Verifier

    def judge(self) -> tuple[list[Finding], list[Dismissal]]:
        """All codes in their order. Past `MAX_READ` and the length of a longest text they are found without being read."""
        findings: list[Finding] = []
        dismissals: list[Dismissal] = []
        codes = read = 0
        for index, image in enumerate(self.message.images):
            for payload in image.payloads:
                codes, read = codes + 1, read + len(payload)
                lead = (
                    self.lead(payload)
                    if codes <= MAX_READ and read <= MAX_TEXT
                    else Lead("text", "code beyond those that are read")
                )
                if isinstance(lead, Dismissed):
                    candidate = self.proposer.pictures.candidate(index, "text", "pictures", payload)
                    dismissals.append(Dismissal(candidate, lead.check, lead.because))
                else:
                    candidate = self._candidate(index, lead, payload)
                    findings.append(Finding(candidate, candidate.severity, lead.by))
        return findings, dismissals

    def lead(self, payload: str) -> Lead | Dismissed:
        """Where one code leads, or why it may."""
        plain = fold(payload, self.proposer.tables).text.strip()
        assets = self.message.assets
        own = own_domain(plain, own_hosts(assets.domains))
        kind = "" if own else self.proposer.pictures.kind_of(plain)
        if kind:
            if names_own_account(plain, assets):
                return Dismissed("own_account", "registered by the shop")
            return Lead(kind, f"code of kind {kind}")
        own = own or own_domain(plain, self.rules.domains)
        if own:
            return Dismissed("own_domain", f"{host_of(plain)} belongs to {own}")
        return self._lead_of_text(payload)

    def _lead_of_text(self, payload: str) -> Lead | Dismissed:
        findings, dismissals = self._verify(payload)
        address = payload.strip().translate(DROPPED)
        if address != payload.strip() and address[:4].lower() == "http":
            findings += self._verify(address)[0]
        if findings:
            words = self.proposer.pictures
            return max((lead_of(finding, words) for finding in findings), key=lambda lead: rank(lead, words))
        own = next((each for each in dismissals if each.check in OWN), None)
        return Dismissed(own.check, own.because) if own else Lead("text", "code with text that nothing objects to")

    def _verify(self, text: str) -> tuple[list[Finding], list[Dismissal]]:
        message = msgspec.structs.replace(self.message, text=text, images=(), earlier=(), pace=None)
        return self.verifier.verify(self.proposer.propose(message, self.rules), message, self.rules)

    def _candidate(self, index: int, lead: Lead, payload: str) -> Candidate:
        found, words = lead.found, self.proposer.pictures
        candidate = words.candidate(index, lead.kind, found.detector if found else "pictures", payload)
        reason, term = candidate.reason, found.term if found else None
        if found is not None and term is not None:
            reason = Localized(f"{reason.zh_cn}：{found.reason.zh_cn}", f"{reason.en}: {found.reason.en}")
        return replace(candidate, severity=lead.severity or candidate.severity, reason=reason, term=term)


def own_domain(plain: str, domains: tuple[str, ...]) -> str:
    """The domain of `domains` that a payload leads to, if it is a web address and nothing else."""
    return owner(host_of(plain), domains) if WEB_ADDRESS.fullmatch(plain) else ""


def names_own_account(plain: str, assets: Assets) -> bool:
    """Whether the shop has registered this address, or an account that it names: weixin://contacts/profile/abc123."""
    return any(is_own_account(part, assets) for part in (plain, *SEGMENT_END.split(plain)) if part)


def lead_of(finding: Finding, words: PictureWords) -> Lead:
    found = finding.candidate
    kind = words.kind_of_detector.get(found.detector, "words")
    severity = max(finding.severity, words.severities[kind], key=SEVERITY_RANK.__getitem__)
    return Lead(kind, f"code; {finding.confirmed_by}", severity, found)


def rank(lead: Lead, words: PictureWords) -> tuple[int, int]:
    """The gravest leads; of equal ones the first in the data file, which says most."""
    return SEVERITY_RANK[lead.severity or words.severities[lead.kind]], -list(words.reasons).index(lead.kind)
