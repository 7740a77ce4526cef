"""Zeckta's "Verify OTP" with FastAPI. Sessions live in memory.

    pip install -r requirements.txt
    CONTROL=1 python server.py
"""

import hashlib
import hmac
import os
import time
import uuid
from dataclasses import dataclass

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

MAX_BODY = 16 * 1024  # bytes
# A mistake to try the suite on: with BUG=expiry, a code works for ever.
BUG = os.environ.get("BUG")


@dataclass
class Session:
    workspace: str
    code: str
    expires_at: float
    attempts_left: int
    used: bool = False


class Store:
    """All handlers run in one thread, and no method here awaits anything, so each is atomic. With a database, `verify` is
    one transaction that locks the session's row."""

    def __init__(self):
        self.workspaces: dict[str, str] = {}  # by the hash of their API key
        self.sessions: dict[str, Session] = {}

    def add_workspace(self, workspace: str, key: str):
        self.workspaces[hashlib.sha256(key.encode()).hexdigest()] = workspace

    def workspace_of(self, key: str) -> str | None:
        return self.workspaces.get(hashlib.sha256(key.encode()).hexdigest())

    def issue(self, workspace: str, code: str, lifetime: int = 300, attempts: int = 5) -> str:
        session_id = str(uuid.uuid4())
        self.sessions[session_id] = Session(workspace, code, time.monotonic() + lifetime, attempts)
        return session_id

    def session_of(self, workspace: str, session_id: str) -> Session | None:
        session = self.sessions.get(session_id)
        return session if session is not None and session.workspace == workspace else None

    def verify(self, workspace: str, session_id: str, code: str) -> str:
        session = self.session_of(workspace, session_id)
        # Another workspace's session looks exactly like one that does not exist.
        if session is None:
            return "NOT_FOUND"
        # The state decides before the code does, so that nobody can test codes on a session that is over.
        if session.used:
            return "ALREADY_USED"
        if session.attempts_left <= 0:
            return "MAX_ATTEMPTS_REACHED"
        if time.monotonic() >= session.expires_at and BUG != "expiry":
            return "EXPIRED"
        if not hmac.compare_digest(session.code, code):
            session.attempts_left -= 1
            return "INVALID"
        session.used = True
        return "APPROVED"


# The HTTP status, the message, and the message in `data`.
RESPONSES = {
    "APPROVED": (200, "OTP verification successful", "OTP verified successfully"),
    "INVALID": (400, "Invalid OTP", "Invalid OTP"),
    "NOT_FOUND": (404, "OTP session not found", "OTP session not found"),
    "ALREADY_USED": (409, "OTP already used", "OTP already verified"),
    "EXPIRED": (410, "OTP expired", "OTP expired"),
    "MAX_ATTEMPTS_REACHED": (423, "Maximum verification attempts reached", "Maximum verification attempts reached"),
}

store = Store()
app = FastAPI(openapi_url=None)


class VerifyRequest(BaseModel):
    sessionId: str = Field(min_length=1)
    code: str = Field(pattern="^[0-9]{4,10}$")


def authenticated(bearer: HTTPAuthorizationCredentials | None = Depends(HTTPBearer(auto_error=False))) -> str:
    workspace = store.workspace_of(bearer.credentials) if bearer else None
    if workspace is None:
        raise HTTPException(401, "Authentication failed", {"WWW-Authenticate": "Bearer"})
    return workspace


@app.post("/v1/messaging/otp/verify")
async def verify(request: VerifyRequest, workspace: str = Depends(authenticated)):
    result = store.verify(workspace, request.sessionId, request.code)
    status, message, detail = RESPONSES[result]
    approved = result == "APPROVED"
    data = {"sessionId": request.sessionId, "status": result, "verified": approved, "message": detail}
    return JSONResponse({"success": approved, "message": message, "data": data}, status)


@app.exception_handler(HTTPException)
async def refused(_: Request, error: HTTPException):
    return JSONResponse({"success": False, "message": error.detail}, error.status_code, error.headers)


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, error: RequestValidationError):
    # FastAPI's own response repeats what was submitted, and fails if that is not Unicode.
    return JSONResponse({"success": False, "message": "Invalid request"}, 400)


class LimitBody:
    """Refuses a body as soon as it is too long, whether its length was announced or not."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        length = 0

        async def counted():
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            if length > MAX_BODY:
                raise HTTPException(413, "Content Too Large")
            return message

        await self.app(scope, counted, send)


app.add_middleware(LimitBody)

if __name__ == "__main__":
    # The control issues codes to whoever asks: only a test environment may have it.
    if os.environ.get("CONTROL") == "1":
        import control

        app.mount("/_control", control.app(store))
    host, port = os.environ.get("LISTEN", "127.0.0.1:8080").rsplit(":", 1)
    # It prints the address.
    uvicorn.run(app, host=host, port=int(port), access_log=False)
