"""What a lexicon learns from a false hit: an exception in its draft, a sentence that must pass from now on, or both.

In: an overturned incident and what its reviewer says. Out: changes of a draft, which nobody is judged by before somebody
publishes it.
"""

from __future__ import annotations

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from service.errors import Conflict
from service.lexicon.term import ExceptionPhrase
from service.record.cases import add_case, new_case
from service.record.drafts import Author, item_of, put_item
from service.record.incident import Incident
from service.record.lexicons import get_lexicon


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be learned; lexicons by name."""

    exception: ExceptionPhrase | None = None
    exception_in: str | None = None
    """The lexicon whose draft gets the exception; None: it is only proposed."""
    case_in: str | None = None
    """The lexicon that must let the incident's text pass from now on."""
    case_term: str | None = None
    """The term that must find nothing in it; None: nothing at all must be found."""


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What was added to drafts; None where nothing was."""

    revision: int | None = None
    """Of the draft that got the exception; None as well where the exception was there already."""
    case_id: str | None = None


async def learn(connection: AsyncConnection, incident: Incident, lesson: Lesson, author: Author) -> Learned:
    """Adds it, in the transaction of the review. Raises NotFound for a lexicon that the tenant does not have."""
    revision = case_id = None
    if lesson.exception is not None and lesson.exception_in is not None:
        lexicon = await get_lexicon(connection, incident.tenant_id, lesson.exception_in, lock=True)
        try:
            item = await put_item(connection, lexicon, item_of(lesson.exception), author, over=None)
            revision = item.revision
        except Conflict as error:
            # Another review has taught it the same phrase.
            if error.code != "exists":
                raise
    if lesson.case_in is not None:
        lexicon = await get_lexicon(connection, incident.tenant_id, lesson.case_in, lock=True)
        case = new_case(incident.text, "pass", incident.platform, lesson.case_term, author.key_id, author.at)
        await add_case(connection, lexicon.id, case)
        case_id = case.id
    return Learned(revision=revision, case_id=case_id)
