"""The operations by which the conformance suite creates accounts, issues codes and lets time pass. For tests only."""

import re
import secrets
import uuid

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

VENDOR = "zeckta"


class TenantRequest(BaseModel):
    vendor: str


class SessionRequest(BaseModel):
    vendor: str
    tenant: str
    code: str
    ttl_seconds: int | None = None
    max_attempts: int | None = None
    recipient_of: str | None = None


class AgeRequest(BaseModel):
    vendor: str
    tenant: str
    session: str
    seconds: int = Field(ge=0)


def app(store) -> FastAPI:
    control = FastAPI(openapi_url=None)

    def find(tenant: str, session_id: str):
        session = store.sessions.get(session_id)
        if session is None or session.workspace != tenant:
            raise HTTPException(404, "no such session")
        return session

    @control.get("/v1")
    async def describe():
        operations = ["tenants", "sessions", "age", "resend"]
        return {"protocol": 1, "implementation": "fastapi-example/1", "vendors": [VENDOR], "operations": operations}

    @control.post("/v1/tenants", status_code=201)
    async def create_tenant(request: TenantRequest):
        if request.vendor != VENDOR:
            raise HTTPException(404, "no such vendor")
        tenant, key = str(uuid.uuid4()), secrets.token_urlsafe(24)
        store.add_workspace(tenant, key)
        return {"tenant": tenant, "parameters": {}, "credentials": {"bearerAuth": {"token": key}}}

    @control.post("/v1/sessions", status_code=201)
    async def issue(request: SessionRequest):
        if request.vendor != VENDOR or request.tenant not in store.workspaces.values():
            raise HTTPException(404, "no such vendor or tenant")
        if not re.fullmatch("[0-9]{4,10}", request.code):
            raise HTTPException(422, "a code has 4 to 10 digits")
        lifetime = min(max(request.ttl_seconds or 300, 1), 3600)
        attempts = left = min(max(request.max_attempts or 5, 1), 100)
        if request.recipient_of is not None:
            # The recipient's new code replaces the earlier one, and brings no new attempts.
            left = min(left, find(request.tenant, request.recipient_of).attempts_left)
            del store.sessions[request.recipient_of]
        session_id = store.issue(request.tenant, request.code, lifetime, left)
        return {"session": session_id, "ttl_seconds": lifetime, "max_attempts": attempts}

    @control.post("/v1/sessions/age", status_code=204)
    async def age(request: AgeRequest):
        find(request.tenant, request.session).expires_at -= request.seconds

    @control.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)

    @control.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError):
        return JSONResponse({"error": "the body does not have the documented form"}, 400)

    return control
