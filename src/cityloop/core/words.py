"""Words of people who are not known: plain text and nothing else."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>")


def plain_words(text: str) -> str:
    """The text without control characters; raises ``ValueError`` where it holds markup."""
    if _TAG.search(text):
        raise ValueError("this holds markup such as <b>: write plain words")
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t").strip()


Words = Annotated[str, AfterValidator(plain_words)]
