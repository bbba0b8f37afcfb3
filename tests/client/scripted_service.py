"""A service that answers what a test says."""

import httpx

from foretaste.client import Client


class Scripted:
    """Answers requests one after the other with what a test says, and remembers them."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.pauses = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            return answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options):
        """A client of this service, in which no time passes."""
        return Client(
            transport=httpx.MockTransport(self), sleep=self.pauses.append, draw=lambda: 0.5, **options
        )


def problem(status, kind="unavailable", detail="not now", headers=None, **members):
    document = {"type": f"urn:foretaste:problem:{kind}", "title": "T", "status": status, "detail": detail}
    return httpx.Response(status, json=document | members, headers=headers)
